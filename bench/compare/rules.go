//go:build unix

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// A ruleIndex is what the rules say of themselves, for telling findings apart and explaining differences.
type ruleIndex struct {
	rules map[string]ruleInfo
	notes map[[2]string]string // tool and rule → why that tool cannot match it
}

// A ruleInfo names a rule and what it makes use of: "modifier windash", "category ps_script", "field Image",
// "keywords", "escaped backslash".
type ruleInfo struct {
	title string
	path  string // within the folder of rules
	uses  []string
}

func (x *ruleIndex) note(tool, rule, why string) { x.notes[[2]string{tool, rule}] = why }

// readRules reads every rule of a folder. What is no rule is passed over: the tools judge that themselves.
func readRules(dir string) (*ruleIndex, error) {
	x := &ruleIndex{rules: map[string]ruleInfo{}, notes: map[[2]string]string{}}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if ext := filepath.Ext(path); err != nil || d.IsDir() || ext != ".yml" && ext != ".yaml" {
			return err
		}
		p, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		x.add(filepath.ToSlash(rel), p)
		return err
	})
	if err == nil && len(x.rules) == 0 {
		err = fmt.Errorf("%s: no Sigma rule with an id in it", dir)
	}
	return x, err
}

func (x *ruleIndex) add(path string, file []byte) {
	for d := yaml.NewDecoder(bytes.NewReader(file)); ; {
		var r struct {
			ID, Title string
			Logsource map[string]string
			Detection map[string]any
		}
		if err := d.Decode(&r); errors.Is(err, io.EOF) || err != nil {
			return
		}
		if r.ID == "" {
			continue
		}
		info := ruleInfo{title: r.Title, path: path}
		for k, v := range r.Logsource {
			info.uses = append(info.uses, k+" "+v)
		}
		for name, d := range r.Detection {
			if name != "condition" {
				info.uses = uses(info.uses, d)
			}
		}
		slices.Sort(info.uses)
		info.uses = slices.Compact(info.uses)
		x.rules[strings.ToLower(r.ID)] = info
	}
}

// escapes says whether a value, or one of a list, has an escaped backslash in it.
func escapes(value any) bool {
	switch v := value.(type) {
	case string:
		return strings.Contains(v, `\\`)
	case []any:
		return slices.ContainsFunc(v, escapes)
	}
	return false
}

// uses adds the fields and modifiers of a search to out.
func uses(out []string, d any) []string {
	switch d := d.(type) {
	case map[string]any:
		for key, value := range d {
			if escapes(value) && !strings.Contains(key, "|re") {
				out = append(out, "escaped backslash")
			}
			field, modifiers, _ := strings.Cut(key, "|")
			out = append(out, "field "+field)
			if modifiers != "" {
				for m := range strings.SplitSeq(modifiers, "|") {
					out = append(out, "modifier "+m)
				}
			}
		}
	case []any:
		for _, v := range d {
			if _, ok := v.(map[string]any); ok {
				out = uses(out, v)
			} else {
				out = append(out, "keywords")
			}
		}
	}
	return out
}
