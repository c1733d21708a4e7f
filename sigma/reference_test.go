package sigma

import (
	"encoding/base64"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/barid-dfir/barid/internal/event"
)

// reference evaluates rules from what is written in them, one value at a time: slow, and hard to get wrong. It shares
// nothing with the engine but the parsed YAML and the condition's tree.
type reference struct {
	placeholders map[string][]string
	regexes      map[string]*regexp.Regexp
	read         map[string][][]rune // what tokens returned, by its arguments
}

// tokens returns what the value w of a line is compared as.
func (r *reference) tokens(l line, w string) [][]rune {
	key := strings.Join(l.modifiers, "|") + "\x00" + l.field + "\x00" + w
	list, ok := r.read[key]
	if !ok {
		for _, t := range refVariants(l, w) {
			list = append(list, refAnchors(l, t))
		}
		if r.read == nil {
			r.read = map[string][][]rune{}
		}
		r.read[key] = list
	}
	return list
}

// refEvent is an event as the reference sees it.
type refEvent struct {
	fields   map[string][]refValue
	all      []refValue // of every slot
	raw      string
	keywords bool // raw is text
}

// refValue is one value, or the absence of one.
type refValue struct {
	text string
	null bool // it is there without a value
	list bool // an empty list: it is there and has neither value nor null
}

func newRefEvent(ev *event.Event) *refEvent {
	r := &refEvent{fields: map[string][]refValue{}, raw: string(ev.Raw), keywords: !strings.HasPrefix(ev.Shape.Format, "windows.evtx")}
	for i, f := range ev.Shape.Fields() {
		var values []refValue
		v := ev.Value(i)
		switch {
		case v.Kind == event.None:
			continue
		case v.Kind == event.Null:
			values = []refValue{{null: true}}
		case v.IsList():
			for at := 0; ; {
				e, next, ok := v.Elem(at)
				if !ok {
					break
				}
				at = next
				switch {
				case e.IsNull():
					values = append(values, refValue{null: true})
				case e.IsList():
					values = append(values, refValue{text: string(e.Data)})
				default:
					values = append(values, refValue{text: e.String()})
				}
			}
			if len(values) == 0 {
				values = []refValue{{list: true}}
			}
		default:
			values = []refValue{{text: v.String()}}
		}
		r.all = append(r.all, values...)
		for _, n := range append([]string{f.Name}, f.Aliases...) {
			r.fields[n] = append(r.fields[n], values...)
		}
	}
	return r
}

func (r *reference) matches(d *detection, ev *refEvent) bool {
	for _, c := range d.conditions {
		if r.condition(c, d, ev) {
			return true
		}
	}
	return false
}

func (r *reference) condition(c *condition, d *detection, ev *refEvent) bool {
	switch c.op {
	case notOp:
		return !r.condition(c.kids[0], d, ev)
	case andOp, orOp:
		for _, k := range c.kids {
			if r.condition(k, d, ev) == (c.op == orOp) {
				return c.op == orOp
			}
		}
		return c.op == andOp
	}
	found, total := 0, 0
	for _, s := range d.selections {
		chosen := s.name == c.name
		if c.op == ofOp {
			chosen = refName(c.name, s.name)
		}
		if chosen {
			total++
			if r.block(s.body, ev) {
				found++
			}
		}
	}
	switch {
	case c.op == nameOp:
		return found > 0
	case c.n == 0:
		return found == total
	}
	return found >= c.n
}

func refName(pattern, name string) bool {
	if strings.ToLower(pattern) == "them" {
		return name == "" || name[0] != '_'
	}
	return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$").MatchString(name)
}

func (r *reference) block(b *block, ev *refEvent) bool {
	for _, sub := range b.any {
		if r.block(sub, ev) {
			return true
		}
	}
	if len(b.all) == 0 {
		return false
	}
	for _, l := range b.all {
		if !r.line(l, ev) {
			return false
		}
	}
	return true
}

func (l line) has(names ...string) bool {
	for _, m := range l.modifiers {
		for _, n := range names {
			if m == n {
				return true
			}
		}
	}
	return false
}

func (r *reference) line(l line, ev *refEvent) bool {
	result := l.has("all")
	for _, v := range l.values {
		if r.value(l, v, ev) {
			if !l.has("all") {
				result = true
			}
		} else if l.has("all") {
			result = false
		}
	}
	return result != l.has("neq")
}

func (r *reference) value(l line, v scalar, ev *refEvent) bool {
	values := ev.fields[l.field]
	if l.field == "" {
		values = ev.all
		if ev.keywords && ev.raw != "" {
			values = append(values[:len(values):len(values)], refValue{text: ev.raw})
		}
	}
	if v.null {
		for _, x := range values {
			if !x.null && !x.list {
				return false
			}
		}
		return true
	}
	if l.has("exists") {
		want := strings.EqualFold(v.text, "true") || strings.EqualFold(v.text, "yes")
		return (len(values) > 0) == want
	}
	for _, x := range values {
		if x.list {
			continue
		}
		if l.has("fieldref") {
			for _, y := range ev.fields[v.text] {
				if x.null || y.null || y.list {
					continue
				}
				tokens := refLiteral(y.text)
				tokens = refAnchors(l, tokens)
				if refGlob(tokens, refDecode(x.text), l.has("cased")) {
					return true
				}
			}
			continue
		}
		if r.one(l, v.text, x) {
			return true
		}
	}
	return false
}

var timeName = regexp.MustCompile(`^(minute|hour|day|week|month|year)$`)

// one says whether a value of a rule matches a value of an event.
func (r *reference) one(l line, want string, x refValue) bool {
	part := ""
	for _, m := range l.modifiers {
		if timeName.MatchString(m) {
			part = m
		}
	}
	if part != "" || l.has("lt", "lte", "gt", "gte") {
		got, ok := refNumber(x.text)
		if part != "" {
			got, ok = refTime(x.text, part)
		}
		limit, _ := strconv.ParseFloat(want, 64)
		switch {
		case !ok || x.null:
			return false
		case l.has("lt"):
			return got < limit
		case l.has("lte"):
			return got <= limit
		case l.has("gt"):
			return got > limit
		case l.has("gte"):
			return got >= limit
		}
		return got == limit
	}
	if l.has("cidr") {
		return !x.null && refInNetwork(want, x.text)
	}
	wants := []string{want}
	if l.has("expand") {
		wants = r.expand(want)
	}
	for _, w := range wants {
		if l.has("re") {
			if x.null {
				continue
			}
			flags := ""
			for _, f := range []string{"i", "m", "s"} {
				if l.has(f, map[string]string{"i": "ignorecase", "m": "multiline", "s": "dotall"}[f]) {
					flags += f
				}
			}
			if flags != "" {
				w = "(?" + flags + ")" + w
			}
			re := r.regexes[w]
			if re == nil {
				re = regexp.MustCompile(w)
				if r.regexes == nil {
					r.regexes = map[string]*regexp.Regexp{}
				}
				r.regexes[w] = re
			}
			if re.MatchString(x.text) {
				return true
			}
			continue
		}
		for _, tokens := range r.tokens(l, w) {
			if x.null {
				if len(tokens) == 0 {
					return true
				}
				continue
			}
			if refGlob(tokens, refDecode(x.text), l.has("cased")) {
				return true
			}
		}
	}
	return false
}

const (
	refAny  = -1
	refMark = -2
)

// refTokens reads a Sigma string into runes and wildcards.
func refTokens(s string) []rune {
	var out []rune
	rs := refDecode(s)
	for i := 0; i < len(rs); i++ {
		switch {
		case rs[i] == '\\' && i+1 < len(rs) && (rs[i+1] == '\\' || rs[i+1] == '*' || rs[i+1] == '?'):
			i++
			out = append(out, rs[i])
		case rs[i] == '*':
			out = append(out, refAny)
		case rs[i] == '?':
			out = append(out, refMark)
		default:
			out = append(out, rs[i])
		}
	}
	return out
}

func refLiteral(s string) []rune { return refDecode(s) }

// refDecode returns the runes of s; a byte that is not UTF-8 becomes a number beyond Unicode.
func refDecode(s string) []rune {
	var out []rune
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			r = unicode.MaxRune + 1 + rune(s[0])
		}
		out = append(out, r)
		s = s[n:]
	}
	return out
}

func refAnchors(l line, tokens []rune) []rune {
	keyword := l.field == "" && !l.has("contains", "startswith", "endswith")
	if l.has("contains", "endswith") || keyword {
		tokens = append([]rune{refAny}, tokens...)
	}
	if l.has("contains", "startswith") || keyword {
		tokens = append(tokens[:len(tokens):len(tokens)], refAny)
	}
	return tokens
}

// refGlob is the textbook table: ok[j] says whether the tokens so far match the first j runes.
func refGlob(tokens, s []rune, cased bool) bool {
	ok, next := make([]bool, len(s)+1), make([]bool, len(s)+1)
	ok[0] = true
	for _, t := range tokens {
		any := false
		for j := range next {
			switch {
			case t == refAny:
				next[j] = ok[j] || j > 0 && next[j-1]
			case j > 0 && ok[j-1]:
				next[j] = t == refMark || refSame(t, s[j-1], cased)
			default:
				next[j] = false
			}
			any = any || next[j]
		}
		if !any {
			return false
		}
		ok, next = next, ok
	}
	return ok[len(s)]
}

func refSame(a, b rune, cased bool) bool {
	if a == b {
		return true
	}
	if cased || a > unicode.MaxRune || b > unicode.MaxRune {
		return false
	}
	for f := unicode.SimpleFold(a); f != a; f = unicode.SimpleFold(f) {
		if f == b {
			return true
		}
	}
	return false
}

// refVariants returns what a string becomes through windash and encodings.
func refVariants(l line, s string) [][]rune {
	list := [][]rune{refTokens(s)}
	if l.has("windash") {
		var done [][]rune
		for _, tokens := range list {
			variants := [][]rune{nil}
			for i, t := range tokens {
				flag := (t == '-' || t == '/') && i+1 < len(tokens) && refWord(tokens[i+1]) && (i == 0 || !refWord(tokens[i-1]))
				var longer [][]rune
				for _, v := range variants {
					if !flag {
						longer = append(longer, append(v[:len(v):len(v)], t))
						continue
					}
					for _, dash := range "-/–—―" {
						longer = append(longer, append(v[:len(v):len(v)], dash))
					}
				}
				variants = longer
			}
			done = append(done, variants...)
		}
		list = done
	}
	var out [][]rune
	for _, tokens := range list {
		if !l.has("wide", "utf16le", "utf16be", "utf16", "base64", "base64offset") {
			out = append(out, tokens)
			continue
		}
		if !l.has("base64", "base64offset") {
			var wide []rune
			for _, t := range tokens {
				if t < 0 {
					wide = append(wide, t)
				} else if l.has("utf16be") {
					wide = append(wide, 0, t)
				} else {
					wide = append(wide, t, 0)
				}
			}
			out = append(out, wide)
			continue
		}
		data := []byte(string(tokens))
		if l.has("wide", "utf16le", "utf16be", "utf16") {
			data = nil
			units := utf16.Encode(tokens)
			if l.has("utf16") {
				units = append([]uint16{0xFEFF}, units...)
			}
			for _, u := range units {
				if l.has("utf16be") {
					data = append(data, byte(u>>8), byte(u))
				} else {
					data = append(data, byte(u), byte(u>>8))
				}
			}
		}
		if l.has("base64") {
			out = append(out, refLiteral(base64.StdEncoding.EncodeToString(data)))
			continue
		}
		// Whatever stands before and after, these characters stay.
		for shift := range 3 {
			var stable []rune
			var texts []string
			for _, filler := range []string{"\x00\x00", "\xff\xff", "Az"} {
				full := filler[:shift] + string(data) + filler[:(6-shift-len(data)%3)%3]
				texts = append(texts, base64.StdEncoding.EncodeToString([]byte(full)))
			}
			for i := range texts[0] {
				if texts[0][i] == texts[1][i] && texts[1][i] == texts[2][i] {
					stable = append(stable, rune(texts[0][i]))
				}
			}
			out = append(out, stable)
		}
	}
	return out
}

func refWord(r rune) bool {
	return r == '_' || r > 0 && r <= unicode.MaxRune && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

var refPlaceholder = regexp.MustCompile(`%[^%]+%`)

func (r *reference) expand(s string) []string {
	at := refPlaceholder.FindStringIndex(s)
	if at == nil {
		return []string{s}
	}
	var out []string
	for _, v := range r.placeholders[s[at[0]+1:at[1]-1]] {
		for _, rest := range r.expand(s[at[1]:]) {
			out = append(out, s[:at[0]]+v+rest)
		}
	}
	return out
}

var (
	refDecimal = regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$`)
	refHex     = regexp.MustCompile(`^0[xX]([0-9a-fA-F]{1,16})$`)
	refDate    = regexp.MustCompile(`^([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[Tt ]([0-9]{2}):([0-9]{2}))?`)
	refPort    = regexp.MustCompile(`^(?:\[([^\]]*)\].*|([0-9.]+):[0-9a-fA-F]*)$`)
)

func refNumber(s string) (float64, bool) {
	s = strings.TrimSpace(s)
	if h := refHex.FindStringSubmatch(s); h != nil {
		n, err := strconv.ParseUint(h[1], 16, 64)
		return float64(n), err == nil
	}
	if !refDecimal.MatchString(s) || len(s) > 64 {
		return 0, false
	}
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil
}

func refTime(s, part string) (float64, bool) {
	d := refDate.FindStringSubmatch(strings.TrimSpace(s))
	if d == nil {
		return 0, false
	}
	n := func(i int) int { x, _ := strconv.Atoi(d[i]); return x }
	if n(2) < 1 || n(2) > 12 || n(3) < 1 || n(3) > 31 {
		return 0, false
	}
	switch part {
	case "year":
		return float64(n(1)), true
	case "month":
		return float64(n(2)), true
	case "day":
		return float64(n(3)), true
	case "week":
		_, w := time.Date(n(1), time.Month(n(2)), n(3), 12, 0, 0, 0, time.UTC).ISOWeek()
		return float64(w), true
	}
	if d[4] == "" || n(4) > 23 || n(5) > 59 {
		return 0, false
	}
	if part == "hour" {
		return float64(n(4)), true
	}
	return float64(n(5)), true
}

func refInNetwork(network, s string) bool {
	s = strings.TrimSpace(s)
	if p := refPort.FindStringSubmatch(s); p != nil {
		s = p[1] + p[2]
	}
	if i := strings.IndexByte(s, '%'); i >= 0 && strings.Count(s[:i], ":") > 1 {
		s = s[:i]
	}
	ip := net.ParseIP(s)
	if ip == nil {
		return false
	}
	if !strings.Contains(network, "/") {
		return ip.Equal(net.ParseIP(network))
	}
	_, n, err := net.ParseCIDR(network)
	if err != nil {
		panic(fmt.Sprintf("network %q: %v", network, err))
	}
	return n.Contains(ip)
}
