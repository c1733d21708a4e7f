package sigma

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"math"
	"math/big"
	"net"
	"regexp"
	"slices"
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
		for _, t := range r.variants(*l, v.text) {
			list = append(list, newRefPattern(refAnchors(*l, t)))
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
	none bool // it is empty, and the log writes so what is null
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
		for _, x := range values {
			x.none = ev.Shape.EmptyIsNull && !x.null && !x.list && x.text == ""
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
		pattern = "*"
	}
	if name != "" && name[0] == '_' && pattern[0] != '_' {
		return false
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
			if !x.null && !x.list && !x.none {
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
		limit, _ := refNumber(v.text)
		if !ok || x.null {
			return false
		}
		c := got.compare(limit)
		switch {
		case l.has("lt"):
			return c < 0
		case l.has("lte"):
			return c <= 0
		case l.has("gt"):
			return c > 0
		case l.has("gte"):
			return c >= 0
		}
		return c == 0
	}
	if l.has("cidr") {
		for _, w := range r.expanded(l, v) {
			if !x.null && refInNetwork(w, x.text) {
				return true
			}
		}
		return false
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
		for _, w := range r.expanded(l, v) {
			w = "(?" + flags + ":" + w + ")"
			switch {
			case l.has("startswith"):
				w = `\A` + w + `(?s:.*)\z`
			case l.has("endswith"):
				w = `\A(?s:.*)` + w + `\z`
			}
			if r.regex(w).MatchString(x.text) {
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
	refHole = -3 // and less: a placeholder
)

// refTokens reads a Sigma string into runes and wildcards.
func refTokens(s string) []rune {
	tokens, _ := refTemplate(s, false)
	return tokens
}

// refTemplate is refTokens with placeholders too, and their names.
func refTemplate(s string, holes bool) (out []rune, names []string) {
	rs := refDecode(s)
	for i := 0; i < len(rs); i++ {
		escape := rs[i] == '\\' && i+1 < len(rs)
		switch {
		case escape && (rs[i+1] == '\\' || rs[i+1] == '*' || rs[i+1] == '?' || holes && rs[i+1] == '%'):
			i++
			out = append(out, rs[i])
		case rs[i] == '*':
			out = append(out, refAny)
		case rs[i] == '?':
			out = append(out, refMark)
		case rs[i] == '%' && holes && refPlaceholder.MatchString(string(rs[i:])):
			name := []rune(refPlaceholder.FindString(string(rs[i:])))
			out = append(out, refHole-rune(len(names)))
			names = append(names, string(name[1:len(name)-1]))
			i += len(name) - 1
		default:
			out = append(out, rs[i])
		}
	}
	return out, names
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

// variants returns what a string becomes through expand, windash and encodings, one modifier after the other.
func (r *reference) variants(l line, s string) [][]rune {
	tokens, names := refTemplate(s, l.has("expand"))
	list := [][]rune{tokens}
	for i, m := range l.modifiers {
		var out [][]rune
		for _, tokens := range list {
			switch m {
			case "windash":
				out = append(out, refEach(tokens, func(i int, t rune) [][]rune {
					if strings.ContainsRune("-/–—―", t) && i+1 < len(tokens) && refWord(tokens[i+1]) && (i == 0 || !refWord(tokens[i-1])) {
						return [][]rune{{'-'}, {'/'}, {'–'}, {'—'}, {'―'}}
					}
					return [][]rune{{t}}
				})...)
			case "expand":
				out = append(out, refEach(tokens, func(i int, t rune) [][]rune {
					if t > refHole {
						return [][]rune{{t}}
					}
					var values [][]rune
					for _, v := range r.placeholders[names[refHole-t]] {
						values = append(values, refTokens(v))
					}
					return values
				})...)
			case "wide", "utf16le", "utf16be", "utf16":
				var wide []rune
				var run []byte
				for j, t := range tokens {
					if t >= 0 {
						for _, u := range utf16.Encode([]rune{t}) {
							if m == "utf16be" {
								run = append(run, byte(u>>8), byte(u))
							} else {
								run = append(run, byte(u), byte(u>>8))
							}
						}
					}
					if t < 0 || j+1 == len(tokens) {
						wide = append(wide, refDecode(string(run))...)
						run = nil
					}
					if t < 0 {
						wide = append(wide, t)
					}
				}
				if m != "utf16" {
					out = append(out, wide)
					continue
				}
				out = append(out, append(refDecode("\xFF\xFE"), wide...))
				if !slices.ContainsFunc(l.modifiers[i:], func(m string) bool { return strings.HasPrefix(m, "base64") }) {
					out = append(out, append([]rune{0xFEFF}, wide...))
				}
			case "base64":
				out = append(out, refLiteral(base64.StdEncoding.EncodeToString(refBytes(tokens))))
			case "base64offset":
				out = append(out, refOffsets(refBytes(tokens))...)
			default:
				out = append(out, tokens)
			}
		}
		list = out
	}
	return list
}

// refEach returns the lists of tokens in which each token is any of those that f makes of it.
func refEach(tokens []rune, f func(int, rune) [][]rune) [][]rune {
	list := [][]rune{nil}
	for i, t := range tokens {
		var longer [][]rune
		for _, before := range list {
			for _, choice := range f(i, t) {
				longer = append(longer, append(before[:len(before):len(before)], choice...))
			}
		}
		list = longer
	}
	return list
}

func refBytes(tokens []rune) []byte {
	var out []byte
	for _, t := range tokens {
		if t > unicode.MaxRune {
			out = append(out, byte(t-unicode.MaxRune-1))
		} else {
			out = utf8.AppendRune(out, t)
		}
	}
	return out
}

// refOffsets returns the characters that stay whatever stands before and after the data.
func refOffsets(data []byte) [][]rune {
	var out [][]rune
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
	return out
}

func refWord(r rune) bool {
	return r == '_' || r > 0 && r <= unicode.MaxRune && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

var refPlaceholder = regexp.MustCompile(`^%[^%*?\\]+%`)

// expand replaces the placeholders of a text that is no Sigma string.
func (r *reference) expand(s string) []string {
	before := ""
	for s != "" {
		switch {
		case strings.HasPrefix(s, `\%`):
			before, s = before+"%", s[2:]
		case strings.HasPrefix(s, `\\`):
			before, s = before+`\\`, s[2:]
		case refPlaceholder.MatchString(s):
			name := refPlaceholder.FindString(s)
			var out []string
			for _, v := range r.placeholders[strings.Trim(name, "%")] {
				for _, rest := range r.expand(s[len(name):]) {
					out = append(out, before+v+rest)
				}
			}
			return out
		default:
			before, s = before+s[:1], s[1:]
		}
	}
	return []string{before}
}

// refNum is a number: whole ones that fit 64 bits are exact.
type refNum struct {
	whole *big.Int
	float float64
}

func (a refNum) compare(b refNum) int {
	if a.whole != nil && b.whole != nil {
		return a.whole.Cmp(b.whole)
	}
	return cmp.Compare(a.float, b.float)
}

func refWhole(n *big.Int) refNum {
	f, _ := new(big.Float).SetInt(n).Float64()
	return refNum{n, f}
}

var (
	refDecimal = regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$`)
	refHex     = regexp.MustCompile(`^0[xX]([0-9a-fA-F]{1,16})$`)
	refDate    = regexp.MustCompile(`^([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[Tt ]([0-9]{2}):([0-9]{2}))?`)
	refPort    = regexp.MustCompile(`^(?:\[([^\]]*)\].*|([0-9.]+):[0-9a-fA-F]*)$`)
)

func refNumber(s string) (refNum, bool) {
	s = strings.TrimSpace(s)
	if h := refHex.FindStringSubmatch(s); h != nil {
		n, _ := new(big.Int).SetString(h[1], 16)
		return refWhole(n), true
	}
	if !refDecimal.MatchString(s) || len(s) > 64 {
		return refNum{}, false
	}
	if n, ok := new(big.Int).SetString(s, 10); ok && n.CmpAbs(new(big.Int).SetUint64(math.MaxUint64)) <= 0 {
		return refWhole(n), true
	}
	n, err := strconv.ParseFloat(s, 64)
	if i, exact := big.NewFloat(n).Int(nil); err == nil && exact == big.Exact && i.BitLen() <= 53 {
		return refWhole(i), true
	}
	return refNum{float: n}, err == nil
}

func refTime(s, part string) (refNum, bool) {
	d := refDate.FindStringSubmatch(strings.TrimSpace(s))
	if d == nil {
		return refNum{}, false
	}
	n := func(i int) int { x, _ := strconv.Atoi(d[i]); return x }
	of := func(n int) (refNum, bool) { return refWhole(big.NewInt(int64(n))), true }
	if n(2) < 1 || n(2) > 12 || n(3) < 1 || n(3) > 31 {
		return refNum{}, false
	}
	switch part {
	case "year":
		return of(n(1))
	case "month":
		return of(n(2))
	case "day":
		return of(n(3))
	case "week":
		_, w := time.Date(n(1), time.Month(n(2)), n(3), 12, 0, 0, 0, time.UTC).ISOWeek()
		return of(w)
	}
	if d[4] == "" || n(4) > 23 || n(5) > 59 {
		return refNum{}, false
	}
	if part == "hour" {
		return of(n(4))
	}
	return of(n(5))
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
