package casefile

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
)

// Verdicts goes through what was reached in the case in dir, in order. Each is valid until the next; what its texts, times and lists hold
// stays as it is, and is not to be changed. A case that cannot be read to the end of its verdicts yields an error, and no more.
func Verdicts(dir string) iter.Seq2[*Reached, error] {
	return func(yield func(*Reached, error) bool) {
		f, err := os.Open(filepath.Join(dir, CaseFile))
		if err == nil {
			defer f.Close()
			err = verdicts(f, yield)
		}
		if err != nil {
			yield(nil, damaged(dir, err))
		}
	}
}

// verdictBuffer is how much of case.json is looked at at once, in bytes.
const verdictBuffer = 256 << 10

// verdicts calls yield until it returns false.
func verdicts(r io.Reader, yield func(*Reached, error) bool) error {
	s := newSkimmer(r, verdictBuffer)
	if s.next() != '{' {
		return s.fault(errNotObject)
	}
	for at := s.next(); at != '}'; {
		if at != '"' {
			return s.fault(errNotObject)
		}
		key := s.value(at, nil)
		if s.next() != ':' {
			return s.fault(errNotObject)
		}
		if at = s.next(); string(key) == `"reached"` && at == '[' {
			return s.items(yield)
		}
		s.skip(at)
		if at = s.next(); at == ',' {
			at = s.next()
		} else if at != '}' {
			return s.fault(errNotObject)
		}
	}
	return s.err
}

// items calls yield with the items of a list whose beginning was read.
func (s *skimmer) items(yield func(*Reached, error) bool) error {
	var text []byte
	var p verdictParser
	n := 0
	for at := s.next(); at != ']'; {
		if s.err != nil {
			return fmt.Errorf("after verdict %d: %w", n, s.fault(nil))
		}
		n++
		if at != '{' || !p.next(s) {
			began := s.at() - 1
			p.r = Reached{}
			if text = s.value(at, text[:0]); s.err != nil {
				return fmt.Errorf("in verdict %d: %w", n, s.fault(nil))
			}
			if err := json.Unmarshal(text, &p.r); err != nil {
				return fmt.Errorf("in verdict %d: %w", n, placed(began, err))
			}
		}
		if !yield(&p.r, nil) {
			return nil
		}
		if at = s.next(); at == ',' {
			at = s.next()
		} else if at != ']' {
			return fmt.Errorf("after verdict %d: %w", n, s.fault(errNotObject))
		}
	}
	return nil
}

// next reads the item whose first byte s has read, if it stands as encoder writes it. Otherwise s stays where it is.
func (p *verdictParser) next(s *skimmer) bool {
	text, _ := s.r.Peek(s.r.Buffered())
	n, short := p.parse(text)
	if short && len(text) < s.r.Size() {
		text, _ = s.r.Peek(s.r.Size())
		n, _ = p.parse(text)
	}
	if n == 0 {
		return false
	}
	_, err := s.r.Discard(n)
	return err == nil
}
