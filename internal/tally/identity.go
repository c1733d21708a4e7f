package tally

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
	"sync"

	"github.com/barid-dfir/barid/internal/logs"
)

// Identity is that a log gives an account or mailbox of that name that identifier, both in lower case: see logs.Identity.
type Identity struct{ Name, ID string }

// Identities is what logs tell of identities.
type Identities struct {
	// List holds each once, in order.
	List []Identity
	// TooMany says that there were more than are kept: then List is empty, as none of them can be told without the others.
	TooMany bool
}

// How many different identities are kept, and how many a Collector remembers so as not to hand them over again; and how many bytes of
// these: names may be long.
const (
	maxIdentities  = 1 << 19
	seenIdentities = 1 << 15

	maxIdentityBytes  = 64 << 20
	seenIdentityBytes = 4 << 20
)

// identityOf returns an identity as it is kept: the two texts, apart by a zero byte; ok is false for none.
func identityOf(dst []byte, i *logs.Identity) (key []byte, ok bool) {
	if len(i.Name) == 0 || len(i.ID) == 0 || len(i.ID) > maxText || string(i.Name) == "-" || string(i.ID) == "-" {
		return dst, false
	}
	dst = appendLower(dst, i.Name)
	return appendLower(dst, i.ID), true
}

// readIdentity reads what identityOf made.
func readIdentity(key string) (i Identity, ok bool) {
	name, rest, ok := term([]byte(key))
	if !ok {
		return i, false
	}
	id, rest, ok := term(rest)
	return Identity{string(plain(name)), string(plain(id))}, ok && len(rest) == 0 && len(name) > 0 && len(id) > 0
}

func compareIdentities(a, b Identity) int {
	return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
}

// identitySet takes identities of all Collectors.
type identitySet struct {
	most, mostBytes int

	mu    sync.Mutex
	all   map[string]struct{}
	bytes int // of all
	full  bool
}

func newIdentitySet() *identitySet {
	return &identitySet{most: maxIdentities, mostBytes: maxIdentityBytes, all: make(map[string]struct{})}
}

func (s *identitySet) add(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.all[key]; known || s.full {
		return
	}
	s.all[key] = struct{}{}
	if s.bytes += len(key); len(s.all) > s.most || s.bytes > s.mostBytes {
		s.full, s.all = true, nil
	}
}

// list returns what was taken.
func (s *identitySet) list() Identities {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := Identities{TooMany: s.full}
	for key := range s.all {
		if i, ok := readIdentity(key); ok {
			out.List = append(out.List, i)
		}
	}
	slices.SortFunc(out.List, compareIdentities)
	return out
}

// Identity takes an identity. It copies what it keeps.
func (c *Collector) Identity(i *logs.Identity) {
	key, ok := identityOf(c.key[:0], i)
	c.key = key
	if !ok {
		return
	}
	if _, seen := c.identities[string(key)]; seen {
		return
	}
	if len(c.identities) >= seenIdentities || c.identityBytes > seenIdentityBytes || c.identities == nil {
		c.identities, c.identityBytes = make(map[string]struct{}), 0
	}
	s := string(key)
	c.identityBytes += len(s)
	c.identities[s] = struct{}{}
	c.collection.identities.add(s)
}

// AddIdentity takes an identity.
func (m *Memory) AddIdentity(i logs.Identity) {
	if m.identities == nil {
		m.identities = newIdentitySet()
	}
	if key, ok := identityOf(nil, &i); ok {
		m.identities.add(string(key))
	}
}

// Identities implements [Store].
func (m *Memory) Identities() (Identities, error) {
	if m.identities == nil {
		return Identities{}, nil
	}
	return m.identities.list(), nil
}

// writeIdentities writes, in each frame, whether there were too many, and then names and identifiers.
func (s *storeWriter) writeIdentities() error {
	f := &s.frames
	all := s.identities.list()
	if all.TooMany {
		f.buf = append(f.buf, 1)
	}
	for _, i := range all.List {
		begins, err := s.frameIsFull()
		if err != nil {
			return err
		}
		if begins {
			f.buf = append(f.buf, 0)
		}
		for _, t := range [...]string{i.Name, i.ID} {
			f.buf = binary.AppendUvarint(f.buf, uint64(len(t)))
			f.buf = append(f.buf, t...)
		}
	}
	return nil
}

// Identities implements [Store].
func (f *File) Identities() (Identities, error) {
	var out Identities
	err := f.section(identitySection, func(r *reader) error {
		out.TooMany = r.byte() == 1
		for r.left() > 0 {
			i := Identity{Name: string(r.take(r.uvarint())), ID: string(r.take(r.uvarint()))}
			if n := len(out.List); r.err == nil && (out.TooMany || n >= maxIdentities || n > 0 && compareIdentities(out.List[n-1], i) >= 0) {
				return errDamaged
			}
			if r.err != nil {
				return r.err
			}
			out.List = append(out.List, i)
		}
		return nil
	})
	if err != nil {
		return Identities{}, err
	}
	return out, nil
}
