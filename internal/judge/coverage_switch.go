package judge

import (
	"slices"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

// gapEnds are when recording was switched on again, in order.
type gapEnds map[switched][]int64

// switched is what a setting was changed of: who switched the same thing on again ended what it was off for.
type switched struct{ where, action, reason, whom, object, in string }

// settled is how long a setting of Exchange and of Microsoft 365 may need before it holds everywhere: they speak of an hour for
// some, of hours for others.
const settled = int64(24 * time.Hour)

// begins returns the reason of the gap that a gap's reason ends; "" if it ends none.
func begins(reason string) string {
	switch reason {
	case logs.GapEnabled:
		return logs.GapDisabled
	case logs.GapBypassEnded:
		return logs.GapBypass
	case logs.GapNarrowingEnded:
		return logs.GapNarrowed
	}
	return ""
}

// organisation reports whether a setting concerns the whole organisation, on whichever of its hosts it is made.
func organisation(object string) bool {
	return object == logs.UnifiedAuditLog || object == logs.MailboxAuditLog || object == logs.AdminAuditLog
}

func (c *coverage) switched(a *tally.Act, ctx *tally.Context, reason string) (key switched, ok bool) {
	key = switched{where: c.hostKey(ctx.Host), action: strings.ToLower(a.Action), reason: reason, object: a.Object, in: strings.ToLower(a.In)}
	if a.Target != "" {
		key.whom = c.who.key(a.Target)
	}
	switch rule := coversOf(ctx.Format); {
	case rule == nil:
		return key, false
	case rule.system == cloud:
		key.where = "\x00" + cloudPlace
	case organisation(a.Object):
		key.where = "\x00exchange"
	}
	return key, key.where != ""
}

func (c *coverage) endsOfGaps() (gapEnds, error) {
	contexts := c.in.Store.Contexts()
	ends := make(gapEnds)
	for a, err := range c.in.Store.Gaps() {
		if err != nil {
			return nil, err
		}
		reason := begins(a.Inference)
		if a.Kind != logs.Gap || !a.OK || reason == "" || a.To == event.UnknownTime || a.Context < 0 || a.Context >= len(contexts) {
			continue
		}
		if key, ok := c.switched(a, &contexts[a.Context], reason); ok {
			ends[key] = append(ends[key], a.To)
		}
	}
	for _, list := range ends {
		slices.Sort(list)
	}
	return ends, nil
}

// of returns when the gap ended that an act tells of; never, if nothing says that it did.
func (ends gapEnds) of(c *coverage, a *tally.Act, ctx *tally.Context) int64 {
	key, ok := c.switched(a, ctx, a.Inference)
	if !ok || a.To == event.UnknownTime {
		return never
	}
	list := ends[key]
	i, found := slices.BinarySearch(list, a.To)
	for found && i < len(list) && list[i] == a.To { // at the same time: which came last is not told
		i++
	}
	if i == len(list) {
		return never
	}
	at := list[i]
	if strings.HasPrefix(ctx.Format, "windows.") && a.Object == "Security" {
		return at
	}
	if at > never-settled {
		return never
	}
	return at + settled
}

// concerned returns the logs that a setting concerns which another log tells of: nil where the log tells of itself.
func concerned(a *tally.Act) []string {
	if a.ObjectKind != "log" {
		return nil
	}
	switch a.Object {
	case logs.MailboxAuditLog:
		return []string{"exchange.mailboxaudit"}
	case logs.AdminAuditLog:
		return []string{"exchange.auditqueue", "windows.evtx:MSExchange Management", "windows.json:MSExchange Management"}
	case logs.UnifiedAuditLog:
		return []string{"m365.ual", signIns, mailAccess, "m365.ual:SharePoint", "m365.ual:OneDrive"}
	case logs.IMAPLog:
		return []string{"exchange.imap4", "exchange.imap4.backend"}
	case logs.POPLog:
		return []string{"exchange.pop3", "exchange.pop3.backend"}
	}
	return nil
}
