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
//	192.0.2.1 - - [time] "GET / HTTP/1.0" 200 0 "referer" "agent"
//	|                    |                     |         |
//	whole                request               referer   agent
const (
	whole = iota // what can begin before the request, or go on from one part into the next
	requestPart
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
		requestPart: {Fields: names(fMethod, fURI, fStem, fQuery, fVersion, fStatus, fBytes, fRequest), Marks: webrequest.PathMarks()},
		refererPart: {Fields: names(fReferer)},
		agentPart:   {Fields: names(fAgent, fExtra), Marks: webrequest.AgentMarks()},
	}
}

// notInOnePart reports whether a text can begin before the request of a plain line, or cross from one part to the next. The
// parts begin with a quotation mark after a blank. Before the request there are an address, " - - [", a time and "] ".
func notInOnePart(text string) bool {
	if strings.Contains(text, ` "`) {
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
	if p.sieves == nil || p.sieves[0] != sieves[0] || p.sieves[1] != sieves[1] || p.sieves[2] != sieves[2] || p.sieves[3] != sieves[3] {
		p.sieves = sieves
		p.referers, p.agents = logs.Memo{Sieve: sieves[refererPart]}, logs.Memo{Sieve: sieves[agentPart]}
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
	if n <= 0 || len(line) < n+len(nobody)+44 || string(line[n:n+len(nobody)]) != nobody || !webrequest.Plain(line[:n]) {
		return false
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
	i += 6
	for i < len(request) && request[i] != ' ' && request[i] != '"' {
		i++
	}
	var referer, agent []byte
	if i < len(request) {
		if request[i] != ' ' {
			return false
		}
		i++
		n, ok := quoted(request[i:])
		if !ok {
			return false
		}
		referer, agent = request[i:i+n], request[i+n:]
		if _, ok := quoted(agent); !ok {
			return false
		}
		request = request[:i]
	}
	return (p.sieves[whole] == nil || !p.sieves[whole].Holds(line)) &&
		(p.sieves[requestPart] == nil || !p.sieves[requestPart].Holds(request)) &&
		(p.sieves[refererPart] == nil || len(referer) <= len(`"-" `) || !p.referers.Holds(referer)) &&
		(p.sieves[agentPart] == nil || !p.agents.Holds(agent))
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
	t, ok := clf(stamp)
	if ok {
		copy(p.stamp[:], stamp)
		p.when = t
	}
	return ok
}
