package pipeline

import "hash/maphash"

// identity is the identifier of a record in a log that may hold it twice.
type identity = [16]byte

// maxIdentities is how many identifiers one generation holds; it takes 64 MiB.
const maxIdentities = 2 << 20

// identities remembers which identifiers were met, in two generations: when the current one is full it becomes the one
// before, and what was before that is forgotten. So memory is bounded, and repeats are found that lie no further apart
// than one generation.
type identities struct {
	current, before *identitySet
	forgot          bool // a generation has been forgotten
}

// add reports whether the identifier had been met.
func (ids *identities) add(id identity) (again bool) {
	if ids.current == nil {
		ids.current = newIdentitySet()
	}
	if ids.before != nil && ids.before.has(id) || ids.current.has(id) {
		return true
	}
	if ids.current.n == maxIdentities {
		ids.forgot = ids.forgot || ids.before != nil
		ids.before, ids.current = ids.current, newIdentitySet()
	}
	ids.current.add(id)
	return false
}

// identitySet is a hash table of identifiers. Most are random already (RFC 9562, version 4), but evidence may say
// anything: numbers in a row, or identifiers made to fall on one slot. So they are hashed by a seed that nobody knows
// beforehand; what is in the set does not depend on it. The identifier of zeros is kept apart: it marks a free slot.
type identitySet struct {
	seed  maphash.Seed
	slots []identity
	n     int
	zero  bool
}

func newIdentitySet() *identitySet { return &identitySet{seed: maphash.MakeSeed()} }

func (s *identitySet) slotOf(id *identity) uint64 {
	return maphash.Bytes(s.seed, id[:]) & uint64(len(s.slots)-1)
}

func (s *identitySet) has(id identity) bool {
	if id == (identity{}) {
		return s.zero
	}
	if s.n == 0 {
		return false
	}
	mask := uint64(len(s.slots) - 1)
	for i := s.slotOf(&id); s.slots[i] != (identity{}); i = (i + 1) & mask {
		if s.slots[i] == id {
			return true
		}
	}
	return false
}

// add adds an identifier that the set does not have.
func (s *identitySet) add(id identity) {
	if id == (identity{}) {
		s.zero = true
		return
	}
	if 2*(s.n+1) > len(s.slots) {
		old := s.slots
		s.slots = make([]identity, max(1024, 2*len(old)))
		for _, o := range old {
			if o != (identity{}) {
				s.put(o)
			}
		}
	}
	s.put(id)
	s.n++
}

func (s *identitySet) put(id identity) {
	mask := uint64(len(s.slots) - 1)
	i := s.slotOf(&id)
	for s.slots[i] != (identity{}) {
		i = (i + 1) & mask
	}
	s.slots[i] = id
}
