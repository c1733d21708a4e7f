package casefile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strconv"

	"github.com/barid-dfir/barid/internal/event"
)

// AppendFinding appends f as a line of findings.jsonl, without its line end, and returns the longer slice. Fields stand
// in the order of [Finding]; the event is written on one line as it is. It does not allocate beyond dst.
func AppendFinding(dst []byte, f *Finding) []byte {
	dst = append(dst, `{"time":`...)
	if f.Time == nil {
		dst = append(dst, "null"...)
	} else {
		dst = append(event.AppendTime(append(dst, '"'), *f.Time), '"')
	}
	if f.Last != nil {
		dst = append(event.AppendTime(append(dst, `,"last":"`...), *f.Last), '"')
	}
	dst = event.AppendString(append(dst, `,"rule":{"id":`...), f.Rule.ID)
	dst = event.AppendString(append(dst, `,"title":`...), f.Rule.Title)
	dst = event.AppendString(append(dst, `,"level":`...), f.Rule.Level)
	dst = append(dst, `,"tags":[`...)
	for i, t := range f.Rule.Tags {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = event.AppendString(dst, t)
	}
	dst = event.AppendString(append(dst, `]},"host":`...), f.Host)
	if f.Account != "" {
		dst = event.AppendString(append(dst, `,"account":`...), f.Account)
	}
	if f.Client != "" {
		dst = event.AppendString(append(dst, `,"client":`...), f.Client)
	}
	if f.Object != "" {
		dst = event.AppendString(append(dst, `,"object":`...), f.Object)
	}
	dst = event.AppendString(append(dst, `,"source":{"path":`...), f.Source.Path)
	if f.Source.SHA256 != "" {
		dst = event.AppendString(append(dst, `,"sha256":`...), f.Source.SHA256)
	}
	if f.Source.Record != 0 {
		dst = strconv.AppendInt(append(dst, `,"record":`...), f.Source.Record, 10)
	}
	if f.Source.Line != 0 {
		dst = strconv.AppendInt(append(dst, `,"line":`...), f.Source.Line, 10)
	}
	dst = strconv.AppendInt(append(dst, `,"offset":`...), f.Source.Offset, 10)
	dst = append(dst, `},"event":`...)
	if f.EventIsClean {
		dst = append(dst, f.Event...)
	} else {
		dst = appendJSON(dst, f.Event)
	}
	if f.Raw != "" {
		dst = event.AppendString(append(dst, `,"raw":`...), f.Raw)
	}
	return append(dst, '}')
}

// maxLine bounds a line of findings.jsonl and custody.jsonl that is read back: a record, escaped at its worst.
const maxLine = 64 << 20

// Findings reads the findings of the case in dir, in order of time. A Finding and all it points to, its texts aside, is
// valid until the next one. After an error, which names the line, nothing more comes.
func Findings(dir string) iter.Seq2[*Finding, error] {
	return func(yield func(*Finding, error) bool) {
		f, err := os.Open(filepath.Join(dir, FindingsFile))
		if err != nil {
			yield(nil, err)
			return
		}
		defer f.Close()
		lines := lineReader{r: bufio.NewReaderSize(f, 256<<10)}
		p := newFindingParser()
		for n := 1; ; n++ {
			line, err := lines.next()
			if err == io.EOF {
				return
			}
			if err == nil {
				err = p.parse(line)
			}
			if err != nil {
				yield(nil, fmt.Errorf("%s, line %d: %w", FindingsFile, n, inWords(err)))
				return
			}
			if !yield(&p.f, nil) {
				return
			}
		}
	}
}

var errLongLine = errors.New("the line is too long")

// lineReader returns lines without their ends, each valid until the next.
type lineReader struct {
	r   *bufio.Reader
	buf []byte
}

func (l *lineReader) next() ([]byte, error) {
	l.buf = l.buf[:0]
	for {
		part, err := l.r.ReadSlice('\n')
		if err == nil && len(l.buf) == 0 {
			return part[:len(part)-1], nil
		}
		if len(l.buf)+len(part) > maxLine {
			return nil, errLongLine
		}
		l.buf = append(l.buf, part...)
		switch {
		case err == nil:
			return l.buf[:len(l.buf)-1], nil
		case err == io.EOF && len(l.buf) > 0:
			return l.buf, nil
		case err != bufio.ErrBufferFull:
			return nil, err
		}
	}
}
