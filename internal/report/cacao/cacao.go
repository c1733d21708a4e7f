// Package cacao writes what to do next, from what a case says, as a playbook of CACAO Security Playbooks 2.0 (OASIS Committee
// Specification 01, 27 November 2023): preserve the logs that would settle what is open, evict the attacker, change the credentials, search
// other systems, tell whom must be told, decide anew.
//
// Every step is a manual command: a text for a person, who is the gate. Nothing in it is executable, and no text of the evidence becomes
// anything but a text. It is for the organisation itself: accounts and hosts are named, the first of them, and how many more there are is
// said. The words are in the language that was asked for.
package cacao

import (
	"io"
	"slices"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/lang"
	"github.com/barid-dfir/barid/internal/report/ident"
	"github.com/barid-dfir/barid/internal/report/input"
	"github.com/barid-dfir/barid/internal/report/share"
)

// maxLines is how many lines of one kind a step lists.
const maxLines = 100

type playbook struct {
	Type         string             `json:"type"`
	SpecVersion  string             `json:"spec_version"`
	ID           string             `json:"id,omitempty"`
	Name         string             `json:"name"`
	Description  string             `json:"description"`
	Types        []string           `json:"playbook_types"`
	CreatedBy    string             `json:"created_by"`
	Created      string             `json:"created"`
	Modified     string             `json:"modified"`
	Severity     int                `json:"severity,omitempty"`
	Labels       []string           `json:"labels,omitempty"`
	Markings     []string           `json:"markings"`
	Start        string             `json:"workflow_start"`
	Workflow     map[string]step    `json:"workflow"`
	Agents       map[string]agent   `json:"agent_definitions"`
	MarkingsUsed map[string]marking `json:"data_marking_definitions"`
}

type step struct {
	Type     string    `json:"type"`
	Name     string    `json:"name"`
	Next     string    `json:"on_completion,omitempty"`
	Commands []command `json:"commands,omitempty"`
	Agent    string    `json:"agent,omitempty"`
}

type command struct {
	Type    string `json:"type"`
	Command string `json:"command"`
}

type agent struct {
	Type string `json:"type"`
	Name string `json:"name"`
}

type marking struct {
	Type      string `json:"type"`
	ID        string `json:"id"`
	CreatedBy string `json:"created_by"`
	Created   string `json:"created"`
	Level     string `json:"tlpv2_level"`
}

// oasis is the identity that published the markings of TLP 2.0 for CACAO.
const oasis = "identity--5abe695c-7bd5-4c31-8824-2528696cdbf1"

// Write writes a playbook.
func Write(w io.Writer, in *input.Input) error {
	v, err := share.Of(in)
	if err != nil {
		return err
	}
	l, err := in.Language()
	if err != nil {
		return err
	}
	a := adviser{v: v, c: in.Case, l: l}
	if err := a.settles(in); err != nil {
		return err
	}
	p, err := casefile.EncodeValue(a.playbook(), " ")
	if err != nil {
		return err
	}
	_, err = w.Write(p)
	return err
}

// adviser knows what to do next.
type adviser struct {
	v      *share.View
	c      *casefile.Case
	l      *lang.Language
	settle []string // logs that would settle what is open, each once
	more   int
}

// settles gathers the logs that would settle what is open.
func (a *adviser) settles(in *input.Input) error {
	seen := map[string]bool{}
	for r, err := range in.Reached {
		if err != nil {
			return err
		}
		switch {
		case r.Settle == "" || seen[r.Settle]:
		case len(seen) < maxLines:
			seen[r.Settle] = true
			a.settle = append(a.settle, r.Settle)
		default:
			a.more++ // of verdicts, of which some may name the same log
		}
	}
	return nil
}

// task is a step for a person.
type task struct {
	name  string
	lines []string
}

// tasks returns the steps in the order in which they are to be done.
func (a *adviser) tasks() []task {
	say := func(id string, more ...string) task {
		return task{a.l.Text(id), append([]string{a.l.Text(id + ".about")}, more...)}
	}
	var list []task
	if len(a.v.Incidents) == 0 && len(a.c.Capabilities) == 0 {
		list = append(list, say("export.action.preserve", append([]string{a.l.Text("export.report.nothing")}, a.logs()...)...))
	} else {
		list = append(list, say("export.action.preserve", a.logs()...), say("export.action.evict", a.held("host", "rule", "delegation", "grant", "token")...),
			say("export.action.rotate", a.held("password", "token")...), say("export.action.search", a.indicators()...), say("export.playbook.inform", a.owed()...))
	}
	return append(list, say("export.playbook.judge"))
}

func (a *adviser) logs() (lines []string) {
	for _, s := range a.settle {
		text, _ := a.l.Phrase(s)
		lines = append(lines, text)
	}
	return a.andMore(lines, a.more)
}

func (a *adviser) andMore(lines []string, n int) []string {
	if n > 0 {
		lines = append(lines, a.l.Text("export.playbook.more", "n", n))
	}
	return lines
}

// held says what the attacker held of some kinds, or may have held.
func (a *adviser) held(kinds ...string) (lines []string) {
	more := 0
	for i := range a.c.Capabilities {
		c := &a.c.Capabilities[i]
		if !slices.Contains(kinds, c.Kind) {
			continue
		}
		if len(lines) == maxLines {
			more++
			continue
		}
		id, from := "export.playbook.holds", c.From
		if c.Suspected {
			id = "export.playbook.may_hold"
			if c.Earliest != nil {
				from = *c.Earliest
			}
		}
		if !share.Known(from) {
			from = time.Time{}
		}
		line := a.l.Text(id, "what", a.l.Words("capability."+c.Kind), "name", lang.Name(c.Principal), "from", from)
		if c.To != nil && share.Known(*c.To) {
			line += " " + a.l.Text("export.playbook.ended", "to", *c.To)
		}
		lines = append(lines, line)
	}
	return a.andMore(lines, more)
}

func (a *adviser) indicators() (lines []string) {
	var values []string
	for i := range a.v.Files {
		values = append(values, a.v.Files[i].Path)
	}
	for i := range a.v.Addresses {
		if a.v.Addresses[i].Proven {
			values = append(values, a.v.Addresses[i].IP.String())
		}
	}
	for i := range a.v.Agents {
		values = append(values, a.v.Agents[i].Name)
	}
	for i, value := range values {
		if i == maxLines {
			return a.andMore(lines, len(values)-maxLines)
		}
		lines = append(lines, a.l.Text("export.playbook.indicator", "value", lang.Value(value)))
	}
	return lines
}

func (a *adviser) owed() (lines []string) {
	more := 0
	for i := range a.c.Owed {
		d := &a.c.Owed[i]
		regime, stage, recipient := any(lang.Value(d.Regime)), any(lang.Value(d.Stage)), d.Recipient
		if w, ok := d.Words[a.l.Tag()]; ok {
			regime, stage, recipient = w.Regime, w.Stage, w.Recipient
		}
		switch {
		case d.State == casefile.DutyDone || d.State == casefile.DutyNotOwed:
		case len(lines) == maxLines:
			more++
		case d.Due != nil && share.Known(*d.Due):
			lines = append(lines, a.l.Text("export.playbook.duty", "regime", regime, "stage", stage, "recipient", recipient, "due", *d.Due))
		default:
			lines = append(lines, a.l.Text("export.playbook.duty.open", "regime", regime, "stage", stage, "recipient", recipient))
		}
	}
	return a.andMore(lines, more)
}

func (a *adviser) playbook() *playbook {
	at := a.v.Time.UTC().Format("2006-01-02T15:04:05.000Z")
	mark := "marking-tlp--" + share.TLPUUID(a.v.Marking)
	person := "individual--" + id("agent")
	p := &playbook{
		Type: "playbook", SpecVersion: "cacao-2.0", Name: a.l.Text("export.playbook.name"), Description: a.l.Text("export.playbook.about"),
		Types: []string{"investigation", "mitigation", "notification", "remediation"}, CreatedBy: "identity--" + id("barid"), Created: at, Modified: at, Severity: a.severity(),
		Markings: []string{mark}, Workflow: map[string]step{}, Agents: map[string]agent{person: {"individual", a.l.Text("export.playbook.agent")}},
		MarkingsUsed: map[string]marking{mark: {"marking-tlp", mark, oasis, share.TLPPublished, a.v.Marking.String()}},
	}
	if !a.v.Dated {
		p.Labels = []string{"time:unknown"}
	}
	// From the last step to the first, since each names the next and is named by what it says.
	next := "end--" + id("end")
	p.Workflow[next] = step{Type: "end", Name: a.l.Text("export.playbook.end")}
	tasks := a.tasks()
	for _, t := range slices.Backward(tasks) {
		text := strings.Join(t.lines, "\n")
		this := "action--" + id("action", t.name, text, next)
		p.Workflow[this] = step{Type: "action", Name: t.name, Next: next, Agent: person, Commands: []command{{"manual", text}}}
		next = this
	}
	p.Start = "start--" + id("start", next)
	p.Workflow[p.Start] = step{Type: "start", Name: a.l.Text("export.playbook.start"), Next: next}
	p.ID = "playbook--" + id("playbook", p.Start, at, mark)
	return p
}

// severity is that of the worst incident, from 1 to 100: 0 where there is none.
func (a *adviser) severity() int {
	worst := 0
	for i := range a.v.Incidents {
		worst = max(worst, 20*(int(share.Level(a.v.Incidents[i].Severity))+1))
	}
	return worst
}

// id returns the UUID of something by what it says.
func id(parts ...string) string {
	return ident.V5(ident.Barid, []byte("cacao\x00"+strings.Join(parts, "\x00"))).String()
}
