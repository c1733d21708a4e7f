package casefile

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"
)

// verdictParser reads verdicts as encoder writes them, by the known order of their fields, their line ends and their indentation. What is
// not exactly so is for encoding/json to read.
//
// Most verdicts differ from the one before in their object and in little else: texts, and lists of reasons, that are the same stand in memory
// once.
type verdictParser struct {
	r      Reached
	cursor textCursor

	before            Reached
	in, owner, settle known

	by       lastList[string]
	channels lastList[ChannelVerdict]
	why      lastList[Reason]
}

// parse reads into p.r a verdict of which text is what follows its first byte, and returns its length without that; 0 if it is not
// as encoder writes it, or encoding/json would not read it as it stands. short says that text ended before that was known.
func (p *verdictParser) parse(text []byte) (n int, short bool) {
	p.cursor = textCursor{rest: text}
	c, r := &p.cursor, &p.r
	*r = Reached{}
	c.skip("\n   \"object\": {\n    \"kind\": ")
	r.Object.Kind = c.word(p.before.Object.Kind)
	c.skip(",\n    \"id\": ")
	r.Object.ID = c.text("")
	c.skip(",\n    \"in\": ")
	r.Object.In = c.again(&p.in)
	if c.have(",\n    \"name\": ") {
		r.Object.Name = c.text(p.before.Object.Name)
	}
	if c.have(",\n    \"owner\": ") {
		r.Object.Owner = c.again(&p.owner)
	}
	if c.have(",\n    \"same_as\": ") {
		r.Object.SameAs = c.text(p.before.Object.SameAs)
	}
	c.skip("\n   },\n   \"verdict\": ")
	r.Verdict = c.word(p.before.Verdict)
	c.skip(",\n   \"exposure\": ")
	r.Exposure = c.word(p.before.Exposure)
	c.skip(",\n   \"levels\": {\n    \"content\": ")
	c.levels(&r.Levels, &p.before.Levels, ",\n    \"")
	c.skip("\n   },\n   \"lower\": ")
	r.Lower = c.number()
	c.skip(",\n   \"upper\": ")
	r.Upper = c.number()
	if c.have(",\n   \"bytes\": ") {
		r.Bytes = c.number()
	}
	if c.have(",\n   \"first\": ") {
		r.First = c.time(p.before.First)
	}
	if c.have(",\n   \"last\": ") {
		r.Last = c.time(p.before.Last)
	}
	c.skip(",\n   \"by\": ")
	r.By = p.by.read(c, (*textCursor).text)
	if c.have(",\n   \"channels\": ") {
		r.Channels = p.channels.read(c, (*textCursor).channel)
	}
	c.skip(",\n   \"why\": ")
	r.Why = p.why.read(c, (*textCursor).reason)
	c.skip(",\n   \"settle\": ")
	r.Settle = c.again(&p.settle)
	c.skip("\n  }")
	if c.failed {
		return 0, c.short
	}
	p.before = *r
	return len(text) - len(c.rest), false
}

// lastList is a list as it was read last, and how it stood.
type lastList[T any] struct {
	list []T
	text []byte
}

// read reads a list, which is likely to be the last one again; item reads one of it, given that which stood in its place.
func (l *lastList[T]) read(c *textCursor, item func(c *textCursor, before T) T) []T {
	if len(l.text) > 0 && bytes.HasPrefix(c.rest, l.text) {
		c.rest = c.rest[len(l.text):]
		return l.list
	}
	list, text := []T{}, c.rest
	c.list("\n   ", func() {
		var before T
		if i := len(list); i < len(l.list) {
			before = l.list[i]
		}
		list = append(list, item(c, before))
	})
	l.text = l.text[:0]
	if !c.failed {
		l.list, l.text = list, append(l.text, text[:len(text)-len(c.rest)]...)
	}
	return list
}

func (c *textCursor) channel(before ChannelVerdict) (v ChannelVerdict) {
	c.skip("{\n     \"channel\": ")
	v.Channel = c.text(before.Channel)
	c.skip(",\n     \"content\": ")
	c.levels(&v.Levels, &before.Levels, ",\n     \"")
	c.skip(",\n     \"why\": ")
	v.Why = c.text(before.Why)
	c.skip("\n    }")
	return v
}

func (c *textCursor) reason(before Reason) (v Reason) {
	c.skip("{\n     \"rule\": ")
	v.Rule = c.text(before.Rule)
	c.skip(",\n     \"text\": ")
	v.Text = c.text(before.Text)
	c.skip(",\n     \"evidence\": ")
	v.Evidence = c.proofs(before.Evidence, "\n     ")
	c.skip("\n    }")
	return v
}

// textCursor goes through indented JSON. Once something is not as expected, failed is true for good; short, if the text ended there.
type textCursor struct {
	rest          []byte
	failed, short bool
}

func (c *textCursor) have(want string) bool {
	if len(c.rest) < len(want) {
		c.short = true // and if it is not missed here, it is where the text ends
		return false
	}
	if string(c.rest[:len(want)]) != want {
		return false
	}
	c.rest = c.rest[len(want):]
	return true
}

func (c *textCursor) skip(want string) {
	if !c.failed && !c.have(want) {
		c.failed = true
	}
}

// levels reads the three of them, which sep parts, after the key of the first.
func (c *textCursor) levels(l, before *Levels, sep string) {
	l.Content = c.word(before.Content)
	c.skip(sep)
	c.skip("partial\": ")
	l.Partial = c.word(before.Partial)
	c.skip(sep)
	c.skip("metadata\": ")
	l.Metadata = c.word(before.Metadata)
}

// list reads a list whose end stands at an indentation, and calls item at the beginning of each item.
func (c *textCursor) list(indent string, item func()) {
	if c.have("[]") {
		return
	}
	c.skip("[")
	for {
		c.skip(indent)
		c.skip(" ")
		if c.failed {
			return
		}
		item()
		if c.have(",") {
			continue
		}
		c.skip(indent)
		c.skip("]")
		return
	}
}

func (c *textCursor) proofs(before []Proof, indent string) []Proof {
	list := []Proof{}
	c.list(indent, func() {
		var v, old Proof
		if i := len(list); i < len(before) {
			old = before[i]
		} else if i > 0 {
			old = list[i-1]
		}
		c.skip("{\n       \"source\": ")
		v.Source = c.text(old.Source)
		if c.have(",\n       \"time\": ") {
			v.Time = c.time(old.Time)
		}
		if c.have(",\n       \"line\": ") {
			v.Line = c.number()
		}
		if c.have(",\n       \"record\": ") {
			v.Record = c.number()
		}
		c.skip(",\n       \"offset\": ")
		v.Offset = c.number()
		c.skip("\n      }")
		list = append(list, v)
	})
	return list
}

// quoted returns the inside of a string, and whether it stands for itself.
func (c *textCursor) quoted() (inside []byte, plain bool) {
	if c.skip(`"`); c.failed {
		return nil, false
	}
	plain = true
	for i := 0; i < len(c.rest); i++ {
		switch b := c.rest[i]; {
		case b == '"':
			inside, c.rest = c.rest[:i], c.rest[i+1:]
			return inside, plain
		case b == '\\':
			plain = false
			i++
		case b < ' ' || b >= utf8.RuneSelf:
			plain = false
		}
	}
	c.failed, c.short = true, true
	return nil, false
}

// text reads a string, which may be the same as one before.
func (c *textCursor) text(before string) string {
	began := c.rest
	inside, plain := c.quoted()
	switch {
	case c.failed:
		return ""
	case plain && string(inside) == before:
		return before
	case plain:
		return string(inside)
	}
	var s string
	if json.Unmarshal(began[:len(inside)+2], &s) != nil {
		c.failed = true
	}
	return s
}

// known is a string as it was read last, and how it stood.
type known struct {
	text  []byte
	value string
}

// again reads a string that is likely to be a known one.
func (c *textCursor) again(k *known) string {
	if len(k.text) > 0 && bytes.HasPrefix(c.rest, k.text) {
		c.rest = c.rest[len(k.text):]
		return k.value
	}
	began := c.rest
	s := c.text("")
	if !c.failed {
		k.text, k.value = append(k.text[:0], began[:len(began)-len(c.rest)]...), s
	}
	return s
}

// word reads a string of which there are few.
func (c *textCursor) word(before string) string {
	for _, w := range [...]string{before, Possible, Confirmed, RuledOut, "message", "content", "none", "partial", "metadata", "mailbox", "folder", "file"} {
		if n := len(w); len(c.rest) > n+1 && c.rest[0] == '"' && c.rest[n+1] == '"' && string(c.rest[1:n+1]) == w && isPlain(c.rest[1:n+1]) {
			c.rest = c.rest[n+2:]
			return w
		}
	}
	return c.text("")
}

// number reads a whole number.
func (c *textCursor) number() int64 {
	n := 0
	for n < len(c.rest) && (c.rest[n] == '-' || '0' <= c.rest[n] && c.rest[n] <= '9') {
		n++
	}
	digits := c.rest[:n]
	if n > 0 && digits[0] == '-' {
		digits = digits[1:]
	}
	v, err := strconv.ParseInt(string(c.rest[:n]), 10, 64)
	if err != nil || digits[0] == '0' && n > 1 { // 007 and -0
		c.failed, c.short = true, c.short || n == len(c.rest)
		return 0
	}
	c.rest = c.rest[n:]
	return v
}

// time reads one, which may be the same as one before.
func (c *textCursor) time(before *time.Time) *time.Time {
	began := c.rest
	inside, _ := c.quoted()
	if c.failed {
		return nil
	}
	var t time.Time
	if t.UnmarshalJSON(began[:len(inside)+2]) != nil {
		c.failed = true
		return nil
	}
	if before != nil && t.Equal(*before) && t.Location() == before.Location() {
		return before
	}
	return &t
}
