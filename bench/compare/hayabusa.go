//go:build unix

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"go.yaml.in/yaml/v4"
)

// hayabusa reads rules of its own form, which a converter makes of Sigma's: up to two of each, for Sysmon and for what
// Windows itself logs.
type hayabusa struct {
	program
	origin map[string]string // id of a converted rule → of the rule it was made of
}

func (h *hayabusa) version(ctx context.Context) string { return h.ask(ctx, "help") }

func (h *hayabusa) prepare(_ context.Context, j *job) ([]string, error) {
	if j.hayabusaRules == "" || j.hayabusaConfig == "" {
		return nil, errors.New("its rules and their config are missing: convert the same rules with sigma-to-hayabusa-converter and name the folders with -hayabusa-rules and -hayabusa-config")
	}
	h.origin = map[string]string{}
	made := map[string]bool{}
	err := filepath.WalkDir(j.hayabusaRules, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".yml" {
			return err
		}
		p, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		id, from, err := converted(p)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		h.origin[id] = from
		made[from] = true
		return nil
	})
	missing := 0
	for id := range j.index.rules {
		if !made[id] {
			missing++
			j.index.note(h.named, id, "the converter makes no rule of it")
		}
	}
	return []string{fmt.Sprintf("%d rules converted beforehand; of %d Sigma rules the converter makes none", len(h.origin), missing),
		"all statuses and noisy rules enabled, profile standard, no summary, unsorted"}, err
}

// converted returns the id of a converted rule and the one it is derived from, which the converter puts last.
func converted(rule []byte) (id, from string, err error) {
	var r struct {
		ID      string
		Related []struct{ ID, Type string }
	}
	if err := yaml.Unmarshal(rule, &r); err != nil {
		return "", "", err
	}
	for _, rel := range r.Related {
		if rel.Type == "derived" {
			from = rel.ID
		}
	}
	return r.ID, from, nil
}

func (h *hayabusa) commands(j *job, threads int, out string) []command {
	what := "-d"
	if info, err := os.Stat(j.evidence); err == nil && info.Mode().IsRegular() {
		what = "-f"
	}
	return []command{{argv: []string{h.path, "dfir-timeline", what, j.evidence, "-r", j.hayabusaRules, "-c", j.hayabusaConfig, "-t", "jsonl", "-o", out, "-C",
		"-w", "-q", "-Q", "-N", "-K", "-D", "-n", "-u", "-U", "-b", "-p", "standard", "--threads", strconv.Itoa(threads)}}}
}

func (h *hayabusa) findings(_ *job, out string, yield func(finding)) error {
	return jsonLines(out, func(line []byte) error {
		var l struct {
			RuleID, Computer, Channel string
			RecordID                  number
		}
		if err := json.Unmarshal(line, &l); err != nil {
			return err
		}
		rule := l.RuleID
		if from := h.origin[rule]; from != "" {
			rule = from
		}
		yield(system{l.Computer, l.Channel, l.RecordID}.finding(rule))
		return nil
	})
}
