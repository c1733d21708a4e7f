package detect

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"io"
	"maps"
	"slices"
	"sync"
)

// Counts counts logins by who made them, and requests by address, minute by minute. It holds a bounded number in memory
// and spills the rest, in order, to temporary files; what comes out does not depend on the order of counting.
type Counts struct {
	logins   runs[loginCount]
	requests runs[RequestCount]

	mu    sync.Mutex
	names map[clientKey]string
}

// NewCounts returns empty Counts that spill to temporary files in dir ("" for the system's place).
func NewCounts(dir string) *Counts {
	return &Counts{
		logins: runs[loginCount]{dir: dir, encode: appendLogin, decode: readLogin,
			compare: func(a, b *loginCount) int { return bytes.Compare(a.key, b.key) },
			add:     func(to, from *loginCount) { to.value.add(from.value) }},
		requests: runs[RequestCount]{dir: dir, encode: appendRequest, decode: readRequest, compare: compareRequests,
			add: func(to, from *RequestCount) { to.add(from.N, from.First) }},
	}
}

// Each calls f with every count of logins, once: by By, then by address or account, then in the order of the remaining
// fields. It can be called again. All Counters must have been flushed.
func (c *Counts) Each(f func(Count) error) error {
	return c.logins.each(func(l *loginCount) error { return f(decodeCount(l.key, l.value)) })
}

// EachRequest calls f with every count of requests, once: by address, source and minute. It can be called again. What f
// is given is valid until it returns.
func (c *Counts) EachRequest(f func(*RequestCount) error) error { return c.requests.each(f) }

// client returns the address, or the name, of a count of requests.
func (c *Counts) client(k clientKey) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n, ok := c.names[k]; ok {
		return n
	}
	return k.String()
}

// Close removes the temporary files.
func (c *Counts) Close() {
	c.logins.close()
	c.requests.close()
}

// loginCount is a count as it is kept: see appendKey.
type loginCount struct {
	key   []byte
	value countValue
}

func appendLogin(dst []byte, l *loginCount) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(l.key)))
	dst = append(dst, l.key...)
	dst = binary.AppendVarint(dst, l.value.n)
	return appendPosition(dst, l.value.first)
}

func readLogin(r *bufio.Reader, to *loginCount) error {
	n, err := binary.ReadUvarint(r)
	if err != nil {
		return err // io.EOF only before the first byte
	}
	to.key = slices.Grow(to.key[:0], int(n))[:n]
	if _, err := io.ReadFull(r, to.key); err != nil {
		return noEOF(err)
	}
	if to.value.n, err = binary.ReadVarint(r); err != nil {
		return noEOF(err)
	}
	return readPosition(r, &to.value.first)
}

func appendPosition(dst []byte, p Position) []byte {
	dst = binary.AppendVarint(dst, p.Time)
	dst = binary.AppendVarint(dst, p.Offset)
	return binary.AppendVarint(dst, p.Line)
}

func readPosition(r *bufio.Reader, p *Position) (err error) {
	for _, v := range [...]*int64{&p.Time, &p.Offset, &p.Line} {
		if *v, err = binary.ReadVarint(r); err != nil {
			return noEOF(err)
		}
	}
	return nil
}

// noEOF makes an error of an end in the middle of a record.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// maxCounts and maxKeys are how many counts, and bytes of their keys, one Counter holds before it spills.
const (
	maxCounts = 32 << 10
	maxKeys   = 2 << 20
)

// Counter counts for one worker, in hash tables whose entries lie one after another, so that a new one costs no
// allocation.
type Counter struct {
	counts *Counts
	seed   maphash.Seed
	slots  []int32 // 1 + index of a login, by hash; 0 is a free slot
	logins []login
	keys   []byte
	key    []byte

	requests requestTable
}

type login struct {
	keyAt, keyEnd int32
	value         countValue
}

func (c *Counter) keyOf(l *login) []byte { return c.keys[l.keyAt:l.keyEnd] }

// Counter returns a Counter whose counts end up in c after Flush.
func (c *Counts) Counter() *Counter {
	return &Counter{counts: c, seed: maphash.MakeSeed(), slots: make([]int32, 2*maxCounts)}
}

// Login counts n logins, or attempts, of account from client.
func (c *Counter) Login(ok bool, client, account []byte, channel string, n int64, source int, at Position) {
	if ok {
		c.add(ByClient, LoginOK, client, account, channel, n, source, at)
		return
	}
	c.add(ByClient, LoginFailed, client, account, channel, n, source, at)
	if len(account) > 0 {
		c.add(ByAccount, LoginFailed, client, account, channel, n, source, at)
	}
}

func (c *Counter) add(by By, what What, client, account []byte, channel string, n int64, source int, at Position) {
	c.key = appendKey(c.key[:0], by, what, client, account, channel, source, minute(at.Time))
	mask := uint64(len(c.slots) - 1)
	slot := maphash.Bytes(c.seed, c.key) & mask
	for ; c.slots[slot] != 0; slot = (slot + 1) & mask {
		l := &c.logins[c.slots[slot]-1]
		if bytes.Equal(c.keyOf(l), c.key) {
			l.value.add(countValue{n, at})
			return
		}
	}
	keyAt := len(c.keys)
	c.keys = append(c.keys, c.key...)
	c.logins = append(c.logins, login{int32(keyAt), int32(len(c.keys)), countValue{n, at}})
	c.slots[slot] = int32(len(c.logins))
	if len(c.logins) >= maxCounts || len(c.keys) >= maxKeys {
		c.flushLogins()
	}
}

// LoginTried counts n attempts of which the log does not say how they ended.
func (c *Counter) LoginTried(client, account []byte, channel string, n int64, source int, at Position) {
	c.add(ByClient, LoginTried, client, account, channel, n, source, at)
}

// Request counts a request to a web server. client is an address, with a port or without, or a name.
func (c *Counter) Request(client []byte, source int, at Position) {
	if c.requests.add(client, source, at) {
		c.flushRequests()
	}
}

// Flush hands over what was counted. The Counter is empty afterwards and can go on.
func (c *Counter) Flush() {
	c.flushLogins()
	c.flushRequests()
}

func (c *Counter) flushLogins() {
	if len(c.logins) == 0 {
		return
	}
	slices.SortFunc(c.logins, func(a, b login) int { return bytes.Compare(c.keyOf(&a), c.keyOf(&b)) })
	c.counts.logins.spill(func(emit func(*loginCount) error) error {
		for i := range c.logins {
			if err := emit(&loginCount{c.keyOf(&c.logins[i]), c.logins[i].value}); err != nil {
				return err
			}
		}
		return nil
	})
	clear(c.slots)
	c.logins, c.keys = c.logins[:0], c.keys[:0]
}

func (c *Counter) flushRequests() {
	if len(c.requests.list) == 0 {
		return
	}
	order := c.requests.sorted()
	c.counts.requests.spill(func(emit func(*RequestCount) error) error {
		for _, i := range order {
			if err := emit(&c.requests.list[i]); err != nil {
				return err
			}
		}
		return nil
	})
	c.counts.mu.Lock()
	defer c.counts.mu.Unlock()
	if c.counts.names == nil && len(c.requests.names) > 0 {
		c.counts.names = make(map[clientKey]string)
	}
	maps.Copy(c.counts.names, c.requests.names)
	c.requests.reset()
}
