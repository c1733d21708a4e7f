package casefile

import (
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
	s := newSkimmer(r, 256<<10)
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
