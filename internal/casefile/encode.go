package casefile

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"strconv"
	"time"
)

// Encode returns c as case.json: indented, fields in their order, hidden characters escaped, nil lists as empty ones.
func Encode(c *Case) ([]byte, error) {
	var buf bytes.Buffer
	if err := encode(&buf, c); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// The lists that may be long, as encode finds their places. A line break in a text is escaped.
const (
	noSessions = "\n \"sessions\": []"
	noReached  = "\n \"reached\": []"
)

// EncodeTo writes what Encode returns for the case with these verdicts in the place of its own.
func EncodeTo(w io.Writer, c *Case, verdicts iter.Seq2[*Reached, error]) error {
	return encodeWith(w, c, verdicts)
}

func encode(w io.Writer, c *Case) error {
	return encodeWith(w, c, func(yield func(*Reached, error) bool) {
		for i := range c.Reached {
			if !yield(&c.Reached[i], nil) {
				return
			}
		}
	})
}

// encodeWith writes a case. Sessions and what was reached may be millions, so they are not put together first.
func encodeWith(w io.Writer, c *Case, verdicts iter.Seq2[*Reached, error]) error {
	short := *c
	short.Sessions, short.Reached = nil, nil
	rest, err := encodeValue(withLists(&short))
	if err != nil {
		return err
	}
	e := encoder{w: w, depth: 1}
	upTo := func(mark string) bool {
		i := bytes.Index(rest, []byte(mark))
		if i < 0 {
			return false
		}
		i += len(mark) - len("[]")
		e.b = append(e.b, rest[:i]...)
		rest = rest[i+len("[]"):]
		return true
	}
	if !upTo(noSessions) {
		return errors.New("casefile: no place for sessions")
	}
	e.open('[')
	for i := range c.Sessions {
		e.item()
		e.session(&c.Sessions[i])
	}
	e.close(']')
	if !upTo(noReached) {
		return errors.New("casefile: no place for what was reached")
	}
	e.open('[')
	for r, err := range verdicts {
		if e.fail(err); e.err != nil {
			return e.err
		}
		e.item()
		e.reached(r)
	}
	e.close(']')
	e.b = append(e.b, rest...)
	e.flush()
	return e.err
}

// encodeValue returns a value as it stands in case.json, and a line end.
func encodeValue(v any) ([]byte, error) { return EncodeValue(v, " ") }

// EncodeValue returns a value as JSON and a line end. What a reader would not see is escaped, and bytes that are no UTF-8 are U+FFFD. It stands
// on one line where indent is "". The slice is the caller's.
func EncodeValue(v any, indent string) ([]byte, error) {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return appendSafe(make([]byte, 0, buf.Len()+buf.Len()/64), buf.Bytes(), false), nil
}

// encoder writes indented JSON, the same that encodeValue does. After an error it writes nothing more.
type encoder struct {
	w     io.Writer
	b     []byte // not written yet
	err   error
	depth int
	empty bool // nothing stands in what was opened last

	// The lists that were written last, and how they read: many entries have them in common.
	why written[Reason]
	by  written[string]
}

// written is a list in memory and how it reads.
type written[T any] struct {
	list []T
	text []byte
}

// of reports whether it is that list, with something in it.
func (w *written[T]) of(list []T) bool {
	return len(list) > 0 && len(list) == len(w.list) && &list[0] == &w.list[0]
}

func (w *written[T]) keep(list []T, text []byte) { w.list, w.text = list, append(w.text[:0], text...) }

const encoderBuffer = 64 << 10

func (e *encoder) flush() {
	if e.err == nil {
		_, e.err = e.w.Write(e.b)
	}
	e.b = e.b[:0]
}

func (e *encoder) fail(err error) {
	if e.err == nil {
		e.err = err
	}
}

func (e *encoder) open(c byte) {
	e.b = append(e.b, c)
	e.depth++
	e.empty = true
}

func (e *encoder) close(c byte) {
	e.depth--
	if !e.empty {
		e.line()
	}
	e.b = append(e.b, c)
	e.empty = false
}

func (e *encoder) line() {
	e.b = append(e.b, '\n')
	for range e.depth {
		e.b = append(e.b, ' ')
	}
}

// item begins an item of a list, or a field.
func (e *encoder) item() {
	if !e.empty {
		e.b = append(e.b, ',')
	}
	e.empty = false
	if len(e.b) > encoderBuffer && e.depth <= 2 {
		e.flush()
	}
	e.line()
}

// key begins a field.
func (e *encoder) key(name string) {
	e.item()
	e.b = append(e.b, '"')
	e.b = append(e.b, name...)
	e.b = append(e.b, `": `...)
}

func (e *encoder) string(s string) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			p, err := encodeValue(s)
			if err != nil {
				e.fail(err)
				return
			}
			e.b = append(e.b, bytes.TrimSuffix(p, []byte("\n"))...)
			return
		}
	}
	e.b = append(e.b, '"')
	e.b = append(e.b, s...)
	e.b = append(e.b, '"')
}

func (e *encoder) text(name, s string) {
	e.key(name)
	e.string(s)
}

func (e *encoder) textUnlessEmpty(name, s string) {
	if s != "" {
		e.text(name, s)
	}
}

func (e *encoder) number(name string, n int64) {
	e.key(name)
	e.b = strconv.AppendInt(e.b, n, 10)
}

func (e *encoder) numberUnlessZero(name string, n int64) {
	if n != 0 {
		e.number(name, n)
	}
}

func (e *encoder) time(name string, t time.Time) {
	e.key(name)
	e.b = append(e.b, '"')
	b, err := t.AppendText(e.b)
	if err != nil {
		e.fail(err)
		return
	}
	e.b = append(b, '"')
}

func (e *encoder) timeUnlessNil(name string, t *time.Time) {
	if t != nil {
		e.time(name, *t)
	}
}

func (e *encoder) texts(name string, list []string) {
	e.key(name)
	e.list(list)
}

func (e *encoder) list(list []string) {
	e.open('[')
	for _, s := range list {
		e.item()
		e.string(s)
	}
	e.close(']')
}

func (e *encoder) textsUnlessEmpty(name string, list []string) {
	if len(list) > 0 {
		e.texts(name, list)
	}
}

func (e *encoder) session(s *Session) {
	e.open('{')
	e.text("id", s.ID)
	e.text("attribution", s.Attribution)
	e.texts("accounts", s.Accounts)
	e.texts("ips", s.IPs)
	if !s.First.IsZero() {
		e.time("first", s.First)
	}
	if !s.Last.IsZero() {
		e.time("last", s.Last)
	}
	e.texts("why", s.Why)
	e.textUnlessEmpty("key", s.Key)
	e.textsUnlessEmpty("channels", s.Channels)
	e.textsUnlessEmpty("agents", s.Agents)
	e.textsUnlessEmpty("devices", s.Devices)
	e.numberUnlessZero("acts", s.Acts)
	if len(s.Evidence) > 0 {
		e.proofs("evidence", s.Evidence)
	}
	e.close('}')
}

func (e *encoder) proofs(name string, list []Proof) {
	e.key(name)
	e.open('[')
	for i := range list {
		p := &list[i]
		e.item()
		e.open('{')
		e.text("source", p.Source)
		e.timeUnlessNil("time", p.Time)
		e.numberUnlessZero("line", p.Line)
		e.numberUnlessZero("record", p.Record)
		e.number("offset", p.Offset)
		e.close('}')
	}
	e.close(']')
}

func (e *encoder) levels(l *Levels) {
	e.text("content", l.Content)
	e.text("partial", l.Partial)
	e.text("metadata", l.Metadata)
}

func (e *encoder) reached(r *Reached) {
	e.open('{')
	e.key("object")
	e.open('{')
	e.text("kind", r.Object.Kind)
	e.text("id", r.Object.ID)
	e.text("in", r.Object.In)
	e.textUnlessEmpty("name", r.Object.Name)
	e.textUnlessEmpty("owner", r.Object.Owner)
	e.textUnlessEmpty("same_as", r.Object.SameAs)
	e.close('}')
	e.text("verdict", r.Verdict)
	e.text("exposure", r.Exposure)
	e.key("levels")
	e.open('{')
	e.levels(&r.Levels)
	e.close('}')
	e.number("lower", r.Lower)
	e.number("upper", r.Upper)
	e.numberUnlessZero("bytes", r.Bytes)
	e.timeUnlessNil("first", r.First)
	e.timeUnlessNil("last", r.Last)
	e.sessions(r.By)
	if len(r.Channels) > 0 {
		e.key("channels")
		e.open('[')
		for i := range r.Channels {
			v := &r.Channels[i]
			e.item()
			e.open('{')
			e.text("channel", v.Channel)
			e.levels(&v.Levels)
			e.text("why", v.Why)
			e.close('}')
		}
		e.close(']')
	}
	e.reasons(r.Why)
	e.text("settle", r.Settle)
	e.close('}')
}

func (e *encoder) sessions(list []string) {
	e.key("by")
	if e.by.of(list) {
		e.b = append(e.b, e.by.text...)
		return
	}
	from := len(e.b)
	e.list(list)
	e.by.keep(list, e.b[from:])
}

func (e *encoder) reasons(list []Reason) {
	e.key("why")
	if e.why.of(list) {
		e.b = append(e.b, e.why.text...)
		return
	}
	from := len(e.b)
	e.open('[')
	for i := range list {
		e.item()
		e.open('{')
		e.text("rule", list[i].Rule)
		e.text("text", list[i].Text)
		e.proofs("evidence", list[i].Evidence)
		e.close('}')
	}
	e.close(']')
	e.why.keep(list, e.b[from:])
}
