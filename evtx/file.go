package evtx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
)

// File is a Windows event log that is read from its beginning to its end. It is for one goroutine; whoever wants more
// gives chunks to Decoders.
type File struct {
	// Header is what the header of the file says; all zero where it is lost.
	Header FileHeader

	r       io.Reader
	closer  io.Closer
	pending []byte // what was read to recognise the file
	offset  int64  // of pending
	decoder *Decoder
}

// Open opens the log at name, for reading only.
func Open(name string) (*File, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	log, err := NewFile(f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	log.closer = f
	return log, nil
}

// NewFile reads a log from r: one with its header, with a header that was overwritten, or a part that begins with a
// chunk. The error is [ErrNotEventLog], or that of r.
func NewFile(r io.Reader) (*File, error) {
	head := make([]byte, FileHeaderSize+ChunkSize)
	n, err := io.ReadFull(r, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	f := &File{r: r, pending: head[:n], decoder: NewDecoder(NewTemplates())}
	if bytes.HasPrefix(f.pending, []byte(chunkMagic)) {
		return f, nil
	}
	if f.Header, err = ParseFileHeader(f.pending); err != nil && !bytes.HasPrefix(f.pending[min(n, FileHeaderSize):], []byte(chunkMagic)) {
		return nil, err
	}
	f.offset = int64(min(n, FileHeaderSize))
	f.pending = f.pending[f.offset:]
	return f, nil
}

// Close closes a File that was opened by name.
func (f *File) Close() error {
	if f.closer == nil {
		return nil
	}
	return f.closer.Close()
}

// DefectError is something wrong in a file. What could be read around it was read.
type DefectError struct {
	Offset int64 // in the file, in bytes
	Length int   // of what was lost, in bytes; 0 if nothing was
	Reason string
}

// Error returns the offset and the reason.
func (e *DefectError) Error() string { return fmt.Sprintf("byte %d: %s", e.Offset, e.Reason) }

// Records returns the records of the file, once. A record is valid until the next; its Offset is in its chunk. Where
// something is wrong, the record is nil and the error a [*DefectError], and what follows can be read on; any other
// error is that of reading, or of ctx, and the last.
func (f *File) Records(ctx context.Context) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		chunk := make([]byte, ChunkSize)
		for {
			if err := ctx.Err(); err != nil {
				yield(nil, context.Cause(ctx))
				return
			}
			n := copy(chunk, f.pending)
			f.pending = f.pending[n:]
			m, err := io.ReadFull(f.r, chunk[n:])
			if n += m; n == 0 || err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				if n > 0 || !errors.Is(err, io.EOF) {
					yield(nil, err)
				}
				return
			}
			f.decoder.Begin(chunk[:n])
			for r := f.decoder.Next(); r != nil; r = f.decoder.Next() {
				if !yield(r, nil) {
					return
				}
			}
			for _, d := range f.decoder.Defects() {
				if !yield(nil, &DefectError{f.offset + int64(d.Offset), d.Length, d.Reason}) {
					return
				}
			}
			f.offset += int64(n)
		}
	}
}

// Get returns the text of the first field with a name, such as "TargetUserName", and whether the record has it.
func (r *Record) Get(name string) (text string, ok bool) {
	for i := range r.Layout.Fields {
		if r.Layout.Fields[i].Name == name {
			return string(r.Value(i).AppendText(nil)), true
		}
	}
	return "", false
}
