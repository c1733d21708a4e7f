package judge

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/tally"
)

// sequence finds files that the names of the others tell of.
func (t *trail) sequence() {
	series := make(map[[2]string][]*file)
	var keys [][2]string
	for i := range t.files {
		f := &t.files[i]
		if f.From == event.UnknownTime {
			continue
		}
		k := [2]string{f.name.dir, f.name.stem}
		if !f.name.rotated {
			k[1] += "\x00"
		}
		if series[k] == nil {
			keys = append(keys, k)
		}
		series[k] = append(series[k], f)
	}
	for _, k := range keys {
		if list := series[k]; list[0].name.rotated {
			t.rotation(list)
		} else {
			t.periods(list)
		}
	}
}

// lacks adds a file that is missing by its name, as far as no file of another sequence stands in for it.
func (t *trail) lacks(from, to int64, why string) {
	i, _ := slices.BinarySearchFunc(t.whole, from, func(s tally.Span, at int64) int { return cmp.Compare(s.To, at) })
	for ; i < len(t.whole) && t.whole[i].From <= to; i++ {
		t.add(from, t.whole[i].From-1, "missing_file", why, true, true)
		from = t.whole[i].To + 1
	}
	t.add(from, to, "missing_file", why, true, true)
}

// rotation finds numbers that are missing: maillog.3, maillog.1.
func (t *trail) rotation(list []*file) {
	slices.SortStableFunc(list, func(a, b *file) int { return cmp.Compare(b.name.number, a.name.number) })
	for i := 1; i < len(list); i++ {
		older, newer := list[i-1], list[i]
		if older.name.number-newer.name.number > 1 && older.To < newer.From {
			t.lacks(older.To+1, newer.From-1,
				fmt.Sprintf("%s is not there", numbers(newer.name.stem+".", newer.name.number+1, older.name.number-1)))
		}
	}
}

func numbers(before string, from, to int) string {
	if from == to {
		return fmt.Sprintf("%s%d", before, from)
	}
	return fmt.Sprintf("%s%d to %s%d", before, from, before, to)
}

// periods finds hours and days that are missing, and numbers inside them: u_ex210303.log, HttpProxy_2021030306-2.LOG.
func (t *trail) periods(list []*file) {
	slices.SortStableFunc(list, func(a, b *file) int {
		return cmp.Or(a.name.period.Compare(b.name.period), cmp.Compare(a.name.number, b.name.number))
	})
	step := list[0].name.step
	if list[0].name.end { // the name tells the day of rotation: daily, weekly, monthly
		step = 0
		for i := 1; i < len(list); i++ {
			if d := list[i].name.period.Sub(list[i-1].name.period); d > 0 && (step == 0 || d < step) {
				step = d
			}
		}
		switch days := int(step / (24 * time.Hour)); {
		case days >= 28 && days <= 31:
			step = 31 * 24 * time.Hour
		case days != 7:
			step = 24 * time.Hour
		}
	}
	last := list[0].To
	for i := 1; i < len(list); i++ {
		older, newer := list[i-1], list[i]
		last = max(last, older.To)
		if last >= newer.From {
			continue
		}
		d := newer.name.period.Sub(older.name.period)
		switch {
		case d > step:
			if apart(last, newer.From) > minute {
				t.lacks(last+1, newer.From-1, missingPeriods(older, newer, step))
			}
		case d == 0 && older.name.number > 0 && newer.name.number-older.name.number > 1,
			d > 0 && newer.name.number > 1:
			t.lacks(last+1, newer.From-1, fmt.Sprintf("a file is missing before %s, by its number", base(newer.path)))
		}
	}
}

// missingPeriods names the files that should lie between two.
func missingPeriods(older, newer *file, step time.Duration) string {
	first, last := older.name.period.Add(step), newer.name.period.Add(-step)
	if !last.Before(newer.name.period) || last.Before(first) || step > 7*24*time.Hour {
		return fmt.Sprintf("between %s and %s files are not there", base(older.path), base(newer.path))
	}
	a, b := older.name.at(base(older.path), first), older.name.at(base(older.path), last)
	if a == b {
		return a + " is not there"
	}
	return a + " to " + b + " are not there"
}

func base(path string) string {
	if i := strings.LastIndexAny(path, `/\!`); i >= 0 {
		return path[i+1:]
	}
	return path
}
