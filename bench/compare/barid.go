//go:build unix

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// barid is the program under test: its own rules are left out, everything else is as it comes. It hashes what it reads.
type barid struct{ program }

func (b *barid) prepare(ctx context.Context, j *job) ([]string, error) {
	return []string{"its own rules left out; the SHA-256 of every file is part of its work"}, nil
}

func (b *barid) version(ctx context.Context) string { return "barid " + b.ask(ctx, "--version") }

func (b *barid) commands(j *job, threads int, out string) []command {
	return []command{{
		argv: []string{b.path, "scan", "--quiet", "--no-builtin-rules", "--rules", j.rules, "--workers", strconv.Itoa(threads),
			"--stats", statsFile(j), j.evidence},
		stdout: out,
	}}
}

func (b *barid) findings(_ *job, out string, yield func(finding)) error {
	return jsonLines(out, func(line []byte) error {
		var l struct {
			Rule  struct{ ID string }
			Event struct {
				system
				Recovered string `json:"_recovered"`
			}
		}
		if err := json.Unmarshal(line, &l); err != nil {
			return err
		}
		f := l.Event.finding(l.Rule.ID)
		f.recovered = l.Event.Recovered != ""
		yield(f)
		return nil
	})
}

func statsFile(j *job) string { return filepath.Join(j.work, "barid.stats") }

// A total is what Barid counted: the others' rates are taken from it, since all were given the same files.
type total struct {
	Events, Bytes int64
	Rejected      []struct{ Path, Reason string } `json:"rules_rejected"`
}

func readStats(j *job) (total, error) {
	var t total
	p, err := os.ReadFile(statsFile(j))
	if err == nil {
		err = json.Unmarshal(p, &t)
	}
	if err != nil {
		return t, fmt.Errorf("what Barid counted: %w", err)
	}
	return t, nil
}
