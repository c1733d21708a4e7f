// Package nextcloud reads the logs of Nextcloud, which are JSON lines: audit.log of its app admin_audit, and nextcloud.log
// (Nextcloud Administration Manual, "Logging"; the messages are those of apps/admin_audit and core in the source of versions 12
// to 32).
package nextcloud

import (
	"bytes"
	"time"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/json"
	"github.com/barid-dfir/barid/internal/logs/logsource"
	"github.com/barid-dfir/barid/internal/logs/timestamp"
)

// The names of the formats. New reads both.
const (
	Name     = "nextcloud.audit"
	MainName = "nextcloud.log"
)

// Channel is the way in that the observations name: the program itself, through whatever client.
const Channel = "nextcloud"

// The fields that mean something, by their names in the log.
const (
	fTime = iota
	fClient
	fUser
	fApp
	fMethod
	fURL
	fMessage
	fAgent
	numFields
)

var fieldNames = [numFields]string{
	fTime: "time", fClient: "remoteAddr", fUser: "user", fApp: "app", fMethod: "method", fURL: "url", fMessage: "message", fAgent: "userAgent",
}

// layout is what is built for a sequence of names.
type layout struct {
	shape *event.Shape
	slot  [numFields]int // of each field, -1 if nowhere
}

func newLayout(r *json.Record, also []byte) layout {
	names := r.Names()
	fields := make([]event.Field, len(names))
	for i, n := range names {
		fields[i].Name = n
	}
	format := MainName
	if string(also) == "admin_audit" {
		format = Name
	}
	l := layout{shape: logsource.Builtin().NewShape(format, "", fields)}
	l.slot = slots(l.shape)
	l.shape.SetRole(event.Client, fieldNames[fClient])
	l.shape.SetRole(event.Account, fieldNames[fUser])
	l.shape.SetRole(event.UserAgent, fieldNames[fAgent])
	return l
}

func slots(s *event.Shape) (slot [numFields]int) {
	for f, n := range fieldNames {
		slot[f] = s.Slot(n)
	}
	return slot
}

// New returns the format, for one run of the program.
func New() logs.Format {
	cache := json.NewCache(newLayout)
	return logs.Format{
		Name: Name,
		Sniff: func(s *logs.Source) logs.Certainty {
			var r json.Record
			if json.First(s.Head, &r) && r.Has("reqId", 0) && r.Has("remoteAddr", 0) && r.Has("app", 0) && r.Has("message", 0) {
				return logs.Likely
			}
			return logs.No
		},
		Refine: func(s *logs.Source) string {
			if bytes.Contains(s.Head, []byte(`"app":"admin_audit"`)) {
				return Name
			}
			return MainName
		},
		Cutter:   func(s *logs.Source) logs.Cutter { return json.CutterOf(s) },
		Parser:   func() logs.Parser { return &parser{front: cache.Front()} },
		Zoneless: zoneless,
	}
}

// zoneless looks at the first record: a server writes all times in one way, until it is told another.
func zoneless(s *logs.Source) bool {
	var r json.Record
	if !json.First(s.Head, &r) {
		return false
	}
	for i := range min(len(r.Keys), len(r.Values)) {
		if r.Keys[i].Open {
			break
		}
		if v := r.Values[i]; string(r.Keys[i].Name) == fieldNames[fTime] {
			return json.Time(v) == event.UnknownTime && when(v, time.UTC) != event.UnknownTime
		}
	}
	return false
}

type parser struct {
	front  *json.Front[layout]
	record json.Record
	seen   *event.Shape // the shape that slot is of
	slot   [numFields]int
	text   []byte // of observations
}

// Parse implements logs.Parser.
func (p *parser) Parse(b *logs.Block, out *event.Batch) {
	for w := json.Walk(b, out); w.Next(&p.record); {
		l := p.front.Get(&p.record, p.app())
		e := out.Add(l.shape)
		copy(e.Values, p.record.Values)
		if i := l.slot[fTime]; i >= 0 {
			e.Time = when(e.Values[i], b.Source.Zone)
		}
		e.Raw, e.Offset, e.Line, e.Record = w.Raw, w.Offset, w.Line, w.Line
	}
}

// app returns the value of app where it decides of the format.
func (p *parser) app() []byte {
	for i := range min(len(p.record.Keys), len(p.record.Values)) {
		if k := &p.record.Keys[i]; k.Open {
			break
		} else if string(k.Name) == "app" && string(p.record.Values[i].Data) == "admin_audit" {
			return p.record.Values[i].Data
		}
	}
	return nil
}

// when reads a time: RFC 3339, or "April 13, 2021 16:55:37", which older versions write in the zone of the server.
func when(v event.Value, zone *time.Location) int64 {
	if t := json.Time(v); t != event.UnknownTime || v.Kind != event.UTF8 {
		return t
	}
	p := v.Data
	i := bytes.IndexByte(p, ' ')
	if i < 3 || len(p) < i+len(" 3, 2021 16:55:37") {
		return event.UnknownTime
	}
	month, rest := timestamp.Month(p[:3]), p[i+1:]
	day := 0
	for len(rest) > 0 && '0' <= rest[0] && rest[0] <= '9' && day < 100 {
		day, rest = 10*day+int(rest[0]-'0'), rest[1:]
	}
	if len(rest) < len(", 2021 16:55:37") || rest[0] != ',' || rest[1] != ' ' || rest[6] != ' ' {
		return event.UnknownTime
	}
	year := 0
	for _, c := range rest[2:6] {
		if c < '0' || c > '9' {
			return event.UnknownTime
		}
		year = 10*year + int(c-'0')
	}
	d, ok := timestamp.Day(year, month, day)
	if !ok {
		return event.UnknownTime
	}
	clock, ok := timestamp.Clock(rest[7:15])
	if !ok {
		return event.UnknownTime
	}
	t := time.Unix(0, d*int64(24*time.Hour)+clock).UTC()
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, zone).UnixNano()
}
