//go:build unix

package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A report is what is printed, in Markdown.
type report struct {
	job     *job
	reasons []reason
	absent  []string // tools that took no part, and why
	machine []string
	tools   []*entry // Barid first
	total   total
}

// about notes the machine before anything runs on it.
func (r *report) about(context.Context) {
	r.machine = append(r.machine, fmt.Sprintf("%d cores, %s", runtime.NumCPU(), processor()))
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		r.machine = append(r.machine, unix.ByteSliceToString(u.Sysname[:])+" "+unix.ByteSliceToString(u.Release[:]))
	}
	if p, err := os.ReadFile("/proc/loadavg"); err == nil {
		r.machine = append(r.machine, "load average before: "+strings.Join(strings.Fields(string(p))[:3], " "))
	}
	r.machine = append(r.machine, time.Now().UTC().Format(time.RFC3339))
}

func processor() string {
	p, err := os.ReadFile("/proc/cpuinfo")
	if err == nil {
		for line := range strings.Lines(string(p)) {
			if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == "model name" {
				return strings.TrimSpace(v)
			}
		}
	}
	return runtime.GOARCH
}

func (r *report) write(out io.Writer) error {
	var err error
	if r.tools[0].tool.name() == "barid" {
		if r.total, err = readStats(r.job); err != nil {
			return err
		}
	}
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "# Comparison\n\n")
	for _, m := range r.machine {
		fmt.Fprintf(w, "- %s\n", m)
	}
	fmt.Fprintf(w, "- evidence: %d event logs, %.1f MB, %d events\n", len(r.job.files), float64(r.total.Bytes)/1e6, r.total.Events)
	fmt.Fprintf(w, "- rules: %d with an id\n\n", len(r.job.index.rules))
	r.versions(w)
	r.speed(w)
	r.matches(w)
	r.differences(w)
	return w.Flush()
}

func (r *report) versions(w io.Writer) {
	fmt.Fprintf(w, "## Who took part\n\n")
	for _, e := range r.tools {
		fmt.Fprintf(w, "- **%s**: %s\n", e.tool.name(), cmp.Or(e.version, "version not told"))
		for _, n := range e.notes {
			fmt.Fprintf(w, "  - %s\n", n)
		}
		for _, s := range e.series {
			times := ""
			if s.times > 1 {
				times = fmt.Sprintf(" and so on, %d times", s.times)
			}
			fmt.Fprintf(w, "  - threads %d: `%s`%s\n", s.threads, s.command, times)
		}
	}
	for _, a := range r.absent {
		fmt.Fprintf(w, "- left out: %s\n", a)
	}
	fmt.Fprintln(w)
}

func (r *report) speed(w io.Writer) {
	fmt.Fprintf(w, "## Speed\n\nStart and end of the program included. Median of %d warm runs (least to most); cold is one run with evidence and rules dropped from the\npage cache. Rates count the events that Barid reads. Memory is the largest of any one process.\n\n", r.job.runs)
	fmt.Fprintf(w, "| | threads | cold s | warm s | CPU s | events/s | events per CPU s | peak MiB |\n|---|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, e := range r.tools {
		for _, s := range e.series {
			cold := "not measured"
			if len(s.cold) > 0 {
				cold = seconds(s.cold[0].wall)
			}
			if err := s.error(); err != nil {
				fmt.Fprintf(w, "| %s | %d | failed: %s | | | | | |\n", e.tool.name(), s.threads, cell(err.Error()))
				continue
			}
			if len(s.warm) == 0 {
				continue
			}
			wall := sorted(s.warm, func(m sample) time.Duration { return m.wall })
			cpu := sorted(s.warm, func(m sample) time.Duration { return m.cpu })
			peak := slices.MaxFunc(s.warm, func(a, b sample) int { return cmp.Compare(a.peak, b.peak) }).peak
			fmt.Fprintf(w, "| %s | %d | %s | %s | %s | %s | %s | %d |\n", e.tool.name(), s.threads, cold, spread(wall), spread(cpu),
				rate(r.total.Events, median(wall)), rate(r.total.Events, median(cpu)), (peak+1<<19)>>20)
		}
	}
	fmt.Fprintln(w)
}

func (s *series) error() error {
	for _, m := range slices.Concat(s.cold, s.warm) {
		if m.err != nil {
			return m.err
		}
	}
	return nil
}

func sorted(runs []sample, of func(sample) time.Duration) []time.Duration {
	out := make([]time.Duration, len(runs))
	for i, m := range runs {
		out[i] = of(m)
	}
	slices.Sort(out)
	return out
}

// median of a sorted list; of an even number, the lower one of the middle.
func median(d []time.Duration) time.Duration { return d[(len(d)-1)/2] }

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f", d.Seconds()) }

func spread(d []time.Duration) string {
	if len(d) == 1 {
		return seconds(d[0])
	}
	return fmt.Sprintf("%s (%s to %s)", seconds(median(d)), seconds(d[0]), seconds(d[len(d)-1]))
}

// rate is events per second, to three digits: no more are ever meant.
func rate(events int64, d time.Duration) string {
	if d <= 0 {
		return ""
	}
	n := int64(float64(events) / d.Seconds())
	unit := int64(1)
	for n/unit >= 1000 {
		unit *= 10
	}
	return fmt.Sprint((n + unit/2) / unit * unit)
}

// judged are the tools that know rules and whose findings could be read.
func (r *report) judged() []*entry {
	var out []*entry
	for _, e := range r.tools {
		if e.found != nil {
			out = append(out, e)
		}
	}
	return out
}

func (r *report) matches(w io.Writer) {
	fmt.Fprintf(w, "## Findings\n\nA finding is one record that one rule matched. Records are told apart by computer and record number.\n\n")
	fmt.Fprintf(w, "| | findings | rules that matched | findings that Barid has too | only Barid has | Barid has not |\n|---|--:|--:|--:|--:|--:|\n")
	judged := r.judged()
	for i, e := range judged {
		if i == 0 {
			fmt.Fprintf(w, "| %s | %d | %d | | | |\n", e.tool.name(), e.lines, len(e.found))
			continue
		}
		both, ours, theirs := 0, 0, 0
		for _, rule := range rules(judged[0], e) {
			d := compare(judged[0].found[rule], e.found[rule])
			both, ours, theirs = both+d.both, ours+d.ours, theirs+d.theirs
		}
		fmt.Fprintf(w, "| %s | %d | %d | %d | %d | %d |\n", e.tool.name(), e.lines, len(e.found), both, ours, theirs)
	}
	fmt.Fprintln(w)
	for _, e := range judged {
		if e.foreign > 0 {
			fmt.Fprintf(w, "%d findings of %s are of none of the rules given (it looks for more than rules say), and are left out.\n\n", e.foreign, e.tool.name())
		}
	}
	for _, e := range judged {
		if e.recovered > 0 {
			fmt.Fprintf(w, "%d more findings of %s are in records from the unused part of a log, where the others do not look as they were run.\n\n", e.recovered, e.tool.name())
		}
	}
	for _, e := range r.tools {
		if e.err != nil && e.err != errNoRules {
			fmt.Fprintf(w, "The findings of %s could not be read to their end: %v\n\n", e.tool.name(), e.err)
		}
	}
	if len(judged) > 0 && len(r.total.Rejected) > 0 {
		fmt.Fprintf(w, "Barid refused %d rules:\n\n", len(r.total.Rejected))
		for _, x := range r.total.Rejected {
			fmt.Fprintf(w, "- %s: %s\n", x.Path, x.Reason)
		}
		fmt.Fprintln(w)
	}
}

// rules are the ids of every rule that one of the tools matched, in order.
func rules(of ...*entry) []string {
	all := map[string]bool{}
	for _, e := range of {
		for rule := range e.found {
			all[rule] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// A difference is how the findings of one rule by Barid and by another tool lie to each other.
type difference struct {
	both, ours, theirs   int
	onlyOurs, onlyTheirs []string // records, in order
}

func compare(ours, theirs map[record]place) difference {
	both, onlyOurs := share(ours, theirs)
	_, onlyTheirs := share(theirs, ours)
	d := difference{both: both}
	d.ours, d.onlyOurs = names(onlyOurs)
	d.theirs, d.onlyTheirs = names(onlyTheirs)
	return d
}

// share counts what a has in common with b, and returns what is left of a.
func share(a, b map[record]place) (both int, left map[record]place) {
	left = map[record]place{}
	for at, p := range a {
		m := min(p.n, b[at].n)
		both += m
		if p.n > m {
			left[at] = place{p.n - m, p.channel}
		}
	}
	return both, left
}

func names(of map[record]place) (n int, list []string) {
	order := slices.SortedFunc(maps.Keys(of), func(a, b record) int {
		return cmp.Or(cmp.Compare(a.host, b.host), cmp.Compare(len(a.number), len(b.number)), cmp.Compare(a.number, b.number))
	})
	for _, at := range order {
		n += of[at].n
		list = append(list, fmt.Sprintf("%s %s of %s", of[at].channel, at.number, at.host))
	}
	return n, list
}

// differences lists the rules on which the tools disagree, those with most findings in dispute first.
func (r *report) differences(w io.Writer) {
	judged := r.judged()
	if len(judged) < 2 {
		return
	}
	type row struct {
		rule    string
		dispute int
		by      []difference // of every other tool
	}
	var rows []row
	all := rules(judged...)
	for _, rule := range all {
		x := row{rule: rule}
		for _, e := range judged[1:] {
			d := compare(judged[0].found[rule], e.found[rule])
			x.dispute += d.ours + d.theirs
			x.by = append(x.by, d)
		}
		if x.dispute > 0 {
			rows = append(rows, x)
		}
	}
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(b.dispute, a.dispute) })
	fmt.Fprintf(w, "## Where findings differ\n\n%d of the %d rules that matched anything give all of them the same findings.", len(all)-len(rows), len(all))
	shown := rows
	if r.job.top > 0 && len(rows) > r.job.top {
		shown = rows[:r.job.top]
		fmt.Fprintf(w, " Of the other %d, the %d with most findings in dispute:", len(rows), r.job.top)
	}
	fmt.Fprintf(w, "\n\n| rule |")
	for _, e := range judged {
		fmt.Fprintf(w, " %s |", e.tool.name())
	}
	fmt.Fprintf(w, " known reason |\n|---|%s---|\n", strings.Repeat("--:|", len(judged)))
	for _, x := range shown {
		fmt.Fprintf(w, "| %s `%s` |", cell(r.job.index.rules[x.rule].title), x.rule)
		var why []string
		for i, e := range judged {
			fmt.Fprintf(w, " %d |", e.count(x.rule))
			if i > 0 && x.by[i-1].ours+x.by[i-1].theirs > 0 {
				if s := r.why(e.tool.name(), x.rule); s != "" {
					why = append(why, e.tool.name()+": "+s)
				} else {
					why = append(why, e.tool.name()+": ?")
				}
			}
		}
		fmt.Fprintf(w, " %s |\n", cell(strings.Join(why, "; ")))
	}
	fmt.Fprintln(w)
	if r.job.lists == 0 {
		return
	}
	fmt.Fprintf(w, "### Records in dispute\n\n")
	for _, x := range shown {
		fmt.Fprintf(w, "- `%s` %s\n", x.rule, r.job.index.rules[x.rule].title)
		for i, e := range judged[1:] {
			if l := x.by[i].onlyOurs; len(l) > 0 {
				fmt.Fprintf(w, "  - not %s: %s\n", e.tool.name(), some(l, r.job.lists))
			}
			if l := x.by[i].onlyTheirs; len(l) > 0 {
				fmt.Fprintf(w, "  - only %s: %s\n", e.tool.name(), some(l, r.job.lists))
			}
		}
	}
}

func some(l []string, n int) string {
	out := slices.Clone(l[:min(n, len(l))])
	if len(l) > n {
		out = append(out, fmt.Sprintf("and %d more", len(l)-n))
	}
	return strings.Join(out, ", ")
}

// cell makes a text fit for a cell of a table.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "\r", "").Replace(s)
}
