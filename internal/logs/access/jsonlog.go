package access

import (
	"bytes"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/json"
	"github.com/barid-dfir/barid/internal/logs/logsource"
	"github.com/barid-dfir/barid/internal/logs/webrequest"
)

// JSONName is the name of the format of access logs that are JSON.
const JSONName = "web.access.json"

// usualNames are the names that people give the variables of nginx in JSON, and those of Caddy and Traefik, by the field they fill.
// In each list the surest comes first: one record may have several.
var usualNames = [...]struct {
	field int
	names []string
}{
	{fClient, []string{"remote_addr", "remote_ip", "client_ip", "client_address", "clientip", "client", "ip", "request.client_ip", "request.remote_ip", "ClientHost"}},
	{fUser, []string{"remote_user", "user", "ClientUsername", "user_id"}},
	{fMethod, []string{"request_method", "method", "request.method", "RequestMethod"}},
	{fURI, []string{"request_uri", "uri", "url", "request.uri", "RequestPath"}},
	{fStem, []string{"path"}},
	{fQuery, []string{"query_string", "args", "query"}},
	{fVersion, []string{"server_protocol", "http_version", "request.proto", "RequestProtocol", "protocol"}},
	{fStatus, []string{"status", "response_status", "response", "status_code", "DownstreamStatus"}},
	{fBytes, []string{"body_bytes_sent", "bytes_sent", "bytes", "size", "DownstreamContentSize"}},
	{fReferer, []string{"http_referer", "http_referrer", "referer", "referrer", "request_Referer"}},
	{fAgent, []string{"http_user_agent", "user_agent", "agent", "useragent", "request_User-Agent"}},
	{fHost, []string{"host", "http_host", "server_name", "vhost", "request.host", "RequestHost"}},
	{fRequest, []string{"request"}},
}

// usualTimes are the names of the time, the surest first.
var usualTimes = [...]string{"time_iso8601", "@timestamp", "timestamp", "time_local", "time", "msec", "ts", "StartUTC", "date", "datetime"}

// layout is what is built for a sequence of names.
type layout struct {
	shape *event.Shape
	slot  [numFields]int // of each field, -1 if nowhere
	first int            // slot of the first computed field
	time  int            // slot, -1 if nowhere
}

// computed are the fields taken from the request line where the record does not have them.
var computed = [...]int{fMethod, fURI, fStem, fQuery, fVersion}

// newLayout gives the usual names their fields and keeps all others.
func newLayout(r *json.Record, also []byte) layout {
	var l layout
	names := r.Names()
	where := make(map[string]int, len(names))
	list := make([]event.Field, len(names), len(names)+len(computed))
	for i, n := range names {
		list[i].Name = n
		if _, ok := where[n]; !ok {
			where[n] = i
		}
	}
	for i := range l.slot {
		l.slot[i] = -1
	}
	for _, u := range usualNames {
		for _, n := range u.names {
			if i, ok := where[n]; ok {
				if u.field != fRequest {
					list[i] = event.Field{Name: fields[u.field].Name, Aliases: []string{n}}
				}
				l.slot[u.field] = i
				break
			}
		}
	}
	l.first = len(list)
	for _, f := range computed {
		if l.slot[f] < 0 {
			l.slot[f] = len(list)
			list = append(list, fields[f])
		}
	}
	l.time = -1
	for _, n := range usualTimes {
		if i, ok := where[n]; ok {
			l.time = i
			break
		}
	}
	server := unknown
	if len(also) > 0 {
		server = newServer(also[0])
	}
	l.shape = logsource.Builtin().NewShape(JSONName, server.variant(), list)
	l.shape.SetRole(event.Host, "cs-host")
	l.shape.SetRole(event.Client, "c-ip")
	l.shape.SetRole(event.Account, "cs-username")
	l.shape.SetRole(event.UserAgent, "cs(User-Agent)")
	return l
}

func newServer(b byte) server { return min(server(b), numServers-1) }

// requests reports whether records of the layout are requests.
func (l *layout) requests() bool {
	request := l.slot[fRequest] >= 0 || l.slot[fMethod] < l.first && (l.slot[fURI] < l.first || l.slot[fStem] < l.first)
	return request && l.slot[fClient] >= 0 && l.slot[fStatus] >= 0
}

// NewJSON returns the format of access logs that are JSON, for one run of the program.
func NewJSON() logs.Format {
	cache := json.NewCache(newLayout)
	return logs.Format{
		Name: JSONName,
		Sniff: func(s *logs.Source) logs.Certainty {
			if _, ok := json.Sniff(s.Head); !ok {
				return logs.No
			}
			var r json.Record
			// The first record may be cut off by the end of the head: what is there of its names is enough.
			i := bytes.IndexByte(s.Head, '{')
			if i < 0 {
				return logs.No
			}
			r.Scan(s.Head[i:])
			if l := newLayout(&r, nil); len(r.Values) > 0 && l.requests() {
				return logs.Likely
			}
			return logs.No
		},
		Cutter: func(s *logs.Source) logs.Cutter { return json.CutterOf(s) },
		Parser: func() logs.Parser { return &jsonParser{front: cache.Front()} },
	}
}

type jsonParser struct {
	front  *json.Front[layout]
	record json.Record
	source *logs.Source
	server [1]byte
	seen   *event.Shape
	slot   [numFields]int
	text   []byte // of observations
	plain  []byte // texts without the escapes of JSON
}

// Parse implements logs.Parser.
func (p *jsonParser) Parse(b *logs.Block, out *event.Batch) {
	if b.Source != p.source {
		p.source, p.server[0] = b.Source, byte(serverOf(b.Source.Path))
	}
	for w := json.Walk(b, out); w.Next(&p.record); {
		l := p.front.Get(&p.record, p.server[:])
		e := out.Add(l.shape)
		copy(e.Values, p.record.Values)
		for i := range e.Values[:l.first] {
			if v := &e.Values[i]; v.Kind == event.UTF8 && (len(v.Data) == 0 || string(v.Data) == "-") {
				*v = event.Value{Kind: event.Null}
			}
		}
		if l.slot[fRequest] >= 0 {
			compute(e.Values[l.slot[fRequest]], &l, e.Values)
		} else if v := e.Values[l.slot[fURI]]; l.slot[fURI] < l.first {
			split(v, &l, e.Values)
		}
		if l.time >= 0 {
			e.Time = when(e.Values[l.time])
		}
		e.Raw, e.Offset, e.Line, e.Record = w.Raw, w.Offset, w.Line, w.Line
	}
}

// compute sets the computed fields from a request line.
func compute(line event.Value, l *layout, values []event.Value) {
	if line.Kind != event.UTF8 && line.Kind != event.Escape {
		return
	}
	var parts [numFields]event.Value
	request(line.Data, parts[:])
	for _, f := range computed {
		if slot := l.slot[f]; slot >= l.first && parts[f].Kind != event.None {
			if parts[f].Kind == event.UTF8 {
				parts[f].Kind = line.Kind
			}
			values[slot] = parts[f]
		}
	}
}

// split sets the computed fields from the request's target.
func split(uri event.Value, l *layout, values []event.Value) {
	if uri.Kind != event.UTF8 && uri.Kind != event.Escape {
		return
	}
	var parts [numFields]event.Value
	target(uri.Data, parts[:])
	for _, f := range [...]int{fStem, fQuery} {
		if slot := l.slot[f]; slot >= l.first {
			if parts[f].Kind == event.UTF8 {
				parts[f].Kind = uri.Kind
			}
			values[slot] = parts[f]
		}
	}
}

// when reads a time as nginx writes it in any of its variables.
func when(v event.Value) int64 {
	if v.Kind == event.UTF8 && len(v.Data) == 26 && v.Data[2] == '/' {
		if t, ok := clf(v.Data); ok {
			return t
		}
		return event.UnknownTime
	}
	return json.Time(v)
}

// Observe implements logs.Parser.
func (p *jsonParser) Observe(e *event.Event, obs []logs.Observation) []logs.Observation {
	p.look(e.Shape)
	r := webrequest.Request{
		Method: p.at(e, fMethod), Path: p.at(e, fStem), Query: p.at(e, fQuery), Status: p.at(e, fStatus), Account: p.at(e, fUser),
		Client: p.at(e, fClient), UserAgent: p.at(e, fAgent), Bytes: p.at(e, fBytes),
		Host: p.at(e, fHost), Buffer: &p.text,
	}
	return webrequest.Observe(&r, obs)
}

// Answer implements logs.Answerer.
func (p *jsonParser) Answer(e *event.Event) (client []byte, a event.Answer) {
	p.look(e.Shape)
	if len(p.at(e, fUser)) > 0 {
		return nil, a
	}
	method, status := p.at(e, fMethod), p.at(e, fStatus)
	if p.slot[fStatus] < 0 { // anything may have been answered, and Observe says nothing of it
		method, status = nil, []byte("200")
	}
	return p.at(e, fClient), webrequest.Answered(method, p.at(e, fStem), p.at(e, fQuery), status, p.at(e, fBytes))
}

// look turns to an event of a Shape, and finds where things are in it.
func (p *jsonParser) look(shape *event.Shape) {
	p.plain = p.plain[:0]
	if shape == p.seen {
		return
	}
	p.seen = shape
	for i := range p.slot {
		p.slot[i] = shape.Slot(fields[i].Name)
	}
	p.slot[fQuery] = -1
	for _, i := range shape.Slots("cs-uri-query") {
		if shape.Fields()[i].Name == "cs-uri-query" {
			p.slot[fQuery] = i
		}
	}
}

// at returns the text of a field of an event of the Shape that was looked at last, valid until the next call of look; nil where it has none.
func (p *jsonParser) at(e *event.Event, field int) []byte {
	i := p.slot[field]
	if i < 0 {
		return nil
	}
	v := e.Values[i]
	if v.Kind != event.Escape { // a writer may escape what need not be: "\/docs\/a.pdf"
		return v.Data
	}
	n := len(p.plain)
	p.plain = v.AppendText(p.plain)
	return p.plain[n:len(p.plain):len(p.plain)]
}
