//go:build unix

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// zircolite turns rules into SQL by pySigma and events into rows of SQLite. The rules are turned beforehand.
type zircolite struct{ program }

func (z *zircolite) prepare(ctx context.Context, j *job) ([]string, error) {
	if j.zircoliteConfig == "" {
		beside := filepath.Join(filepath.Dir(z.path), "config", "config.yaml")
		if _, err := os.Stat(beside); err != nil {
			return nil, errors.New("no field mapping: name its config.yaml with -zircolite-config")
		}
		j.zircoliteConfig = beside
	}
	if j.zircoliteRules == "" {
		if err := z.convert(ctx, j); err != nil {
			return nil, err
		}
	}
	p, err := os.ReadFile(j.zircoliteRules)
	if err != nil {
		return nil, err
	}
	var rules []struct{ ID string }
	if err := json.Unmarshal(p, &rules); err != nil {
		return nil, fmt.Errorf("%s: %w", j.zircoliteRules, err)
	}
	made := map[string]bool{}
	for _, r := range rules {
		made[r.ID] = true
	}
	for id := range j.index.rules {
		if !made[id] {
			j.index.note(z.named, id, "pySigma makes no SQL of it")
		}
	}
	return []string{fmt.Sprintf("%d rules turned into SQL beforehand, pipelines %s", len(rules), j.zircolitePipes)}, nil
}

// convert lets zircolite turn the rules into its own form; it does so on the way to a scan, so the smallest log is scanned.
func (z *zircolite) convert(ctx context.Context, j *job) error {
	dir := filepath.Join(j.work, "zircolite")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	args := []string{"-q", "-c", j.zircoliteConfig, "-e", smallest(j.files), "-r", j.rules, "-sr", "-o", filepath.Join(dir, "none.json"), "-l", filepath.Join(dir, "log")}
	for p := range strings.SplitSeq(j.zircolitePipes, ",") {
		args = append(args, "-p", p)
	}
	cmd := exec.CommandContext(ctx, z.path, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	made, _ := filepath.Glob(filepath.Join(dir, "ruleset-*.json"))
	if err != nil || len(made) == 0 {
		return fmt.Errorf("turning the rules into its own form: %v: %s", err, lastLine(out))
	}
	j.zircoliteRules = made[len(made)-1]
	return nil
}

func smallest(files []string) string {
	best, size := files[0], int64(-1)
	for _, f := range files {
		if info, err := os.Stat(f); err == nil && (size < 0 || info.Size() < size) {
			best, size = f, info.Size()
		}
	}
	return best
}

func (z *zircolite) commands(j *job, threads int, out string) []command {
	argv := []string{z.path, "-q", "-c", j.zircoliteConfig, "-e", j.evidence, "-r", j.zircoliteRules, "-o", out, "-l", filepath.Join(j.work, "zircolite.log")}
	if threads == 1 {
		argv = append(argv, "--no-parallel")
	} else {
		argv = append(argv, "--parallel-workers", strconv.Itoa(threads))
	}
	return []command{{argv: argv}}
}

// findings reads an array of rules, each with its matches, without holding it.
func (z *zircolite) findings(_ *job, out string, yield func(finding)) error {
	f, err := os.Open(out)
	if err != nil {
		return err
	}
	defer f.Close()
	d := json.NewDecoder(bufio.NewReaderSize(f, 1<<20))
	if _, err := d.Token(); err != nil {
		return err
	}
	for d.More() {
		var rule struct {
			ID      string
			Matches []system
		}
		if err := d.Decode(&rule); err != nil {
			return err
		}
		for _, m := range rule.Matches {
			yield(m.finding(rule.ID))
		}
	}
	return nil
}
