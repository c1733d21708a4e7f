package casefile

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
)

// decided are the fields of a case that are decided anew by whoever judges it, and that may be long.
var decided = []string{"coverage", "sessions", "capabilities", "reached"}

// OpenGiven reads the case in dir without what was decided of it: its Coverage, Sessions, Capabilities and Reached are nil. They
// are not looked at.
func OpenGiven(dir string) (*Case, error) { return OpenExcept(dir, decided...) }

// OpenExcept reads the case in dir without the fields of case.json that are named: they are nil, and not looked at.
func OpenExcept(dir string, fields ...string) (*Case, error) {
	f, err := os.Open(filepath.Join(dir, CaseFile))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c, err := except(f, fields)
	if err != nil { // Open says it better, or knows how to read it
		return Open(dir)
	}
	if c.Schema != Schema {
		return nil, fmt.Errorf("%s: %w that this program can read: its schema is %q, not %q", dir, ErrNotCase, c.Schema, Schema)
	}
	return c, nil
}

var errNotObject = errors.New("not one JSON object")

// except reads case.json for OpenExcept.
func except(r io.Reader, left []string) (*Case, error) {
	s := skimmer{r: bufio.NewReaderSize(r, 256<<10)}
	kept := []byte{'{'}
	if s.next() != '{' {
		return nil, errNotObject
	}
	for at := s.next(); at != '}'; {
		if at != '"' {
			return nil, errNotObject
		}
		key := s.value(at, nil)
		if s.next() != ':' {
			return nil, errNotObject
		}
		var name string
		if json.Unmarshal(key, &name) != nil {
			return nil, errNotObject
		}
		if at = s.next(); slices.Contains(left, name) {
			s.skip(at)
		} else {
			if len(kept) > 1 {
				kept = append(kept, ',')
			}
			kept = s.value(at, append(append(kept, key...), ':'))
		}
		if at = s.next(); at == ',' {
			at = s.next()
		} else if at != '}' {
			return nil, errNotObject
		}
	}
	if s.err != nil {
		return nil, s.err
	}
	if s.next(); !errors.Is(s.err, io.EOF) {
		return nil, errNotObject
	}
	var c Case
	if err := json.Unmarshal(append(kept, '}'), &c); err != nil {
		return nil, err
	}
	return &c, nil
}

// Verdicts goes through what was reached in the case in dir, in order. Each is valid until the next. A case that cannot be read
// to its end yields an error, and no more.
func Verdicts(dir string) iter.Seq2[*Reached, error] {
	return func(yield func(*Reached, error) bool) {
		if err := verdicts(dir, yield); err != nil {
			yield(nil, fmt.Errorf("%s: %w", filepath.Join(dir, CaseFile), err))
		}
	}
}

// verdicts calls yield until it returns false.
func verdicts(dir string, yield func(*Reached, error) bool) error {
	f, err := os.Open(filepath.Join(dir, CaseFile))
	if err != nil {
		return err
	}
	defer f.Close()
	s := skimmer{r: bufio.NewReaderSize(f, 256<<10)}
	if s.next() != '{' {
		return errNotObject
	}
	for at := s.next(); at != '}'; {
		if at != '"' {
			return cmp.Or(s.err, errNotObject)
		}
		key := s.value(at, nil)
		if s.next() != ':' {
			return cmp.Or(s.err, errNotObject)
		}
		if at = s.next(); string(key) == `"reached"` && at == '[' {
			return s.items(yield)
		}
		s.skip(at)
		if at = s.next(); at == ',' {
			at = s.next()
		} else if at != '}' {
			return cmp.Or(s.err, errNotObject)
		}
	}
	return s.err
}

// items calls yield with the items of a list whose beginning was read.
func (s *skimmer) items(yield func(*Reached, error) bool) error {
	var text []byte
	for at := s.next(); at != ']'; {
		var r Reached
		text = s.value(at, text[:0])
		if s.err != nil {
			return notEnd(s.err)
		}
		if err := json.Unmarshal(text, &r); err != nil {
			return err
		}
		if !yield(&r, nil) {
			return nil
		}
		if at = s.next(); at == ',' {
			at = s.next()
		} else if at != ']' {
			return cmp.Or(s.err, errNotObject)
		}
	}
	return nil
}

// skimmer goes through JSON without understanding more of it than where values end. After an error it returns zeros.
type skimmer struct {
	r   *bufio.Reader
	err error
}

// next returns the next byte that is no space.
func (s *skimmer) next() byte {
	for s.err == nil {
		c, err := s.r.ReadByte()
		if err != nil {
			s.err = err
			break
		}
		if c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			return c
		}
	}
	return 0
}

// value appends a value that begins with c, which was read.
func (s *skimmer) value(c byte, dst []byte) []byte {
	s.walk(c, func(p []byte) { dst = append(dst, p...) })
	return dst
}

// skip leaves out a value that begins with c, which was read.
func (s *skimmer) skip(c byte) { s.walk(c, func([]byte) {}) }

// walk calls do with the parts of a value.
func (s *skimmer) walk(c byte, do func([]byte)) {
	do([]byte{c})
	depth, inText := 0, false
	switch c {
	case '{', '[':
		depth = 1
	case '"':
		inText = true
	default:
		s.word(do)
		return
	}
	escaped := false
	for s.err == nil {
		p, err := s.r.Peek(max(1, s.r.Buffered()))
		if err != nil {
			s.err = notEnd(err)
			return
		}
		n, end := 0, false
		for n < len(p) && !end {
			c := p[n]
			switch {
			case escaped:
				escaped = false
			case inText && c == '\\':
				escaped = true
			case c == '"':
				inText = !inText
				end = !inText && depth == 0
			case inText:
				for n+1 < len(p) && p[n+1] != '"' && p[n+1] != '\\' {
					n++
				}
			case c == '{' || c == '[':
				depth++
			case c == '}' || c == ']':
				depth--
				end = depth == 0
			}
			n++
		}
		do(p[:n])
		if _, err := s.r.Discard(n); err != nil {
			s.err = err
		}
		if end {
			return
		}
	}
}

// word goes through what remains of a number, or of true, false or null.
func (s *skimmer) word(do func([]byte)) {
	for s.err == nil {
		c, err := s.r.ReadByte()
		if err != nil {
			s.err = notEnd(err)
			return
		}
		switch c {
		case ',', '}', ']', ' ', '\n', '\r', '\t':
			s.err = s.r.UnreadByte()
			return
		}
		do([]byte{c})
	}
}

// notEnd makes an end within a value an error of its own.
func notEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
