//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// A sample is what one run cost: of several processes, the sum of times and the largest memory.
type sample struct {
	wall, cpu time.Duration
	peak      int64 // bytes of resident memory
	err       error
}

// A series is the runs of one tool with one number of threads.
type series struct {
	threads int
	command string // the first command, for the reader
	times   int    // how many commands a run is
	cold    []sample
	warm    []sample
}

// An entry is a tool that took part.
type entry struct {
	tool    tool
	version string
	notes   []string
	series  []*series
	out     string
	found   map[string]map[record]place // by rule
	lines   int                         // findings of the rules given
	foreign int                         // other findings

	recovered int   // findings of the rules given in records from the unused part of a log
	err       error // why its findings could not be read
}

// measureAll runs every tool in turn, and again: what the machine does meanwhile hits all of them alike.
func measureAll(ctx context.Context, j *job, entries []*entry, threads []int) {
	for _, e := range entries {
		e.out = filepath.Join(j.work, e.tool.name()+".out")
		for _, n := range threads {
			cmds := e.tool.commands(j, n, e.out)
			if len(cmds) > 0 {
				e.series = append(e.series, &series{threads: n, command: strings.Join(cmds[0].argv, " "), times: len(cmds)})
			}
		}
	}
	for round := range j.runs + 1 {
		for _, e := range entries {
			for _, s := range e.series {
				if ctx.Err() != nil || s.failed() {
					continue
				}
				cold := round == 0
				if cold && (!j.cold || !evict(append([]string{j.rules}, j.files...))) {
					continue
				}
				m := measure(ctx, j, e.tool.commands(j, s.threads, e.out))
				progress("%s, threads %d, %s: %.2f s, %.2f CPU s", e.tool.name(), s.threads, map[bool]string{true: "cold", false: "warm"}[cold], m.wall.Seconds(), m.cpu.Seconds())
				if cold {
					s.cold = append(s.cold, m)
				} else {
					s.warm = append(s.warm, m)
				}
			}
		}
	}
}

// failed says whether the last run failed: it would again.
func (s *series) failed() bool {
	for _, m := range append(s.cold, s.warm...) {
		if m.err != nil {
			return true
		}
	}
	return false
}

// measure runs the commands one after another, in the folder for outputs.
func measure(ctx context.Context, j *job, cmds []command) sample {
	ctx, cancel := context.WithTimeout(ctx, j.timeout)
	defer cancel()
	var total sample
	for _, c := range cmds {
		m := once(ctx, j.work, c)
		total.wall += m.wall
		total.cpu += m.cpu
		total.peak = max(total.peak, m.peak)
		if m.err != nil && total.err == nil {
			total.err = m.err
		}
	}
	return total
}

func once(ctx context.Context, dir string, c command) sample {
	cmd := exec.CommandContext(ctx, c.argv[0], c.argv[1:]...)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "NO_COLOR=1"), c.env...)
	complaints := &tail{}
	cmd.Stderr = complaints
	if c.stdout != "" {
		f, err := os.Create(c.stdout)
		if err != nil {
			return sample{err: err}
		}
		defer f.Close()
		cmd.Stdout = f
	}
	start := time.Now()
	err := cmd.Run()
	m := sample{wall: time.Since(start)}
	if p := cmd.ProcessState; p != nil {
		m.cpu = p.UserTime() + p.SystemTime()
		if u, ok := p.SysUsage().(*syscall.Rusage); ok {
			m.peak = int64(u.Maxrss)
			if runtime.GOOS != "darwin" {
				m.peak <<= 10 // counted in KiB everywhere else
			}
		}
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if exit := (*exec.ExitError)(nil); c.lenient && errors.As(err, &exit) {
		err = nil
	}
	if err != nil {
		m.err = fmt.Errorf("%s: %w: %s", filepath.Base(c.argv[0]), err, complaints.last())
	}
	return m
}

// A tail keeps the end of what is written to it.
type tail struct{ b []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if n := len(t.b) - 4096; n > 0 {
		t.b = append(t.b[:0], t.b[n:]...)
	}
	return len(p), nil
}

func (t *tail) last() string { return lastLine(t.b) }

func lastLine(p []byte) string {
	p = bytes.TrimSpace(p)
	p = bytes.TrimSpace(p[bytes.LastIndexByte(p, '\n')+1:])
	return strings.ToValidUTF8(string(p), "?")
}
