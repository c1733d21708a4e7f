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
	regexes      map[string]*regexp.Regexp // compiled, by what is written
	read         map[*scalar][]*refPattern // what patterns returned
	names        map[[2]string]bool        // whether a pattern fits a name
	memo         *refMemo                  // nil: every line is judged for every event
}

// patterns returns what the value v of a line is compared as.
func (r *reference) patterns(l *line, v *scalar) []*refPattern {
	list, ok := r.read[v]
	if !ok {
		for _, w := range r.expanded(l, v) {
			for _, t := range refVariants(*l, w) {
				list = append(list, newRefPattern(refAnchors(*l, t)))
			}
		}
		if r.read == nil {
			r.read = map[*scalar][]*refPattern{}
		}
		r.read[v] = list
	}
	return list
}

// expanded returns what v stands for.
func (r *reference) expanded(l *line, v *scalar) []string {
	if l.has("expand") {
		return r.expand(v.text)
	}
	return []string{v.text}
}

// regex returns a regular expression, compiled once.
func (r *reference) regex(s string) *regexp.Regexp {
	re := r.regexes[s]
	if re == nil {
		re = regexp.MustCompile(s)
		if r.regexes == nil {
			r.regexes = map[string]*regexp.Regexp{}
		}
		r.regexes[s] = re
	}
	return re
}

// refText is a text as it is compared.
type refText struct {
	exact, folded []rune
	encoded       string // folded, to search in
}

func newRefText(s string) *refText {
	t := &refText{exact: refDecode(s)}
	t.folded = refFoldAll(t.exact)
	t.encoded = refEncode(t.folded)
	return t
}

// refPattern is what a text is compared with: runes, refAny and refMark.
type refPattern struct {
	exact, folded []rune
	runs          []string // what stands between wildcards, folded and encoded
}

func newRefPattern(tokens []rune) *refPattern {
	p := &refPattern{exact: tokens, folded: refFoldAll(tokens)}
	for rest := p.folded; len(rest) > 0; {
		n := 0
		for n < len(rest) && rest[n] >= 0 {
			n++
		}
		if n > 0 {
			p.runs = append(p.runs, refEncode(rest[:n]))
		}
		rest = rest[min(n+1, len(rest)):]
	}
	return p
}

// matches reports whether all of s fits. The table is only filled in if all that is no wildcard occurs at all.
func (p *refPattern) matches(s *refText, cased bool) bool {
	for _, run := range p.runs {
		if !strings.Contains(s.encoded, run) {
			return false
		}
	}
	if cased {
		return refGlob(p.exact, s.exact)
	}
	return refGlob(p.folded, s.folded)
}

// refEvent is an event as the reference sees it.
type refEvent struct {
	fields map[string][]*refValue
	all    []*refValue // of every slot, and the line of a text log
}

// refValue is one value, or the absence of one.
type refValue struct {
	text string
	null bool // it is there without a value
	list bool // an empty list: it is there and has neither value nor null

	read  *refText
	known []verdict // of keywords: what the memo knows
}

// compared returns the text as it is compared.
func (x *refValue) compared() *refText {
	if x.read == nil {
		x.read = newRefText(x.text)
	}
	return x.read
}

func newRefEvent(ev *event.Event) *refEvent {
	r := &refEvent{fields: map[string][]*refValue{}}
	for i, f := range ev.Shape.Fields() {
		var values []*refValue
		v := ev.Value(i)
		switch {
		case v.Kind == event.None:
			continue
		case v.Kind == event.Null:
			values = []*refValue{{null: true}}
		case v.IsList():
			for at := 0; ; {
				e, next, ok := v.Elem(at)
				if !ok {
					break
				}
				at = next
				switch {
				case e.IsNull():
					values = append(values, &refValue{null: true})
				case e.IsList():
					values = append(values, &refValue{text: string(e.Data)})
				default:
					values = append(values, &refValue{text: e.String()})
				}
			}
			if len(values) == 0 {
				values = []*refValue{{list: true}}
			}
		default:
			values = []*refValue{{text: v.String()}}
		}
		r.all = append(r.all, values...)
		for _, n := range append([]string{f.Name}, f.Aliases...) {
			r.fields[n] = append(r.fields[n], values...)
		}
	}
	if len(ev.Raw) > 0 && !strings.HasPrefix(ev.Shape.Format, "windows.evtx") {
		r.all = append(r.all, &refValue{text: string(ev.Raw)})
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
			chosen = r.name(c.name, s.name)
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

func (r *reference) name(pattern, name string) bool {
	if strings.ToLower(pattern) == "them" {
		return name == "" || name[0] != '_'
	}
	key := [2]string{pattern, name}
	matches, ok := r.names[key]
	if !ok {
		matches = r.regex("^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$").MatchString(name)
		if r.names == nil {
			r.names = map[[2]string]bool{}
		}
		r.names[key] = matches
	}
	return matches
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
	for i := range b.all {
		judge := r.line
		if r.memo != nil {
			judge = r.recalled
		}
		if !judge(&b.all[i], ev) {
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

func (r *reference) line(l *line, ev *refEvent) bool {
	result := l.has("all")
	for i := range l.values {
		if r.value(l, &l.values[i], ev) {
			if !l.has("all") {
				result = true
			}
		} else if l.has("all") {
			result = false
		}
	}
	return result != l.has("neq")
}

func (r *reference) value(l *line, v *scalar, ev *refEvent) bool {
	values := ev.fields[l.field]
	if l.field == "" {
		values = ev.all
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
				if newRefPattern(refAnchors(*l, refLiteral(y.text))).matches(x.compared(), l.has("cased")) {
					return true
				}
			}
			continue
		}
		judge := r.one
		if r.memo != nil && l.field == "" {
			judge = r.recalledKeyword
		}
		if judge(l, v, x) {
			return true
		}
	}
	return false
}

var refTimeParts = []string{"minute", "hour", "day", "week", "month", "year"}

// one says whether a value of a rule matches a value of an event.
func (r *reference) one(l *line, v *scalar, x *refValue) bool {
	part := ""
	for _, m := range refTimeParts {
		if l.has(m) {
			part = m
		}
	}
	if part != "" || l.has("lt", "lte", "gt", "gte") {
		got, ok := refNumber(x.text)
		if part != "" {
			got, ok = refTime(x.text, part)
		}
		limit, _ := strconv.ParseFloat(v.text, 64)
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
		return !x.null && refInNetwork(v.text, x.text)
	}
	if l.has("re") {
		if x.null {
			return false
		}
		flags := ""
		for _, f := range []string{"i", "m", "s"} {
			if l.has(f, map[string]string{"i": "ignorecase", "m": "multiline", "s": "dotall"}[f]) {
				flags += f
			}
		}
		if flags != "" {
			flags = "(?" + flags + ")"
		}
		for _, w := range r.expanded(l, v) {
			if r.regex(flags + w).MatchString(x.text) {
				return true
			}
		}
		return false
	}
	for _, p := range r.patterns(l, v) {
		if x.null && len(p.exact) == 0 || !x.null && p.matches(x.compared(), l.has("cased")) {
			return true
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
func refGlob(tokens, s []rune) bool {
	ok, next := make([]bool, len(s)+1), make([]bool, len(s)+1)
	ok[0] = true
	for _, t := range tokens {
		any := false
		for j := range next {
			switch {
			case t == refAny:
				next[j] = ok[j] || j > 0 && next[j-1]
			case j > 0 && ok[j-1]:
				next[j] = t == refMark || t == s[j-1]
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

// refFold returns the least of the runes that differ from r by case only.
func refFold(r rune) rune {
	if r < 0 || r > unicode.MaxRune {
		return r
	}
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	return least
}

func refFoldAll(rs []rune) []rune {
	out := make([]rune, len(rs))
	for i, r := range rs {
		out[i] = refFold(r)
	}
	return out
}

// refEncode undoes refDecode.
func refEncode(rs []rune) string {
	var out []byte
	for _, r := range rs {
		if r > unicode.MaxRune {
			out = append(out, byte(r-unicode.MaxRune-1))
		} else {
			out = utf8.AppendRune(out, r)
		}
	}
	return string(out)
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
