package sigma

import (
	"bytes"
	"errors"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
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
	needOnce sync.Once
	needs    [][]string // one of each of these stands in the folded text
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

// regexReason says why an expression cannot be used, and what to do about it.
func regexReason(err error) string {
	reason := "the regular expression cannot be read: " + strings.TrimPrefix(err.Error(), "error parsing regexp: ")
	var syn *syntax.Error
	if !errors.As(err, &syn) {
		return reason
	}
	switch {
	case syn.Code == syntax.ErrInvalidPerlOp && strings.HasPrefix(syn.Expr, "(?<name"), strings.HasPrefix(syn.Expr, "(?P="):
		return reason + "; what a group has matched cannot be asked for again"
	case syn.Code == syntax.ErrInvalidPerlOp:
		return reason + "; look-around is outside of what the specification allows: say it with a second selection and not"
	case syn.Code == syntax.ErrInvalidEscape && len(syn.Expr) == 2 && '1' <= syn.Expr[1] && syn.Expr[1] <= '9':
		return reason + "; what a group has matched cannot be asked for again"
	case syn.Code == syntax.ErrInvalidEscape, syn.Code == syntax.ErrTrailingBackslash:
		return reason + "; write a plain backslash as two"
	case syn.Code == syntax.ErrMissingRepeatArgument:
		return reason + "; there is nothing before it to repeat: write \\" + syn.Expr + " for the character, .* for any text"
	case syn.Code == syntax.ErrMissingParen, syn.Code == syntax.ErrUnexpectedParen:
		return reason + "; write \\( and \\) for the characters"
	case syn.Code == syntax.ErrMissingBracket:
		return reason + "; write \\[ for the character"
	}
	return reason
}

func (r *regex) parse() *syntax.Regexp {
	re, err := syntax.Parse(r.source, syntax.Perl)
	if err != nil {
		return nil // it was parsed before
	}
	return re
}

// maxNeeds is how many sets of literals, of how many literals, are sooner looked for than the automaton has read a text.
const maxNeeds = 4

// match reports whether the expression matches text. folded is the folded text, or nil where that is not at hand.
func (r *regex) match(text, folded []byte) bool {
	if len(text) < r.minLen {
		return false
	}
	if folded != nil && !r.isPossible(folded) {
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

// isPossible reports whether all stands in a folded text that the expression cannot match without.
func (r *regex) isPossible(folded []byte) bool {
	r.needOnce.Do(func() {
		if re := r.parse(); re != nil {
			r.needs = literal.RequiredAll(re, maxNeeds)
		}
	})
	for _, any := range r.needs {
		if !slices.ContainsFunc(any, func(s string) bool { return bytes.Contains(folded, unsafeBytes(s)) }) {
			return false
		}
	}
	return true
}
