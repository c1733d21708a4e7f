package detect

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
	"slices"

	"github.com/barid-dfir/barid/internal/event"
)

// RequestCount is how often an address asked within one minute, by one source. It is counted for every line of an access
// log, so it is kept in numbers.
type RequestCount struct {
	Client clientKey
	Source int32
	Minute int64 // minutes since 1970 UTC
	N      int64
	First  Position
}

func (r *RequestCount) add(n int64, first Position) {
	r.N += n
	if first.before(r.First) {
		r.First = first
	}
}

// clientKey is an address as a number, IPv4 as IPv6 (RFC 4291, section 2.5.5.2). A name, in logs of servers that look names
// up, is a hash of it under a prefix that no address has.
type clientKey struct{ hi, lo uint64 }

const namePrefix = ^uint64(0)

// String returns the address; a name is shown by its hash.
func (k clientKey) String() string {
	if k.hi == namePrefix {
		return fmt.Sprintf("name-%016x", k.lo)
	}
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], k.hi)
	binary.BigEndian.PutUint64(b[8:], k.lo)
	return netip.AddrFrom16(b).Unmap().String()
}

func keyOfClient(client []byte) clientKey {
	if v4, ok := parseIPv4(client); ok {
		return clientKey{0, 0xFFFF<<32 | uint64(v4)}
	}
	if len(client) <= len("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255") {
		if a, err := netip.ParseAddr(string(client)); err == nil {
			b := a.WithZone("").As16()
			return clientKey{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
		}
	}
	h := uint64(14695981039346656037) // FNV-1a: the same in every run
	for _, c := range client {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return clientKey{namePrefix, h}
}

func parseIPv4(p []byte) (uint32, bool) {
	if len(p) < 7 || len(p) > 15 {
		return 0, false
	}
	var addr, part uint32
	digits, dots := 0, 0
	for _, c := range p {
		switch {
		case '0' <= c && c <= '9' && digits < 3:
			part = part*10 + uint32(c-'0')
			digits++
		case c == '.' && digits > 0 && part <= 255 && dots < 3:
			addr = addr<<8 | part
			part, digits = 0, 0
			dots++
		default:
			return 0, false
		}
	}
	return addr<<8 | part, dots == 3 && digits > 0 && part <= 255
}

func compareRequests(a, b *RequestCount) int {
	switch {
	case a.Client.hi != b.Client.hi:
		return cmp.Compare(a.Client.hi, b.Client.hi)
	case a.Client.lo != b.Client.lo:
		return cmp.Compare(a.Client.lo, b.Client.lo)
	case a.Source != b.Source:
		return cmp.Compare(a.Source, b.Source)
	}
	return cmp.Compare(a.Minute, b.Minute)
}

// A RequestCount on disk: seven numbers and a source, each of fixed length.
const requestLen = 7*8 + 4

func appendRequest(dst []byte, r *RequestCount) []byte {
	for _, v := range [...]uint64{r.Client.hi, r.Client.lo, uint64(r.Minute), uint64(r.N), uint64(r.First.Time), uint64(r.First.Offset), uint64(r.First.Line)} {
		dst = binary.LittleEndian.AppendUint64(dst, v)
	}
	return binary.LittleEndian.AppendUint32(dst, uint32(r.Source))
}

func readRequest(r *bufio.Reader, to *RequestCount) error {
	p, err := r.Peek(requestLen)
	if err != nil {
		if len(p) > 0 {
			return noEOF(err)
		}
		return io.EOF
	}
	number := func(i int) uint64 { return binary.LittleEndian.Uint64(p[8*i:]) }
	*to = RequestCount{Client: clientKey{number(0), number(1)}, Minute: int64(number(2)), N: int64(number(3)),
		First: Position{int64(number(4)), int64(number(5)), int64(number(6))}, Source: int32(binary.LittleEndian.Uint32(p[7*8:]))}
	_, err = r.Discard(requestLen)
	return err
}

// requestTable is a hash table of counts.
type requestTable struct {
	slots []int32 // 1 + index in list, by hash; 0 is a free slot
	list  []RequestCount
	last  []lastRequest // by a hash of the client as the log writes it
	order []uint64
	names map[clientKey]string // of clients that are no addresses
}

// maxNames is how many names a worker remembers; requests of others are counted, and shown by the hash of the name.
const maxNames = 10_000

// lastRequest is where the last request of a client was counted: most clients ask again within the minute.
type lastRequest struct {
	head, tail uint64 // of the client as the log writes it, if it is of 8 to 16 bytes
	from, to   int64  // the minute, in nanoseconds since 1970 UTC
	length     uint8
	source     int32
	index      int32 // of the count in list
}

const maxLast = 1024

// add counts one request; it reports whether the table is full. client may have a port.
func (t *requestTable) add(client []byte, source int, at Position) (full bool) {
	n := len(client)
	if n < 8 || n > 16 {
		_, full = t.count(client, source, at)
		return full
	}
	if t.last == nil {
		t.last = make([]lastRequest, maxLast)
	}
	head, tail := binary.LittleEndian.Uint64(client), binary.LittleEndian.Uint64(client[n-8:])
	l := &t.last[(head*0x9E3779B97F4A7C15^tail*0xC2B2AE3D27D4EB4F)>>(64-10)]
	if l.head == head && l.tail == tail && int(l.length) == n && int(l.source) == source && l.from <= at.Time && at.Time < l.to {
		t.list[l.index].add(1, at)
		return false
	}
	i, full := t.count(client, source, at)
	if at.Time != event.UnknownTime && !full {
		m := t.list[i].Minute
		*l = lastRequest{head, tail, m * 60e9, (m + 1) * 60e9, uint8(n), int32(source), int32(i)}
	}
	return full
}

// count counts one request, and returns the index of the count.
func (t *requestTable) count(client []byte, source int, at Position) (index int, full bool) {
	if t.slots == nil {
		t.slots = make([]int32, 2*maxCounts)
		t.list = make([]RequestCount, 0, maxCounts)
	}
	client = event.Address(client)
	key, m := keyOfClient(client), minute(at.Time)
	h := (key.hi*31+key.lo)*0x9E3779B97F4A7C15 ^ uint64(m)*0xC2B2AE3D27D4EB4F ^ uint64(source)*0x165667B19E3779F9
	mask := uint64(len(t.slots) - 1)
	slot := (h ^ h>>29) & mask
	for ; t.slots[slot] != 0; slot = (slot + 1) & mask {
		r := &t.list[t.slots[slot]-1]
		if r.Client == key && r.Minute == m && r.Source == int32(source) {
			r.add(1, at)
			return int(t.slots[slot]) - 1, false
		}
	}
	if key.hi == namePrefix && len(t.names) < maxNames {
		if t.names == nil {
			t.names = make(map[clientKey]string)
		}
		t.names[key] = string(client)
	}
	t.list = append(t.list, RequestCount{key, int32(source), m, 1, at})
	t.slots[slot] = int32(len(t.list))
	return len(t.list) - 1, len(t.list) >= maxCounts
}

// sorted returns the indexes of list in the order of compareRequests. It is valid until the next call.
func (t *requestTable) sorted() []uint64 {
	if t.packed() {
		return t.order
	}
	t.order = t.order[:0]
	for i := range t.list {
		t.order = append(t.order, uint64(i))
	}
	slices.SortFunc(t.order, func(a, b uint64) int { return compareRequests(&t.list[a], &t.list[b]) })
	return t.order
}

// A count of one source, of an IPv4 address and within some weeks of the others sorts as one number: address, minute since
// the first of all, index.
const (
	minuteBits = 17
	indexBits  = 15
)

// packed sorts by such numbers, which is several times faster, if every count is of that kind.
func (t *requestTable) packed() bool {
	if len(t.list) == 0 || len(t.list) > 1<<indexBits {
		return false
	}
	first, last := t.list[0].Minute, t.list[0].Minute
	for i := range t.list {
		r := &t.list[i]
		if r.Client.hi != 0 || r.Client.lo>>32 != 0xFFFF || r.Source != t.list[0].Source {
			return false
		}
		first, last = min(first, r.Minute), max(last, r.Minute)
	}
	if span := uint64(last) - uint64(first); span >= 1<<minuteBits {
		return false
	}
	t.order = t.order[:0]
	for i := range t.list {
		r := &t.list[i]
		t.order = append(t.order, r.Client.lo<<(minuteBits+indexBits)|uint64(r.Minute-first)<<indexBits|uint64(i))
	}
	slices.Sort(t.order)
	for i := range t.order {
		t.order[i] &= 1<<indexBits - 1
	}
	return true
}

func (t *requestTable) reset() {
	clear(t.slots)
	clear(t.last)
	t.list = t.list[:0]
}
