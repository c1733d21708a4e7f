package access

import (
	"bytes"
	"strings"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/lines"
	"github.com/barid-dfir/barid/internal/logs/webrequest"
)

// The parts of a line of the most usual form:
//
//	192.0.2.1 - - [time] "GET / HTTP/1.0" 200 2326 "referer" "agent"
//	|                    |                   |     |         |
//	whole                request             bytes referer   agent
const (
	whole = iota // what can begin before the request, or go on from one part into the next
	requestPart
	bytesPart
	refererPart
	agentPart
	numParts
)

func parts() []logs.Part {
	names := func(slots ...int) (names []string) {
		for _, i := range slots {
			names = append(names, fields[i].Name)
		}
		return names
	}
	return []logs.Part{
		whole:       {Fields: names(fHost, fClient, fUser), Can: notInOnePart},
		requestPart: {Fields: names(fMethod, fURI, fStem, fQuery, fVersion, fStatus, fRequest), Marks: webrequest.PathMarks(), Pairs: webrequest.PathPairs()},
		bytesPart:   {Fields: names(fBytes), Can: inBytes},
		refererPart: {Fields: names(fReferer)},
		agentPart:   {Fields: names(fAgent, fExtra), Marks: webrequest.AgentMarks()},
	}
}

// inBytes reports whether a text can begin in the part that is a blank, a number and a blank, and end there.
func inBytes(text string) bool { return strings.Trim(text, "0123456789 -") == "" }

// notInOnePart reports whether a text can begin before the request of a plain line, or cross from one part to the next: the
// bytes begin with a blank after a digit, the other parts with a quotation mark after a blank. Before the request there are
// an address, " - - [", a time and "] ".
func notInOnePart(text string) bool {
	if strings.Contains(text, ` "`) {
		return true
	}
	for i := 1; i+1 < len(text); i++ {
		if text[i] == ' ' && isDigit(text[i-1]) {
			return true
		}
	}
	if text[len(text)-1] == ' ' && strings.Trim(text, "0123456789 ") == "" {
		return true
	}
	letters, beyondF := 0, false // together
	for _, c := range []byte(text) {
		switch {
		case 'a' <= c && c <= 'z':
			letters++
			beyondF = beyondF || c > 'f'
			// An address has no letter beyond f, and the name of a month has three.
			if letters > 3 && beyondF || strings.IndexByte("hikqwxz", c) >= 0 {
				return false
			}
			continue
		case '0' <= c && c <= '9', strings.IndexByte(" .:/+-[]", c) >= 0:
		default:
			return false
		}
		letters, beyondF = 0, false
	}
	return true
}

// Skims implements logs.Skimmer.
func (p *parser) Skims(b *logs.Block) (*event.Shape, []logs.Part) {
	p.begin(b)
	return p.shapes.access[p.server], p.shapes.parts
}

// Skim implements logs.Skimmer.
func (p *parser) Skim(b *logs.Block, sieves []logs.Sieve, out *event.Batch) {
	p.begin(b)
	if len(p.sieves) == 0 || &p.sieves[0] != &sieves[0] {
		p.sieves = sieves
		for i, s := range sieves {
			p.memos[i] = logs.Memo{Sieve: s}
		}
	}
	part, _ := b.State.(lines.Part)
	var e event.Plain
	for s := lines.Scan(b, part, out); s.Next(); {
		if !p.plain(s.Line, &e) {
			p.line(&s, b, out)
			continue
		}
		e.Offset, e.Line = s.Offset, s.Number
		out.Plain = append(out.Plain, e)
	}
}

// What stands between the client and the time of a request of nobody in particular.
const nobody = " - - ["

// plain reads a line of the most usual form, which the general reader would read without a defect, of a request that
// matches no rule and means nothing. It reports false for any other.
func (p *parser) plain(line []byte, e *event.Plain) bool {
	n := bytes.IndexByte(line, ' ')
	// The shortest is: 1 - - [time] "GET / HTTP/1.0" 200 0
	if n <= 0 || len(line) < n+len(nobody)+44 || string(line[n:n+len(nobody)]) != nobody {
		return false
	}
	if string(line[:n]) != string(p.client) {
		if !webrequest.Plain(line[:n]) {
			return false
		}
		p.client = append(p.client[:0], line[:n]...)
	}
	stamp := line[n+len(nobody):]
	if stamp[26] != ']' || stamp[27] != ' ' || stamp[28] != '"' {
		return false
	}
	if string(stamp[:26]) != string(p.stamp[:]) && !p.read(stamp[:26]) {
		return false
	}
	e.Client, e.Time = line[:n:n], p.when
	request := stamp[28:]
	i := 1 + bytes.IndexByte(request[1:], '"')
	if i < 1 || request[1] == '-' || len(request) < i+6 || request[i-1] == '\\' || request[i+1] != ' ' || request[i+5] != ' ' ||
		!isDigit(request[i+2]) || !isDigit(request[i+3]) || !isDigit(request[i+4]) {
		return false
	}
	request, rest := request[:i+5], request[i+5:]
	i = 1
	for i < len(rest) && (isDigit(rest[i]) || rest[i] == '-') {
		i++
	}
	var referer, agent []byte
	bytes := rest
	if i < len(rest) {
		if rest[i] != ' ' {
			return false
		}
		i++
		n, ok := quoted(rest[i:])
		if !ok {
			return false
		}
		bytes, referer, agent = rest[:i], rest[i:i+n], rest[i+n:]
		if _, ok := quoted(agent); !ok {
			return false
		}
	}
	if p.holds(whole, line) || p.remembers(requestPart, request) {
		return false
	}
	if m := &p.memos[requestPart]; m.At >= 0 && !m.Known {
		p.kinds[m.At] = notAsked
	}
	if p.holds(bytesPart, bytes) ||
		len(referer) > len(`"-" `) && p.remembers(refererPart, referer) || p.remembers(agentPart, agent) {
		return false
	}
	e.Answer = p.answer(request, bytes)
	return true
}

// notAsked is the kind of a request of which it is not known yet.
const notAsked event.AnswerKind = 255

// answer returns what a plain line tells of an answer: request is `"GET / HTTP/1.0" 200`, and size ` 2326 `. Of a file by name it tells
// once, as long as the memory for requests that come back has that.
func (p *parser) answer(request, size []byte) event.Answer {
	status := request[len(request)-3:]
	m := &p.memos[requestPart]
	if p.sieves[requestPart] == nil || m.At < 0 {
		return webrequest.Sized(asked(request), status, number(size))
	}
	if p.kinds[m.At] == notAsked {
		a := asked(request)
		p.kinds[m.At] = a.Kind
		return webrequest.Sized(a, status, number(size))
	}
	if kind := p.kinds[m.At]; kind > event.NamedAnswer {
		return webrequest.Sized(event.Answer{Kind: kind}, status, number(size))
	}
	return event.Answer{}
}

// asked returns what a request tells of its answer.
func asked(request []byte) event.Answer {
	status := request[len(request)-3:]
	if status[0] != '2' && string(status) != "304" {
		return event.Answer{}
	}
	line := request[1 : len(request)-5]
	i := 3
	if len(line) < 5 || string(line[:4]) != "GET " { // most are
		i = bytes.IndexByte(line, ' ')
	}
	if i < 1 || i > 24 || !token(line[:i]) || i+1 == len(line) {
		return webrequest.Asked(nil, nil, nil, status)
	}
	method, path := line[:i], line[i+1:]
	var query []byte
	if n := len(path); n > 9 && path[n-9] == ' ' && string(path[n-8:n-3]) == "HTTP/" {
		path = path[:n-9]
	} else if j := bytes.LastIndexByte(path, ' '); j >= 0 && bytes.HasPrefix(path[j+1:], []byte("HTTP/")) {
		path = path[:j]
	}
	if j := bytes.IndexByte(path, '?'); j >= 0 {
		path, query = path[:j], path[j+1:]
	}
	return webrequest.Asked(method, path, query, status)
}

// number takes the blanks off a number, and returns nil for "-".
func number(p []byte) []byte {
	for len(p) > 0 && p[0] == ' ' {
		p = p[1:]
	}
	for len(p) > 0 && p[len(p)-1] == ' ' {
		p = p[:len(p)-1]
	}
	if len(p) == 1 && p[0] == '-' {
		return nil
	}
	return p
}

// holds reports whether something is found in a part of a line.
func (p *parser) holds(part int, text []byte) bool {
	return p.sieves[part] != nil && p.sieves[part].Holds(text)
}

// remembers is holds for a part that comes back in other lines.
func (p *parser) remembers(part int, text []byte) bool {
	return p.sieves[part] != nil && p.memos[part].Holds(text)
}

// quoted returns the length of the quoted value at the start of p, with the blank after it. It reports false where there is
// something else, or where it is not plain that the next quotation mark ends it.
func quoted(p []byte) (n int, ok bool) {
	if len(p) == 0 {
		return 0, true
	}
	if p[0] != '"' {
		return 0, false
	}
	i := 1 + bytes.IndexByte(p[1:], '"')
	switch {
	case i < 1 || p[i-1] == '\\':
		return 0, false
	case i+1 == len(p):
		return i + 1, true
	}
	return i + 2, p[i+1] == ' '
}

// read makes a time as it is written the one that was seen last.
func (p *parser) read(stamp []byte) bool {
	const seconds, zone = 18, 20 // where they begin
	if string(stamp[:seconds]) == string(p.stamp[:seconds]) && string(stamp[zone:26]) == string(p.stamp[zone:]) &&
		isDigit(stamp[seconds]) && isDigit(stamp[seconds+1]) && stamp[seconds] < '6' {
		later := 10*(int64(stamp[seconds])-int64(p.stamp[seconds])) + int64(stamp[seconds+1]) - int64(p.stamp[seconds+1])
		p.when += later * 1e9
		copy(p.stamp[seconds:zone], stamp[seconds:zone])
		return true
	}
	t, ok := clf(stamp)
	if ok {
		copy(p.stamp[:], stamp)
		p.when = t
	}
	return ok
}
