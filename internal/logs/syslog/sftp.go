package syslog

import (
	"bytes"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
)

// The slots of lines of OpenSSH's sftp-server.
const (
	sfEvent = headSlots + iota
	sfUser
	sfIP
	sfPath
	sfFlags
	sfRead
	sfWritten
	sfSlots
)

var (
	sftpOpened = []byte("session opened for local user ")
	evOpen     = []byte("open")
	evClose    = []byte("close")
	evClosedir = []byte("closedir")
	evRemove   = []byte("remove")
	evRename   = []byte("rename")
)

// parseSFTP reads a message of sftp-server at level INFO:
//
//	session opened for local user ana from [192.0.2.1]
//	open "/home/ana/a.pdf" flags READ mode 0666
//	close "/home/ana/a.pdf" bytes read 4096 written 0
//	closedir "/home/ana"
func parseSFTP(v []event.Value, m []byte) {
	if who, ok := cutAny(m, string(sftpOpened), "session closed for local user "); ok {
		put(v, sfEvent, evSessionOpened)
		if !bytes.HasPrefix(m, sftpOpened) {
			put(v, sfEvent, evSessionClosed)
		}
		if i := bytes.LastIndex(who, []byte(" from [")); i >= 0 {
			put(v, sfUser, who[:i])
			put(v, sfIP, event.Address(bytes.TrimSuffix(who[i+len(" from ["):], []byte("]"))))
		}
		return
	}
	what, rest, ok := bytes.Cut(m, []byte(` "`))
	if !ok {
		return
	}
	// A path may hold anything that its writer liked; quotes in it are escaped.
	end := bytes.LastIndexByte(rest, '"')
	if end < 0 {
		return
	}
	switch string(what) {
	case "open":
		put(v, sfEvent, evOpen)
		put(v, sfPath, rest[:end])
		if flags, ok := cutAny(rest[end+1:], " flags "); ok {
			put(v, sfFlags, upTo(flags, ' '))
		}
	case "close":
		put(v, sfEvent, evClose)
		put(v, sfPath, rest[:end])
		if n, ok := cutAny(rest[end+1:], " bytes read "); ok {
			_, digits := number(n)
			num(v, sfRead, n[:digits])
			if n, ok := cutAny(n[digits:], " written "); ok {
				_, digits := number(n)
				num(v, sfWritten, n[:digits])
			}
		}
	case "closedir":
		put(v, sfEvent, evClosedir)
		put(v, sfPath, rest[:end])
	case "remove name":
		put(v, sfEvent, evRemove)
		put(v, sfPath, rest[:end])
	case "rename old", "posix-rename old":
		put(v, sfEvent, evRename)
		put(v, sfPath, rest[:max(0, bytes.Index(rest, []byte(`" new "`)))])
	}
}

// observeSFTP observes files and folders. A line "open" stands there before it is known whether the file could be opened; "close" stands
// there after.
func (p *parser) observeSFTP(v []event.Value, obs []logs.Observation) []logs.Observation {
	o := logs.Observation{Kind: logs.Access, OK: true, Account: v[sfUser].Data, IP: v[sfIP].Data, Channel: "ssh", Action: v[sfEvent].Data, Bytes: -1, Count: -1}
	o.Object, o.ObjectKind = v[sfPath].Data, "file"
	if bytes.IndexByte(o.Object, '\\') >= 0 {
		p.buf = plainVis(p.buf[:0], o.Object)
		o.Object = p.buf
	}
	switch string(v[sfEvent].Data) {
	case "session-opened": // sshd has told of the login
		o.Kind, o.Object, o.ObjectKind, o.Inference, o.Count = logs.Login, nil, "", logs.SignedIn, 0
		return append(obs, o)
	case "open":
		if !bytes.Contains(v[sfFlags].Data, []byte("READ")) {
			return obs
		}
		o.OK, o.Unknown = false, true
		o.Inference, o.Exposure = logs.FileOpened, logs.Content
	case "close":
		read, written := integer(v[sfRead].Data), integer(v[sfWritten].Data)
		switch {
		case read > 0:
			o.Inference, o.Exposure, o.Bytes = logs.FileDownloaded, logs.Content, read
		case written > 0:
			o.Inference, o.Exposure, o.Bytes = logs.FileTouched, logs.Metadata, written
		default:
			return obs
		}
	case "closedir":
		o.Inference, o.Exposure, o.ObjectKind = logs.FileListed, logs.Metadata, "folder"
	case "remove", "rename":
		o.OK, o.Unknown = false, true
		o.Inference, o.Exposure = logs.FileTouched, logs.Metadata
	default:
		return obs
	}
	if len(o.Object) == 0 {
		return obs
	}
	return append(obs, o)
}

// plainVis appends p without the escapes in which OpenSSH writes what is no printable ASCII: \303\251, \\ (log.c, LOG_SYSLOG_VIS; strnvis(3), of
// OpenBSD).
func plainVis(dst, p []byte) []byte {
	for i := 0; i < len(p); i++ {
		c := p[i]
		if c == '\\' && i+1 < len(p) {
			n := 0 // digits
			for n < 3 && i+1+n < len(p) && '0' <= p[i+1+n] && p[i+1+n] <= '7' {
				n++
			}
			switch next := p[i+1]; {
			case n == 3 && next <= '3':
				c = next<<6 | (p[i+2]&7)<<3 | p[i+3]&7
				i += 3
			case next == '\\' || next == '"':
				c = next
				i++
			case n == 1 && next == '0':
				c = 0
				i++
			default:
				if j := bytes.IndexByte(visLetters, next); j >= 0 {
					c = visBytes[j]
					i++
				}
			}
		}
		dst = append(dst, c)
	}
	return dst
}

// What stands for which byte behind a backslash.
var visLetters, visBytes = []byte("nrbavtfs"), []byte("\n\r\b\a\v\t\f ")

// transfers remembers for whom each process of sftp-server works, by host and process number: its lines about files leave that out. It holds a bounded number;
// one that finds its place taken is forgotten, and its lines are nobody's.
type transfers [256]transfer

type transfer struct {
	key            uint64 // of host and process; 0 if free
	userLen, ipLen uint8
	user           [64]byte
	ip             [45]byte
}

// follow takes account of a line of sftp-server, read into v, and returns who it was that the line leaves out; nil if that is not known.
func (t *transfers) follow(h *header, v []event.Value) *transfer {
	if len(h.pid) == 0 {
		return nil
	}
	key := sum(sum(offset64, h.host)*prime64, h.pid) | 1
	k := &t[key>>32%uint64(len(t))]
	switch string(v[sfEvent].Data) {
	case "session-opened":
		*k = transfer{key: key}
		user, ip := v[sfUser].Data, v[sfIP].Data
		if len(user) <= len(k.user) && len(ip) <= len(k.ip) {
			k.userLen, k.ipLen = uint8(copy(k.user[:], user)), uint8(copy(k.ip[:], ip))
		}
		return nil
	case "session-closed":
		return nil
	}
	if k.key != key {
		return nil
	}
	return k
}
