package casefile

import (
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/barid-dfir/barid/internal/event"
)

// findingParser reads lines of findings.jsonl. A line as AppendFinding writes it is read by its known order of fields;
// any other goes to encoding/json.
type findingParser struct {
	f     Finding
	time  time.Time
	last  time.Time
	rules map[string]Rule   // by their JSON
	texts map[string]string // hosts, accounts, paths: few, and they come again
}

// What a parser remembers is bounded: in number, and in the length of a text.
const (
	maxKnown     = 1 << 14
	maxKnownText = 256
)

func newFindingParser() *findingParser {
	return &findingParser{rules: map[string]Rule{}, texts: map[string]string{}}
}

// parse reads a line into p.f.
func (p *findingParser) parse(line []byte) error {
	if p.known(line) {
		return nil
	}
	p.f = Finding{}
	return json.Unmarshal(line, &p.f)
}

func (p *findingParser) known(line []byte) bool {
	p.f = Finding{}
	c := cursor{rest: line, ok: true}
	c.skip(`{"time":`)
	if at := c.value(); string(at) != "null" {
		if p.time.UnmarshalJSON(at) != nil {
			return false
		}
		p.f.Time = &p.time
	}
	if c.have(`,"last":`) {
		if p.last.UnmarshalJSON(c.value()) != nil {
			return false
		}
		p.f.Last = &p.last
	}
	c.skip(`,"rule":`)
	rule := c.value()
	c.skip(`,"host":`)
	p.f.Host = p.text(&c)
	if c.have(`,"account":`) {
		p.f.Account = p.text(&c)
	}
	if c.have(`,"client":`) {
		p.f.Client = p.text(&c)
	}
	if c.have(`,"object":`) {
		p.f.Object = p.text(&c)
	}
	c.skip(`,"source":{"path":`)
	p.f.Source.Path = p.text(&c)
	if c.have(`,"sha256":`) {
		p.f.Source.SHA256 = p.text(&c)
	}
	if c.have(`,"record":`) {
		p.f.Source.Record = c.number()
	}
	if c.have(`,"line":`) {
		p.f.Source.Line = c.number()
	}
	c.skip(`,"offset":`)
	p.f.Source.Offset = c.number()
	c.skip(`},"event":`)
	p.f.Event = c.value()
	if c.have(`,"raw":`) {
		var ok bool
		if p.f.Raw, ok = unquote(c.value()); !ok {
			return false
		}
	}
	if !c.ok || string(c.rest) != "}" || !json.Valid(p.f.Event) {
		return false
	}
	r, ok := p.rules[string(rule)]
	if !ok {
		if json.Unmarshal(rule, &r) != nil {
			return false
		}
		if len(p.rules) < maxKnown {
			p.rules[string(rule)] = r
		}
	}
	p.f.Rule = r
	return true
}

// text reads a string, which may come again.
func (p *findingParser) text(c *cursor) string {
	raw := c.value()
	if s, ok := p.texts[string(raw)]; ok {
		return s
	}
	s, ok := unquote(raw)
	if !ok {
		c.ok = false
		return ""
	}
	if len(p.texts) < maxKnown && len(raw) <= maxKnownText {
		p.texts[string(raw)] = s
	}
	return s
}

// unquote returns the string whose JSON is raw.
func unquote(raw []byte) (s string, ok bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return "", false
	}
	if inner := raw[1 : len(raw)-1]; raw[len(raw)-1] == '"' && isPlain(inner) {
		return string(inner), true
	}
	err := json.Unmarshal(raw, &s)
	return s, err == nil
}

// isPlain reports whether the inside of a JSON string stands for itself.
func isPlain(p []byte) bool {
	for _, b := range p {
		if b < 0x20 || b == '"' || b == '\\' || b >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// cursor goes through a line. Once something is not as expected, ok is false for good.
type cursor struct {
	rest []byte
	ok   bool
}

func (c *cursor) have(want string) bool {
	if len(c.rest) < len(want) || string(c.rest[:len(want)]) != want {
		return false
	}
	c.rest = c.rest[len(want):]
	return true
}

func (c *cursor) skip(want string) {
	if !c.have(want) {
		c.ok = false
	}
}

func (c *cursor) value() []byte {
	n := event.JSONLen(c.rest)
	v := c.rest[:n]
	c.rest = c.rest[n:]
	return v
}

func (c *cursor) number() int64 {
	v := c.value()
	n, err := strconv.ParseInt(string(v), 10, 64)
	if err != nil || len(v) > 1 && (v[0] < '1' || v[0] > '9') { // -1 and 007 are for encoding/json to judge
		c.ok = false
	}
	return n
}
