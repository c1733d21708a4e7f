package access

import (
	"bytes"
	"time"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/logsource"
	"github.com/barid-dfir/barid/internal/logs/timestamp"
	"github.com/barid-dfir/barid/internal/logs/webrequest"
)

// The fields of a line of an error log, in the order of its Shape.
const (
	xLevel = iota
	xModule
	xPID
	xClient
	xUser
	xHost
	xServer
	xMethod
	xURI
	xStem
	xQuery
	xReferer
	xMessage
	numErrorFields
)

var errorFields = [numErrorFields]event.Field{
	xLevel:   {Name: "level"},
	xModule:  {Name: "module"},
	xPID:     {Name: "pid"},
	xClient:  {Name: "c-ip", Aliases: []string{"client"}},
	xUser:    {Name: "cs-username"},
	xHost:    {Name: "cs-host"},
	xServer:  {Name: "server"},
	xMethod:  {Name: "cs-method"},
	xURI:     {Name: "cs-uri"},
	xStem:    {Name: "cs-uri-stem"},
	xQuery:   {Name: "cs-uri-query"},
	xReferer: {Name: "cs(Referer)"},
	xMessage: {Name: "message"},
}

func errorShape(s server) *event.Shape {
	shape := logsource.Builtin().NewShape(ErrorName, s.variant(), errorFields[:])
	shape.SetRole(event.Host, "cs-host")
	shape.SetRole(event.Client, "c-ip")
	shape.SetRole(event.Account, "cs-username")
	return shape
}

// error appends the event of a line of an error log and reports whether it is one.
func (p *parser) error(line []byte, s *logs.Source, out *event.Batch) bool {
	if len(line) > 24 && line[0] == '[' {
		return p.apacheError(line, s, out)
	}
	if len(line) > 21 && line[4] == '/' && line[7] == '/' {
		return p.nginxError(line, s, out)
	}
	return false
}

// apacheError reads [Sun Jan 30 04:33:18.123456 2005] [core:error] [pid 1:tid 2] [client 192.0.2.1:5] message.
func (p *parser) apacheError(line []byte, s *logs.Source, out *event.Batch) bool {
	end := bytes.IndexByte(line, ']')
	if end < 25 {
		return false
	}
	t := line[1:end] // Sun Jan 30 04:33:18 2005
	if t[3] != ' ' || t[7] != ' ' || t[10] != ' ' {
		return false
	}
	space := bytes.LastIndexByte(t, ' ')
	if space < 19 {
		return false
	}
	month, day, year := timestamp.Month(t[4:7]), decimal(bytes.TrimLeft(t[8:10], " ")), decimal(t[space+1:])
	d, ok := timestamp.Day(year, month, day)
	if !ok {
		return false
	}
	clock, ok := timestamp.Clock(t[11:space])
	if !ok {
		return false
	}
	rest := bytes.TrimLeft(line[end+1:], " ")
	if i := bytes.IndexByte(rest, ']'); i < 1 || rest[0] != '[' || !level(rest[bytes.IndexByte(rest[:i], ':')+1:i]) && !level(rest[1:i]) {
		return false
	}
	e := out.Add(p.shapes.errors[apache])
	e.Time = timestamp.In(d*int64(24*time.Hour)+clock, s.Zone)
	v := e.Values
	for first := true; len(rest) > 0 && rest[0] == '['; first = false {
		end := bytes.IndexByte(rest, ']')
		if end < 0 {
			break
		}
		item := rest[1:end]
		switch {
		case first:
			if i := bytes.IndexByte(item, ':'); i >= 0 {
				if i > 0 {
					set(&v[xModule], item[:i])
				}
				item = item[i+1:]
			}
			set(&v[xLevel], item)
		case bytes.HasPrefix(item, []byte("pid ")):
			item = item[len("pid "):]
			if i := bytes.IndexByte(item, ':'); i >= 0 {
				item = item[:i]
			}
			set(&v[xPID], item)
		case (bytes.HasPrefix(item, []byte("client ")) || bytes.HasPrefix(item, []byte("remote "))) && v[xClient].Kind == event.None:
			if len(item) > len("client ") && item[len("client ")] == '[' { // [client [2001:db8::7]:5]
				if i := bytes.IndexByte(rest[end+1:], ']'); i >= 0 {
					end += i + 1
					item = rest[1:end]
				}
			}
			set(&v[xClient], item[len("client "):])
		case bytes.HasPrefix(item, []byte("client ")), bytes.HasPrefix(item, []byte("remote ")):
			// ModSecurity repeats the client.
		default:
			end = -1
		}
		if end < 0 {
			break
		}
		rest = bytes.TrimLeft(rest[end+1:], " ")
	}
	set(&v[xMessage], rest)
	if i := bytes.Index(rest, []byte(", referer: ")); i >= 0 {
		set(&v[xReferer], rest[i+len(", referer: "):])
	}
	if account, _ := webrequest.RefusedBy(rest); account != nil {
		set(&v[xUser], account)
	}
	return true
}

// level reports whether p is a level of either server.
func level(p []byte) bool {
	switch string(p) {
	case "emerg", "alert", "crit", "error", "warn", "notice", "info", "debug":
		return true
	}
	return len(p) == 6 && string(p[:5]) == "trace" && '1' <= p[5] && p[5] <= '8'
}

var (
	loginFailed = []byte("client login failed: ")
	loggedIn    = []byte("client logged in, ")
)

// nginxError reads 2024/01/02 03:04:05 [error] 123#0: *5 message, client: 192.0.2.1, server: x, request: "GET / HTTP/1.1", host: "x".
func (p *parser) nginxError(line []byte, s *logs.Source, out *event.Batch) bool {
	day, ok := timestamp.DashDate(line[:10])
	if !ok || line[10] != ' ' {
		return false
	}
	clock, ok := timestamp.Clock(line[11:19])
	if !ok || line[19] != ' ' || line[20] != '[' {
		return false
	}
	end := bytes.IndexByte(line, ']')
	if end < 0 || !level(line[21:end]) {
		return false
	}
	e := out.Add(p.shapes.errors[nginx])
	e.Time = timestamp.In(day*int64(24*time.Hour)+clock, s.Zone)
	v := e.Values
	set(&v[xLevel], line[21:end])
	rest := bytes.TrimLeft(line[end+1:], " ")
	if i := bytes.Index(rest, []byte(": ")); i > 0 && i < 24 && isDigit(rest[0]) {
		pid := rest[:i]
		if j := bytes.IndexByte(pid, '#'); j > 0 {
			pid = pid[:j]
		}
		set(&v[xPID], pid)
		rest = rest[i+2:]
		if len(rest) > 1 && rest[0] == '*' {
			_, rest = next(rest)
		}
	}
	set(&v[xMessage], rest)
	// What is appended to the message is looked for from its end: the message may quote what a client sent.
	tail := rest
	if i := bytes.LastIndex(tail, []byte(", client: ")); i >= 0 {
		tail = tail[i:]
	} else {
		tail = nil
	}
	put := func(field int, name string) {
		i := bytes.Index(tail, []byte(name))
		if i < 0 {
			return
		}
		value := tail[i+len(name):]
		if len(value) > 0 && value[0] == '"' {
			value = value[1:]
			if j := bytes.Index(value, []byte("\", ")); j >= 0 {
				value = value[:j]
			} else {
				value = bytes.TrimSuffix(value, []byte("\""))
			}
		} else if j := bytes.Index(value, []byte(", ")); j >= 0 {
			value = value[:j]
		}
		set(&v[field], value)
	}
	put(xClient, ", client: ")
	put(xServer, ", server: ")
	put(xHost, ", host: ")
	put(xReferer, ", referrer: ")
	put(xURI, ", request: ")
	if req := v[xURI].Data; len(req) > 0 {
		if i := bytes.IndexByte(req, ' '); i > 0 && token(req[:i]) {
			var parts [numFields]event.Value
			request(req, parts[:])
			v[xMethod], v[xURI], v[xStem], v[xQuery] = parts[fMethod], parts[fURI], parts[fStem], parts[fQuery]
		}
	}
	if account, _ := webrequest.RefusedBy(rest); account != nil {
		set(&v[xUser], account)
	} else if bytes.HasPrefix(rest, loginFailed) || bytes.HasPrefix(rest, loggedIn) { // the mail proxy
		put(xUser, ", login: ")
	}
	return true
}

// observeError reads a line of an error log: only an account that logged in, or a client that was refused, is more than a message.
func observeError(e *event.Event, obs []logs.Observation) []logs.Observation {
	v := e.Values
	o := logs.Observation{Kind: logs.Login, Account: v[xUser].Data, IP: event.Address(v[xClient].Data), Channel: "web", Bytes: -1, Count: -1}
	o.OK = bytes.HasPrefix(v[xMessage].Data, loggedIn)
	if o.OK || bytes.HasPrefix(v[xMessage].Data, loginFailed) {
		if v[xUser].Kind == event.None {
			return obs
		}
		o.Channel = "smtp"
		server := v[xServer].Data
		switch string(server[bytes.LastIndexByte(server, ':')+1:]) {
		case "143", "993":
			o.Channel = "imap"
		case "110", "995":
			o.Channel = "pop3"
		}
		return append(obs, o)
	}
	switch _, r := webrequest.RefusedBy(v[xMessage].Data); {
	case r == webrequest.Nothing || len(o.IP) == 0:
		return obs
	case r == webrequest.Denied:
		o.Unknown, o.Count = true, 0
	}
	return append(obs, o)
}
