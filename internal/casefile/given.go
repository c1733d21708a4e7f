package casefile

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// decided are the fields of a case that are decided anew by whoever judges it, and that may be long.
var decided = []string{"coverage", "sessions", "capabilities", "reached"}

// OpenGiven reads the case in dir without what was decided of it: its Coverage, Sessions, Capabilities and Reached are nil. They
// are not looked at.
func OpenGiven(dir string) (*Case, error) {
	f, err := os.Open(filepath.Join(dir, CaseFile))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c, err := given(f)
	if err != nil { // Open says it better, or knows how to read it
		return Open(dir)
	}
	if c.Schema != Schema {
		return nil, fmt.Errorf("%s: %w that this program can read: its schema is %q, not %q", dir, ErrNotCase, c.Schema, Schema)
	}
	return c, nil
}

var errNotObject = errors.New("not one JSON object")

// given reads case.json for OpenGiven.
func given(r io.Reader) (*Case, error) {
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
		if at = s.next(); slices.Contains(decided, name) {
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
