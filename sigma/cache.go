package sigma

import (
	"bytes"
	"hash/maphash"

	"github.com/barid-dfir/barid/internal/event"
)

// Programs, users, hosts and user agents come back in event after event. valueCache remembers which literals were
// found in values of middling length, so that such a value is hashed and compared instead of folded and scanned.
type valueCache struct {
	seed    maphash.Seed
	entries []cachedValue
}

type cachedValue struct {
	set  *fieldSet
	data []byte // as in the evidence; the entry owns it
	kind event.Kind
	n    uint8
	ids  [maxCachedIDs]int32 // the literals found
}

const (
	cacheSize     = 2048
	minCachedSize = 24
	maxCachedSize = 768 // bytes; at most this much times cacheSize is held
	maxCachedIDs  = 11
)

func newValueCache() valueCache {
	return valueCache{seed: maphash.MakeSeed(), entries: make([]cachedValue, cacheSize)}
}

// entry returns where the findings of set in v are kept, and whether they are there.
func (c *valueCache) entry(set *fieldSet, hash uint64, v event.Value) (e *cachedValue, ok bool) {
	e = &c.entries[(hash^set.salt)%cacheSize]
	return e, e.set == set && e.kind == v.Kind && bytes.Equal(e.data, v.Data)
}

// keep replaces what the entry holds.
func (e *cachedValue) keep(set *fieldSet, v event.Value, ids []int32) {
	if len(ids) > maxCachedIDs {
		return
	}
	e.set, e.kind, e.n = set, v.Kind, uint8(len(ids))
	e.data = append(e.data[:0], v.Data...)
	copy(e.ids[:], ids)
}
