//go:build unix

package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
)

// chainsaw reads Sigma rules as they are, with a mapping of log sources and field names beside them.
type chainsaw struct{ program }

func (c *chainsaw) prepare(_ context.Context, j *job) ([]string, error) {
	if j.chainsawMapping == "" {
		beside := filepath.Join(filepath.Dir(c.path), "mappings", "sigma-event-logs-all.yml")
		if _, err := os.Stat(beside); err != nil {
			return nil, errors.New("no mapping: name its sigma-event-logs-all.yml with -chainsaw-mapping")
		}
		j.chainsawMapping = beside
	}
	return []string{"its mapping " + filepath.Base(j.chainsawMapping) + ", without --preprocess (called beta)"}, nil
}

func (c *chainsaw) commands(j *job, threads int, out string) []command {
	return []command{{argv: []string{c.path, "--no-banner", "--num-threads", strconv.Itoa(threads), "hunt", "-q", "--skip-errors", "--jsonl",
		"-s", j.rules, "-m", j.chainsawMapping, "-o", out, j.evidence}}}
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
