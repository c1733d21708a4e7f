package sigma

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// modifiers are what the modifiers of a line ask for.
type modifiers struct {
	all, neq, cased                   bool
	contains, startswith, endswith    bool
	re, ignoreCase, multiLine, dotAll bool
	cidr, exists, fieldref            bool
	expand                            bool
	steps                             []string // expand, windash and encodings, in order
	compare                           string   // lt, lte, gt, gte
	part                              timePart
	number                            string // the modifier that asked for a number
	typed                             string // the modifier that made of the value something else than a string
	any                               bool   // a modifier other than all and neq was there
}

// modifierKind says what a modifier does to a value, and so which others may stand before and after it. The order is
// the one in which modifiers of different kinds are legal.
type modifierKind uint8

const (
	unknownModifier modifierKind = iota
	typeModifier                 // re, cidr, exists, fieldref, minute to year: the value is no string any more
	compareModifier
	regexModifier // flags
	expandModifier
	windashModifier
	utf16Modifier
	base64Modifier
	anchorModifier // contains, startswith, endswith
	casedModifier
	linkModifier // all, neq: how values and the line are joined
)

// modifierNames are all modifiers, as the nearest to one that is misspelt is looked for.
var modifierNames = [...]string{"contains", "startswith", "endswith", "all", "re", "windash", "cidr", "exists", "cased", "neq", "expand", "fieldref",
	"base64", "base64offset", "wide", "utf16", "utf16le", "utf16be", "lt", "lte", "gt", "gte", "minute", "hour", "day", "week", "month", "year",
	"i", "m", "s", "ignorecase", "multiline", "dotall"}

func kindOfModifier(name string) modifierKind {
	switch name {
	case "contains", "startswith", "endswith":
		return anchorModifier
	case "all", "neq":
		return linkModifier
	case "re", "cidr", "exists", "fieldref", "minute", "hour", "day", "week", "month", "year":
		return typeModifier
	case "lt", "lte", "gt", "gte":
		return compareModifier
	case "i", "m", "s", "ignorecase", "multiline", "dotall":
		return regexModifier
	case "windash":
		return windashModifier
	case "expand":
		return expandModifier
	case "cased":
		return casedModifier
	case "wide", "utf16le", "utf16be", "utf16":
		return utf16Modifier
	case "base64", "base64offset":
		return base64Modifier
	}
	return unknownModifier
}

// readModifiers checks the modifiers of a line and their order: each changes what the one before has made of the value
// (Sigma rules specification 2.1, "Value Modifiers"; modifiers appendix 2.1).
func readModifiers(l *line) (modifiers, *flaw) {
	m, i, why := scanModifiers(l.modifiers)
	if why == "" {
		if l.field == "" && (m.exists || m.fieldref) {
			return m, l.flawf("modifier %s has no field to look at: write it behind the name of one, as in User|%s", m.typed, m.typed)
		}
		return m, nil
	}
	name := cmp.Or(l.modifiers[i], "|")
	mend := mendModifiers(l.modifiers, i)
	switch {
	case mend == "":
	case strings.HasPrefix(mend, "|"):
		mend = fmt.Sprintf("; write %s%s", l.field, mend)
	default:
		mend = "; " + mend
	}
	return m, l.flawf("modifier %s: %s%s", name, why, mend)
}

// scanModifiers reads modifiers. Where one cannot be used it returns its place, and why.
func scanModifiers(names []string) (m modifiers, at int, why string) {
	for i, name := range names {
		kind := kindOfModifier(name)
		switch {
		case kind == unknownModifier && name == "":
			return m, i, "its name is missing"
		case kind == unknownModifier:
			return m, i, "there is none of that name"
		case kind != utf16Modifier && kind != base64Modifier && slices.Contains(names[:i], name):
			return m, i, "it stands here twice"
		}
		if why := m.add(kind, name); why != "" {
			return m, i, why
		}
		m.any = m.any || kind != linkModifier
	}
	return m, 0, ""
}

// add adds a modifier, or says why it cannot stand here.
func (m *modifiers) add(kind modifierKind, name string) (why string) {
	if m.typed != "" && kind != linkModifier && !follows(m.typed, kind) {
		return valueAfter(m.typed)
	}
	switch kind {
	case linkModifier:
		m.all = m.all || name == "all"
		m.neq = m.neq || name == "neq"
	case casedModifier:
		m.cased = true
	case anchorModifier:
		if m.contains || m.startswith || m.endswith {
			return "only one of contains, startswith and endswith can be asked for"
		}
		m.contains, m.startswith, m.endswith = name == "contains", name == "startswith", name == "endswith"
	case windashModifier, expandModifier:
		if m.encoded() {
			return "the value is encoded by then, and has none of what it looks for"
		}
		m.expand = m.expand || name == "expand"
		m.steps = append(m.steps, name)
	case utf16Modifier:
		if m.encoded() && kindOfModifier(m.steps[len(m.steps)-1]) == utf16Modifier {
			return "the value is UTF-16 by then"
		}
		m.steps = append(m.steps, name)
	case base64Modifier:
		if m.anchored() {
			return "the value has wildcards by then, which cannot be encoded"
		}
		if name == "base64" && slices.Contains(m.steps, "base64offset") {
			return "base64offset keeps a part of the text only, and what is encoded depends on the whole"
		}
		m.steps = append(m.steps, name)
	case regexModifier:
		if !m.re {
			return "it is for regular expressions, and must follow re"
		}
		m.ignoreCase = m.ignoreCase || name[0] == 'i'
		m.multiLine = m.multiLine || name[0] == 'm'
		m.dotAll = m.dotAll || name[0] == 's' || name[0] == 'd'
	case typeModifier, compareModifier:
		expanded := m.expand && len(m.steps) == 1 && !m.cased && !m.anchored() && (name == "re" || name == "cidr")
		cased := m.cased && len(m.steps) == 0 && !m.anchored() && name == "fieldref"
		if m.any && m.typed == "" && !expanded && !cased {
			return "it takes the value as it stands in the rule, before any other modifier"
		}
		m.addType(kind, name)
	}
	return ""
}

func (m *modifiers) addType(kind modifierKind, name string) {
	m.typed = name
	switch {
	case kind == compareModifier:
		m.compare, m.number = name, name
	case name == "re":
		m.re = true
	case name == "cidr":
		m.cidr = true
	case name == "exists":
		m.exists = true
	case name == "fieldref":
		m.fieldref = true
	default:
		m.part, m.number = timePartOf(name), name
	}
}

func (m *modifiers) anchored() bool { return m.contains || m.startswith || m.endswith }

func (m *modifiers) encoded() bool {
	for _, s := range m.steps {
		if s != "expand" && s != "windash" {
			return true
		}
	}
	return false
}

// follows reports whether a modifier may follow one that made of the value something else than a string.
func follows(typed string, kind modifierKind) bool {
	switch typed {
	case "re":
		return kind == regexModifier || kind == expandModifier || kind == anchorModifier
	case "cidr":
		return kind == expandModifier
	case "fieldref":
		return kind == casedModifier || kind == anchorModifier
	case "minute", "hour", "day", "week", "month", "year":
		return kind == compareModifier
	}
	return false
}

// valueAfter says what the value is after a modifier that made it something else than a string.
func valueAfter(typed string) string {
	switch typed {
	case "re":
		return "the value is a regular expression by then"
	case "cidr":
		return "the value is a network by then"
	case "exists":
		return "the value says whether the field is there, no more"
	case "fieldref":
		return "the value is the name of a field by then"
	}
	return fmt.Sprintf("the value is a number by then, which %s compares", typed)
}

// mendModifiers says what to do about names[bad]: the nearest modifiers that can be used, beginning with |, or a
// sentence; nothing if it does not know.
func mendModifiers(names []string, bad int) string {
	if names[bad] == "" {
		return "take the | out, or write one behind it"
	}
	if kindOfModifier(names[bad]) == unknownModifier {
		near := nearest(names[bad], modifierNames[:])
		if near == "" {
			return "leave it out, or see the modifiers appendix of the specification"
		}
		names = slices.Clone(names)
		names[bad] = near
		if _, _, why := scanModifiers(names); why == "" {
			return "|" + strings.Join(names, "|")
		}
		return "did you mean " + near + "?"
	}
	var list []string
	for _, n := range names {
		kind := kindOfModifier(n)
		if kind == unknownModifier {
			if n = nearest(n, modifierNames[:]); n == "" {
				continue
			}
			kind = kindOfModifier(n)
		}
		if kind == utf16Modifier || kind == base64Modifier || !slices.Contains(list, n) {
			list = append(list, n)
		}
	}
	for _, n := range list {
		if kindOfModifier(n) == regexModifier && !slices.Contains(list, "re") {
			list = append([]string{"re"}, list...)
			break
		}
	}
	if slices.Contains(list, "re") { // which looks everywhere and tells letters by case anyway
		list = slices.DeleteFunc(list, func(n string) bool { return n == "contains" || n == "cased" })
	}
	slices.SortStableFunc(list, func(a, b string) int { return int(kindOfModifier(a)) - int(kindOfModifier(b)) })
	if _, _, why := scanModifiers(list); why == "" {
		return "|" + strings.Join(list, "|")
	}
	for i := range names {
		out := (bad + i) % len(names)
		if i == 0 && kindOfModifier(names[bad]) == typeModifier {
			continue // what stands before it is out of place
		}
		if _, _, why := scanModifiers(slices.Delete(slices.Clone(names), out, out+1)); why == "" {
			return "leave " + names[out] + " out"
		}
	}
	return "leave " + names[bad] + " out"
}
