package judge

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

// granted is an application that an attacker let in.
type granted struct {
	level attribution
	at    int64
	hops  int
	why   []string
}

// followGrants marks what applications did that an attacker's session let in (P5): they act for whoever let them in. Where
// an application had been at work before, it may go on doing that: its acts are only suspected.
func (a *attributing) followGrants() error {
	apps := make(map[string]*granted)
	for act, err := range a.store.Powers() {
		if err != nil {
			return err
		}
		c := &a.contexts[act.Context]
		app := strings.ToLower(c.App)
		if act.Kind != logs.Capability || act.Power != logs.Grant || !act.OK || app == "" || firstParty[app] {
			continue
		}
		x := a.strandOf(act.Context, act.From)
		if x == nil || x.level < suspected {
			continue
		}
		if g := apps[app]; g == nil || x.level > g.level {
			apps[app] = &granted{x.level, act.From, x.hops, append(slices.Clone(x.why), fmt.Sprintf("it let in application %s (%s), %s", c.App,
				cmp.Or(act.Action, act.Inference), whereFirst(act.Refs, c)))}
		}
	}
	if len(apps) == 0 {
		return nil
	}
	before := make(map[string]bool)
	var found []int32
	last, lastApp := "", ""
	for i := range a.contexts {
		c := &a.contexts[i]
		if c.App == "" {
			continue
		}
		if c.App != last {
			last, lastApp = c.App, strings.ToLower(c.App)
		}
		g := apps[lastApp]
		if g == nil {
			continue
		}
		found = append(found, int32(i))
		for _, v := range a.store.Visits(i) {
			before[lastApp] = before[lastApp] || v.From < g.at && a.strandLevel(i, v) < suspected
		}
	}
	for _, i := range found {
		app := strings.ToLower(a.contexts[i].App)
		g := apps[app]
		for _, x := range a.personOf(i).strands {
			if !strings.EqualFold(x.app, app) || x.to < g.at {
				continue
			}
			if before[app] {
				a.mark(x, min(g.level, suspected), g.hops, false, append(slices.Clone(g.why), "but the application was at work before: "+a.told(x)+" (P5)")...)
				continue
			}
			a.mark(x, g.level, g.hops, false, append(slices.Clone(g.why), "the same application (P5): "+a.told(x))...)
		}
	}
	return nil
}

// strandOf returns what a context did at a time, nil if the account does not matter so far.
func (a *attributing) strandOf(context int, at int64) *strand {
	p := a.people[a.nameOf(&a.contexts[context])]
	if p == nil {
		return nil
	}
	for _, x := range p.strands {
		for _, part := range x.parts {
			if part.context == context && part.from <= at && at <= part.to {
				return x
			}
		}
	}
	return nil
}

func (a *attributing) strandLevel(context int, v tally.Visit) attribution {
	if x := a.strandOf(context, v.From); x != nil {
		return x.level
	}
	return unattributed
}
