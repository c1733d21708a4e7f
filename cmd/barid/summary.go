package main

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/detect"
	"github.com/barid-dfir/barid/internal/pipeline"
)

// maxShown is how many incidents the terminal shows; all are in the report.
const maxShown = 10

// summary is what assess prints: what happened, what was not read, and where the report is.
func (t *terminal) summary(c *casefile.Case, res pipeline.Result, dir string) string {
	var b strings.Builder
	streams, unread := 0, map[string]bool{}
	for _, s := range c.Sources {
		if !strings.HasPrefix(s.Format, "archive.") && !strings.HasPrefix(s.Format, "inventory.") {
			streams++
		}
		if len(s.Errors) > 0 || s.Unparsed > 0 || s.Format == "" && s.Bytes > 0 {
			unread[s.Path] = true
		}
	}
	fmt.Fprintf(&b, "%s from %s", plural(int(res.Events), "event"), plural(streams, "source"))
	if c.Window.From != nil && c.Window.To != nil {
		fmt.Fprintf(&b, ", %s to %s UTC", c.Window.From.Format("2006-01-02 15:04"), c.Window.To.Format("2006-01-02 15:04"))
	}
	b.WriteString("\n")
	var counts []string
	for i := len(detect.Levels()) - 1; i >= 0; i-- {
		if n := c.Summary.Findings[detect.Levels()[i]]; n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n, detect.Levels()[i]))
		}
	}
	switch {
	case res.Events == 0 && len(counts) == 0:
		b.WriteString("No event was read: nothing is known of what happened.\n")
	case len(counts) == 0:
		b.WriteString("Findings: none. That is not proof of absence: see in the report what was read and what was not.\n")
	default:
		fmt.Fprintf(&b, "Findings: %s\n", strings.Join(counts, ", "))
	}
	for i, in := range c.Incidents {
		if i == maxShown {
			fmt.Fprintf(&b, "  and %d more incidents in the report\n", len(c.Incidents)-i)
			break
		}
		when := "time unknown"
		if !in.First.IsZero() {
			when = in.First.Format("2006-01-02 15:04:05")
		}
		state := ""
		if in.Active {
			state = "  STILL ACTIVE WHEN ITS LOGS END"
		}
		fmt.Fprintf(&b, "%s %-8s %s  %s%s\n", in.ID, t.severity(in.Severity), when, visible(in.Title), state)
	}
	if res.Events > 0 || len(c.Summary.Reached) > 0 {
		b.WriteString(verdicts(c))
	}
	if len(unread) > 0 {
		fmt.Fprintf(&b, "%s could not be read, or not whole: see the report.\n", plural(len(unread), "source"))
	}
	if n := len(c.Rules.Rejected); n > 0 {
		fmt.Fprintf(&b, "%s could not be used: see the report.\n", plural(n, "rule"))
	}
	b.WriteString(owed(c, dir))
	fmt.Fprintf(&b, "Report: %s\n", filepath.Join(dir, "report.html"))
	return b.String()
}

// owed says in a line how much is owed, and what is due first. No clock is looked at: what was done is not in it.
func owed(c *casefile.Case, dir string) string {
	var due, open int
	var certain, perhaps *casefile.Duty // the first that is owed, and the first that may be
	for i := range c.Owed {
		d := &c.Owed[i]
		switch {
		case d.State == casefile.DutyDue:
			due++
			certain = earlier(certain, d)
		case d.State == casefile.DutyOpen && d.Question:
			open++
		case d.State == casefile.DutyOpen:
			open++
			perhaps = earlier(perhaps, d)
		}
	}
	if due == 0 && perhaps == nil {
		return "" // nothing runs: nobody has said when the organisation knew
	}
	first := ""
	if certain != nil {
		first = "; the first by " + dueLine(certain)
	}
	if perhaps != nil && earlier(certain, perhaps) == perhaps {
		if certain != nil {
			first += "; perhaps before that"
		} else {
			first = "; the first"
		}
		first += " by " + dueLine(perhaps) + ", if it is owed"
	}
	return visible(fmt.Sprintf("Owed: %d due, %d open%s. See: barid disclose %s", due, open, first, dir)) + "\n"
}

// earlier returns the one of two duties that is due first, the first of them if that is at one time; what has no time never is.
func earlier(a, b *casefile.Duty) *casefile.Duty {
	if b.Due == nil || a != nil && !b.Due.Before(*a.Due) {
		return a
	}
	return b
}

// dueLine says when a duty is due, and what it is.
func dueLine(d *casefile.Duty) string {
	w := d.Words["en"]
	return fmt.Sprintf("%s: %s, %s", d.Local, w.Regime, w.Stage)
}

// kindsReached are the kinds of object in the order in which they are told, each with its plural.
var kindsReached = [...][2]string{{"mailbox", "mailboxes"}, {"message", "messages"}, {"folder", "folders"}, {"file", "files"}, {casefile.KindShell, "web shells"}, {"host", "hosts"}, {"credential", "credentials"}}

// verdicts says what was reached, a line for each kind of object.
func verdicts(c *casefile.Case) string {
	var b strings.Builder
	for _, k := range kindsReached {
		if n := c.Summary.Reached[k[0]]; n != (casefile.VerdictCounts{}) {
			fmt.Fprintf(&b, "  %-12s %s\n", k[1], counts(k[0], n))
		}
	}
	if b.Len() == 0 {
		return "Reached: not judged, since nothing names or shows an attacker. Say in facts what is known (docs/facts.md), then: barid judge CASE --facts FILE\n"
	}
	return "Reached by the attacker (of mailboxes, messages, folders and files: content):\n" + b.String()
}

// counts says how many objects of a kind were reached.
func counts(kind string, n casefile.VerdictCounts) string {
	confirmed := strconv.FormatInt(n.Confirmed, 10)
	if least := n.ConfirmedLeast(); least < n.Confirmed {
		confirmed = fmt.Sprintf("at least %d and at most %d", least, n.Confirmed)
	}
	switch kind {
	case casefile.KindShell:
		return fmt.Sprintf("%s used, %d perhaps, %d not used", confirmed, n.Possible, n.RuledOut)
	case "host":
		return fmt.Sprintf("%s attacked with success, %d perhaps", confirmed, n.Possible)
	case "credential":
		return fmt.Sprintf("%d held by the attacker, %d perhaps", n.Confirmed, n.Possible)
	}
	s := fmt.Sprintf("%s confirmed, %d possible, %d ruled out", confirmed, n.Possible, n.RuledOut)
	var more []string
	if n.MetadataConfirmed > 0 {
		more = append(more, fmt.Sprintf("metadata of %d confirmed", n.MetadataConfirmed))
	}
	if n.MetadataPossible > 0 {
		more = append(more, fmt.Sprintf("metadata of %d possible", n.MetadataPossible))
	}
	if len(more) > 0 {
		s += " (" + strings.Join(more, ", ") + ")"
	}
	return s
}

// judged is what judge prints: how verdicts changed.
func (t *terminal) judged(before, after *casefile.Case, dir string) string {
	var b strings.Builder
	changed := false
	for _, k := range kindsReached {
		was, is := before.Summary.Reached[k[0]], after.Summary.Reached[k[0]]
		if was == is {
			continue
		}
		changed = true
		fmt.Fprintf(&b, "%-12s %s\n%-12s %s\n", k[1], counts(k[0], was), "  now", counts(k[0], is))
	}
	if !changed {
		b.WriteString("The counts of verdicts are as before.\n" + verdicts(after))
	}
	if was, is := len(before.Incidents), len(after.Incidents); was != is {
		fmt.Fprintf(&b, "%-12s %d, now %d\n", "incidents", was, is)
	}
	for _, s := range after.Statements {
		fmt.Fprintf(&b, "%s\n", visible("stated by "+s.Author+": "+s.About))
	}
	b.WriteString(owed(after, dir))
	fmt.Fprintf(&b, "Report: %s\n", filepath.Join(dir, casefile.ReportFile))
	return b.String()
}

// severity colours a level where the terminal can.
func (t *terminal) severity(level string) string {
	if !t.color {
		return level
	}
	code := map[string]string{"critical": "1;31", "high": "31", "medium": "33"}[level]
	if code == "" {
		return level
	}
	return fmt.Sprintf("\x1b[%sm%-8s\x1b[0m", code, level)
}
