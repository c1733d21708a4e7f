package w3c

import (
	"bytes"
	"strings"
	"sync"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs/logsource"
	"github.com/barid-dfir/barid/internal/logs/timestamp"
)

// Name is the name of the format.
const Name = "iis.w3c"

// maxColumns bounds what a #Fields line can ask for. IIS knows 25 fields.
const maxColumns = 128

// header is what a #Fields line says. It does not change once it is made.
type header struct {
	shape   *event.Shape
	columns int
	kind    []columnKind // of each column

	date, time, stem, query int // columns, -1 if there is none
	uri                     int // slot of the computed cs-uri, -1 if there is none
}

// columnKind is what is known about a column's values, to see whether a line fits.
type columnKind uint8

const (
	free columnKind = iota
	isDate
	isTime
	isMethod
	isStem
	isPort
	isClient
	isStatus
	isCode // sc-substatus, sc-win32-status
)

func kindOf(name string) columnKind {
	switch name {
	case "date":
		return isDate
	case "time":
		return isTime
	case "cs-method":
		return isMethod
	case "cs-uri-stem":
		return isStem
	case "s-port":
		return isPort
	case "c-ip":
		return isClient
	case "sc-status":
		return isStatus
	case "sc-substatus", "sc-win32-status":
		return isCode
	}
	return free
}

// newHeader makes a header of the names that follow "#Fields:"; nil if there are none.
func newHeader(names string) *header {
	columns := strings.Fields(names)
	if len(columns) == 0 || len(columns) > maxColumns {
		return nil
	}
	h := &header{columns: len(columns), date: -1, time: -1, stem: -1, query: -1, uri: -1}
	fields := make([]event.Field, 0, len(columns)+1)
	for i, name := range columns {
		fields = append(fields, event.Field{Name: name})
		h.kind = append(h.kind, kindOf(name))
		switch name {
		case "date":
			h.date = i
		case "time":
			h.time = i
		case "cs-uri-stem":
			h.stem = i
		case "cs-uri-query":
			h.query = i
		}
	}
	if h.stem >= 0 {
		h.uri = len(fields)
		fields = append(fields, event.Field{Name: "cs-uri"})
	}
	h.shape = logsource.Builtin().NewShape(Name, "", fields)
	h.shape.SetRole(event.Host, "s-ip")
	h.shape.SetRole(event.Host, "s-computername")
	h.shape.SetRole(event.Client, "c-ip")
	h.shape.SetRole(event.Account, "cs-username")
	h.shape.SetRole(event.UserAgent, "cs(User-Agent)")
	return h
}

// headers keeps a header for each wording of #Fields in a run.
type headers struct {
	mu sync.Mutex
	m  map[string]*header
}

// maxHeaders bounds what is kept: evidence may be made of nothing but #Fields lines.
const maxHeaders = 1024

func (hs *headers) of(names []byte) *header {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	if h, ok := hs.m[string(names)]; ok {
		return h
	}
	if hs.m == nil || len(hs.m) >= maxHeaders {
		hs.m = make(map[string]*header)
	}
	s := string(names)
	h := newHeader(s)
	hs.m[s] = h
	return h
}

// The layouts that IIS has had when nobody chose another. They serve lines without a #Fields line above them, and
// lines that have another number of values than it.
var usual = []string{
	"date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken", // 8 and later
	"date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status sc-substatus sc-win32-status time-taken",             // 7
	"date time s-sitename s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status sc-substatus sc-win32-status",             // 6
}

// context is what lines above a line say about it.
type context struct {
	header *header // nil before the first #Fields line
	// day is that of the #Date line, for a log whose lines have no date; valid if dated.
	day   int64
	dated bool
}

// directive takes a line that begins with '#' into account.
func (c *context) directive(line []byte, hs *headers) {
	if names, ok := bytes.CutPrefix(line, []byte("#Fields:")); ok {
		c.header = hs.of(bytes.TrimSpace(names))
	} else if date, ok := bytes.CutPrefix(line, []byte("#Date:")); ok {
		date = bytes.TrimSpace(date)
		if len(date) >= 10 {
			c.day, c.dated = timestamp.DashDate(date[:10])
		}
	}
}
