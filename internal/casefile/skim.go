package casefile

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// skimmer goes through JSON without understanding more of it than where values end. After an error it returns zeros.
type skimmer struct {
	r    *bufio.Reader
	from counted
	err  error
}

// counted counts what was read.
type counted struct {
	r io.Reader
	n int64
}

// Read implements io.Reader.
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func newSkimmer(r io.Reader, size int) *skimmer {
	s := &skimmer{from: counted{r: r}}
	s.r = bufio.NewReaderSize(&s.from, size)
	return s
}

// at returns how many bytes were gone through.
func (s *skimmer) at() int64 { return s.from.n - int64(s.r.Buffered()) }

// fault says where it came to an end: by what stopped it, or else because of what is wrong there.
func (s *skimmer) fault(wrong error) error {
	if s.err != nil {
		wrong = notEnd(s.err)
	}
	return &faultError{s.at(), wrong}
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
				n += plainLen(p[n:]) - 1
			case c <= ' ':
				for n+1 < len(p) && p[n+1] <= ' ' {
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

// plainLen returns how much of the inside of a text stands before a quote or an escape, as far as it looks.
func plainLen(p []byte) int {
	p = p[:min(len(p), 256)] // one that has no quote far and wide is not searched again at each of its escapes
	if i := bytes.IndexByte(p, '"'); i >= 0 {
		p = p[:i]
	}
	if i := bytes.IndexByte(p, '\\'); i >= 0 {
		p = p[:i]
	}
	return len(p)
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
