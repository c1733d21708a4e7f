package dovecot

import (
	"bytes"
	"strconv"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/fold"
)

// Observe implements [logs.Parser].
func (p *parser) Observe(e *event.Event, obs []logs.Observation) []logs.Observation {
	if p.last == nil || p.last.shape != e.Shape {
		p.last = p.layoutOf(e.Shape)
	}
	at := func(field int) []byte {
		if i := p.last.slot[field]; i >= 0 {
			return p.text(e.Values[i])
		}
		return nil
	}
	p.buf = p.buf[:0]
	what := at(fEvent)
	switch string(what) {
	case "auth_request_finished", "mail_opened", "mail_metadata_accessed", "imap_command_finished", "mail_user_session_finished":
	default:
		if p.last.slot[fBodyCount] < 0 {
			return obs
		}
	}
	o := logs.Observation{Kind: logs.Access, OK: true, Account: at(fUser), IP: at(fIP), Session: at(fSession), Action: what, Bytes: -1, Count: -1}
	protocol := at(fProtocol)
	if len(protocol) == 0 {
		protocol = at(fService)
	}
	o.Channel = channel(protocol)
	switch string(what) {
	case "auth_request_finished":
		// The server that asked tells of the same attempt in its log, if it has one.
		o.Kind, o.OK, o.Action = logs.Login, string(at(fSuccess)) == "yes", at(fMechanism)
		if o.OK {
			o.Inference = logs.SignedIn
		}
		return append(obs, o)
	case "mail_opened", "mail_metadata_accessed":
		return p.opened(e, o, obs)
	case "imap_command_finished":
		command := at(fCommand)
		if len(command) == 0 {
			command = at(fName)
		}
		if !bytes.HasSuffix(command, []byte("FETCH")) {
			return obs
		}
		o.Channel, o.Action, o.OK = "imap", command, string(at(fReply)) == "OK"
		o.Unknown = string(at(fReply)) == "NO" // after some of it was sent, perhaps
		args := at(fArgs)
		if len(args) == 0 {
			args = at(fHumanArgs)
		}
		o.Bytes = integer(at(fSent))
		return p.fetched(at(fMailbox), args, o, obs)
	}
	return finished(o, integer(at(fBodyCount)), integer(at(fBodyBytes)), integer(at(fHdrCount)), integer(at(fHdrBytes)), integer(at(fSent)), obs)
}

// mostLayouts is how many layouts a parser remembers.
const mostLayouts = 1024

// layoutOf returns the layout of a Shape.
func (p *parser) layoutOf(shape *event.Shape) *layout {
	if l := p.layouts[shape]; l != nil {
		return l
	}
	l := &layout{shape: shape, message: shape.Slot(messageField)}
	for f, n := range fieldNames {
		l.slot[f] = shape.Slot(n)
	}
	for n, f := range otherNames {
		if slot := shape.Slot(n); l.slot[f] < 0 && slot >= 0 {
			l.slot[f] = slot
		}
	}
	if len(p.layouts) >= mostLayouts {
		clear(p.layouts)
	}
	if p.layouts == nil {
		p.layouts = make(map[*event.Shape]*layout)
	}
	p.layouts[shape] = l
	return l
}

// opened observes that the server opened a message. From 2.3.18 on the event says for what (Dovecot manual, "Event Reasons"); without that, a header may have been all
// that was wanted.
func (p *parser) opened(e *event.Event, o logs.Observation, obs []logs.Observation) []logs.Observation {
	if p.last.message < 0 || e.Values[p.last.message].IsAbsent() {
		return obs
	}
	o.Object, o.ObjectKind, o.In = p.text(e.Values[p.last.message]), "message", o.Account
	if i := p.last.slot[fMailbox]; i >= 0 {
		o.Folder = p.text(e.Values[i])
	}
	o.Inference, o.Exposure = logs.MessageBind, logs.Metadata
	if string(o.Action) == "mail_metadata_accessed" {
		return append(obs, o)
	}
	reasons := event.Value{}
	if i := p.last.slot[fReason]; i >= 0 {
		reasons = e.Values[i]
	}
	told := false
	for i := 0; ; {
		v, next, ok := reasons.Elem(i)
		if !ok {
			break
		}
		i = next
		for rest := v.Data; len(rest) > 0; { // one text may hold several
			var reason []byte
			reason, rest, _ = bytes.Cut(rest, []byte(","))
			x, service, known := purpose(bytes.TrimSpace(reason))
			if service {
				o.Standing = logs.Service
			}
			told = told || known
			o.Exposure = max(o.Exposure, x)
		}
	}
	if !told {
		o.Exposure, o.OK, o.Unknown = logs.Content, false, true
	}
	return append(obs, o)
}

// purpose returns how much of a message is handed out when it is opened for a reason, whether nobody asked for it, and whether the reason tells it.
func purpose(reason []byte) (x logs.Exposure, service, told bool) {
	switch string(reason) {
	case "imap:fetch_body", "pop3:cmd_retr":
		return logs.Content, false, true
	case "mail:snippet", "pop3:cmd_top":
		return logs.Partial, false, true
	case "imap:fetch_header", "imap:fetch_header_fields", "imap:fetch_bodystructure", "imap:fetch_size", "mail:header_fields", "mail:mime_parts", "mail:date",
		"mail:imap_envelope", "mail:imap_bodystructure", "mail:attachment_keywords":
		return logs.Metadata, false, true
	case "indexer:index_mailbox", "fts:index", "quota:count", "quota:recalculate", "storage:autoexpunge":
		return logs.NoExposure, true, true
	}
	return logs.NoExposure, bytes.HasPrefix(reason, []byte("lmtp:")), bytes.HasPrefix(reason, []byte("lmtp:"))
}

// mostNamed is how many messages of one command are named one by one.
const mostNamed = 256

// fetched observes a command FETCH: the messages by their UIDs, where these and the folder are told; else the mailbox.
func (p *parser) fetched(mailbox, args []byte, o logs.Observation, obs []logs.Observation) []logs.Observation {
	set, items, _ := bytes.Cut(args, []byte(" "))
	if len(items) == 0 { // what was asked for is not told
		o.Object, o.ObjectKind = o.Account, "mailbox"
		o.Inference, o.Exposure = logs.MailboxRead, logs.Content
		o.Unknown, o.OK = o.OK || o.Unknown, false
		return append(obs, o)
	}
	body := asksForBody(items)
	names := bytes.HasPrefix(o.Action, []byte("UID")) && len(mailbox) > 0 && isList(set)
	switch {
	case names && body:
		o.Inference, o.Exposure = logs.MessageBind, logs.Content
	case names:
		o.Inference, o.Exposure = logs.MessageBind, logs.Metadata
	case body:
		o.Inference, o.Exposure = logs.MailboxRead, logs.Content
	default:
		o.Inference, o.Exposure = logs.MailboxListed, logs.Metadata
	}
	if !names {
		o.Object, o.ObjectKind = o.Account, "mailbox"
		return append(obs, o)
	}
	o.ObjectKind, o.In, o.Folder = "message", o.Account, mailbox
	if bytes.IndexByte(set, ',') >= 0 {
		o.Bytes = -1 // of all of them
	}
	for len(set) > 0 {
		var uid []byte
		uid, set, _ = bytes.Cut(set, []byte(","))
		n := len(p.buf)
		p.buf = append(append(append(p.buf, mailbox...), '/'), uid...)
		o.Object = p.buf[n:len(p.buf):len(p.buf)]
		obs = append(obs, o)
	}
	return obs
}

// isList reports whether a set of UIDs lists them, and not too many: a range may hold some that do not exist.
func isList(set []byte) bool {
	digits, commas := 0, 0
	for _, c := range set {
		switch {
		case c == ',' && digits > 0:
			commas++
			digits = 0
		case '0' <= c && c <= '9':
			digits++
		default:
			return false
		}
	}
	return digits > 0 && commas < mostNamed
}

// asksForBody reports whether what FETCH asks for holds any of a body (RFC 9051, section 6.4.5; RFC 3516). BODY without brackets is its structure.
func asksForBody(items []byte) bool {
	for rest := items; len(rest) > 0; {
		i := bytes.IndexAny(rest, " ()")
		if i < 0 {
			i = len(rest)
		}
		item := rest[:i]
		if open := bytes.IndexByte(item, '['); open >= 0 {
			// A section may hold blanks and brackets of its own: its kind is what it begins with, after the numbers of the part.
			section := bytes.TrimLeft(item[open+1:], "0123456789.")
			named := fold.HasPrefix(section, "header") || fold.HasPrefix(section, "mime")
			if (fold.HasPrefix(item, "body") || fold.HasPrefix(item, "binary[") || fold.HasPrefix(item, "binary.peek")) && !named {
				return true
			}
		} else if len(item) == len("RFC822") && fold.HasPrefix(item, "rfc822") || fold.HasPrefix(item, "rfc822.text") || fold.HasPrefix(item, "rfc822.peek") || fold.HasPrefix(item, "snippet") || fold.HasPrefix(item, "preview") {
			return true
		}
		rest = rest[min(i+1, len(rest)):]
	}
	return false
}

// finished observes the end of a session by what it counted, as far as the event has that.
func finished(o logs.Observation, bodies, size, headers, sent, out int64, obs []logs.Observation) []logs.Observation {
	if len(o.Account) == 0 || o.Channel == "submission" || o.Channel == "managesieve" || o.Channel == "lmtp" {
		return obs
	}
	o.Object, o.ObjectKind = o.Account, "mailbox"
	switch {
	case bodies > 0:
		o.Inference, o.Exposure, o.Count, o.Bytes = logs.MailFetched, logs.Content, bodies, size
	case bodies == 0 && size == 0:
		o.Inference, o.Count, o.Bytes = logs.MailNotFetched, 0, 0
	case out < 0:
		return obs
	default:
		o.Inference, o.Exposure, o.Bytes = logs.MailTraffic, logs.Content, out
		return append(obs, o)
	}
	obs = append(obs, o)
	if headers > 0 {
		o.Inference, o.Exposure, o.Count, o.Bytes = logs.MailHeaders, logs.Metadata, headers, sent
		obs = append(obs, o)
	}
	return obs
}

// text returns a value as text: a view of it, or of p.buf where it has escapes.
func (p *parser) text(v event.Value) []byte {
	switch v.Kind {
	case event.None, event.Null:
		return nil
	case event.Escape:
		n := len(p.buf)
		p.buf = v.AppendText(p.buf)
		return p.buf[n:len(p.buf):len(p.buf)]
	}
	return v.Data
}

// integer returns a number that is not negative, -1 for anything else.
func integer(p []byte) int64 {
	if len(p) == 0 {
		return -1
	}
	n, err := strconv.ParseInt(string(p), 10, 64)
	if err != nil || n < 0 {
		return -1
	}
	return n
}
