package detect

import (
	"bufio"
	"bytes"
	"cmp"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
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

// maxCounts is how many counts one Counter holds before it spills: about 16 MiB.
const maxCounts = 64 << 10

// Counter counts for one worker.
type Counter struct {
	counts *Counts
	index  map[string]int32
	values []countValue
	key    []byte
}

// Counter returns a Counter whose counts end up in c after Flush.
func (c *Counts) Counter() *Counter {
	return &Counter{counts: c, index: make(map[string]int32)}
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
	if i, ok := c.index[string(c.key)]; ok {
		v := &c.values[i]
		v.n += n
		if at.before(v.first) {
			v.first = at
		}
		return
	}
	if len(c.values) >= maxCounts {
		c.Flush()
	}
	c.index[string(c.key)] = int32(len(c.values))
	c.values = append(c.values, countValue{n, at})
}

// Flush hands over what was counted. The Counter is empty afterwards and can go on.
func (c *Counter) Flush() {
	if len(c.values) == 0 {
		return
	}
	keys := make([]string, 0, len(c.index))
	for k := range c.index {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	c.counts.spill(keys, func(k string) countValue { return c.values[c.index[k]] })
	clear(c.index)
	c.values = c.values[:0]
}

// spill writes one sorted run and, where there are too many, makes one of them all.
func (c *Counts) spill(keys []string, value func(string) countValue) {
	f, err := c.writeRun(func(emit emitFunc) error {
		var key []byte
		for _, k := range keys {
			key = append(key[:0], k...)
			if err := emit(key, value(k)); err != nil {
				return err
			}
		}
		return nil
	})
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
