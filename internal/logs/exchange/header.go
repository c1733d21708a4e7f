package exchange

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs/logsource"
)

// maxColumns bounds what a header can ask for; the widest seen has 92 columns.
const maxColumns = 256

// header is what #Fields, #Log-type and the name of the file say together. It does not change once it is made.
type header struct {
	kind    *kind
	name    string // of the format, without protocol
	columns int
	fields  []event.Field
	assumed bool // the names are only the first of the log's columns

	time, protocol, stem, query, status int // columns, -1 if there is none
	data                                int // column of ECP's EventData, -1 if there is none
	uri                                 int // slot of the computed cs-uri, -1 if there is none
	user                                int // slot of the user name of a failed SMTP login, -1 if there is none
	parts                               int // slot of the first of ECP's parts

	fixed  int // index of the protocol that the path names, -1 if none
	shapes [13]atomic.Pointer[event.Shape]
}

// newHeader makes a header of column names. path is a hint.
func newHeader(logType, path string, names []string) *header {
	if len(names) == 0 || len(names) > maxColumns {
		return nil
	}
	h := &header{columns: len(names), time: -1, protocol: -1, stem: -1, query: -1, status: -1, data: -1, uri: -1, user: -1, fixed: -1}
	h.kind = kindOf(logType, path, names)
	switch {
	case h.kind != nil:
		h.name = h.kind.name
	default:
		h.kind = &kind{service: slug(logType)}
		h.name = "exchange." + slug(logType)
	}
	for i, n := range names {
		f := event.Field{Name: n}
		if h.kind.web {
			f.Aliases = webAliases[n]
		}
		h.fields = append(h.fields, f)
		if h.time < 0 && slices.Contains(timeColumns, strings.ToLower(n)) {
			h.time = i
		}
		switch n {
		case "Protocol":
			h.protocol = i
		case "UrlStem", "urlpath":
			h.stem = i
		case "UrlQuery":
			h.query = i
		case "HttpStatus", "httpstatuskode":
			h.status = i
		case "EventData":
			h.data = i
		}
	}
	if h.time < 0 {
		return nil
	}
	if h.kind.web && h.stem >= 0 {
		h.uri = len(h.fields)
		h.fields = append(h.fields, event.Field{Name: "cs-uri", Aliases: []string{"cs-uri-query"}})
		for i, p := range protocols {
			if strings.Contains(path, "httpproxy/"+p+"/") || strings.Contains(path, `httpproxy\`+p+`\`) ||
				strings.Contains(path, "httpproxy_"+p+"_") || strings.Contains(path, p+"_httpproxy") {
				h.fixed = i
			}
		}
	}
	if strings.HasPrefix(h.name, "exchange.ecp.") && h.data >= 0 {
		h.parts = len(h.fields)
		h.fields = append(h.fields, parts...)
	} else {
		h.data = -1
	}
	if h.kind.see == seeSMTP {
		h.user = len(h.fields)
		h.fields = append(h.fields, event.Field{Name: "auth-user"})
	}
	return h
}

// kindOf returns which log it is: by what it says of itself, by its name, by its columns. Nil if unknown.
func kindOf(logType, path string, names []string) *kind {
	if logType != "" {
		for i := range kinds {
			if strings.EqualFold(kinds[i].logType, logType) {
				return &kinds[i]
			}
		}
		// The wording for IMAP and POP is not certain.
		for i := range kinds {
			if k := &kinds[i]; (k.see == seeImap || k.see == seePop) && strings.HasPrefix(strings.ToLower(logType), k.name[len("exchange."):]) {
				return k
			}
		}
	}
	base := path[strings.LastIndexAny(path, `/\!`)+1:]
	for i := range kinds {
		k := &kinds[i]
		if len(k.marks) == 0 || k.path != "" && !k.web && !strings.Contains(base, k.path) {
			continue
		}
		if !slices.ContainsFunc(k.marks, func(m string) bool { return !slices.Contains(names, m) }) {
			return k
		}
	}
	if logType == "" && strings.Contains(path, "httpproxy") {
		return &kinds[0]
	}
	return nil
}

// slug makes a #Log-type part of a name: "Http Request Filtering Logs" is "http-request-filtering".
func slug(logType string) string {
	s := strings.TrimSpace(strings.ToLower(logType))
	for _, end := range []string{" logs", " log"} {
		s = strings.TrimSuffix(s, end)
	}
	s = strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
			return r
		}
		return '-'
	}, s)
	if s = strings.Trim(s, "-"); s == "" {
		return "log"
	}
	return s[:min(len(s), 60)]
}

// shape returns the shape for lines of a protocol; p is an index of protocols, or -1.
func (h *header) shape(p int) *event.Shape {
	slot := &h.shapes[p+1]
	if s := slot.Load(); s != nil {
		return s
	}
	name := h.name
	if p >= 0 {
		name += "." + protocols[p]
	}
	s := logsource.Builtin().NewShape(name, h.kind.service, h.fields)
	for role, names := range h.kind.roles {
		for i := len(names) - 1; i >= 0; i-- {
			s.SetRole(event.Role(role), names[i])
		}
	}
	if !slot.CompareAndSwap(nil, s) {
		return slot.Load()
	}
	return s
}

// protocolOf returns the index of the protocol of a line, or -1.
func (h *header) protocolOf(values []event.Value) int {
	if !h.kind.web {
		return -1
	}
	if h.protocol >= 0 && len(values[h.protocol].Data) > 0 {
		return protocolIndex(values[h.protocol].Data)
	}
	if h.fixed >= 0 || h.stem < 0 {
		return h.fixed
	}
	stem := values[h.stem].Data
	if len(stem) == 0 || stem[0] != '/' {
		return -1
	}
	first := stem[1:]
	if i := bytes.IndexByte(first, '/'); i >= 0 {
		first = first[:i]
	}
	return protocolIndex(first)
}

func protocolIndex(p []byte) int {
	for i, name := range protocols {
		if len(p) == len(name) && bytes.EqualFold(p, []byte(name)) {
			return i
		}
	}
	return -1
}

// headers keeps a header for each wording in a run.
type headers struct {
	mu sync.Mutex
	m  map[key]*header
}

type key struct{ logType, path, names string }

// maxHeaders bounds what is kept: evidence may be made of nothing but headers.
const maxHeaders = 1024

// of returns the header that the names, separated by commas, make. path is a hint.
func (hs *headers) of(logType, path string, names []byte) *header {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	if h, ok := hs.m[key{logType, path, string(names)}]; ok {
		return h
	}
	if hs.m == nil || len(hs.m) >= maxHeaders {
		hs.m = make(map[key]*header)
	}
	var list []string
	for n := range strings.SplitSeq(string(names), ",") {
		list = append(list, strings.Trim(strings.TrimSpace(n), `"`))
	}
	h := newHeader(logType, path, list)
	if h != nil {
		h.assumed = string(names) == httpProxyLayout
	}
	hs.m[key{strings.Clone(logType), path, string(names)}] = h
	return h
}

// hint returns what of a path can say which log it is, in lower case, so that a thousand files share a header.
func hint(path string) string {
	path = strings.ToLower(path)
	if strings.Contains(path, "httpproxy") {
		for _, p := range protocols {
			for _, form := range []string{"httpproxy/" + p + "/", `httpproxy\` + p + `\`, "httpproxy_" + p + "_", p + "_httpproxy"} {
				if strings.Contains(path, form) {
					return form
				}
			}
		}
		return "httpproxy"
	}
	base := path[strings.LastIndexAny(path, `/\!`)+1:]
	for i := range kinds {
		if p := kinds[i].path; p != "" && strings.Contains(base, p) {
			return p
		}
	}
	return ""
}
