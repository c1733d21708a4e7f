// Package sigma matches events against Sigma rules, and correlates what matches.
//
// [Parse] reads rules, [Compile] makes an immutable [Engine] of them, and a [Matcher], one for each worker, says which
// rules match an event:
//
//	pack := sigma.Parse("rules/x.yml", data)
//	engine, rejected := sigma.Compile(pack, sigma.Options{})
//	m := engine.NewMatcher()
//	for _, i := range m.Match(ev) {
//		fmt.Println(engine.Rules()[i].Title)
//	}
//
// A rule that cannot be used is never dropped in silence: it becomes a [Rejection] with file, line and reason.
//
// # Semantics
//
// The Sigma rules specification 2.1 and its appendix on modifiers, and what of 2.2 is decided; where they leave room,
// this is what is done here.
//
// Values are compared with the text of a field ([event.Value.AppendText]), whatever its kind: 4688 matches the integer
// 4688, 0x1f matches the text "0x1f" only. A value of a rule counts as it is written in the file, quoted or not.
// Letters are compared without regard to case by Unicode's simple folding, unless the modifier cased or re says
// otherwise: K is the Kelvin sign, ſ is s and ẞ is ß, but ß is not ss, and İ and ı are only themselves. In a value, *
// stands for any characters and ? for one (a Unicode code point, or a byte that is not UTF-8); a backslash takes their
// meaning from *, ? and \, and stands for itself before anything else.
//
// A field with several values, or a name that several fields of the event answer to, matches where any of them does.
//
// null matches a field that is absent, or there without a value (JSON null, the empty type of binary XML); the empty
// string matches a field that is there with an empty text or without a value. So an empty text is not null, as the
// specification has it, and an element of an EVTX record that was written without a value is what its XML shows,
// empty, and what a JSON exporter makes of it, null. Where a log writes a field without a value as an empty text, as
// Windows does (EmptyIsNull of its [Shape]), null matches that too. Nothing else matches a field without a value: not *
// either. exists asks only whether the field is there. null in a list with other values, which the specification forbids, is
// one more of them, and Lint warns of it.
//
// A keyword (a value without a field) is looked for in every value of the event, and in the whole line of a text log.
//
// # Modifiers
//
// Modifiers work on the value one after the other, and every order that makes sense is taken:
//
//	expand, windash      of a string, in either order: windash replaces the dashes that placeholders have brought in
//	                     only if it stands behind expand
//	wide, utf16…         of a string that is not UTF-16 already; wildcards stay what they are
//	base64, base64offset of a string without wildcards; they may follow each other and the line above any number of
//	                     times, but base64 cannot follow base64offset, of which only a part is known
//	contains, startswith, endswith
//	                     one of them, anywhere but before base64 and base64offset
//	cased, all, neq      anywhere
//	re                   then any of i, m, s, expand, and contains (which changes nothing), startswith (\A) or endswith (\z)
//	cidr                 then expand; fieldref, then contains, startswith, endswith, cased
//	minute … year        then lt, lte, gt or gte
//	exists; lt, lte, gt, gte
//
// re and cidr may also stand behind expand, and fieldref behind cased. Any other order is rejected, with the nearest
// that is not.
//
// neq negates its whole line: no value of the list matches. It is therefore true where the field is absent.
//
// windash takes each of - / – — ― that begins a flag (before a letter, digit or _, and not behind one) for any of them.
//
// re is a search, not anchored and sensitive to case, in Go's RE2 syntax, which has all that the specification allows.
// lt, lte, gt and gte read decimal numbers and integers like 0x1f, exactly where they are whole and fit 64 bits; a
// value that is no number does not match. minute to year read a date at the start of the value, in the form of RFC
// 3339, as it is written there, without converting zones. cidr understands 192.0.2.1:80, [2001:db8::1]:80 and IPv4
// mapped into IPv6. fieldref compares the values of two fields of the event.
//
// utf16 puts the bytes FF FE, or U+FEFF, before the text. The encodings to UTF-16 that are not themselves encoded can
// only be asked for of texts whose bytes are text, as those of ASCII are.
//
// expand takes the values of %name% from [Options].Placeholders, where they are Sigma strings in which wildcards
// count, and expressions or networks as they stand in a line with re or cidr; a rule with a placeholder that has no
// values there is rejected. \% is a percent sign, \\% a backslash and then one.
//
// # Conditions
//
// or binds least, then and, not, "x of", and parentheses. x is 1, any, all or another number. Names that begin with _
// are not among them, nor among those of a pattern that does not itself begin with _. A pattern that no selection fits
// is a mistake, not false. Words are read in any case, names as they are written.
//
// An aggregation behind | is rejected, with the correlation that takes its place.
//
// # Collections and selection
//
// Files in the way of Sigma before 2.0 are read too: a document with action: global is merged into the rules that
// follow, and counts where both have an entry that is no mapping; reset ends that; repeat is the rule before with what
// the document has put in. Rules that get their id that way share it.
//
// [Pack.Select] leaves out deprecated and unsupported rules, unless asked for others, and those that another rule of
// the pack says are obsolete or were renamed to it; merged, derived and similar say nothing against a rule. Correlations
// and filters find a renamed rule by its old id. Of several rules with the same id, the first is kept: another with the
// same content is left out in silence, one that differs is rejected.
//
// A rule without a level has the level medium.
//
// What correlations and filters mean is written in conformance/README.md, with cases as plain files that any tool can use.
package sigma
