package lang

import (
	"strings"

	"github.com/barid-dfir/barid/internal/event"
)

// mostPhrase is how long a text may be to be looked for in the phrasebook, in bytes, and mostSteps how often a template whose
// words stand in a part of it may be tried on it, or a placeholder ended.
const (
	mostPhrase = 8 << 10
	mostSteps  = 30_000
)

// matcher finds how the phrasebook says a text.
//
// A text is sentences, and a sentence is an instance of a template, whose placeholders may hold sentences again. What stands in
// placeholders was partly written by strangers, so a text may be cut in many ways: the one is taken of which the templates explain most.
// What was found for a part of the text is remembered, and all in all only so many steps are taken.
type matcher struct {
	l    *Language
	s    string
	left int
	memo map[task]*found
	// lenient takes a sentence that the phrasebook lacks as it is.
	lenient bool
}

// task is a part of the text, and the section that it is looked for in.
type task struct {
	section  string
	composed bool
	lo, hi   int
}

// found is how a part of the text is said, and how many bytes of it the templates explain.
type found struct {
	parts []part
	score int
}

// A part that is being looked for, or for which nothing was found, is nil in the memo.

// compose looks for several of a section, one after the other: sentences end with a full stop and a space, or with a semicolon; of what
// else there are several is joined by semicolons.
func (m *matcher) compose(section string, lo, hi int, stops bool) *found {
	key := task{section, true, lo, hi}
	if f, ok := m.memo[key]; ok {
		return f
	}
	m.memo[key] = nil
	best := m.unit(section, lo, hi, stops)
	for at := lo + 1; at < hi-1 && m.left > 0; at++ {
		if m.s[at+1] != ' ' || m.s[at] != ';' && (m.s[at] != '.' || !stops) {
			continue
		}
		end := at
		if m.s[at] == '.' {
			end++
		}
		head := m.unit(section, lo, end, stops)
		if head == nil {
			continue
		}
		tail := m.compose(section, at+2, hi, stops)
		if tail == nil || best != nil && head.score+tail.score <= best.score {
			continue
		}
		best = &found{score: head.score + tail.score}
		if m.s[at] == ';' {
			best.parts = m.l.Words("list.semicolon", "before", Words{parts: head.parts}, "after", Words{parts: tail.parts}).parts
		} else {
			best.parts = append(append(best.parts, head.parts...), part{words, " "})
			best.parts = append(best.parts, tail.parts...)
		}
	}
	m.memo[key] = best
	return best
}

// unit looks for one of a section, with or without the full stop of a sentence.
func (m *matcher) unit(section string, lo, hi int, stops bool) *found {
	best := m.one(section, lo, hi)
	if stops && hi > lo+1 && m.s[hi-1] == '.' {
		if f := m.one(section, lo, hi-1); f != nil && (best == nil || f.score+1 > best.score) {
			best = &found{append(append([]part(nil), f.parts...), part{words, "."}), f.score + 1}
		}
	}
	if best != nil {
		return best
	}
	if m.lenient && stops && section == sentences {
		return &found{[]part{{english, event.Visible(m.s[lo:hi])}}, -1 - (hi - lo)}
	}
	return nil
}

// one looks for a template of a section that is all of a part of the text.
func (m *matcher) one(section string, lo, hi int) *found {
	key := task{section, false, lo, hi}
	if f, ok := m.memo[key]; ok {
		return f
	}
	m.memo[key] = nil
	if lo >= hi {
		return nil
	}
	var best *found
	s := m.l.phrases.sections[section]
	for _, list := range [...][]*phrase{s.by[lower(m.s[lo])], s.by[0]} {
		for _, p := range list {
			if m.left <= 0 {
				return nil
			}
			if f := m.try(p, lo, hi); f != nil && (best == nil || f.score > best.score) {
				best = f
			}
		}
	}
	m.memo[key] = best
	return best
}

// try matches a template with all of a part of the text. The first letter may be a capital where the template has none.
func (m *matcher) try(p *phrase, lo, hi int) *found {
	text := m.s[lo:hi]
	first, last := p.pieces[0].words, p.pieces[len(p.pieces)-1].words
	if len(text) < len(first) || len(p.pieces) > 1 && !strings.HasSuffix(text, last) {
		return nil
	}
	capital := false
	if first != "" {
		if lower(text[0]) != lower(first[0]) || text[1:len(first)] != first[1:] {
			return nil
		}
		if len(p.pieces) == 1 && len(text) != len(first) {
			return nil
		}
		capital = text[0] < first[0]
	}
	if !inOrder(p.pieces, text) {
		return nil
	}
	m.left--
	var filled []any
	score, ok := m.fill(p, 0, lo, hi, &filled)
	if !ok {
		return nil
	}
	w := m.l.fill(p.says, filled)
	if capital && len(w.parts) > 0 && w.parts[0].kind == words {
		w.parts[0].text = upperFirst(w.parts[0].text)
	}
	return &found{w.parts, score}
}

// inOrder reports whether the words of a template, from its second piece on, stand in a text in their order.
func inOrder(pieces []piece, text string) bool {
	at := len(pieces[0].words)
	for i := range pieces[1:] {
		w := pieces[i+1].words
		if w == "" {
			continue
		}
		found := strings.Index(text[at:], w)
		if found < 0 {
			return false
		}
		at += found + len(w)
	}
	return true
}

// fill matches the pieces of a template from the i-th on, and returns how many bytes are explained by the best way to do it, with what the
// placeholders hold appended to filled.
func (m *matcher) fill(p *phrase, i, lo, hi int, filled *[]any) (score int, ok bool) {
	if i == len(p.pieces) {
		return 0, lo == hi
	}
	x := &p.pieces[i]
	if x.hole == "" {
		// The first piece was compared without regard to its first letter's case.
		if hi-lo < len(x.words) || i > 0 && m.s[lo:lo+len(x.words)] != x.words {
			return 0, false
		}
		n, ok := m.fill(p, i+1, lo+len(x.words), hi, filled)
		return n + len(x.words), ok
	}
	if i+1 == len(p.pieces) {
		v, n, ok := m.hold(x, lo, hi)
		if ok {
			*filled = append(*filled, x.hole, v)
		}
		return n, ok
	}
	next := p.pieces[i+1].words
	final := i+2 == len(p.pieces)
	var best []any
	for end := lo + 1; end+len(next) <= hi; end++ {
		if final {
			end = hi - len(next)
		} else if at := strings.Index(m.s[end:hi], next); at < 0 {
			break
		} else {
			end += at
		}
		if m.left--; m.left <= 0 {
			return 0, false
		}
		if end <= lo {
			break
		}
		if v, n, is := m.hold(x, lo, end); is {
			var after []any
			if k, is := m.fill(p, i+1, end, hi, &after); is && (!ok || n+k > score) {
				best, score, ok = append([]any{x.hole, v}, after...), n+k, true
			}
		}
	}
	*filled = append(*filled, best...)
	return score, ok
}

// hold returns what a placeholder holds, as an argument of fill, and how many bytes of it are explained.
func (m *matcher) hold(x *piece, lo, hi int) (value any, score int, ok bool) {
	if lo >= hi {
		return nil, 0, false
	}
	if read := kinds[x.kind]; read != nil {
		return read(m.l, m.s[lo:hi])
	}
	var f *found
	switch {
	case x.kind == sentences:
		f = m.compose(sentences, lo, hi, true)
	case x.many:
		f = m.compose(x.kind, lo, hi, false)
	default:
		f = m.one(x.kind, lo, hi)
	}
	if f == nil {
		return nil, 0, false
	}
	return Words{parts: f.parts, rtl: m.l.rtl}, f.score, true
}
