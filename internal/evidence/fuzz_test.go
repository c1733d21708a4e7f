package evidence

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
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
