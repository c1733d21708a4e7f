package lang

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/barid-dfir/barid/internal/event"
)

// kinds reads what a placeholder of a template may hold, other than what a section says: the value to be filled in, and how many bytes of
// it are certain to be what they are taken for.
var kinds = map[string]func(l *Language, s string) (value any, score int, ok bool){
	"number":   readNumber,
	"value":    func(_ *Language, s string) (any, int, bool) { return Value(s), 0, true },
	"name":     func(_ *Language, s string) (any, int, bool) { return Name(s), 0, true },
	"word":     readWord,
	"time":     readTime,
	"span":     readSpan,
	"list":     func(l *Language, s string) (any, int, bool) { return l.readList(s, machine), 0, true },
	"logs":     readLogs,
	"sessions": readSessions,
	"rule":     readRule,
	"anyrule":  readAnyRule,
}

func readNumber(_ *Language, s string) (any, int, bool) {
	if len(s) > 24 || strings.IndexFunc(s, func(r rune) bool { return (r < '0' || r > '9') && r != ',' }) >= 0 {
		return nil, 0, false
	}
	n, err := strconv.ParseInt(strings.ReplaceAll(s, ",", ""), 10, 64)
	return n, len(s), err == nil
}

// readWord reads a value without spaces.
func readWord(_ *Language, s string) (any, int, bool) {
	return Value(s), 0, strings.IndexFunc(s, unicode.IsSpace) < 0
}

const (
	day    = `\d{4}-\d\d-\d\d`
	moment = day + `(?:[ T]\d\d:\d\d(?::\d\d)?Z?)?`
)

var (
	aTime = regexp.MustCompile(`^(?:` + moment + `|\d\d:\d\d:\d\d)(?: UTC)?$`)
	aSpan = regexp.MustCompile(`^` + moment + `(?: to (?:` + moment + `|\d\d:\d\d(?::\d\d)?))?(?: UTC)?$`)
)

// longestTime is as long as a time or a span of time can be, in bytes.
const longestTime = 50

func readTime(_ *Language, s string) (any, int, bool) {
	return Value(s), len(s), len(s) <= longestTime && aTime.MatchString(s)
}

// readSpan reads a time, or two: 2021-03-03 06:49 to 07:10.
func readSpan(_ *Language, s string) (any, int, bool) {
	if len(s) > longestTime || !aSpan.MatchString(s) {
		return nil, 0, false
	}
	return Value(strings.Replace(s, " to ", " – ", 1)), len(s), true
}

// readList reads "a, b and c", "a, b" and "a, b and 3 more".
func (l *Language) readList(s string, k kind) Words {
	var items []Words
	for i, item := range listItems(s) {
		n, more := strings.CutSuffix(item, " more")
		if count, err := strconv.Atoi(n); more && err == nil && i > 0 {
			items = append(items, l.Words("list.more", "n", count))
			continue
		}
		items = append(items, Words{parts: []part{{k, event.Visible(item)}}, rtl: l.rtl})
	}
	return l.List(items)
}

func listItems(s string) []string {
	items := strings.Split(s, ", ")
	last := items[len(items)-1]
	if i := strings.LastIndex(last, " and "); i > 0 {
		items = append(items[:len(items)-1], last[:i], last[i+len(" and "):])
	}
	return items
}

// readSessions reads a list of sessions, each by its id or by account, address and time: "ana from 192.0.2.7 since 2024-03-02 10:00:00".
func readSessions(l *Language, s string) (any, int, bool) {
	var items []Words
	for i, item := range listItems(s) {
		n, more := strings.CutSuffix(item, " more")
		if count, err := strconv.Atoi(n); more && err == nil && i > 0 {
			items = append(items, l.Words("list.more", "n", count))
			continue
		}
		items = append(items, l.session(item))
	}
	return l.List(items), 0, true
}

func (l *Language) session(s string) Words {
	rest, since, ok := cutLast(s, " since ")
	if _, _, is := readTime(l, since); !ok || !is {
		return Words{parts: []part{{machine, event.Visible(s)}}, rtl: l.rtl}
	}
	who, from, named := cutLast(rest, "from ")
	if who = strings.TrimSuffix(who, " "); !named {
		return Words{parts: []part{{machine, event.Visible(s)}}, rtl: l.rtl}
	}
	address := Words{parts: []part{{machine, event.Visible(from)}}, rtl: l.rtl}
	if from == "an unknown address" {
		address = l.Words("session.unknown_address")
	}
	if who == "a session" || who == "" {
		return l.Words("session.unnamed", "from", address, "since", Value(since))
	}
	return l.Words("session.named", "who", Name(who), "from", address, "since", Value(since))
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// readRule reads the title of a rule that has one in this language, and readAnyRule that of any.
func readRule(l *Language, s string) (any, int, bool) {
	if l.rules.Rules[s] == "" {
		return nil, 0, false
	}
	return l.RuleTitle(s), len(s), true
}

func readAnyRule(l *Language, s string) (any, int, bool) {
	if v, n, ok := readRule(l, s); ok {
		return v, n, true
	}
	return l.RuleTitle(s), 0, true
}

func upperFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}

// readLogs reads a list of logs, each with its host: "iis.w3svc1 of EX1".
func readLogs(l *Language, s string) (any, int, bool) {
	var items []Words
	for _, item := range strings.Split(s, ", ") {
		log, host, ok := strings.Cut(item, " of ")
		if !ok {
			items = append(items, Words{parts: []part{{machine, event.Visible(item)}}, rtl: l.rtl})
			continue
		}
		items = append(items, l.Words("log.of", "log", Value(log), "host", Value(host)))
	}
	return l.List(items), 0, true
}
