package casefile

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
)

// LineFile is a file of the case that has a line for every finding, in their order.
type LineFile struct {
	// Name is the file's name in the case folder.
	Name string
	// Header is what the file begins with, line end included.
	Header []byte
	// Append appends what the file says of f, line end included, and returns the longer slice.
	Append func(dst []byte, f *Finding) []byte
}

// SpillAt is the memory, in bytes, that findings take before they are spilled to disk.
const SpillAt = 16 << 20

// maxRuns is how many sorted runs are merged at once: each has a file open and a buffer.
const maxRuns = 64

// FindingWriter takes findings in any order and writes them in order of (time, source path, offset, rule id); findings
// without a time come last. It is an external merge sort: memory is bounded, runs go to disk. The bytes written do not
// depend on the order of Add. It is not safe for concurrent use.
type FindingWriter struct {
	w       *Writer
	files   []LineFile
	spillAt int

	arena  []byte // encoded findings, one after another
	index  []span // of the arena
	runs   []string
	named  int // runs ever made
	count  int64
	closed bool
}

type span struct{ at, end int }

// A finding in the arena and in a run, numbers in big-endian order:
//
//	length of all that follows  uint32
//	time in ns                  uint64, biased so that it compares as a number
//	offset                      int64
//	length of path, rule id     uint32 each
//	path, rule id
//	for each file: length uint32, line
const keyLen = 4 + 8 + 8 + 4 + 4

// Findings returns the writer of findings.jsonl and of whatever other files have a line for every finding.
func (w *Writer) Findings(others ...LineFile) *FindingWriter {
	jsonl := LineFile{Name: FindingsFile, Append: func(dst []byte, f *Finding) []byte {
		return append(AppendFinding(dst, f), '\n')
	}}
	return &FindingWriter{w: w, files: append([]LineFile{jsonl}, others...), spillAt: SpillAt}
}

// Add takes a finding. Nothing of f is kept.
func (fw *FindingWriter) Add(f *Finding) error {
	if fw.closed {
		return errors.New("casefile: finding after Close")
	}
	at := len(fw.arena)
	b := fw.arena
	b = append(b, 0, 0, 0, 0)
	ns := uint64(math.MaxUint64)
	if f.Time != nil {
		ns = uint64(f.Time.UnixNano()) ^ 1<<63
	}
	b = binary.BigEndian.AppendUint64(b, ns)
	b = binary.BigEndian.AppendUint64(b, uint64(f.Source.Offset))
	b = binary.BigEndian.AppendUint32(b, uint32(len(f.Source.Path)))
	b = binary.BigEndian.AppendUint32(b, uint32(len(f.Rule.ID)))
	b = append(b, f.Source.Path...)
	b = append(b, f.Rule.ID...)
	for i := range fw.files {
		b = append(b, 0, 0, 0, 0)
		was := len(b)
		b = fw.files[i].Append(b, f)
		binary.BigEndian.PutUint32(b[was-4:], uint32(len(b)-was))
	}
	if len(b)-at-4 > maxLine {
		fw.arena = b[:at]
		return fmt.Errorf("finding of rule %s in %s: %w", f.Rule.ID, f.Source.Path, errLongLine)
	}
	binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at-4))
	fw.arena = b
	fw.index = append(fw.index, span{at, len(b)})
	fw.count++
	if len(fw.arena)+len(fw.index)*16 >= fw.spillAt {
		return fw.spill()
	}
	return nil
}

// Count returns how many findings were added.
func (fw *FindingWriter) Count() int64 { return fw.count }

// compareRecords orders two encoded findings. Where the key is the same, the bytes decide, so that the order is total.
func compareRecords(a, b []byte) int {
	if c := cmp.Compare(binary.BigEndian.Uint64(a[4:]), binary.BigEndian.Uint64(b[4:])); c != 0 {
		return c
	}
	pa, ra := keyOf(a)
	pb, rb := keyOf(b)
	if c := bytes.Compare(pa, pb); c != 0 {
		return c
	}
	if c := cmp.Compare(int64(binary.BigEndian.Uint64(a[12:])), int64(binary.BigEndian.Uint64(b[12:]))); c != 0 {
		return c
	}
	if c := bytes.Compare(ra, rb); c != 0 {
		return c
	}
	return bytes.Compare(a, b)
}

func keyOf(rec []byte) (path, rule []byte) {
	p := keyLen + int(binary.BigEndian.Uint32(rec[20:]))
	r := p + int(binary.BigEndian.Uint32(rec[24:]))
	return rec[keyLen:p], rec[p:r]
}

// linesOf returns the part of a record that holds the lines.
func linesOf(rec []byte) []byte {
	return rec[keyLen+int(binary.BigEndian.Uint32(rec[20:]))+int(binary.BigEndian.Uint32(rec[24:])):]
}

func (fw *FindingWriter) sortArena() {
	slices.SortFunc(fw.index, func(a, b span) int {
		return compareRecords(fw.arena[a.at:a.end], fw.arena[b.at:b.end])
	})
}

func (fw *FindingWriter) spill() error {
	fw.sortArena()
	err := fw.newRun(func(w *bufio.Writer) error {
		for _, s := range fw.index {
			if _, err := w.Write(fw.arena[s.at:s.end]); err != nil {
				return err
			}
		}
		return nil
	})
	fw.arena, fw.index = fw.arena[:0], fw.index[:0]
	return err
}

// newRun makes a run of what write writes.
func (fw *FindingWriter) newRun(write func(w *bufio.Writer) error) error {
	name := fmt.Sprintf(".run-%06d", fw.named)
	fw.named++
	f, err := fw.w.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	fw.runs = append(fw.runs, name)
	w := bufio.NewWriterSize(f, 256<<10)
	err = write(w)
	if err == nil {
		err = w.Flush()
	}
	return errors.Join(err, f.Close())
}

// Close writes the files. Only after it may the Writer be committed.
func (fw *FindingWriter) Close() (err error) {
	if fw.closed {
		return nil
	}
	fw.closed = true
	out := make([]*File, 0, len(fw.files))
	defer func() {
		for _, f := range out {
			if err != nil {
				f.abort()
			} else {
				err = f.Close()
			}
		}
		for _, name := range fw.runs {
			err = errors.Join(err, fw.w.root.Remove(name))
		}
		fw.arena, fw.index, fw.runs = nil, nil, nil
	}()
	for i := range fw.files {
		f, err := fw.w.File(fw.files[i].Name)
		if err != nil {
			return err
		}
		out = append(out, f)
		if _, err := f.Write(fw.files[i].Header); err != nil {
			return err
		}
	}
	emit := func(rec []byte) error {
		lines := linesOf(rec)
		for _, f := range out {
			n := 4 + int(binary.BigEndian.Uint32(lines))
			if _, err := f.Write(lines[4:n]); err != nil {
				return err
			}
			lines = lines[n:]
		}
		return nil
	}

	if len(fw.runs) == 0 {
		fw.sortArena()
		for _, s := range fw.index {
			if err := emit(fw.arena[s.at:s.end]); err != nil {
				return err
			}
		}
		return nil
	}
	if len(fw.index) > 0 {
		if err := fw.spill(); err != nil {
			return err
		}
	}
	fw.arena, fw.index = nil, nil
	for len(fw.runs) > maxRuns {
		first := slices.Clone(fw.runs[:maxRuns])
		err := fw.newRun(func(w *bufio.Writer) error {
			return fw.merge(first, func(rec []byte) error {
				_, err := w.Write(rec)
				return err
			})
		})
		if err != nil {
			return err
		}
		for _, name := range first {
			if err := fw.w.root.Remove(name); err != nil {
				return err
			}
		}
		fw.runs = slices.Delete(fw.runs, 0, maxRuns)
	}
	return fw.merge(fw.runs, emit)
}

// merge passes on the records of the runs in order. A record is valid during the call.
func (fw *FindingWriter) merge(names []string, emit func(rec []byte) error) error {
	runs := make([]*run, 0, len(names))
	defer func() {
		for _, r := range runs {
			r.f.Close()
		}
	}()
	for _, name := range names {
		f, err := fw.w.root.Open(name)
		if err != nil {
			return err
		}
		r := &run{f: f, r: bufio.NewReaderSize(f, 64<<10)}
		runs = append(runs, r)
		if err := r.next(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	tree := heapOf(runs)
	for len(tree) > 0 {
		r := tree[0]
		if err := emit(r.rec); err != nil {
			return err
		}
		switch err := r.next(); err {
		case nil:
		case io.EOF:
			tree[0] = tree[len(tree)-1]
			tree = tree[:len(tree)-1]
		default:
			return err
		}
		tree.down(0)
	}
	return nil
}

// run is a sorted file that is being read.
type run struct {
	f   *os.File
	r   *bufio.Reader
	rec []byte
}

// next reads the next record into rec. Its error is io.EOF only between records.
func (r *run) next() error {
	r.rec = append(r.rec[:0], 0, 0, 0, 0)
	if _, err := io.ReadFull(r.r, r.rec); err != nil {
		return err
	}
	n := int(binary.BigEndian.Uint32(r.rec))
	if n < keyLen-4 || n > maxLine {
		return errors.New("casefile: damaged run")
	}
	r.rec = slices.Grow(r.rec, n)[:4+n]
	if _, err := io.ReadFull(r.r, r.rec[4:]); err != nil {
		return fmt.Errorf("casefile: damaged run: %w", io.ErrUnexpectedEOF)
	}
	return nil
}

// runHeap has the run with the smallest record first.
type runHeap []*run

func heapOf(runs []*run) runHeap {
	h := runHeap(slices.Clone(runs))
	for i := len(h)/2 - 1; i >= 0; i-- {
		h.down(i)
	}
	return h
}

func (h runHeap) down(i int) {
	for {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(h); c++ {
			if compareRecords(h[c].rec, h[least].rec) < 0 {
				least = c
			}
		}
		if least == i {
			return
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
}
