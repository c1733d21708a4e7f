// Package access reads the logs of nginx and Apache httpd: access logs in the common, combined and vhost-combined formats with whatever
// follows them, error logs of both, and access logs that are JSON lines.
//
// Formats: "Log Files" and mod_log_config in the documentation of Apache httpd 2.4, ngx_http_log_module and
// ngx_core_module (error_log) in that of nginx.
//
// Fields have the names of the W3C format, so that rules for web servers find them. Values are as logged, with the
// escapes of the server that wrote them. "-" is null. An access log says its zone; an error log does not, and is read in
// the zone of its source.
package access

import (
	"bytes"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/lines"
	"github.com/barid-dfir/barid/internal/logs/logsource"
	"github.com/barid-dfir/barid/internal/logs/timestamp"
)

// The names of the formats. New reads lines of both Name and ErrorName, also where they are mixed.
const (
	Name      = "web.access"
	ErrorName = "web.error"
)

// The fields of a line of an access log, in the order of its Shape.
const (
	fHost = iota
	fClient
	fUser
	fMethod
	fURI
	fStem
	fQuery
	fVersion
	fStatus
	fBytes
	fReferer
	fAgent
	fRequest
	fExtra
	numFields
)

var fields = [numFields]event.Field{
	fHost:    {Name: "cs-host"},
	fClient:  {Name: "c-ip"},
	fUser:    {Name: "cs-username"},
	fMethod:  {Name: "cs-method", Before: `"`, After: " "},
	fURI:     {Name: "cs-uri"},
	fStem:    {Name: "cs-uri-stem"},
	fQuery:   {Name: "cs-uri-query"},
	fVersion: {Name: "cs-version"},
	fStatus:  {Name: "sc-status", Before: `" `},
	fBytes:   {Name: "sc-bytes"},
	fReferer: {Name: "cs(Referer)"},
	fAgent:   {Name: "cs(User-Agent)"},
	fRequest: {Name: "request", Before: `"`}, // one that is not "METHOD target HTTP/version"
	fExtra:   {Name: "extra"},                // what a server's own format adds
}

// server is which program wrote a log.
type server uint8

const (
	unknown server = iota
	nginx
	apache
	numServers
)

// serverOf goes by the path.
func serverOf(path string) server {
	p := strings.ToLower(path)
	switch {
	case strings.Contains(p, "nginx"):
		return nginx
	case strings.Contains(p, "apache"), strings.Contains(p, "httpd"):
		return apache
	}
	return unknown
}

// variant is what content/fields/logs.yml calls the server.
func (s server) variant() string {
	switch s {
	case nginx:
		return "nginx"
	case apache:
		return "apache"
	}
	return "other"
}

// shapes are those of a run.
type shapes struct {
	access [numServers]*event.Shape
	errors [numServers]*event.Shape
	parts  []logs.Part
}

func newShapes() *shapes {
	s := &shapes{parts: parts()}
	for i := range numServers {
		a := logsource.Builtin().NewShape(Name, i.variant(), fields[:])
		a.SetRole(event.Host, "cs-host")
		a.SetRole(event.Client, "c-ip")
		a.SetRole(event.Account, "cs-username")
		a.SetRole(event.UserAgent, "cs(User-Agent)")
		s.access[i] = a
		s.errors[i] = errorShape(i)
	}
	return s
}

// New returns the format of access and error logs that are text, for one run of the program.
func New() logs.Format {
	shapes := newShapes()
	newParser := func() *parser { return &parser{shapes: shapes} }
	return logs.Format{
		Name:     Name,
		Sniff:    func(s *logs.Source) logs.Certainty { sure, _ := sniff(s, newParser()); return sure },
		Cutter:   func(*logs.Source) logs.Cutter { return new(lines.Cutter) },
		Parser:   func() logs.Parser { return newParser() },
		Refine:   func(s *logs.Source) string { _, name := sniff(s, newParser()); return name },
		Zoneless: func(s *logs.Source) bool { _, name := sniff(s, newParser()); return name == ErrorName },
	}
}

// sniff reads the first lines.
func sniff(s *logs.Source, p *parser) (logs.Certainty, string) {
	b := &logs.Block{Source: s, Data: s.Head, Line: 1, First: true}
	out := new(event.Batch)
	access, errs, other := 0, 0, 0
	for l := lines.Scan(b, lines.Part{}, out); l.Next() && access+errs+other < 20; {
		out.Reset()
		switch {
		case comment(l.Line):
		case p.access(l.Line, p.shapes.access[unknown], out) == "":
			access++
		case p.error(l.Line, s, out):
			errs++
		default:
			other++
		}
	}
	name := Name
	if errs > access {
		name = ErrorName
	}
	switch good := access + errs; {
	case good > 2*other:
		return logs.Likely, name
	case good > 0:
		return logs.Possible, name
	}
	return logs.No, name
}

// comment reports whether a line is one that a person put into a log.
func comment(line []byte) bool { return line[0] == '#' && (len(line) == 1 || line[1] == ' ') }

type parser struct {
	shapes *shapes
	source *logs.Source
	server server

	stamp [26]byte // the last time seen, as written, and what it is
	when  int64

	client []byte       // the last one of whom webrequest.Plain was true
	sieves []logs.Sieve // by part
	memos  [numParts]logs.Memo
	// kinds are what requests that memos hold tell of answers.
	kinds [logs.MemoSize]event.AnswerKind
	text  []byte // of observations
}

// Parse implements logs.Parser.
func (p *parser) Parse(b *logs.Block, out *event.Batch) {
	p.begin(b)
	part, _ := b.State.(lines.Part)
	for s := lines.Scan(b, part, out); s.Next(); {
		p.line(&s, b, out)
	}
}

// begin takes note of where a block is from.
func (p *parser) begin(b *logs.Block) {
	if b.Source != p.source {
		p.source, p.server = b.Source, serverOf(b.Source.Path)
	}
}

// line reads the line at which s is.
func (p *parser) line(s *lines.Scanner, b *logs.Block, out *event.Batch) {
	if comment(s.Line) {
		return
	}
	n := len(out.Events)
	reason := p.access(s.Line, p.shapes.access[p.server], out)
	if reason != "" && len(out.Events) == n && p.error(s.Line, b.Source, out) {
		reason = ""
	}
	if reason != "" {
		s.Defect(reason)
	}
	if len(out.Events) > n {
		e := &out.Events[n]
		e.Raw, e.Offset, e.Line, e.Record = s.Line, s.Offset, s.Number, s.Number
	}
}

// access appends the event of a line of an access log. It returns what is wrong with the line, and appends nothing if it
// does not even have a time.
func (p *parser) access(line []byte, shape *event.Shape, out *event.Batch) string {
	// Some exports put each line in quotation marks.
	if n := len(line); n > 3 && line[0] == '"' && line[n-1] == '"' && line[n-2] == '"' {
		line = line[1 : n-1]
	}
	open, end, when := p.time(line)
	if open < 0 {
		return "no line of an access or error log: no time in brackets"
	}
	rest := line[end:]
	if len(rest) < 2 || rest[0] != ' ' || rest[1] != '"' {
		return "no line of an access or error log: no request after the time"
	}
	rest = rest[2:]
	e := out.Add(shape)
	e.Time = when
	v := e.Values
	who(line[:open], v)
	if len(rest) > 3 && rest[0] == '-' && rest[1] == '"' && rest[2] == ' ' && rest[3] == '"' {
		rest = rest[4:] // an empty value of a server's own format
	}
	n := requestEnd(rest)
	if n < 0 {
		request(rest, v)
		return "the request does not end"
	}
	request(rest[:n:n], v)
	rest = rest[n+1:]

	// " 200 2326"
	if len(rest) < 4 || rest[0] != ' ' {
		return "no status after the request"
	}
	rest = rest[1:]
	word, rest := next(rest)
	set(&v[fStatus], word)
	word, rest = next(rest)
	if len(word) > 0 {
		set(&v[fBytes], word)
	}
	if len(rest) == 0 {
		return ""
	}
	if rest[0] != '"' {
		// A server's own format has more numbers before the quoted values.
		i := bytes.IndexByte(rest, '"')
		if i < 1 || rest[i-1] != ' ' {
			set(&v[fExtra], rest)
			return ""
		}
		set(&v[fExtra], rest[:i-1:i-1])
		rest = rest[i:]
	}
	for _, field := range [...]int{fReferer, fAgent} {
		if len(rest) == 0 || rest[0] != '"' {
			break
		}
		rest = rest[1:]
		n := closing(rest)
		if n < 0 {
			set(&v[field], rest)
			return "a quoted value that does not end"
		}
		set(&v[field], rest[:n:n])
		if rest = rest[n+1:]; len(rest) > 0 {
			rest = rest[1:]
		}
	}
	if len(rest) > 0 {
		set(&v[fExtra], rest)
	}
	return ""
}

// set makes p the value; "-" and nothing are null.
func set(v *event.Value, p []byte) {
	if len(p) == 0 || len(p) == 1 && p[0] == '-' {
		v.Data, v.Kind = nil, event.Null
		return
	}
	v.Data, v.Kind = p[:len(p):len(p)], event.UTF8
}

// next returns the word at the start of p and what follows the blank after it.
func next(p []byte) (word, rest []byte) {
	i := bytes.IndexByte(p, ' ')
	if i < 0 {
		return p, nil
	}
	return p[:i:i], p[i+1:]
}

// time finds the time in brackets, and returns where its bracket is, where the time's end is and the time. open is -1 if
// there is none.
func (p *parser) time(line []byte) (open, end int, when int64) {
	for pos := 0; ; {
		i := bytes.IndexByte(line[pos:], '[')
		if i < 0 {
			return -1, 0, 0
		}
		pos += i + 1
		rest := line[pos:]
		if len(rest) > 26 && rest[26] == ']' {
			if string(rest[:26]) == string(p.stamp[:]) {
				return pos - 1, pos + 27, p.when
			}
			if p.read(rest[:26]) {
				return pos - 1, pos + 27, p.when
			}
		}
		if len(rest) > 19 && rest[4] == '-' {
			if j := bytes.IndexByte(rest[:min(len(rest), 40)], ']'); j > 0 {
				if t, ok := timestamp.RFC3339(rest[:j], time.UTC); ok {
					return pos - 1, pos + j + 1, t
				}
			}
		}
	}
}

// clf reads a time of the common log format: 10/Oct/2000:13:55:36 -0700.
func clf(p []byte) (int64, bool) {
	if p[2] != '/' || p[6] != '/' || p[11] != ':' || p[20] != ' ' {
		return 0, false
	}
	day, year := decimal(p[:2]), decimal(p[7:11])
	d, ok := timestamp.Day(year, timestamp.Month(p[3:6]), day)
	if !ok {
		return 0, false
	}
	clock, ok := timestamp.Clock(p[12:20])
	if !ok {
		return 0, false
	}
	offset, ok := timestamp.Offset(p[21:26])
	return d*int64(24*time.Hour) + clock - offset, ok
}

// decimal reads digits; -1 if p has anything else.
func decimal(p []byte) int {
	n := 0
	for _, c := range p {
		if c < '0' || c > '9' {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	return n
}

// who sets client, user and host from what stands before the time: "client ident user ", with the virtual host in front
// in some formats. User names may have blanks.
func who(p []byte, v []event.Value) {
	for len(p) > 0 && p[len(p)-1] == ' ' {
		p = p[:len(p)-1]
	}
	for len(p) > 0 && p[0] == ' ' {
		p = p[1:]
	}
	p = carried(p)
	first, rest := next(p)
	second, user := next(rest)
	if i := bytes.IndexByte(user, ' '); i >= 0 {
		// Four words or more. The second is an address where the first is the host; else it is the ident, nearly always "-".
		third, last := next(user)
		if address(second) || string(second) != "-" && string(third) == "-" {
			host := first
			if i := bytes.LastIndexByte(host, ':'); i > 0 && decimal(host[i+1:]) >= 0 {
				host = host[:i]
			}
			set(&v[fHost], host)
			first, user = second, last
			// One more word between ident and user, such as the identifier of the request, and no user.
			if bytes.HasSuffix(user, []byte(" -")) {
				user = user[len(user)-1:]
			}
		}
	}
	set(&v[fClient], first)
	if user == nil && string(second) != "-" && len(second) > 0 {
		user = second // no ident at all
	}
	set(&v[fUser], user)
}

// carried takes off what syslog or a container runtime puts in front of a line:
// "May  6 09:00:01 host nginx[1]: " or "2024-05-06T09:00:01Z stdout F ".
func carried(p []byte) []byte {
	switch {
	case len(p) > 20 && p[3] == ' ' && p[9] == ':' && timestamp.Month(p) > 0:
	case len(p) > 20 && p[4] == '-' && p[10] == 'T':
		for _, stream := range [...]string{" stdout F ", " stderr F ", " stdout P ", " stderr P "} {
			if i := bytes.Index(p, []byte(stream)); i > 0 {
				return p[i+len(stream):]
			}
		}
	default:
		return p
	}
	if i := bytes.Index(p, []byte(": ")); i > 0 {
		return p[i+2:]
	}
	return p
}

// address reports whether p could be an address: hexadecimal digits with dots or colons.
func address(p []byte) bool {
	marks := 0
	for _, c := range p {
		switch {
		case c == '.' || c == ':':
			marks++
		case c == '%':
			return marks > 1
		case (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f'):
			return false
		}
	}
	return marks > 1
}

// requestEnd returns where the quotation mark is that ends the request at the start of p, or -1. It is the first that is not
// escaped and has a status after it: servers without escapes let a client write quotation marks.
func requestEnd(p []byte) int {
	fallback := -1
	for i := 0; ; i++ {
		j := bytes.IndexByte(p[i:], '"')
		if j < 0 {
			return fallback
		}
		i += j
		if i+4 < len(p) && p[i+1] == ' ' && (isDigit(p[i+2]) && isDigit(p[i+3]) && isDigit(p[i+4]) || p[i+2] == '-' && p[i+3] == ' ') {
			if !escaped(p, i) {
				return i
			}
			if fallback < 0 {
				fallback = i
			}
		}
	}
}

// closing returns where the quotation mark is that ends the quoted value at the start of p, or -1.
func closing(p []byte) int {
	fallback := -1
	for i := 0; ; i++ {
		j := bytes.IndexByte(p[i:], '"')
		if j < 0 {
			return fallback
		}
		i += j
		if i+1 == len(p) || p[i+1] == ' ' {
			if !escaped(p, i) {
				return i
			}
			if fallback < 0 {
				fallback = i
			}
		}
	}
}

// escaped reports whether the byte at i has an odd number of backslashes before it.
func escaped(p []byte, i int) bool {
	n := i
	for n > 0 && p[n-1] == '\\' {
		n--
	}
	return (i-n)%2 == 1
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// request sets what a request line says; one that is none is kept whole.
func request(p []byte, v []event.Value) {
	if len(p) == 0 || len(p) == 1 && p[0] == '-' {
		v[fRequest].Kind = event.Null
		return
	}
	i := bytes.IndexByte(p, ' ')
	if i < 1 || i > 24 || !token(p[:i]) || i+1 == len(p) {
		set(&v[fRequest], p)
		return
	}
	set(&v[fMethod], p[:i])
	target(p[i+1:], v)
}

// target sets what follows the method.
func target(uri []byte, v []event.Value) {
	if n := len(uri); n > 9 && uri[n-9] == ' ' && string(uri[n-8:n-3]) == "HTTP/" {
		set(&v[fVersion], uri[n-8:])
		uri = uri[:n-9]
	} else if i := bytes.LastIndexByte(uri, ' '); i >= 0 && bytes.HasPrefix(uri[i+1:], []byte("HTTP/")) {
		set(&v[fVersion], uri[i+1:])
		uri = uri[:i]
	}
	set(&v[fURI], uri)
	if i := bytes.IndexByte(uri, '?'); i >= 0 {
		set(&v[fStem], uri[:i])
		set(&v[fQuery], uri[i+1:])
		return
	}
	set(&v[fStem], uri)
	v[fQuery].Kind = event.Null
}

// token reports whether p could be a method: letters, '-' and '_'.
func token(p []byte) bool {
	for _, c := range p {
		if (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}
