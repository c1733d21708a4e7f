package logtest

import (
	"fmt"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
)

// Dump writes an event on one line: its time, its format, and every field that is there, in the order of the Shape.
// A null value is written as <null>; text with blanks, quotes or control characters as a Go string.
func Dump(e *event.Event) string {
	var b strings.Builder
	if e.Time == event.UnknownTime {
		b.WriteString("-")
	} else {
		b.WriteString(time.Unix(0, e.Time).UTC().Format(time.RFC3339Nano))
	}
	b.WriteString(" " + e.Shape.Format)
	for slot, f := range e.Shape.Fields() {
		v := e.Value(slot)
		switch v.Kind {
		case event.None:
			continue
		case event.Null:
			fmt.Fprintf(&b, " %s=<null>", f.Name)
		default:
			fmt.Fprintf(&b, " %s=%s", f.Name, quote(v.String()))
		}
	}
	return b.String()
}

// DumpObservation writes an observation on one line, without what it does not say.
func DumpObservation(o logs.Observation) string {
	var b strings.Builder
	b.WriteString(o.Kind.String())
	if o.Unknown {
		b.WriteString(" unknown")
	} else if o.OK {
		b.WriteString(" ok")
	} else {
		b.WriteString(" failed")
	}
	put := func(name, v string) {
		if v != "" {
			fmt.Fprintf(&b, " %s=%s", name, quote(v))
		}
	}
	put("account", string(o.Account))
	put("standing", o.Standing.String())
	put("ip", string(o.IP))
	put("agent", string(o.Agent))
	put("channel", o.Channel)
	put("session", string(o.Session))
	put("device", string(o.Device))
	put("app", string(o.App))
	put("action", string(o.Action))
	put("inference", o.Inference)
	put("power", o.Power.String())
	put(o.ObjectKind, string(o.Object))
	put("in", string(o.In))
	put("folder", string(o.Folder))
	if o.Exposure > logs.NoExposure {
		put("exposure", o.Exposure.String())
	}
	put("target", string(o.Target))
	if o.Bytes >= 0 {
		fmt.Fprintf(&b, " bytes=%d", o.Bytes)
	}
	if o.Count >= 0 {
		fmt.Fprintf(&b, " count=%d", o.Count)
	}
	if o.Before > 0 {
		fmt.Fprintf(&b, " before=%s", o.Before)
	}
	if o.After > 0 {
		fmt.Fprintf(&b, " after=%s", o.After)
	}
	return b.String()
}

// DumpDefect writes a defect on one line.
func DumpDefect(d event.Defect) string {
	return fmt.Sprintf("defect line %d offset %d length %d: %s", d.Line, d.Offset, d.Length, d.Reason)
}

func quote(s string) string {
	if s == "" || strings.ContainsAny(s, " \"\\") {
		return fmt.Sprintf("%q", s)
	}
	for _, r := range s {
		if r < ' ' || r == 0x7F || r == '\uFFFD' {
			return fmt.Sprintf("%q", s)
		}
	}
	return s
}

// dumpAll writes a batch: events in order, each with its place and what it means, then the defects.
func dumpAll(p logs.Parser, out *event.Batch) []string {
	var all []string
	answerer, _ := p.(logs.Answerer)
	identifier, _ := p.(logs.Identifier)
	for i := range out.Events {
		e := &out.Events[i]
		s := fmt.Sprintf("%d:%d:%d %s", e.Line, e.Offset, e.Record, Dump(e))
		obs := p.Observe(e, nil)
		for _, o := range obs {
			s += " | " + DumpObservation(o)
		}
		if answerer != nil && len(obs) == 0 {
			if client, a := answerer.Answer(e); a.Kind != event.NoAnswer {
				s += fmt.Sprintf(" | answer to %q: %+v", client, a)
			}
		}
		if identifier != nil {
			for _, i := range identifier.Identities(e, nil) {
				s += fmt.Sprintf(" | %q is %q", i.Name, i.ID)
			}
		}
		all = append(all, s)
	}
	for _, d := range out.Defects {
		all = append(all, DumpDefect(d))
	}
	return all
}
