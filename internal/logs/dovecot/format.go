// Package dovecot reads the events that Dovecot exports as JSON (Dovecot manual, "Event Export", since 2.3.7): a finished authentication, a message that was
// opened, a command of IMAP. Dovecot's own lines of text are read by package syslog.
package dovecot

import (
	"strings"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/json"
	"github.com/barid-dfir/barid/internal/logs/logsource"
)

// Name is the name of the format.
const Name = "dovecot.events"

// The fields that mean something, by their names in the export. Those of an event stand in an object of its own, "fields".
const (
	fEvent = iota
	fHost
	fStart
	fEnd
	fUser
	fIP
	fSession
	fProtocol
	fService
	fMechanism
	fSuccess
	fMailbox
	fUID
	fCommand
	fName
	fReply
	fSent
	fArgs
	fHumanArgs
	fReason
	fBodyCount
	fBodyBytes
	fHdrCount
	fHdrBytes
	numFields
)

var fieldNames = [numFields]string{
	fEvent: "event", fHost: "hostname", fStart: "start_time", fEnd: "end_time", fUser: "fields.user", fIP: "fields.remote_ip", fSession: "fields.session",
	fProtocol: "fields.protocol", fService: "fields.service", fMechanism: "fields.mechanism", fSuccess: "fields.success", fMailbox: "fields.mailbox",
	fUID: "fields.uid", fCommand: "fields.cmd_name", fName: "fields.name", fReply: "fields.tagged_reply_state", fSent: "fields.net_out_bytes",
	fArgs: "fields.cmd_args", fHumanArgs: "fields.cmd_human_args", fReason: "fields.reason_code",
	fBodyCount: "fields.fetch_body_count", fBodyBytes: "fields.fetch_body_bytes", fHdrCount: "fields.fetch_hdr_count", fHdrBytes: "fields.fetch_hdr_bytes",
}

// otherNames are names that releases before 2.3.10 have for some of the fields, and those of the lines of text.
var otherNames = map[string]int{
	"fields.human_args": fHumanArgs, "fields.args": fArgs, "fields.bytes_out": fSent, "fields.body_count": fBodyCount, "fields.body_bytes": fBodyBytes,
	"fields.hdr_count": fHdrCount, "fields.hdr_bytes": fHdrBytes,
}

// messageField is put together from the folder and the UID of a message.
const messageField = "message"

// layout is what is built for a sequence of names.
type layout struct {
	shape   *event.Shape
	slot    [numFields]int // of each field, -1 if nowhere
	message int            // slot of messageField
}

func newLayout(r *json.Record, _ []byte) *layout {
	names := r.Names()
	l := new(layout)
	for i := range l.slot {
		l.slot[i] = -1
	}
	fields := make([]event.Field, len(names), len(names)+1)
	for i, n := range names {
		fields[i].Name = n
		if short, ok := strings.CutPrefix(n, "fields."); ok {
			fields[i].Aliases = []string{short}
		}
		for f, known := range fieldNames {
			if n == known && l.slot[f] < 0 {
				l.slot[f] = i
			}
		}
		if f, ok := otherNames[n]; ok && l.slot[f] < 0 {
			l.slot[f] = i
		}
	}
	l.message = len(fields)
	fields = append(fields, event.Field{Name: messageField})
	l.shape = logsource.Builtin().NewShape(Name, "", fields)
	l.shape.SetRole(event.Host, fieldNames[fHost])
	l.shape.SetRole(event.Client, fieldNames[fIP])
	l.shape.SetRole(event.Account, fieldNames[fUser])
	l.shape.SetRole(event.Session, fieldNames[fSession])
	return l
}

// New returns the Format "dovecot.events".
func New() logs.Format {
	cache := json.NewCache(newLayout)
	return logs.Format{
		Name: Name,
		Sniff: func(s *logs.Source) logs.Certainty {
			var r json.Record
			if json.First(s.Head, &r) && r.Has("event", 0) && r.Has("fields", 0) && (r.Has("start_time", 0) || r.Has("end_time", 0)) && r.Has("hostname", 0) {
				return logs.Likely
			}
			return logs.No
		},
		Cutter: func(s *logs.Source) logs.Cutter { return json.CutterOf(s) },
		Parser: func() logs.Parser { return &parser{front: cache.Front()} },
	}
}

type parser struct {
	front  *json.Front[*layout]
	record json.Record
	// last is the layout of the event observed last.
	last    *layout
	layouts map[*event.Shape]*layout
	// buf holds texts that are put together, until the next event is observed.
	buf []byte
}

// Parse implements [logs.Parser].
func (p *parser) Parse(b *logs.Block, out *event.Batch) {
	for w := json.Walk(b, out); w.Next(&p.record); {
		l := p.front.Get(&p.record, nil)
		e := out.Add(l.shape)
		copy(e.Values, p.record.Values)
		for _, f := range [...]int{fEnd, fStart} {
			if i := l.slot[f]; i >= 0 && e.Time == event.UnknownTime {
				e.Time = json.Time(e.Values[i])
			}
		}
		if mailbox, uid := l.slot[fMailbox], l.slot[fUID]; mailbox >= 0 && uid >= 0 {
			e.Values[l.message] = join(e.Values[mailbox], e.Values[uid], out)
		}
		e.Raw, e.Offset, e.Line = w.Raw, w.Offset, w.Line
	}
}

// join returns "INBOX/17".
func join(mailbox, uid event.Value, out *event.Batch) event.Value {
	if mailbox.Kind != event.UTF8 && mailbox.Kind != event.Escape || uid.Kind != event.Number && uid.Kind != event.UTF8 || len(uid.Data) == 0 {
		return event.Value{}
	}
	p := out.Bytes(len(mailbox.Data) + 1 + len(uid.Data))
	n := copy(p, mailbox.Data)
	p[n] = '/'
	copy(p[n+1:], uid.Data)
	return event.Value{Data: p, Kind: mailbox.Kind}
}

// channel returns the way in for a name of Dovecot's services.
func channel(protocol []byte) string {
	switch string(protocol) {
	case "imap":
		return "imap"
	case "pop3":
		return "pop3"
	case "smtp", "submission":
		return "submission"
	case "sieve", "managesieve":
		return "managesieve"
	case "lmtp":
		return "lmtp"
	}
	return "mail"
}
