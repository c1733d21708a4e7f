//go:build unix

package main

import (
	"context"
	"os"
	"strconv"
)

// evtxDump only reads event logs and writes them as JSON: what a scanner built on that library pays before any rule.
type evtxDump struct{ program }

func (e *evtxDump) prepare(context.Context, *job) ([]string, error) {
	return []string{"no rules: every event written as a JSON line to the null device; one process a file"}, nil
}

func (e *evtxDump) commands(j *job, threads int, _ string) []command {
	out := make([]command, len(j.files))
	for i, f := range j.files {
		out[i] = command{argv: []string{e.path, "-t", strconv.Itoa(threads), "-o", "jsonl", f}, stdout: os.DevNull, lenient: true}
	}
	return out
}

func (e *evtxDump) findings(*job, string, func(finding)) error { return errNoRules }
