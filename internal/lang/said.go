package lang

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Said returns the message id with the texts of a case in its places: those of casefile.Said. By the name of the place:
//
//	n                  a number, which chooses the plural form
//	span               a number and a unit of count.…: 4 hour
//	event, before      the id of another message, which is put in
//	stage              a stage of a duty: put in by its name where the glossary has it (report.…)
//	all others         as Value if they are ASCII (a time, a key), otherwise as Name
//
// A number that is none, and an id that there is not, are shown as they are.
func (l *Language) Said(id string, args map[string]string) Words {
	var list []any
	for _, k := range slices.Sorted(maps.Keys(args)) {
		list = append(list, k, l.saidArg(k, args[k]))
	}
	return l.Words(id, list...)
}

func (l *Language) saidArg(name, s string) any {
	switch name {
	case "n":
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return n
		}
	case "span":
		number, unit, _ := strings.Cut(s, " ")
		if n, err := strconv.ParseInt(number, 10, 64); err == nil && l.Has("count."+unit) {
			return l.Words("count."+unit, "n", n)
		}
	case "event", "before":
		if l.Has(s) || l.english != nil && l.english.Has(s) {
			return l.Words(s)
		}
	case "stage":
		if id := "report." + s; l.Has(id) {
			return l.Words(id)
		}
	}
	for i := range len(s) {
		if s[i] >= 0x80 {
			return Name(s)
		}
	}
	return Value(s)
}
