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
// The Sigma rules specification 2.1 and its appendix on modifiers; where they leave room, this is what is done here.
//
// Values are compared with the text of a field ([event.Value.AppendText]), whatever its kind: 4688 matches the integer
// 4688, 0x1f matches the text "0x1f" only. A value of a rule counts as it is written in the file, quoted or not.
// Letters are compared without regard to case by Unicode's simple folding, unless the modifier cased or re says
// otherwise. In a value, * stands for any characters and ? for one (a Unicode code point, or a byte that is not
// UTF-8); a backslash takes their meaning from *, ? and \, and stands for itself before anything else.
//
// A field with several values, or a name that several fields of the event answer to, matches where any of them does.
//
// null matches a field that is absent, or there without a value (JSON null, the empty type of binary XML); the empty
// string matches a field that is there with an empty text or without a value. So an empty text is not null, as the
// specification has it, and an element of an EVTX record that was written without a value is what its XML shows,
// empty, and what a JSON exporter makes of it, null. Nothing else matches a field without a value: not * either.
// exists asks only whether the field is there.
//
// neq negates its whole line: no value of the list matches. It is therefore true where the field is absent.
//
// A keyword (a value without a field) is looked for in every value of the event, and in the whole line of a text log.
//
// re is a search, not anchored and sensitive to case, in Go's RE2 syntax. lt, lte, gt and gte read decimal numbers and
// integers like 0x1f; a value that is no number does not match. minute to year read a date at the start of the value,
// in the form of RFC 3339, as it is written there, without converting zones; a comparison may follow them
// (hour|gte: 18). cidr understands 192.0.2.1:80, [2001:db8::1]:80 and IPv4 mapped into IPv6. fieldref compares the
// values of two fields of the event.
//
// expand takes the values of %name% from [Options].Placeholders, where they are Sigma strings in which wildcards
// count; a rule with a placeholder that has no values there is rejected.
//
// A rule without a level has the level medium.
//
// What correlations and filters mean is written in conformance/README.md, with cases as plain files that any tool can use.
package sigma
