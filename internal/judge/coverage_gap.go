package judge

import (
	"cmp"
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

// readGaps applies what logs say of themselves.
func (c *coverage) readGaps(g *gatherer) error {
	contexts := c.in.Store.Contexts()
	// A search returns 5,000 rows in a call: a row with the next number shows that it went on. And of what it found, each first row has its last.
	var ended, went int64
	ends := make(map[string]int64) // first rows less last rows, by how many rows were found
	for a, err := range c.in.Store.Gaps() {
		if err != nil {
			return err
		}
		if a.Kind == logs.Gap && a.Inference == logs.GapTruncatedExport {
			if a.Object != "" {
				if a.ObjectKind == "first row" {
					ends[a.Object] += a.Times
				} else {
					ends[a.Object] -= a.Times
				}
				continue
			}
			if calls, _ := exportLimits(a); a.OK {
				ended += calls
			} else {
				went += a.Times
			}
		}
	}
	switched, err := c.endsOfGaps()
	if err != nil {
		return err
	}
	for a, err := range c.in.Store.Gaps() {
		if err != nil {
			return err
		}
		if a.Kind == logs.Gap && a.Inference == logs.GapTruncatedExport {
			if a.Object != "" {
				if ends[a.Object] == 0 {
					continue
				}
			} else if _, searches := exportLimits(a); !a.OK || searches == 0 && went >= ended {
				continue
			}
		}
		if a.Kind == logs.Gap && a.Context >= 0 && a.Context < len(contexts) {
			c.readGap(g, a, &contexts[a.Context], switched)
		}
	}
	return nil
}

// The rows at which a call and a search of Search-UnifiedAuditLog end.
const (
	callRows   = 5_000
	searchRows = 50_000
)

// exportLimits returns how many ends of calls and of searches an act tells of, whose Count is the sum of their rows.
func exportLimits(a *tally.Act) (calls, searches int64) {
	if a.Count < 0 {
		return 0, a.Times
	}
	searches = max(0, (a.Count-callRows*a.Times)/(searchRows-callRows))
	return a.Times - searches, searches
}

// readGap applies what one record says.
func (c *coverage) readGap(g *gatherer, a *tally.Act, ctx *tally.Context, ends gapEnds) {
	rule := coversOf(ctx.Format)
	if rule == nil || begins(a.Inference) != "" {
		return
	}
	n := c.gapOf(g, a, ctx, ends)
	if n.whom != "" {
		c.special[n.whom] = true
	}
	p := g.places[c.hostKey(ctx.Host)]
	for _, t := range c.trails {
		if t.concernedBy(a, ctx.Format, rule, p) {
			t.gaps = append(t.gaps, t.widened(n, a))
		}
	}
}

// gapOf returns the gap that a record tells of.
func (c *coverage) gapOf(g *gatherer, a *tally.Act, ctx *tally.Context, ends gapEnds) gap {
	n := gap{hole: hole{from: a.From, to: a.To, reason: a.Inference, certain: true}, proven: true, presence: true, detail: true}
	if a.Target != "" {
		n.whom = c.who.key(a.Target)
	}
	if a.From == event.UnknownTime {
		n.from, n.to = always, never
	}
	said := cmp.Or(a.Action, a.Inference)
	switch a.Inference {
	case logs.GapThrottled:
		n.presence, n.why = false, "Microsoft stopped recording what is read in this mailbox for a day (IsThrottled)"
	case logs.GapDisabled:
		n.to, n.why = ends.of(c, a, ctx), "recording was switched off ("+said+")"
		n.presence = n.whom == ""
	case logs.GapNarrowed:
		n.to, n.presence, n.why = ends.of(c, a, ctx), false, "less is recorded ("+said+")"
	case logs.GapBypass:
		// What the account reads is recorded in no mailbox any more.
		n.to, n.whom, n.why = ends.of(c, a, ctx), "", "what "+a.Target+" does is not recorded in any mailbox ("+said+")"
		n.presence = false
	case logs.GapTruncatedExport:
		n.why = "the export ended at a limit"
		if a.Object != "" { // what it was asked for, and so of what time the rest is, nobody knows
			n.from, n.to, n.why = always, never, "the export does not hold all "+a.Object+" rows that a search found"
			break
		}
		if len(a.Refs) > 0 {
			for i := range g.streams {
				if s := &g.streams[i]; s.Source == a.Refs[0].Source && s.From != event.UnknownTime {
					n.from, n.to = min(n.from, s.From), max(n.to, s.To)
				}
			}
		}
	case logs.GapCleared:
		n.why = "the log was cleared"
		if a.Object == logs.MailboxAuditLog { // what is recorded is thrown away at once
			n.from, n.to, n.why = always, never, "what is recorded of the mailbox is not kept ("+said+")"
		}
	case logs.GapLogLost:
		n.why = "the log says that records were lost"
		if n.from > always+minute && n.to < never-minute {
			n.from, n.to = n.from-minute, n.to+minute
		}
	default:
		n.why = said
	}
	return n
}

// concernedBy reports whether a log of the kind that rule covers, in the place p, says what an act tells of this one. p is nil where it is not known.
func (t *trail) concernedBy(a *tally.Act, format string, rule *covers, p *place) bool {
	elsewhere := concerned(a)
	switch {
	case elsewhere != nil && rule.system != cloud:
		return slices.Contains(elsewhere, t.format)
	case rule.system == cloud:
		return t.rule.system == cloud && strings.HasPrefix(t.format, "entra.") == strings.HasPrefix(format, "entra.")
	case p != nil && t.place != p:
		return false
	case a.ObjectKind == "log" && a.Object != "" && strings.HasPrefix(format, "windows."):
		return strings.HasSuffix(t.format, ":"+a.Object)
	}
	return t.format == format || t.rule.within != "" && t.rule == rule || strings.HasPrefix(t.format, "iis.") && strings.HasPrefix(format, "iis.") || strings.HasPrefix(t.format, format+":")
}

// widened returns a gap with what this log lost beside it: what was cleared goes back to the last record that is left.
func (t *trail) widened(n gap, a *tally.Act) gap {
	switch a.Inference {
	case logs.GapCleared:
		if n.from == always {
			break
		}
		if n.from = t.before(a.From); n.from != always {
			n.from++
		}
	case logs.GapLogLost:
		if a.From != event.UnknownTime {
			n.from, n.to = min(n.from, t.before(a.From)), max(n.to, min(t.after(a.To), n.to+minute))
		}
	}
	return n
}
