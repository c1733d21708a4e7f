package m365

import (
	"bytes"
	"time"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/json"
	"github.com/barid-dfir/barid/internal/logs/logsource"
	"github.com/barid-dfir/barid/internal/logs/timestamp"
)

// NewMessageTrace returns the Format "m365.messagetrace": the message trace of Exchange Online, as Get-MessageTrace and the extended
// report write it to CSV and as the reporting service returns it in JSON.
//
// A trace says that a message went from one address to another, and nothing of who was logged in: it means no login and no send of
// an account of ours by itself. It is observed that a message came to an address: where a rule sends mail there, that shows which.
func NewMessageTrace() logs.Format {
	cache := json.NewCache(buildTrace)
	return logs.Format{
		Name:  "m365.messagetrace",
		Sniff: sniffTrace,
		Cutter: func(s *logs.Source) logs.Cutter {
			if t := traceTable(s.Head); t != nil {
				return newTableCutter(t)
			}
			return json.CutterOf(s)
		},
		Parser: func() logs.Parser { return &traceParser{front: cache.Front()} },
	}
}

func sniffTrace(s *logs.Source) logs.Certainty {
	if traceTable(s.Head) != nil {
		return logs.Certain
	}
	var r json.Record
	if json.First(s.Head, &r) && r.Has("MessageTraceId", 0) && r.Has("SenderAddress", 0) {
		return logs.Certain
	}
	return logs.No
}

func traceTable(head []byte) *table {
	line := head[:min(len(head), 4096)]
	if !bytes.Contains(line, []byte("SenderAddress")) && !bytes.Contains(line, []byte("sender_address")) {
		return nil
	}
	t := heading(head)
	if t == nil || t.column("SenderAddress") < 0 && t.column("sender_address") < 0 {
		return nil
	}
	return t
}

type traceParser struct {
	front  *json.Front[azureShape]
	record json.Record
	row    row
	text   []byte
}

// Parse implements [logs.Parser].
func (p *traceParser) Parse(b *logs.Block, out *event.Batch) {
	r := &p.record
	if t, ok := b.State.(*table); ok {
		eachRow(b, t, &p.row, out, func(raw []byte, offset, line int64) string {
			if len(p.row.fields) != len(t.names) {
				return "another number of fields than the heading"
			}
			r.Reset()
			for i, f := range p.row.fields {
				v := event.Value{Data: f.data, Kind: event.UTF8}
				if f.doubled {
					v.Data = f.undouble(out.Bytes(len(f.data))[:0])
				}
				r.Add(t.keys[i], 0, v)
			}
			p.emit(out, raw, offset, line)
			return ""
		})
		return
	}
	for w := json.Walk(b, out); w.Next(r); {
		p.emit(out, w.Raw, w.Offset, w.Line)
	}
}

func (p *traceParser) emit(out *event.Batch, raw []byte, offset, line int64) {
	s := p.front.Get(&p.record, nil)
	e := out.Add(s.shape)
	copy(e.Values, p.record.Values)
	if s.time >= 0 {
		e.Time = traceTime(e.Values[s.time])
	}
	e.Raw, e.Offset, e.Line = raw, offset, line
}

// Observe implements [logs.Parser]. The statuses are those of Microsoft Learn, "Run a message trace and view results": Delivered, and in the
// extended report "address##Receive, Deliver" or "…, Send" for each recipient.
func (p *traceParser) Observe(e *event.Event, obs []logs.Observation) []logs.Observation {
	p.text = p.text[:0]
	get := func(names ...string) []byte {
		for _, n := range names {
			if slots := e.Shape.Slots(n); len(slots) > 0 {
				if v := e.Value(slots[0]); len(v.Data) > 0 {
					from := len(p.text)
					p.text = v.AppendText(p.text)
					return p.text[from:len(p.text):len(p.text)]
				}
			}
		}
		return nil
	}
	o := logs.Observation{Kind: logs.Access, OK: true, Channel: "smtp", Inference: logs.Delivered, ObjectKind: "message", Bytes: -1, Count: -1}
	if o.Object = bytes.TrimSpace(get("MessageId", "message_id")); len(o.Object) == 0 {
		return obs
	}
	if status := get("Status"); len(status) > 0 {
		if o.In = bytes.TrimSpace(get("RecipientAddress")); len(o.In) > 0 && bytes.EqualFold(status, []byte("Delivered")) {
			obs = append(obs, o)
		}
		return obs
	}
	for one := range bytes.SplitSeq(get("recipient_status"), []byte{';'}) {
		to, status, ok := bytes.Cut(one, []byte("##"))
		if o.In = bytes.TrimSpace(to); !ok || len(o.In) == 0 || bytes.Contains(status, []byte("Fail")) {
			continue
		}
		if bytes.Contains(status, []byte("Deliver")) || bytes.Contains(status, []byte("Send")) {
			obs = append(obs, o)
		}
	}
	return obs
}

func buildTrace(r *json.Record, _ []byte) azureShape {
	names := r.Names()
	fields := make([]event.Field, len(names))
	s := azureShape{time: -1}
	for i, n := range names {
		fields[i].Name = n
		switch n {
		case "Received", "origin_timestamp_utc", "date_time_utc", "StartDate":
			if s.time < 0 || n == "Received" {
				s.time = i
			}
		}
	}
	s.shape = logsource.Builtin().NewShape("m365.messagetrace", "", fields)
	for _, n := range [...]string{"original_client_ip", "FromIP"} {
		s.shape.SetRole(event.Client, n)
	}
	for _, n := range [...]string{"sender_address", "SenderAddress"} {
		s.shape.SetRole(event.Account, n)
	}
	return s
}

// traceTime reads a time of a message trace: what JSON logs write, or 5/1/2024 10:00:00 AM, UTC.
func traceTime(v event.Value) int64 {
	if t := json.Time(v); t != event.UnknownTime {
		return t
	}
	p := v.Data
	month, p := field2(p, '/')
	date, p := field2(p, '/')
	year, p := field2(p, ' ')
	hour, p := field2(p, ':')
	minute, p := field2(p, ':')
	second, p := field2(p, ' ')
	if hour < 1 || hour > 12 || minute < 0 || second < 0 || minute > 59 || second > 59 {
		return event.UnknownTime
	}
	switch string(p) {
	case "AM":
		hour %= 12
	case "PM":
		hour = hour%12 + 12
	default: // without it nobody can tell the month from the day
		return event.UnknownTime
	}
	day, ok := timestamp.Day(year, month, date)
	if !ok {
		return event.UnknownTime
	}
	return day*int64(24*time.Hour) + int64(hour*3600+minute*60+second)*int64(time.Second)
}

// field2 reads the number before the first c and returns what follows; -1 if there is none.
func field2(p []byte, c byte) (int, []byte) {
	i := bytes.IndexByte(p, c)
	if i < 1 || i > 4 {
		return -1, nil
	}
	n := 0
	for _, d := range p[:i] {
		if d < '0' || d > '9' {
			return -1, nil
		}
		n = n*10 + int(d-'0')
	}
	return n, p[i+1:]
}
