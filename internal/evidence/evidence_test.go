package evidence

import (
	"context"
	"crypto/sha256"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
)

// seen is what a walk gave, for comparison.
type seen struct {
	Path, Container, Content string
}

// collect walks paths and reads every stream inside visit.
func collect(t testing.TB, opt Options, paths ...string) (streams []seen, problems []Problem) {
	t.Helper()
	opt.Report = func(p Problem) { problems = append(problems, p) }
	err := Walk(context.Background(), paths, opt, func(s *Stream) error {
		got := seen{Path: s.Path, Container: s.Container}
		if s.Container != "" {
			if size, sum, err := s.Hash(); err == nil && (size == 0 || sum == [32]byte{}) {
				t.Errorf("%s: container has no hash", s.Path)
			}
			streams = append(streams, got)
			return nil
		}
		r, err := s.Open()
		if err != nil {
			streams = append(streams, got)
			return nil
		}
		defer r.Close()
		data, _ := io.ReadAll(r)
		got.Content = string(data)
		if r.Encoding() == "" && (r.Count() != int64(len(data)) || r.Sum() != sha256.Sum256(data)) {
			t.Errorf("%s: count or hash differ from what was read", s.Path)
		}
		streams = append(streams, got)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return streams, problems
}

// folder makes files of a temporary folder and returns its name.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		full := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// relative removes the temporary folder from paths.
func relative(dir string, streams []seen, problems []Problem) {
	for i := range streams {
		streams[i].Path = strings.TrimPrefix(streams[i].Path, dir+"/")
	}
	for i := range problems {
		problems[i].Path = strings.TrimPrefix(problems[i].Path, dir+"/")
		problems[i].Reason = strings.ReplaceAll(problems[i].Reason, dir+"/", "")
	}
}

func TestFoldersAreWalkedByName(t *testing.T) {
	dir := folder(t, map[string]string{"b.log": "b", "a/z.log": "z", "a/y.log": "y", "c.log": "", "a.log": "a"})
	streams, problems := collect(t, Options{}, dir)
	relative(dir, streams, problems)
	want := []seen{{Path: "a/y.log", Content: "y"}, {Path: "a/z.log", Content: "z"}, {Path: "a.log", Content: "a"}, {Path: "b.log", Content: "b"}, {Path: "c.log"}}
	if d := cmp.Diff(want, streams); d != "" {
		t.Error(d)
	}
	if len(problems) > 0 {
		t.Error(problems)
	}
}

func TestStandardInput(t *testing.T) {
	streams, _ := collect(t, Options{Stdin: strings.NewReader("line\n")}, "-")
	if d := cmp.Diff([]seen{{Path: "-", Content: "line\n"}}, streams); d != "" {
		t.Error(d)
	}
}

func TestUTF16IsReadAsUTF8(t *testing.T) {
	f := func(in, want, encoding string) {
		t.Helper()
		var got string
		err := Walk(context.Background(), []string{"-"}, Options{Stdin: strings.NewReader(in)}, func(s *Stream) error {
			r, err := s.Open()
			if err != nil {
				return err
			}
			defer r.Close()
			head := string(r.Peek(8))
			data, err := io.ReadAll(r)
			got = string(data)
			if !strings.HasPrefix(got, head) {
				t.Errorf("peeked %q, read %q", head, got)
			}
			if r.Encoding() != encoding {
				t.Errorf("%q: encoding %q, want %q", in, r.Encoding(), encoding)
			}
			if r.Count() != int64(len(in)) || r.Sum() != sha256.Sum256([]byte(in)) {
				t.Errorf("%q: count or hash are not those of the original bytes", in)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	long := strings.Repeat("2021-03-03 GET /owa/ 192.0.2.1 é 𝄞\r\n", 20000)
	f("\xff\xfe"+le16(long), long, "utf-16le")
	f("\xfe\xff"+be16(long), long, "utf-16be")
	f(le16("2021-03-03 06:49 GET /owa/ 192.0.2.1\r\n"), "2021-03-03 06:49 GET /owa/ 192.0.2.1\r\n", "utf-16le")
	f(be16("2021-03-03 06:49 GET /owa/ 192.0.2.1\r\n"), "2021-03-03 06:49 GET /owa/ 192.0.2.1\r\n", "utf-16be")
	f("\xff\xfe", "", "utf-16le")
	f("\xff\xfea\x00b", "a\uFFFD", "utf-16le")
	f("\xff\xfe\x34\xd8a\x00", "\uFFFDa", "utf-16le")
	f("\xff\xfea\x00\x34\xd8", "a\uFFFD", "utf-16le")
	f("\xef\xbb\xbfplain", "\xef\xbb\xbfplain", "")
	f("", "", "")
	f("x", "x", "")
	f(strings.Repeat("\x00", 4096), strings.Repeat("\x00", 4096), "")
}

func le16(s string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return string(b)
}

func be16(s string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u>>8), byte(u))
	}
	return string(b)
}
