package syslog

import (
	"bytes"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
)

// headersFrom is how many bytes a session must have sent for headers to have been among them: less is the talk of the protocol itself.
const headersFrom = 2048

// loopback is the address of whoever connects to a server by an address of its own.
var loopback = []byte("127.0.0.1")

func (p *parser) observeDovecot(v []event.Value, obs []logs.Observation) []logs.Observation {
	o := logs.Observation{
		Account: v[dovUser].Data,
		IP:      v[dovRip].Data,
		Channel: dovecotChannel(v[dovProcess].Data),
		Session: v[dovSession].Data,
		Bytes:   -1,
		Count:   -1,
	}
	switch string(v[dovEvent].Data) {
	case "login":
		o.Kind, o.OK, o.Action, o.Inference = logs.Login, true, v[dovMethod].Data, logs.SignedIn
		if len(o.IP) > 0 && bytes.Equal(o.IP, v[dovLip].Data) { // a program on the server itself, as web mail: whence its user came is not said
			o.IP = loopback
		}
	case "login-failed":
		o.Kind, o.Count, o.Action = logs.Login, count(v[dovAttempts]), v[dovMethod].Data
	case "disconnect":
		if len(o.IP) == 0 {
			return obs
		}
		o.Kind, o.Unknown, o.Count, o.Action = logs.Login, true, 0, v[dovEvent].Data
	case "forwarded": // by the delivery, not by the account itself
		o.Kind, o.OK, o.Action = logs.Access, true, v[dovEvent].Data
		o.Object, o.ObjectKind, o.In, o.Target = v[dovMsgid].Data, "message", o.Account, v[dovTo].Data
		o.Inference, o.Exposure = logs.Forwarded, logs.Content
	case "logout":
		return observeDovecotEnd(v, o, obs)
	case "delete", "undelete", "expunge", "save", "copy", "flag_change":
		if o.Channel != "imap" && o.Channel != "pop3" { // a delivery
			return obs
		}
		o.Kind, o.OK, o.Action = logs.Access, true, v[dovEvent].Data
		o.Inference, o.Exposure, o.ObjectKind, o.In, o.Folder = logs.MessageTouched, logs.Metadata, "message", o.Account, v[dovBox].Data
		switch {
		case len(v[dovMsgid].Data) > 0:
			o.Object = v[dovMsgid].Data
		case len(v[dovUID].Data) > 0:
			p.buf = append(append(append(p.buf[:0], v[dovBox].Data...), '/'), v[dovUID].Data...)
			o.Object = p.buf
		default:
			o.Object, o.ObjectKind, o.In, o.Folder = o.Account, "mailbox", nil, nil
		}
	default:
		return obs
	}
	return append(obs, o)
}

// observeDovecotEnd observes the end of a session of IMAP or POP3, by what it counted. From 2.3 on bodies are counted as they are fetched, one for
// every part; what has flags, envelopes and structures only is in out alone.
func observeDovecotEnd(v []event.Value, o logs.Observation, obs []logs.Observation) []logs.Observation {
	if len(o.Account) == 0 || o.Channel != "imap" && o.Channel != "pop3" {
		return obs
	}
	o.Kind, o.OK, o.Action = logs.Access, true, v[dovEvent].Data
	o.Object, o.ObjectKind = o.Account, "mailbox"
	out := integer(v[dovOut].Data)
	bodies, size := integer(v[dovBodyCount].Data), integer(v[dovBodyBytes].Data)
	headers, sent := integer(v[dovHdrCount].Data), integer(v[dovHdrBytes].Data)
	top := int64(0)
	if !v[dovRetr].IsAbsent() {
		bodies, size = pair(v[dovRetr].Data)
		headers, sent = pair(v[dovTop].Data)
		top = headers
	}
	switch {
	case bodies > 0:
		o.Inference, o.Exposure, o.Count, o.Bytes = logs.MailFetched, logs.Content, bodies, size
	case bodies == 0 && size == 0 && top == 0:
		o.Inference, o.Count, o.Bytes = logs.MailNotFetched, 0, 0
	case bodies == 0 && size == 0: // TOP may hand out lines of bodies
		o.Inference, o.Exposure, o.Bytes = logs.MailTraffic, logs.Content, sent
	default: // it counts none, or the line is cut off in the middle
		o.Inference, o.Exposure, o.Bytes = logs.MailTraffic, logs.Content, out
		return append(obs, o)
	}
	obs = append(obs, o)
	if headers > 0 || out > headersFrom {
		o.Inference, o.Exposure, o.Count, o.Bytes = logs.MailHeaders, logs.Metadata, headers, sent
		if headers <= 0 {
			o.Count, o.Bytes = -1, out
		}
		obs = append(obs, o)
	}
	return obs
}

// pair reads "2/3012": how many, and their bytes.
func pair(p []byte) (n, size int64) {
	first, second, _ := bytes.Cut(p, []byte("/"))
	return integer(first), integer(second)
}

func dovecotChannel(process []byte) string {
	switch {
	case has(process, "imap"):
		return "imap"
	case has(process, "pop3"):
		return "pop3"
	case has(process, "submission"):
		return "submission"
	case has(process, "managesieve"):
		return "managesieve"
	case has(process, "lmtp"):
		return "lmtp"
	}
	return "mail" // the authentication process does not say which
}
