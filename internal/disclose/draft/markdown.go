package draft

import (
	"bufio"
	"io"
	"regexp"
	"strconv"
)

func writeMarkdown(to io.Writer, d *Draft) error {
	l := d.Language
	w := bufio.NewWriter(to)
	say := func(parts ...string) {
		for _, p := range parts {
			w.WriteString(p)
		}
	}
	say("# ", d.Title.Markdown(), "\n\n")
	if !d.Marking.Empty() {
		say(d.Marking.Markdown(), "\n\n")
	}
	say("**", l.Words("report.draft").Markdown(), "**\n")
	n := 0
	for _, s := range d.Sections {
		if s.Page {
			say("\n---\n")
		}
		say("\n## ", s.Heading.Markdown())
		if !s.Law.Empty() {
			say(" (", s.Law.Markdown(), ")")
		}
		if s.Internal {
			say(" (", l.Words("form.internal").Markdown(), ")")
		}
		say("\n")
		if !s.Greeting.Empty() {
			say("\n", safeStart(s.Greeting.Markdown()), "\n")
		}
		list := false
		for i := range s.Statements {
			st := &s.Statements[i]
			n++
			text := safeStart(st.words(l).Markdown())
			if item := !st.Label.Empty(); item {
				if !list {
					say("\n")
				}
				list, text = true, "- "+text
			} else {
				say("\n")
				list = false
			}
			say(text)
			if st.Basis == Open {
				say(" **", l.Words("form.mark.open").Markdown(), "**")
			}
			say(` \[`, strconv.Itoa(n), `\]`, "\n")
		}
	}
	say("\n---\n\n## ", l.Words("form.annex").Markdown(), "\n\n", l.Words("form.annex.about").Markdown(), "\n\n")
	n = 0
	for _, s := range d.Sections {
		for i := range s.Statements {
			n++
			say(`- \[`, strconv.Itoa(n), `\] `, s.Statements[i].leans(l).Markdown(), "\n")
		}
	}
	return w.Flush()
}

var listStart = regexp.MustCompile(`^(\d{1,9})([.)])|^([-+=])`)

// safeStart keeps a paragraph from being taken for a list or the underline of a heading.
func safeStart(s string) string { return listStart.ReplaceAllString(s, `$1\$2$3`) }
