// Package mailboxaudit reads the export of the mailbox audit log of Exchange Server: SearchResult.xml, which New-MailboxAuditLogSearch sends by
// mail ("Export mailbox audit logs in Exchange Server"), and what Search-MailboxAuditLog -ShowDetails gives, as Export-Csv writes it.
//
// The former looks like XML and need not be it: published exports have items that are written <ItemId="…", attributes with bare & and <, no single
// root, missing end tags. So it is read tag by tag: a record is what stands between one <Event and its end tag, or the next <Event. A value
// ends at the quotation mark behind which an attribute, or the end of the tag, follows. Character references are read where they are right, and
// otherwise left.
package mailboxaudit

import (
	"bytes"
	"time"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/lines"
	"github.com/barid-dfir/barid/internal/logs/logsource"
	"github.com/barid-dfir/barid/internal/logs/timestamp"
)

// Name is the name of the format.
const Name = "exchange.mailboxaudit"

// New returns the format, for one run of the program.
func New() logs.Format {
	shape := newShape()
	return logs.Format{
		Name:  Name,
		Sniff: sniff,
		Cutter: func(s *logs.Source) logs.Cutter {
			if exportOf(s) != nil {
				return &lines.Cutter{}
			}
			return &cutter{size: logs.BlockSize}
		},
		Parser:   func() logs.Parser { return &parser{shape: shape} },
		Notes:    notes,
		Zoneless: zoneless,
		Known:    func() []logs.Known { return []logs.Known{{Name: "record of a mailbox audit log", Shape: shape}} },
	}
}

// attributes are those of a record that become fields, as Search-MailboxAuditLog names them. Rules find those of an item under its names, too.
var attributes = [...]string{
	"Operation", "OperationResult", "LogonType", "ExternalAccess", "LastAccessed", "MailboxGuid", "Owner", "MailboxOwnerUPN", "MailboxOwnerSid",
	"MailboxResolvedOwnerName", "LogonUserDN", "LogonUserDisplayName", "LogonUserSid", "ClientInfoString", "ClientIPAddress", "ClientMachineName",
	"ClientProcessName", "ClientVersion", "InternalLogonType", "FolderId", "FolderPathName", "DestFolderId", "DestFolderPathName", "DestMailboxGuid",
	"DestMailboxOwnerUPN", "DestMailboxOwnerSid", "CrossMailboxOperation", "ItemId", "ItemSubject", "ItemInternetMessageId", "OriginatingServer",
	"ModifiedProperties", "SourceItemInternetMessageIdsList",
}

// The slots of what is read again: the order of attributes.
const (
	xOperation = iota
	xResult
	xLogonType
	xExternal
	xTime
	xGUID
	xOwner
	xUPN
	xOwnerSid
	xOwnerName
	xUserDN
	xUserName
	xUserSid
	xClient
	xIP
	xMachine
	xProcess
	xVersion
	xInternalLogonType
	xFolder
	xFolderPath
	xDestFolder
	xDestFolderPath
	xDestGUID
	xDestUPN
	xDestSid
	xCross
	xItem
	xSubject
	xMessageID
	xServer
	xModified
	xMessageIDs
	xItems // what stands between the tags of the record, as it is
)

func newShape() *event.Shape {
	fields := make([]event.Field, 0, len(attributes)+1)
	for _, a := range attributes {
		f := event.Field{Name: a}
		switch a {
		case "ItemSubject":
			f.Aliases = []string{"Subject"}
		case "ItemInternetMessageId":
			f.Aliases = []string{"InternetMessageId"}
		case "ClientIPAddress":
			f.Aliases = []string{"ClientIP"}
		}
		fields = append(fields, f)
	}
	fields = append(fields, event.Field{Name: "Items"})
	s := logsource.Builtin().NewShape(Name, "mailboxaudit", fields)
	s.SetRole(event.Host, "OriginatingServer")
	s.SetRole(event.Client, "ClientIPAddress")
	s.SetRole(event.Account, "LogonUserDisplayName")
	s.SetRole(event.UserAgent, "ClientInfoString")
	return s
}

// sniff looks for a record that names a mailbox.
func sniff(s *logs.Source) logs.Certainty {
	if exportOf(s) != nil {
		return logs.Certain
	}
	for head := s.Head; ; {
		i := start(head)
		if i < 0 {
			return logs.No
		}
		head = head[i:]
		end := len(head)
		if j := start(head[1:]); j >= 0 {
			end = j + 1
		}
		tag := head[:end]
		if bytes.Contains(tag, []byte("Operation=")) && bytes.Contains(tag, []byte("LogonType=")) {
			if bytes.Contains(tag, []byte("MailboxGuid=")) || bytes.Contains(tag, []byte("MailboxOwnerUPN=")) {
				return logs.Certain
			}
		}
		head = head[end:]
	}
}

var (
	eventTag = []byte("<Event")
	eventEnd = []byte("</Event>")
)

// start returns where the first record in p begins, -1 if there is none.
func start(p []byte) int {
	for from := 0; ; {
		i := bytes.Index(p[from:], eventTag)
		if i < 0 {
			return -1
		}
		i += from
		if i+len(eventTag) < len(p) && space(p[i+len(eventTag)]) {
			return i
		}
		from = i + 1
	}
}

// lastStart is start for the last record.
func lastStart(p []byte) int {
	for {
		i := bytes.LastIndex(p, eventTag)
		if i < 0 {
			return -1
		}
		if i+len(eventTag) < len(p) && space(p[i+len(eventTag)]) {
			return i
		}
		p = p[:i]
	}
}

func space(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

// cutter cuts before a record.
type cutter struct {
	size int
	// looked is how much of the data that is asked for again holds no beginning.
	looked int
}

// SetBlockSize sets the length at which blocks are cut, for tests.
func (c *cutter) SetBlockSize(n int) { c.size = n }

// Cut implements logs.Cutter.
func (c *cutter) Cut(data []byte, atEOF bool) (int, any) {
	if len(data) > c.size && c.looked < c.size {
		// One byte besides: a record's tag is known by what is behind it.
		if i := lastStart(data[:min(len(data), c.size+len(eventTag)+1)]); i > 0 {
			c.looked = 0
			return i, nil
		}
	}
	from := max(1, c.size, c.looked)
	if from < len(data) {
		if i := start(data[from:]); i >= 0 {
			c.looked = 0
			return from + i, nil
		}
	}
	if atEOF || len(data) >= logs.MaxBlock {
		c.looked = 0
		return len(data), nil
	}
	c.looked = max(0, len(data)-len(eventTag))
	return 0, nil
}

type parser struct {
	shape *event.Shape
	text  []byte // of observations

	source *logs.Source // whose heading export is
	export *export
}

// Parse implements logs.Parser.
func (p *parser) Parse(b *logs.Block, out *event.Batch) {
	if b.Source != p.source {
		p.source, p.export = b.Source, exportOf(b.Source)
	}
	if p.export != nil {
		p.export.parse(p, b, out)
		return
	}
	line, at := b.Line, 0 // at is up to where lines are counted
	place := func(i int) (int64, int64) {
		line += int64(bytes.Count(b.Data[at:i], []byte{'\n'}))
		at = i
		return b.Offset + int64(i), line
	}
	rest := b.Data
	for {
		pos := len(b.Data) - len(rest)
		i := start(rest)
		if i < 0 {
			outside(rest, pos, place, out)
			return
		}
		outside(rest[:i], pos, place, out)
		pos, rest = pos+i, rest[i:]
		end := len(rest)
		if j := start(rest[len(eventTag):]); j >= 0 {
			end = len(eventTag) + j
		}
		raw := rest[:end:end]
		offset, number := place(pos)
		n, reason := p.record(raw, offset, number, out)
		if reason != "" {
			out.Defects = append(out.Defects, event.Defect{Offset: offset, Length: int64(n), Line: number, Reason: reason})
		}
		rest = rest[n:]
	}
}

// wrapping are the beginnings of tags around the records.
var wrapping = [...]string{"<?xml", "<SearchResults", "</SearchResults", "</SourceItems>", "</Event>"}

// outside reports what stands between records and is no tag around them, a line at a time.
func outside(p []byte, pos int, place func(int) (int64, int64), out *event.Batch) {
	for len(p) > 0 {
		line := p
		if i := bytes.IndexByte(p, '\n'); i >= 0 {
			line = p[:i+1]
		}
		text := bytes.TrimSpace(bytes.TrimPrefix(line, []byte("\xEF\xBB\xBF")))
		if len(text) > 0 && !wraps(text) {
			offset, number := place(pos)
			out.Defects = append(out.Defects, event.Defect{Offset: offset, Length: int64(len(line)), Line: number, Reason: "text outside of any record"})
		}
		pos, p = pos+len(line), p[len(line):]
	}
}

// wraps reports whether a text is nothing but tags around records.
func wraps(text []byte) bool {
	for len(text) > 0 {
		known := false
		for _, w := range wrapping {
			known = known || bytes.HasPrefix(text, []byte(w))
		}
		i := bytes.IndexByte(text, '>')
		if !known || i < 0 {
			return false
		}
		text = bytes.TrimSpace(text[i+1:])
	}
	return true
}

// record reads the record at the beginning of raw, and returns how long it is and what is wrong with it.
func (p *parser) record(raw []byte, offset, number int64, out *event.Batch) (length int, reason string) {
	e := out.Add(p.shape)
	body, closed := tag(raw[len(eventTag):], func(name, value []byte) {
		for i, a := range attributes {
			if len(a) == len(name) && string(name) == a {
				set(&e.Values[i], value, out)
				return
			}
		}
	})
	n := len(raw) - len(body)
	switch {
	case body == nil:
		n, reason = len(raw), "the tag of the record does not end"
	case !closed:
		i := bytes.Index(body, eventEnd)
		if i < 0 {
			// The beginning of the tag of another record may be all that is left of that.
			n, reason = len(raw)-begun(raw), "the record does not end"
			i = len(body) - begun(body)
		} else {
			n += i + len(eventEnd)
		}
		if items := bytes.TrimSpace(body[:i]); len(items) > 0 {
			e.Values[xItems] = event.Value{Data: items[:len(items):len(items)], Kind: event.UTF8}
			p.firstItem(e, items, out)
		}
	}
	// What follows the last record in the block is white space, and the end of what is around it.
	trimmed := bytes.TrimRight(raw[:n], " \t\r\n")
	if reason != "" {
		trimmed = bytes.TrimRight(bytes.TrimSuffix(trimmed, []byte("</SearchResults>")), " \t\r\n")
	}
	n = len(trimmed)
	when, ok := timestamp.RFC3339(e.Values[xTime].Data, time.UTC)
	if !ok {
		when = event.UnknownTime
		if len(e.Values[xOperation].Data) == 0 {
			out.Events = out.Events[:len(out.Events)-1]
			return n, "neither a time nor an operation"
		}
		if reason == "" {
			reason = "no time in LastAccessed"
		}
	}
	e.Time = when
	e.Raw, e.Offset, e.Line, e.Record = trimmed[:n:n], offset, number, number
	return n, reason
}

// begun returns how many bytes at the end of p could be the beginning of a record's tag.
func begun(p []byte) int {
	for n := min(len(eventTag), len(p)); n > 0; n-- {
		if bytes.Equal(p[len(p)-n:], eventTag[:n]) {
			return n
		}
	}
	return 0
}

// firstItem sets the fields that tell of an item to those of the first one, where the record itself does not tell.
func (p *parser) firstItem(e *event.Event, items []byte, out *event.Batch) {
	it, _, ok := nextItem(items)
	if !ok {
		return
	}
	fill := func(slot int, v []byte) {
		if e.Values[slot].Kind == event.None && len(v) > 0 {
			set(&e.Values[slot], v, out)
		}
	}
	fill(xItem, it.id)
	fill(xSubject, it.subject)
	fill(xMessageID, it.message)
}

// set sets a value. An empty one is null.
func set(v *event.Value, p []byte, out *event.Batch) {
	if len(p) == 0 {
		v.Kind = event.Null
		return
	}
	if bytes.IndexByte(p, '&') >= 0 {
		p = appendText(out.Bytes(len(p))[:0], p)
	}
	v.Data, v.Kind = p[:len(p):len(p)], event.UTF8
}
