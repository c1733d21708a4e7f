package detect

import (
	"bufio"
	"bytes"
	"cmp"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"os"
	"slices"
	"sync"
)

// Counts counts events by who did them, minute by minute. It holds a bounded number in memory and spills the rest, in
// order, to temporary files; what comes out does not depend on the order in which events were counted.
type Counts struct {
	dir string

	mu   sync.Mutex
	runs []*os.File
	err  error
}

// NewCounts returns empty Counts that spill to temporary files in dir ("" for the system's place).
func NewCounts(dir string) *Counts { return &Counts{dir: dir} }

// maxCounts and maxKeys are how many counts, and bytes of their keys, one Counter holds before it spills: 10 MiB in all.
const (
	maxCounts = 64 << 10
	maxKeys   = 4 << 20
)

// Counter counts for one worker. It is a hash table whose keys lie one after another in one buffer, so that a new key
// costs no allocation.
type Counter struct {
	counts *Counts
	seed   maphash.Seed
	slots  []int32 // 1 + index of an entry, by hash; 0 is a free slot
	list   []entry
	keys   []byte
	key    []byte
}

type entry struct {
	keyAt, keyEnd int32
	value         countValue
}

func (c *Counter) keyOf(e *entry) []byte { return c.keys[e.keyAt:e.keyEnd] }

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

// Request counts a request to a web server.
func (c *Counter) Request(client []byte, source int, at Position) {
	c.add(ByClient, Request, client, nil, "web", 1, source, at)
}

func (c *Counter) add(by By, what What, client, account []byte, channel string, n int64, source int, at Position) {
	c.key = appendKey(c.key[:0], by, what, client, account, channel, source, minute(at.Time))
	mask := uint64(len(c.slots) - 1)
	slot := maphash.Bytes(c.seed, c.key) & mask
	for ; c.slots[slot] != 0; slot = (slot + 1) & mask {
		e := &c.list[c.slots[slot]-1]
		if !bytes.Equal(c.keyOf(e), c.key) {
			continue
		}
		e.value.n += n
		if at.before(e.value.first) {
			e.value.first = at
		}
		return
	}
	keyAt := len(c.keys)
	c.keys = append(c.keys, c.key...)
	c.list = append(c.list, entry{int32(keyAt), int32(len(c.keys)), countValue{n, at}})
	c.slots[slot] = int32(len(c.list))
	if len(c.list) >= maxCounts || len(c.keys) >= maxKeys {
		c.Flush()
	}
}

// Flush hands over what was counted. The Counter is empty afterwards and can go on.
func (c *Counter) Flush() {
	if len(c.list) == 0 {
		return
	}
	slices.SortFunc(c.list, func(a, b entry) int { return bytes.Compare(c.keyOf(&a), c.keyOf(&b)) })
	c.counts.spill(func(emit emitFunc) error {
		for i := range c.list {
			if err := emit(c.keyOf(&c.list[i]), c.list[i].value); err != nil {
				return err
			}
		}
		return nil
	})
	clear(c.slots)
	c.list, c.keys = c.list[:0], c.keys[:0]
}

// spill writes one sorted run and, where there are too many, makes one of them all.
func (c *Counts) spill(each func(emitFunc) error) {
	f, err := c.writeRun(each)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.err = cmp.Or(c.err, err)
		return
	}
	c.runs = append(c.runs, f)
	if len(c.runs) < maxRuns {
		return
	}
	runs := c.runs
	one, err := c.writeRun(func(emit emitFunc) error { return merge(runs, emit) })
	if err != nil {
		c.err = cmp.Or(c.err, err)
		return
	}
	c.runs = []*os.File{one}
	for _, r := range runs {
		remove(r)
	}
}

// maxRuns bounds how many files are open at once.
const maxRuns = 64

type emitFunc = func(key []byte, v countValue) error

// writeRun writes what each emits, which is in order, to a new temporary file.
func (c *Counts) writeRun(each func(emitFunc) error) (*os.File, error) {
	f, err := os.CreateTemp(c.dir, "barid-counts-*")
	if err != nil {
		return nil, fmt.Errorf("cannot keep counts: %w", err)
	}
	w := bufio.NewWriterSize(f, 64<<10)
	var b []byte
	err = each(func(key []byte, v countValue) error {
		b = binary.AppendUvarint(b[:0], uint64(len(key)))
		b = append(b, key...)
		b = binary.AppendVarint(b, v.n)
		b = binary.AppendVarint(b, v.first.Time)
		b = binary.AppendVarint(b, v.first.Offset)
		b = binary.AppendVarint(b, v.first.Line)
		_, err := w.Write(b)
		return err
	})
	if err = cmp.Or(err, w.Flush()); err != nil {
		remove(f)
		return nil, fmt.Errorf("cannot keep counts: %w", err)
	}
	return f, nil
}

func remove(f *os.File) {
	f.Close()
	os.Remove(f.Name())
}

// Each calls f with every count, once: by By, then by address or account, then in the order of the remaining fields.
// It can be called again. All Counters must have been flushed.
func (c *Counts) Each(f func(Count) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	return merge(c.runs, func(key []byte, v countValue) error { return f(decodeCount(key, v)) })
}

// Close removes the temporary files.
func (c *Counts) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.runs {
		remove(r)
	}
	c.runs = nil
}

// merge reads sorted runs in one order and adds up the values of equal keys.
func merge(runs []*os.File, f func(key []byte, v countValue) error) error {
	var h runHeap
	for _, r := range runs {
		if _, err := r.Seek(0, io.SeekStart); err != nil {
			return err
		}
		run := &run{r: bufio.NewReaderSize(r, 64<<10)}
		ok, err := run.next()
		if err != nil {
			return err
		}
		if ok {
			h = append(h, run)
		}
	}
	heap.Init(&h)
	var key []byte
	var sum countValue
	for len(h) > 0 {
		top := h[0]
		if key != nil && bytes.Equal(key, top.key) {
			sum.n += top.value.n
			if top.value.first.before(sum.first) {
				sum.first = top.value.first
			}
		} else {
			if key != nil {
				if err := f(key, sum); err != nil {
					return err
				}
			}
			key = append(key[:0], top.key...)
			sum = top.value
		}
		ok, err := top.next()
		if err != nil {
			return err
		}
		if ok {
			heap.Fix(&h, 0)
		} else {
			heap.Pop(&h)
		}
	}
	if key == nil {
		return nil
	}
	return f(key, sum)
}

type run struct {
	r     *bufio.Reader
	key   []byte
	value countValue
}

func (r *run) next() (bool, error) {
	n, err := binary.ReadUvarint(r.r)
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	r.key = slices.Grow(r.key[:0], int(n))[:n]
	if _, err := io.ReadFull(r.r, r.key); err != nil {
		return false, err
	}
	for _, v := range []*int64{&r.value.n, &r.value.first.Time, &r.value.first.Offset, &r.value.first.Line} {
		if *v, err = binary.ReadVarint(r.r); err != nil {
			return false, err
		}
	}
	return true, nil
}

type runHeap []*run

func (h runHeap) Len() int           { return len(h) }
func (h runHeap) Less(i, j int) bool { return bytes.Compare(h[i].key, h[j].key) < 0 }
func (h runHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *runHeap) Push(x any)        { *h = append(*h, x.(*run)) }
func (h *runHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}
