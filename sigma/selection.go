package sigma

import (
	"fmt"
	"slices"
	"strings"
)

// NoStatus stands in a [Selection] for rules without a status, or with one that the specification does not know.
const NoStatus = "none"

// Statuses are the statuses of a rule, most trusted first (Sigma rules specification 2.1, "Status"), and NoStatus.
func Statuses() []string {
	return []string{"stable", "test", "experimental", "deprecated", "unsupported", NoStatus}
}

// Selection says which rules of a pack are used.
type Selection struct {
	// Status are the statuses to keep, of Statuses. Nil keeps all but deprecated and unsupported.
	Status []string
}

// Select takes the rules and correlations out of the pack that are not selected, and adds them to LeftOut: those of
// another status, and those that a rule which stays says it takes the place of (related, with the type obsolete or
// renamed). Rules that each say so of the other both stay.
func (p *Pack) Select(s Selection) {
	keep := s.Status
	if keep == nil {
		keep = []string{"stable", "test", "experimental", NoStatus}
	}
	leaveOut := func(path string, line int, id, title, reason string) {
		p.LeftOut = append(p.LeftOut, &Rejection{Path: path, Line: line, ID: id, Title: title, Reason: reason})
	}
	selected := func(status string) (string, bool) {
		known := status
		if !slices.Contains(Statuses(), known) {
			known = NoStatus
		}
		if known == NoStatus {
			return "it has no status", slices.Contains(keep, known)
		}
		return "its status is " + known, slices.Contains(keep, known)
	}
	p.Rules = slices.DeleteFunc(p.Rules, func(r *Rule) bool {
		reason, ok := selected(r.Status)
		if !ok {
			leaveOut(r.Path, r.Line, r.ID, r.Title, reason)
		}
		return !ok
	})
	p.Correlations = slices.DeleteFunc(p.Correlations, func(c *Correlation) bool {
		reason, ok := selected(c.Status)
		if !ok {
			leaveOut(c.Path, c.Line, c.ID, c.Title, reason)
		}
		return !ok
	})
	replaced := replacedRules(p.Rules)
	p.Rules = slices.DeleteFunc(p.Rules, func(r *Rule) bool {
		by := replaced[r]
		if by.rule != nil {
			leaveOut(r.Path, r.Line, r.ID, r.Title, fmt.Sprintf("it is %s: the rule %s (%s) is used in its place", by.how, by.rule.ID, by.rule.Path))
			p.replaced = append(p.replaced, r)
		}
		return by.rule != nil
	})
}

// replacement is the rule that takes the place of another, and what it says has become of it.
type replacement struct {
	rule *Rule
	how  string // obsolete or renamed
}

// replacedRules returns the rules that another takes the place of.
func replacedRules(rules []*Rule) map[*Rule]replacement {
	var byID map[string][]*Rule
	replaced := map[*Rule]replacement{}
	for _, r := range rules {
		for _, old := range r.Related {
			if old.Type != "obsolete" && old.Type != "renamed" {
				continue
			}
			if byID == nil {
				byID = make(map[string][]*Rule, len(rules))
				for _, r := range rules {
					if r.ID != "" {
						byID[strings.ToLower(r.ID)] = append(byID[strings.ToLower(r.ID)], r)
					}
				}
			}
			for _, o := range byID[strings.ToLower(old.ID)] {
				if o.ID != r.ID && replaced[o].rule == nil && !replaces(o, r, byID) {
					replaced[o] = replacement{r, old.Type}
				}
			}
		}
	}
	return replaced
}

// replaces reports whether a says, by itself or by way of others, that it takes the place of b.
func replaces(a, b *Rule, byID map[string][]*Rule) bool {
	seen := map[*Rule]bool{}
	next := []*Rule{a}
	for len(next) > 0 {
		r := next[len(next)-1]
		next = next[:len(next)-1]
		if seen[r] {
			continue
		}
		seen[r] = true
		for _, old := range r.Related {
			if old.Type == "obsolete" || old.Type == "renamed" {
				for _, o := range byID[strings.ToLower(old.ID)] {
					if o == b {
						return true
					}
					next = append(next, o)
				}
			}
		}
	}
	return false
}

// renamed returns the rules that had other identifiers before, by those. Where a rule that was renamed is itself
// replaced by one it was renamed to, the last counts.
func (p *Pack) renamed() map[string][]*Rule {
	was := map[string][]*Rule{}
	for _, r := range slices.Concat(p.Rules, p.replaced) {
		for _, old := range r.Related {
			if old.Type == "renamed" && old.ID != r.ID {
				was[old.ID] = append(was[old.ID], r)
			}
		}
	}
	if len(p.replaced) == 0 {
		return was
	}
	found := map[string][]*Rule{}
	for old := range was {
		seen := map[string]bool{}
		next := []string{old}
		for len(next) > 0 {
			id := next[0]
			if next = next[1:]; seen[id] {
				continue
			}
			seen[id] = true
			for _, r := range was[id] {
				if slices.Contains(p.replaced, r) {
					next = append(next, r.ID)
				} else {
					found[old] = append(found[old], r)
				}
			}
		}
	}
	return found
}
