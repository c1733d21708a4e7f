package sigma

import (
	"regexp"
	"regexp/syntax"
	"sync"

	"github.com/barid-dfir/barid/internal/literal"
)

// regex is a regular expression. Its automaton, which is some twenty times faster than package regexp, is made when it
// is first asked; an expression whose automaton would be too large does without.
type regex struct {
	source   string
	compiled *regexp.Regexp
	minLen   int // of a text that matches
	once     sync.Once
	fast     *literal.Automaton
}

func newRegex(source string) (*regex, error) {
	re, err := regexp.Compile(source)
	if err != nil {
		return nil, err
	}
	r := &regex{source: source, compiled: re}
	if parsed := r.parse(); parsed != nil {
		r.minLen = literal.MinLen(parsed)
	}
	return r, nil
}

func (r *regex) parse() *syntax.Regexp {
	re, err := syntax.Parse(r.source, syntax.Perl)
	if err != nil {
		return nil // it was parsed before
	}
	return re
}

func (r *regex) match(text []byte) bool {
	if len(text) < r.minLen {
		return false
	}
	r.once.Do(func() {
		if re := r.parse(); re != nil {
			r.fast = literal.NewAutomaton(re)
		}
	})
	if r.fast != nil {
		return r.fast.Match(text)
	}
	return r.compiled.Match(text)
}
