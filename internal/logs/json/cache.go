package json

import (
	"bytes"
	"hash/maphash"
	"sync"
)

// cacheHalf is how many entries each of the two generations of a Cache holds. Records of one log have few sequences of
// names; a log made to have endless ones only costs the work to build for each anew.
const cacheHalf = 4096

// Cache keeps what a reader built for a sequence of names: most of all its Shapes, which must be the same ones for all
// workers. It is bounded and safe for concurrent use; each worker has a [Front] of its own.
type Cache[T any] struct {
	build func(r *Record, also []byte) T

	mu         sync.Mutex
	young, old map[uint64]*entry[T]
	size       int // of young
}

type entry[T any] struct {
	keys  []Key
	also  []byte
	value T
	next  *entry[T] // of the same hash
}

// NewCache returns a Cache of what build returns. build sees the first record that has the names (a view: clone what is
// kept) and must depend on nothing of it but its Keys and also.
func NewCache[T any](build func(r *Record, also []byte) T) *Cache[T] {
	return &Cache[T]{build: build, young: map[uint64]*entry[T]{}}
}

// Front is one worker's way to a Cache: what it saw before, it finds without a lock.
type Front[T any] struct {
	cache *Cache[T]
	seen  map[uint64]*entry[T]
	size  int
	// recent are the entries met last, each where the number of names and the other bytes say: the next record is most often
	// like one of them, which is sooner compared than hashed.
	recent [64]*entry[T]
}

// Front returns a new Front.
func (c *Cache[T]) Front() *Front[T] { return &Front[T]{cache: c, seen: map[uint64]*entry[T]{}} }

// Get returns what was built for the names of r together with the bytes of also, such as the values that the reader
// makes constants of the Shape. It allocates only for what this Front has not seen.
func (f *Front[T]) Get(r *Record, also []byte) T {
	recent := &f.recent[likeness(r, also)%uint(len(f.recent))]
	if e := *recent; e != nil && e.is(r, also) {
		return e.value
	}
	h := r.hash()
	if len(also) > 0 {
		h ^= maphash.Bytes(seed, also)
	}
	head := f.seen[h]
	for e := head; e != nil; e = e.next {
		if e.is(r, also) {
			*recent = e
			return e.value
		}
	}
	if f.size >= 2*cacheHalf {
		clear(f.seen)
		f.size, head = 0, nil
	}
	shared := f.cache.get(h, r, also)
	e := &entry[T]{keys: shared.keys, also: shared.also, value: shared.value, next: head}
	f.seen[h], *recent = e, e
	f.size++
	return shared.value
}

func likeness(r *Record, also []byte) uint {
	n := uint(len(r.Keys))
	for i := 0; i < len(also); i += 3 {
		n = n*31 + uint(also[i])
	}
	return n ^ n>>6
}

func (c *Cache[T]) get(h uint64, r *Record, also []byte) *entry[T] {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range [...]map[uint64]*entry[T]{c.young, c.old} {
		for e := m[h]; e != nil; e = e.next {
			if e.is(r, also) {
				return e
			}
		}
	}
	if c.size >= cacheHalf {
		c.old, c.young, c.size = c.young, make(map[uint64]*entry[T]), 0
	}
	e := &entry[T]{keys: cloneKeys(r.Keys), also: bytes.Clone(also), value: c.build(r, also), next: c.young[h]}
	c.young[h] = e
	c.size++
	return e
}

func (e *entry[T]) is(r *Record, also []byte) bool {
	if len(e.keys) != len(r.Keys) || !bytes.Equal(e.also, also) {
		return false
	}
	for i := range e.keys {
		a, b := &e.keys[i], &r.Keys[i]
		if a.Depth != b.Depth || a.Open != b.Open || !bytes.Equal(a.Name, b.Name) {
			return false
		}
	}
	return true
}

func cloneKeys(keys []Key) []Key {
	n := 0
	for _, k := range keys {
		n += len(k.Name)
	}
	all := make([]byte, 0, n)
	out := make([]Key, len(keys))
	for i, k := range keys {
		all = append(all, k.Name...)
		k.Name = all[len(all)-len(k.Name):]
		out[i] = k
	}
	return out
}
