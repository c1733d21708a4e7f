package sigma

import (
	"cmp"
	"slices"
	"strings"
)

// expand returns the patterns with their placeholders replaced, each once for every value.
func (l *lowering) expand(patterns []pattern, v scalar) ([]pattern, *flaw) {
	var out []pattern
	for _, p := range patterns {
		done := []pattern{nil}
		for _, e := range p {
			if e.kind != hole {
				for i, d := range done {
					done[i] = join2(d, pattern{e})
				}
				continue
			}
			values, bad := l.valuesOf(e.text, v)
			if bad != nil {
				return nil, bad
			}
			if len(out)+len(done)*len(values) > maxVariants {
				return nil, v.flawf("%q becomes more than %d values: write fewer placeholders into one value", v.text, maxVariants)
			}
			longer := make([]pattern, 0, len(done)*len(values))
			for _, d := range done {
				for _, value := range values {
					longer = append(longer, join2(d, parsePattern(value)))
				}
			}
			done = longer
		}
		out = append(out, done...)
	}
	return out, nil
}

// valuesOf returns the values of a placeholder.
func (l *lowering) valuesOf(name string, v scalar) ([]string, *flaw) {
	values := l.placeholders[name]
	if len(values) > 0 {
		return values, nil
	}
	if l.placeholders == nil {
		l.waiting = true
		return []string{"0"}, nil
	}
	known := make([]string, 0, len(l.placeholders))
	for n := range l.placeholders {
		known = append(known, n)
	}
	slices.Sort(known)
	return nil, v.flawf("placeholder %%%s%% has no values: %s", name, cmp.Or(didYouMean(name, known), "give it some (--placeholders)"))
}

// expandText returns a text that is no Sigma string with its placeholders replaced by their values as they stand.
func (l *lowering) expandText(s string, v scalar) ([]string, *flaw) {
	texts := []string{""}
	for {
		before, name, rest, found := cutPlaceholder(s)
		for i := range texts {
			texts[i] += before
		}
		if !found {
			return texts, nil
		}
		values, bad := l.valuesOf(name, v)
		if bad != nil {
			return nil, bad
		}
		if len(texts)*len(values) > maxVariants {
			return nil, v.flawf("%q becomes more than %d values: write fewer placeholders into one value", v.text, maxVariants)
		}
		longer := make([]string, 0, len(texts)*len(values))
		for _, t := range texts {
			for _, value := range values {
				longer = append(longer, t+value)
			}
		}
		texts, s = longer, rest
	}
}

// cutPlaceholder cuts a text at its first placeholder, %name%. A backslash takes its meaning from a percent sign, but
// not one that is itself the second of two.
func cutPlaceholder(s string) (before, name, rest string, found bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && s[i+1] == '%':
			i++
			b.WriteByte('%')
			continue
		case s[i] == '\\' && i+1 < len(s) && s[i+1] == '\\':
			b.WriteByte('\\')
			i++
		case s[i] == '%':
			if name := placeholderAt(s[i:]); name != "" {
				return b.String(), name, s[i+len(name)+2:], true
			}
		}
		b.WriteByte(s[i])
	}
	return b.String(), "", "", false
}

// placeholderAt returns the name of the placeholder that s begins with, or nothing.
func placeholderAt(s string) string {
	if len(s) < 3 || s[0] != '%' {
		return ""
	}
	end := strings.IndexByte(s[1:], '%')
	if end <= 0 || strings.ContainsAny(s[1:1+end], `*?\`) {
		return ""
	}
	return s[1 : 1+end]
}
