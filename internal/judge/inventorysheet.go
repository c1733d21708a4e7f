package judge

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"hash/maphash"
	"io"
	"iter"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// maxRecord is how long a line of a list may be, in bytes, the lines that a quoted cell spans included.
const maxRecord = 64 << 10

// sheet reads a list: comma-, semicolon- or tab-separated values in UTF-8, UTF-16 or Windows-1252.
type sheet struct {
	list  List
	line  int // of the record, from 1
	times clocks

	file     *os.File
	raw      hash.Hash
	read     counter
	bytes    int64 // of the file
	in       io.Reader
	buf      []byte
	from, to int
	eof      error
	lines    int // that were taken
	comma    byte
	cells    [][]byte // of the record
	scratch  []byte
	latin    []byte
	columns  []int // where the columns that we know stand; -1 if nowhere
	known    map[string]string
	keep     strings.Builder
	oldBytes bool // a line was not UTF-8
}

// roomFor returns list with room for one more, and for as many as the list still has if its lines go on as they began.
func roomFor[T any](list []T, t *sheet) []T {
	n := len(list)
	if n < cap(list) || n < 1000 {
		return list
	}
	more := n // no more than double: what the file's length promises need not come
	if t.read.n > 0 {
		more = min(n, int(float64(n)*(float64(t.bytes)/float64(t.read.n)-1)*1.05)+1000)
	}
	return slices.Grow(list, more)
}

// errEnd is the end of a list.
var errEnd = errors.New("end of list")

type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}

func openSheet(file string) (*sheet, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file", file)
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	t := &sheet{file: f, bytes: info.Size(), raw: sha256.New(), buf: make([]byte, 1<<20), known: make(map[string]string)}
	in := io.TeeReader(f, io.MultiWriter(t.raw, &t.read))
	head := make([]byte, 4)
	n, err := io.ReadFull(in, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		f.Close()
		return nil, err
	}
	head = head[:n]
	t.in = io.MultiReader(bytes.NewReader(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))), in)
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xfe")), n == 4 && head[0] != 0 && head[1] == 0 && head[2] != 0 && head[3] == 0:
		t.in = transform.NewReader(t.in, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder())
	case bytes.HasPrefix(head, []byte("\xfe\xff")), n == 4 && head[0] == 0 && head[1] != 0 && head[2] == 0 && head[3] != 0:
		t.in = transform.NewReader(t.in, unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewDecoder())
	}
	return t, nil
}

func (t *sheet) close() { t.file.Close() }

// finish says what was read. The list was read to its end.
func (t *sheet) finish() {
	if t.list.Lines == 0 {
		t.note("nothing is listed: after the names of the columns no line follows")
	}
	t.list.SHA256, t.list.Bytes = hex.EncodeToString(t.raw.Sum(nil)), t.read.n
}

func (t *sheet) problem(format string, args ...any) { t.problemAt(t.line, format, args...) }

func (t *sheet) problemAt(line int, format string, args ...any) {
	if t.list.Unread++; len(t.list.Problems) < maxProblems {
		t.list.Problems = append(t.list.Problems, strconv.Itoa(line)+": "+fmt.Sprintf(format, args...))
	}
}

// note is a problem of the list as a whole.
func (t *sheet) note(format string, args ...any) { t.problemAt(1, format, args...) }

// window makes at least maxRecord bytes available, if there are as many.
func (t *sheet) window() []byte {
	if t.to-t.from < maxRecord && t.eof == nil {
		t.to = copy(t.buf, t.buf[t.from:t.to])
		t.from = 0
		for t.to < len(t.buf) && t.eof == nil {
			var n int
			n, t.eof = t.in.Read(t.buf[t.to:])
			t.to += n
		}
	}
	return t.buf[t.from:min(t.to, t.from+maxRecord)]
}

// records reads record after record, to the end of the list or to an error, which it tells last.
func (t *sheet) records() iter.Seq[error] {
	return func(yield func(error) bool) {
		for {
			err := t.next()
			if errors.Is(err, errEnd) || !yield(err) || err != nil {
				return
			}
		}
	}
}

// next reads a record that is not empty; it ends with errEnd.
func (t *sheet) next() error {
	for {
		p := t.window()
		if len(p) == 0 {
			if t.eof != nil && !errors.Is(t.eof, io.EOF) {
				return t.eof
			}
			return errEnd
		}
		t.line = t.lines + 1
		n := t.split(p)
		t.lines += bytes.Count(p[:n], []byte{'\n'})
		t.from += n
		if len(t.cells) > 1 || len(t.cells) == 1 && len(t.cells[0]) > 0 {
			if t.columns != nil {
				t.list.Lines++
			}
			return nil
		}
	}
}

// split makes cells of the first record in p and returns its length, line end included. What it cannot make sense of is a
// problem.
func (t *sheet) split(p []byte) int {
	t.cells = t.cells[:0]
	end := bytes.IndexByte(p, '\n')
	line := p
	if end >= 0 {
		line = p[:end]
	} else {
		end = len(p) - 1
		if len(p) == maxRecord {
			t.problem("a line of more than %d bytes: it is left out", maxRecord)
			return t.skipLine(p)
		}
	}
	plain := bytes.TrimSuffix(line, []byte{'\r'})
	if bytes.IndexByte(line, '"') < 0 {
		for {
			i := bytes.IndexByte(plain, t.comma)
			if i < 0 {
				t.cells = append(t.cells, bytes.TrimSpace(plain))
				break
			}
			t.cells = append(t.cells, bytes.TrimSpace(plain[:i]))
			plain = plain[i+1:]
		}
		t.decode()
		return end + 1
	}
	if n := t.splitQuoted(p); n > 0 {
		t.decode()
		return n
	}
	t.problem("a quote is not closed within %d bytes", maxRecord)
	t.cells = t.cells[:0]
	for cell := range bytes.SplitSeq(plain, []byte{t.comma}) {
		t.cells = append(t.cells, bytes.TrimSpace(bytes.Trim(cell, `"`)))
	}
	t.decode()
	return end + 1
}

// skipLine takes a line that does not fit, and returns 0: nothing is left to take.
func (t *sheet) skipLine(p []byte) int {
	for len(p) > 0 {
		if i := bytes.IndexByte(p, '\n'); i >= 0 {
			t.from += i + 1
			t.lines++
			break
		}
		t.from += len(p)
		p = t.window()
	}
	return 0
}

// splitQuoted is split for a record with quotes; it returns 0 if one is not closed, or the record does not end.
func (t *sheet) splitQuoted(p []byte) int {
	t.scratch = t.scratch[:0]
	t.scratch = slices.Grow(t.scratch, len(p)) // cells are parts of it, and it must not move
	for i := 0; ; {
		start := len(t.scratch)
		quoted := i < len(p) && p[i] == '"'
		if quoted {
			for i++; ; i++ {
				j := bytes.IndexByte(p[i:], '"')
				if j < 0 {
					return 0
				}
				t.scratch = append(t.scratch, p[i:i+j]...)
				if i += j + 1; i >= len(p) || p[i] != '"' {
					break
				}
				t.scratch = append(t.scratch, '"')
			}
		}
		for i < len(p) && p[i] != t.comma && p[i] != '\n' {
			t.scratch = append(t.scratch, p[i])
			i++
		}
		t.cells = append(t.cells, bytes.TrimSpace(t.scratch[start:]))
		if i >= len(p) {
			if len(p) == maxRecord {
				return 0
			}
			return i
		}
		if i++; p[i-1] == '\n' {
			return i
		}
	}
}

// decode makes UTF-8 of cells that are none: they are taken for Windows-1252.
func (t *sheet) decode() {
	t.latin = t.latin[:0]
	for i, c := range t.cells {
		if utf8.Valid(c) {
			continue
		}
		if !t.oldBytes {
			t.oldBytes = true
			t.problem("not UTF-8: such lines are read as Windows-1252")
		}
		t.latin = slices.Grow(t.latin, 3*len(c))
		start := len(t.latin)
		for _, b := range c {
			t.latin = utf8.AppendRune(t.latin, charmap.Windows1252.DecodeByte(b))
		}
		t.cells[i] = t.latin[start:len(t.latin):len(t.latin)]
	}
}

// header reads the line that names the columns. The first needed of names must be there.
func (t *sheet) header(names []string, needed int) error {
	for {
		line, _, more := bytes.Cut(t.window(), []byte{'\n'})
		t.comma = ','
		for _, c := range []byte{';', '\t'} {
			if bytes.Count(line, []byte{c}) > bytes.Count(line, []byte{t.comma}) {
				t.comma = c
			}
		}
		if rest, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte("sep=")); ok && len(rest) <= 1 || len(bytes.TrimSpace(line)) == 0 && more { // sep=: Excel says the delimiter
			if !more {
				return errors.New("it is empty")
			}
			t.from += len(line) + 1
			t.lines++
			continue
		}
		break
	}
	if err := t.next(); errors.Is(err, errEnd) {
		return errors.New("it is empty: its first line names the columns")
	} else if err != nil {
		return err
	}
	t.columns = slices.Repeat([]int{-1}, len(names))
	var unknown []string
	for at, c := range t.cells {
		i := slices.IndexFunc(names, func(n string) bool { return columnKey(n) == columnKey(string(c)) })
		switch {
		case i < 0:
			unknown = append(unknown, strconv.Quote(cutText(string(c))))
		case t.columns[i] >= 0:
			t.problem("two columns are called %s: the first is read", names[i])
		default:
			t.columns[i] = at
		}
	}
	for i := range needed {
		if t.columns[i] < 0 {
			return fmt.Errorf("no column %s: its first line must name the columns (%s)", names[i], strings.Join(names, ","))
		}
	}
	if len(unknown) > 0 {
		more := ""
		if n := len(unknown) - 20; n > 0 {
			unknown, more = unknown[:20], fmt.Sprintf(" and %d more", n)
		}
		t.problem("unknown columns are not read: %s%s", strings.Join(unknown, ", "), more)
	}
	return nil
}

// columnKey is the name of a column without what people write differently.
func columnKey(name string) string {
	key := strings.Map(func(r rune) rune {
		if r == ' ' || r == '_' || r == '-' {
			return -1
		}
		return r
	}, strings.ToLower(name))
	if key == "mailboxguid" {
		return "exchangeguid"
	}
	return key
}

func cutText(s string) string {
	if len(s) <= 60 {
		return s
	}
	return strings.ToValidUTF8(s[:60], "") + "…"
}

// cell returns what stands in a column, nil if nothing. It is valid until the next record.
func (t *sheet) cell(column int) []byte {
	at := t.columns[column]
	if at < 0 || at >= len(t.cells) {
		return nil
	}
	return t.cells[at]
}

// text returns a cell to keep.
func (t *sheet) text(column int) string {
	c := t.cell(column)
	if t.keep.Cap()-t.keep.Len() < len(c) {
		t.keep = strings.Builder{}
		t.keep.Grow(max(256<<10, len(c)))
	}
	start := t.keep.Len()
	t.keep.Write(c)
	return t.keep.String()[start:]
}

// maxAgain is how many texts that may come again are remembered.
const maxAgain = 1 << 18

// again returns a cell to keep that may come again.
func (t *sheet) again(column int) string {
	c := t.cell(column)
	if s, ok := t.known[string(c)]; ok {
		return s
	}
	s := t.text(column)
	if len(t.known) < maxAgain {
		t.known[s] = s
	}
	return s
}

// size reads a number of bytes; -1 if it is unknown.
func (t *sheet) size(column int, most int64) int64 {
	c := t.cell(column)
	if len(c) == 0 {
		return -1
	}
	digits := c
	if i := bytes.IndexByte(c, '('); i >= 0 && bytes.HasSuffix(c, []byte(" bytes)")) { // 12.34 KB (12,636 bytes), as Exchange writes it
		digits = bytes.ReplaceAll(c[i+1:len(c)-len(" bytes)")], []byte{','}, nil)
	}
	n, err := strconv.ParseInt(string(digits), 10, 64)
	switch {
	case err != nil:
		t.problem("size %q is no number of bytes", cutText(string(c)))
		return -1
	case n < 0 || n > most:
		t.problem("size %d is not believed", n)
		return -1
	}
	return n
}

func (t *sheet) time(column, row int, w when) int64 {
	c := t.cell(column)
	if len(c) == 0 {
		return unknownTime
	}
	at, err := t.times.read(c, row, w)
	if err != nil {
		t.problem("%s", err)
		return unknownTime
	}
	return at
}

// sameMessage finds messages that stand in a list twice.
type sameMessage struct {
	seed  maphash.Seed
	key   []byte
	sums  []uint64 // of the hash of each message
	slots []int32  // number + 1; a power of two of them, a quarter of them free at least
	used  int
}

func newSameMessage() *sameMessage {
	return &sameMessage{seed: maphash.MakeSeed(), slots: make([]int32, 1<<10)}
}

// find returns which of list is the message, or -1 and remembers that it will be number i.
func (s *sameMessage) find(list []Message, mailbox, id, folder []byte, i int) int {
	s.key = s.key[:0]
	for _, b := range mailbox {
		s.key = append(s.key, foldByte(b))
	}
	s.key = append(append(append(append(s.key, 0), id...), 0), folder...)
	sum := maphash.Bytes(s.seed, s.key)
	for at := sum; ; at++ {
		slot := &s.slots[at&uint64(len(s.slots)-1)]
		if *slot == 0 {
			*slot = int32(i) + 1
			break
		}
		j := int(*slot - 1)
		if m := &list[j]; s.sums[j] == sum && m.ID == string(id) && m.FolderID == string(folder) && strings.EqualFold(m.Mailbox, string(mailbox)) {
			return j
		}
	}
	for len(s.sums) <= i { // messages without an identifier have none
		s.sums = append(s.sums, 0)
	}
	s.sums[i] = sum
	if s.used++; s.used > len(s.slots)/4*3 {
		s.grow()
	}
	return -1
}

func (s *sameMessage) grow() {
	old := s.slots
	s.slots = make([]int32, 2*len(old))
	for _, n := range old {
		if n == 0 {
			continue
		}
		at := s.sums[n-1]
		for s.slots[at&uint64(len(s.slots)-1)] != 0 {
			at++
		}
		s.slots[at&uint64(len(s.slots)-1)] = n
	}
}

func foldByte(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		b += 'a' - 'A'
	}
	return b
}
