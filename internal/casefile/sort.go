package casefile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/barid-dfir/barid/internal/spill"
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

// FindingWriter takes findings in any order and writes them in order of (time, source path, offset, rule id); findings
// without a time come last. Memory is bounded, what does not fit is sorted on disk. The bytes written do not depend on the
// order of Add. It is not safe for concurrent use.
type FindingWriter struct {
	w      *Writer
	files  []LineFile
	sorter *spill.Sorter
	buffer *spill.Buffer
	record []byte
	count  int64
	closed bool
}

// A finding is sorted as a record, whose bytes compare as findings are ordered; where they are equal so far, the lines
// decide, so that the order is total:
//
//	time in ns   uint64, biased so that it compares as a number; the greatest if there is none
//	path         0x00 written as 0x00 0xFF, and ended by 0x00 0x01
//	offset       uint64, biased
//	rule id      like path
//	for each file: length uint32, line
//	where these begin  uint32
//
// Numbers are big-endian.

// Findings returns the writer of findings.jsonl and of whatever other files have a line for every finding.
func (w *Writer) Findings(others ...LineFile) *FindingWriter { return w.findings(SpillAt, others) }

func (w *Writer) findings(memory int, others []LineFile) *FindingWriter {
	jsonl := LineFile{Name: FindingsFile, Append: func(dst []byte, f *Finding) []byte {
		return append(AppendFinding(dst, f), '\n')
	}}
	s := spill.New(w.tmp, memory)
	return &FindingWriter{w: w, files: append([]LineFile{jsonl}, others...), sorter: s, buffer: s.Buffer()}
}

// Add takes a finding. Nothing of f is kept.
func (fw *FindingWriter) Add(f *Finding) error {
	if fw.closed {
		return errors.New("casefile: finding after Close")
	}
	ns := uint64(math.MaxUint64)
	if f.Time != nil {
		ns = uint64(f.Time.UnixNano()) ^ 1<<63
	}
	b := binary.BigEndian.AppendUint64(fw.record[:0], ns)
	b = appendKey(b, f.Source.Path)
	b = binary.BigEndian.AppendUint64(b, uint64(f.Source.Offset)^1<<63)
	b = appendKey(b, f.Rule.ID)
	lines := len(b)
	for i := range fw.files {
		b = append(b, 0, 0, 0, 0)
		was := len(b)
		b = fw.files[i].Append(b, f)
		binary.BigEndian.PutUint32(b[was-4:], uint32(len(b)-was))
	}
	b = binary.BigEndian.AppendUint32(b, uint32(lines))
	fw.record = b
	if len(b) > min(maxLine, spill.MaxRecord) {
		return fmt.Errorf("finding of rule %s in %s: %w", f.Rule.ID, f.Source.Path, errLongLine)
	}
	fw.count++
	return fw.buffer.Add(b)
}

func appendKey(dst []byte, s string) []byte {
	for i := range len(s) {
		if dst = append(dst, s[i]); s[i] == 0 {
			dst = append(dst, 0xFF)
		}
	}
	return append(dst, 0, 1)
}

// Count returns how many findings were added.
func (fw *FindingWriter) Count() int64 { return fw.count }

// Close writes the files. Only after it may the Writer be committed.
func (fw *FindingWriter) Close() (err error) {
	if fw.closed {
		return nil
	}
	fw.closed = true
	defer fw.sorter.Close()
	if err := fw.buffer.Flush(); err != nil {
		return err
	}
	out := make([]*File, 0, len(fw.files))
	defer func() {
		for _, f := range out {
			if err != nil {
				f.abort()
			} else {
				err = f.Close()
			}
		}
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
	sorted := fw.sorter.Reader()
	for {
		record, err := sorted.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		lines := record[binary.BigEndian.Uint32(record[len(record)-4:]):]
		for _, f := range out {
			n := 4 + int(binary.BigEndian.Uint32(lines))
			if _, err := f.Write(lines[4:n]); err != nil {
				return err
			}
			lines = lines[n:]
		}
	}
}
