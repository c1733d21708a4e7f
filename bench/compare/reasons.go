//go:build unix

package main

import (
	_ "embed"
	"fmt"
	"os"
	"slices"
	"strings"
)

//go:embed reasons.tsv
var ownReasons string

// A reason is why a tool's findings of some rules are known to differ.
type reason struct {
	tool string // or * for all others than Barid
	what string // a rule's id, or what rules use: "modifier windash"
	why  string
}

// loadReasons reads the reasons that come with this program and those of a file: tool, rule or use, reason, with tabs
// between.
func loadReasons(file string) ([]reason, error) {
	text := ownReasons
	if file != "" {
		p, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		// The user's own come first, so that they are the ones shown.
		own, err := parseReasons(file, string(p))
		if err != nil {
			return nil, err
		}
		built, err := parseReasons("reasons.tsv", text)
		return append(own, built...), err
	}
	return parseReasons("reasons.tsv", text)
}

func parseReasons(name, text string) ([]reason, error) {
	var out []reason
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimRight(line, "\r\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) != 3 || f[0] == "" || f[1] == "" || f[2] == "" {
			return nil, fmt.Errorf("%s:%d: a reason is tool, rule id or use, and text, with tabs between", name, n)
		}
		out = append(out, reason{f[0], strings.TrimSpace(f[1]), f[2]})
	}
	return out, nil
}

// why returns the known reasons for which a tool differs from Barid on a rule: those of the rule itself, and if there
// are none those of what it uses.
func (r *report) why(tool, rule string) string {
	if w := r.job.index.notes[[2]string{tool, rule}]; w != "" {
		return w
	}
	var special, general []string
	info := r.job.index.rules[rule]
	for _, x := range r.reasons {
		if x.tool != tool && x.tool != "*" {
			continue
		}
		if strings.EqualFold(x.what, rule) {
			special = append(special, x.why)
		} else if slices.Contains(info.uses, x.what) {
			general = append(general, x.why)
		}
	}
	if len(special) > 0 {
		return strings.Join(special, "; ")
	}
	return strings.Join(general, "; ")
}
