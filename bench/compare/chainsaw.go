//go:build unix

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// chainsaw reads Sigma rules as they are, with a mapping of log sources and field names beside them.
type chainsaw struct{ program }

func (c *chainsaw) prepare(ctx context.Context, j *job) ([]string, error) {
	if j.chainsawMapping == "" {
		beside := filepath.Join(filepath.Dir(c.path), "mappings", "sigma-event-logs-all.yml")
		if _, err := os.Stat(beside); err != nil {
			return nil, errors.New("no mapping: name its sigma-event-logs-all.yml with -chainsaw-mapping")
		}
		j.chainsawMapping = beside
	}
	notes := []string{"its mapping " + filepath.Base(j.chainsawMapping) + ", without --preprocess (called beta)"}
	excluded, err := exclusions(j.chainsawMapping)
	if err != nil {
		return nil, err
	}
	n := 0
	for id, r := range j.index.rules {
		if excluded[r.title] {
			j.index.note(c.named, id, "its mapping excludes the rule")
			n++
		}
	}
	if n > 0 {
		notes = append(notes, fmt.Sprintf("%d rules excluded by that mapping", n))
	}
	out, err := exec.CommandContext(ctx, c.path, "--no-banner", "lint", "--kind", "sigma", j.rules).CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return nil, err
	}
	refused := lint(string(out))
	for id, r := range j.index.rules {
		if why := refused[r.path]; why != "" {
			j.index.note(c.named, id, "it refuses the rule: "+why)
		}
	}
	if len(refused) > 0 {
		notes = append(notes, fmt.Sprintf("%d rules refused by it", len(refused)))
	}
	return notes, nil
}

// exclusions are the titles of the rules that a mapping leaves out.
func exclusions(mapping string) (map[string]bool, error) {
	p, err := os.ReadFile(mapping)
	if err != nil {
		return nil, err
	}
	var m struct{ Exclusions []string }
	if err := yaml.Unmarshal(p, &m); err != nil {
		return nil, fmt.Errorf("%s: %w", mapping, err)
	}
	out := map[string]bool{}
	for _, title := range m.Exclusions {
		out[title] = true
	}
	return out, nil
}

// lint reads what its lint says: for a rule it refuses, a line "[!] /path: reason", the path within the folder of rules.
func lint(out string) map[string]string {
	refused := map[string]string{}
	for line := range strings.Lines(out) {
		_, said, ok := strings.Cut(line, "[!] /")
		path, why, ok2 := strings.Cut(said, ": ")
		if ok && ok2 {
			refused[path] = strings.TrimSuffix(strings.TrimSpace(why), "\x1b[0m")
		}
	}
	return refused
}

// Its findings are taken from standard output: what it writes to a file with -o lacks the end (2.16.4).
func (c *chainsaw) commands(j *job, threads int, out string) []command {
	return []command{{argv: []string{c.path, "--no-banner", "--num-threads", strconv.Itoa(threads), "hunt", "-q", "--skip-errors", "--jsonl",
		"-s", j.rules, "-m", j.chainsawMapping, j.evidence}, stdout: out}}
}

func (c *chainsaw) findings(_ *job, out string, yield func(finding)) error {
	return jsonLines(out, func(line []byte) error {
		type document struct {
			Data struct {
				Event struct{ System system }
			}
		}
		var l struct {
			ID        string
			Document  document
			Documents []document // of an aggregation
		}
		if err := json.Unmarshal(line, &l); err != nil {
			return err
		}
		if len(l.Documents) > 0 {
			l.Document = l.Documents[0]
		}
		yield(l.Document.Data.Event.System.finding(l.ID))
		return nil
	})
}
