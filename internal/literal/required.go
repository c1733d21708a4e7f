package literal

import (
	"cmp"
	"regexp/syntax"
	"slices"
	"unicode/utf8"
)

// Limits on the sets of strings that Required works with.
const (
	maxExact    = 32 // strings in one set
	maxExactLen = 64 // bytes in one string
	maxNesting  = 200
	maxAlso     = 32 // sets
)

// Required returns literals, folded, of which at least one stands in the folded form of every text that re matches.
// It returns nil where it finds none that are at least least bytes long.
func Required(re *syntax.Regexp, least int) []string {
	q := analyse(re.Simplify(), 0)
	best := q.best()
	if len(best) == 0 || shortest(best) < least {
		return nil
	}
	return best
}

// RequiredAll returns sets of literals, folded, of each of which at least one stands in the folded form of every text that
// re matches: at most most sets, of at most so many literals each, those first that say most.
func RequiredAll(re *syntax.Regexp, most int) [][]string {
	q := analyse(re.Simplify(), 0)
	sets := append(q.also, q.best())
	slices.SortStableFunc(sets, func(a, b []string) int { return cmp.Compare(shortest(b), shortest(a)) })
	var all [][]string
	for _, set := range sets {
		known := slices.ContainsFunc(all, func(b []string) bool { return slices.Equal(b, set) })
		if shortest(set) > 0 && len(set) <= most && len(all) < most && !known {
			all = append(all, set)
		}
	}
	return all
}

// need is what is known of the texts that a part of a regular expression matches.
type need struct {
	exact    []string // if isExact, the part matches only these, folded
	isExact  bool
	required []string   // every match has one of these in it; nil says nothing
	also     [][]string // and one of each of these
}

var anything = need{}

func (q need) best() []string {
	if q.isExact && better(q.exact, q.required) {
		return q.exact
	}
	return q.required
}

// inexact returns what is known of texts in which something that q is known of stands.
func (q need) inexact() need { return need{required: q.best(), also: q.also} }

// better reports whether literals a say more than b: a longer shortest one, then fewer.
func better(a, b []string) bool {
	sa, sb := shortest(a), shortest(b)
	if min(sa, 6) != min(sb, 6) {
		return sa > sb
	}
	return len(a) < len(b)
}

func shortest(a []string) int {
	if len(a) == 0 {
		return 0
	}
	n := len(a[0])
	for _, s := range a {
		n = min(n, len(s))
	}
	return n
}

func analyse(re *syntax.Regexp, depth int) need {
	if depth > maxNesting {
		return anything
	}
	switch re.Op {
	case syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText,
		syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return need{isExact: true, exact: []string{""}}
	case syntax.OpLiteral:
		return literalNeed(re.Rune)
	case syntax.OpCharClass:
		return classNeed(re.Rune)
	case syntax.OpCapture:
		return analyse(re.Sub[0], depth+1)
	case syntax.OpPlus:
		return analyse(re.Sub[0], depth+1).inexact()
	case syntax.OpRepeat:
		if re.Min > 0 {
			return analyse(re.Sub[0], depth+1).inexact()
		}
	case syntax.OpQuest:
		q := analyse(re.Sub[0], depth+1)
		if q.isExact {
			return either(q, need{isExact: true, exact: []string{""}})
		}
	case syntax.OpConcat:
		return concat(re.Sub, depth)
	case syntax.OpAlternate:
		q := analyse(re.Sub[0], depth+1)
		for _, sub := range re.Sub[1:] {
			q = either(q, analyse(sub, depth+1))
		}
		return q
	}
	return anything
}

func literalNeed(runes []rune) need {
	var run []byte
	var longest []byte
	broken := false
	for _, r := range runes {
		if r == utf8.RuneError {
			// A regular expression sees U+FFFD in every byte that is not UTF-8; folded text keeps the byte.
			if len(run) > len(longest) {
				longest = run
			}
			run, broken = nil, true
			continue
		}
		run = utf8.AppendRune(run, FoldRune(r))
	}
	if len(run) > len(longest) {
		longest = run
	}
	if broken || len(longest) > maxExactLen {
		if len(longest) == 0 {
			return anything
		}
		return need{required: []string{string(longest)}}
	}
	return need{isExact: true, exact: []string{string(longest)}}
}

// classNeed expands a small class of characters.
func classNeed(ranges []rune) need {
	var set []string
	count := 0
	for i := 0; i+1 < len(ranges); i += 2 {
		for r := ranges[i]; r <= ranges[i+1]; r++ {
			if count++; count > maxExact || r == utf8.RuneError {
				return anything
			}
			set = add(set, string(FoldRune(r)))
		}
	}
	if len(set) == 0 {
		return anything
	}
	return need{isExact: true, exact: set}
}

func add(set []string, s string) []string {
	for _, t := range set {
		if t == s {
			return set
		}
	}
	return append(set, s)
}

// either is what is known of a text that one of two parts matches.
func either(a, b need) need {
	if a.isExact && b.isExact && len(a.exact)+len(b.exact) <= maxExact {
		set := append([]string(nil), a.exact...)
		for _, s := range b.exact {
			set = add(set, s)
		}
		return need{isExact: true, exact: set}
	}
	x, y := a.best(), b.best()
	if shortest(x) == 0 || shortest(y) == 0 || len(x)+len(y) > 4*maxExact {
		return anything
	}
	set := append([]string(nil), x...)
	for _, s := range y {
		set = add(set, s)
	}
	return need{required: set}
}

func concat(subs []*syntax.Regexp, depth int) need {
	all := need{isExact: true, exact: []string{""}}
	run := all // the exact strings of the parts since the last that was not
	var required []string
	var also [][]string
	keep := func(set []string) {
		if shortest(set) > 0 && len(also) < maxAlso {
			also = append(also, set)
		}
		if better(set, required) {
			required = set
		}
	}
	for _, sub := range subs {
		q := analyse(sub, depth+1)
		if q.isExact && len(q.exact)*len(run.exact) <= maxExact && longest(q.exact)+longest(run.exact) <= maxExactLen {
			run.exact = cross(run.exact, q.exact)
			continue
		}
		all.isExact = false
		keep(run.exact)
		run.exact = []string{""}
		if q.isExact {
			run.exact = q.exact
		} else {
			keep(q.required)
			also = append(also, q.also[:min(len(q.also), maxAlso-len(also))]...)
		}
	}
	if all.isExact {
		return run
	}
	keep(run.exact)
	if shortest(required) == 0 {
		return anything
	}
	return need{required: required, also: also}
}

func longest(a []string) int {
	n := 0
	for _, s := range a {
		n = max(n, len(s))
	}
	return n
}

func cross(a, b []string) []string {
	set := make([]string, 0, len(a)*len(b))
	for _, s := range a {
		for _, t := range b {
			set = add(set, s+t)
		}
	}
	return set
}

// MinLen returns a number of bytes that every text has at least that re matches somewhere in it.
func MinLen(re *syntax.Regexp) int { return minLen(re, 0) }

func minLen(re *syntax.Regexp, depth int) int {
	const most = 1 << 20
	if depth > maxNesting {
		return 0
	}
	switch re.Op {
	case syntax.OpLiteral:
		return len(re.Rune)
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return 1
	case syntax.OpCapture, syntax.OpPlus:
		return minLen(re.Sub[0], depth+1)
	case syntax.OpRepeat:
		return min(re.Min*minLen(re.Sub[0], depth+1), most)
	case syntax.OpConcat:
		n := 0
		for _, sub := range re.Sub {
			n = min(n+minLen(sub, depth+1), most)
		}
		return n
	case syntax.OpAlternate:
		least := most
		for _, sub := range re.Sub {
			least = min(least, minLen(sub, depth+1))
		}
		return least
	}
	return 0
}
