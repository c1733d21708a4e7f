package evidence

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// FuzzWalk promises that any bytes are walked to an end, within limits, without a panic, and that a stream is the same
// whether it came as a file or through a pipe.
func FuzzWalk(f *testing.F) {
	two := []entry{{"a/x.log", lineOne}, {"y.log", lineTwo}}
	for _, seed := range []string{
		"", lineOne, le16(lineOne), zipOf(f, two...), tarOf(f, two...), gzipOf(f, lineOne), zstdOf(f, lineOne), xzOf(f, lineOne), fixtureBzip2,
		fixtureTarBzip2, fixture7zSolid, fixture7zLZMA, fixture7zBlocks, fixture7zBzip2, fixture7zPPMd, fixture7zPassword, fixtureDeflate64,
		gzipOf(f, tarOf(f, entry{"b.zip", zipOf(f, two...)}, entry{"c.gz", gzipOf(f, lineTwo)})),
		zipOf(f, entry{"b.7z", fixture7zSolid}, entry{"t.tar", tarOf(f, two...)}),
		gzipOf(f, gzipOf(f, gzipOf(f, gzipOf(f, lineOne)))),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		name := filepath.Join(t.TempDir(), "x")
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		walk := func(path string) (lines []string, read int64) {
			opt := Options{MaxTotal: 4 << 20, MaxEntries: 200, Stdin: bytes.NewReader(data)}
			problems := 0
			opt.Report = func(p Problem) {
				problems++
				if p.Reason == "" || !strings.HasPrefix(p.Path, path) {
					t.Errorf("problem %v has no place or reason", p)
				}
			}
			err := Walk(context.Background(), []string{path}, opt, func(s *Stream) error {
				var size int64
				var sum [32]byte
				if s.Container != "" {
					size, sum, _ = s.Hash()
				} else if r, err := s.Open(); err == nil {
					r.Finish()
					size, sum = r.Count(), r.Sum()
					r.Close()
					read += size
				}
				lines = append(lines, fmt.Sprintf("%s %s %d %x", strings.TrimPrefix(s.Path, path), s.Container, size, sum))
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(lines) == 0 && problems == 0 {
				t.Error("neither a stream nor a problem")
			}
			return lines, read
		}
		fromFile, read := walk(name)
		fromPipe, _ := walk("-")
		if read < 2<<20 { // beyond, the limit is met at different places
			if d := cmp.Diff(fromFile, fromPipe); d != "" {
				t.Errorf("file and pipe differ:\n%s", d)
			}
		}
	})
}

// FuzzReader promises that a Reader gives the same text, however it is read.
func FuzzReader(f *testing.F) {
	f.Add([]byte(lineOne), uint16(3))
	f.Add([]byte("\xff\xfe"+le16(lineOne+"é𝄞")), uint16(1))
	f.Add([]byte("\xfe\xff"+be16(lineOne+"é𝄞")+"\xd8"), uint16(5))
	f.Fuzz(func(t *testing.T, data []byte, step uint16) {
		read := func(step int, peek bool) (text []byte) {
			r := newReader(&Stream{Path: "x", w: NewWalker(Options{})}, memoryCloser{bytes.NewReader(data)})
			p := make([]byte, step)
			for {
				if peek {
					r.Peek(step + 7)
				}
				n, err := r.Read(p)
				text = append(text, p[:n]...)
				if err != nil {
					break
				}
			}
			if r.Count() != int64(len(data)) || r.Sum() != sha256.Sum256(data) {
				t.Error("count or hash are not those of the bytes")
			}
			return text
		}
		want := read(1<<16, false)
		for _, peek := range []bool{false, true} {
			if got := read(int(step%512)+1, peek); !bytes.Equal(got, want) {
				t.Errorf("in steps of %d: %q, want %q", step%512+1, got, want)
			}
		}
	})
}

type memoryCloser struct{ *bytes.Reader }

func (memoryCloser) Close() error { return nil }

// TestAnyTreeComesOutOfAnyArchive packs random files in random forms.
func TestAnyTreeComesOutOfAnyArchive(t *testing.T) {
	dir := t.TempDir()
	big := strings.Repeat(noise(7, 5000), 220) // more than is read ahead
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(0, 5).Draw(rt, "files")
		var entries []entry
		var want []seen
		for i := range n {
			data := rapid.SampledFrom([]string{"", lineOne, strings.Repeat(lineTwo, 3000), big}).Draw(rt, "content")
			entries = append(entries, entry{fmt.Sprintf("f/%d.log", i), data})
		}
		form := rapid.SampledFrom([]string{"zip", "tar", "tar+gzip", "tar+zstd", "tar+xz"}).Draw(rt, "form")
		var data string
		switch form {
		case "zip":
			data = zipOf(t, entries...)
		case "tar":
			data = tarOf(t, entries...)
		case "tar+gzip":
			data = gzipOf(t, tarOf(t, entries...))
		case "tar+zstd":
			data = zstdOf(t, tarOf(t, entries...))
		case "tar+xz":
			data = xzOf(t, tarOf(t, entries...))
		}
		if n == 0 && form != "zip" {
			return // no tar says that it is one
		}
		path := filepath.Join(dir, "x")
		if err := os.WriteFile(path, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
		if rapid.Bool().Draw(rt, "pipe") {
			path = "-"
		}
		for _, e := range entries {
			want = append(want, seen{path + "!" + e.name, "", e.data})
		}
		want = append(want, seen{path, form, ""})
		got, problems := collect(t, Options{Stdin: strings.NewReader(data)}, path)
		if d := cmp.Diff(want, got); d != "" || len(problems) > 0 {
			rt.Fatal(d, problems)
		}
	})
}

// sevenOf is a 7z of packed bytes and a header, with right checksums.
func sevenOf(packed, header []byte) []byte {
	start := binary.LittleEndian.AppendUint64(nil, uint64(len(packed)))
	start = binary.LittleEndian.AppendUint64(start, uint64(len(header)))
	start = binary.LittleEndian.AppendUint32(start, crcOf(header))
	out := binary.LittleEndian.AppendUint32([]byte("7z\xBC\xAF\x27\x1C\x00\x04"), crcOf(start))
	return append(append(append(out, start...), packed...), header...)
}

// FuzzSevenHeader gets behind the checksums of a 7z.
func FuzzSevenHeader(f *testing.F) {
	for _, a := range []string{fixture7zSolid, fixture7zLZMA, fixture7zBlocks, fixture7zPPMd, fixture7zPassword} {
		n := binary.LittleEndian.Uint64([]byte(a[12:]))
		f.Add([]byte(a[32:32+n]), []byte(a[32+n:]))
	}
	f.Fuzz(func(t *testing.T, packed, header []byte) {
		drainAll(t, Options{MaxTotal: 4 << 20, MaxEntries: 200}, string(sevenOf(packed, header)))
	})
}

// FuzzXz gets behind the checksum of the first block header of an .xz.
func FuzzXz(f *testing.F) {
	for _, text := range []string{"", lineOne, strings.Repeat(lineTwo, 100)} {
		f.Add([]byte(xzOf(f, text))[12:])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 0 && data[0] != 0 {
			if n := (int(data[0]) + 1) * 4; n <= len(data) {
				data = bytes.Clone(data)
				binary.LittleEndian.PutUint32(data[n-4:], crcOf(data[:n-4]))
			}
		}
		drainAll(t, Options{MaxTotal: 4 << 20}, "\xFD7zXZ\x00\x00\x04\xE6\xD6\xB4\x46"+string(data))
	})
}

// FuzzDeflate64 promises an end without a panic.
func FuzzDeflate64(f *testing.F) {
	f.Add([]byte("\x02\x00\x03\x00\xFC\xFFabc\x03\x00"))
	f.Add([]byte(fixtureDeflate64[35:1500]))
	f.Fuzz(func(t *testing.T, data []byte) {
		n, _ := io.CopyN(io.Discard, newDeflate64(bufio.NewReader(bytes.NewReader(data))), 4<<20)
		if n > int64(len(data))*8*65538 {
			t.Error("more came out than can")
		}
	})
}
