package lang

import "strings"

// Markdown returns the words as Markdown (CommonMark, and what GitHub adds), to stand in a paragraph, a heading or a list item that
// begins with other words. Machine values are code; no text that was filled in becomes a link, an image, HTML or any other markup. In a
// language that runs from right to left, what is filled in is isolated, and English is marked, as in Text.
func (w Words) Markdown() string {
	var b strings.Builder
	for _, p := range w.parts {
		open := ""
		switch {
		case p.kind == markup:
			b.WriteString("[?]")
			continue
		case p.kind == machine && w.rtl, p.kind == english && w.rtl:
			open = ltrIsolate
		case p.kind == name && (w.rtl || RunsLeft(p.text)):
			open = firstIsolate
		}
		if p.kind == english {
			b.WriteString(`\[en\] `)
		}
		b.WriteString(open)
		if p.kind == machine || p.kind != words && linksItself(p.text) {
			b.WriteString(codeSpan(p.text))
		} else {
			b.WriteString(escapeMarkdown(p.text))
		}
		if open != "" {
			b.WriteString(popIsolate)
		}
	}
	return b.String()
}

// linksItself says whether a reader of Markdown might make a link of what stands in s without any brackets.
func linksItself(s string) bool {
	low := strings.ToLower(s)
	return strings.Contains(s, "@") || strings.Contains(low, "://") || strings.Contains(low, "www.") || strings.Contains(low, "mailto:") || strings.Contains(low, "xmpp:")
}

// codeSpan returns s as code. Its fence is longer than any run of backticks in s.
func codeSpan(s string) string {
	if s == "" {
		return ""
	}
	longest, run := 0, 0
	for i := range len(s) {
		if s[i] != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	fence := strings.Repeat("`", longest+1)
	if longest > 0 || strings.Trim(s, " ") != s {
		s = " " + s + " "
	}
	return fence + strings.ReplaceAll(s, "\n", " ") + fence
}

func escapeMarkdown(s string) string { return markdownMarks.Replace(s) }

var markdownMarks = strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "{", `\{`, "}", `\}`, "[", `\[`, "]", `\]`,
	"<", `\<`, ">", `\>`, "#", `\#`, "|", `\|`, "~", `\~`, "&", `\&`, "!", `\!`, "$", `\$`, "^", `\^`, "\n", " ")
