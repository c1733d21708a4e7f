//go:build unix

package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
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
	// It says how many rules it took only when it is not told to be quiet.
	out, _ := exec.CommandContext(ctx, c.path, "--no-banner", "hunt", "--jsonl", "-s", j.rules, "-m", j.chainsawMapping, smallest(j.files)).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "Loaded ") && strings.Contains(line, "rules") {
			notes = append(notes, "says: "+strings.TrimLeft(strings.TrimSpace(line), "[+]! "))
		}
	}
	return notes, nil
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
