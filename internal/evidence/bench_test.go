package evidence

import (
	"context"
	"crypto/sha256"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// logText is n bytes that compress as access logs do.
func logText(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		b.WriteString("192.0.2." + string(rune('0'+i%10)) + ` - - [03/Mar/2021:06:49:46 +0000] "GET /owa/` + noise(uint64(i%5000), 8) + ` HTTP/1.1" 200 ` + "5120\n")
	}
	return b.String()[:n]
}

func BenchmarkRead(b *testing.B) {
	const n = 64 << 20
	text := logText(n)
	dir := b.TempDir()
	run := func(name, data string) {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(data), 0o644); err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.SetBytes(n)
			b.ReportAllocs()
			buf := make([]byte, 512<<10)
			for b.Loop() {
				err := Walk(context.Background(), []string{path}, Options{}, func(s *Stream) error {
					if s.Container != "" {
						return nil
					}
					r, err := s.Open()
					if err != nil {
						return err
					}
					defer r.Close()
					for {
						if _, err := r.Read(buf); err != nil {
							return r.Err()
						}
					}
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("sha256", func(b *testing.B) {
		b.SetBytes(n)
		data := []byte(text)
		for b.Loop() {
			sha256.Sum256(data)
		}
	})
	run("plain", text)
	run("utf-16", "\xff\xfe"+le16(text[:n/2]))
	run("zip", zipOf(b, entry{"x", text}))
	run("gzip", gzipOf(b, text))
	run("tar+gzip", gzipOf(b, tarOf(b, entry{"x", text})))
	run("zstd", zstdOf(b, text))
	run("xz", xzOf(b, text))
}

func BenchmarkWalkManySmallFiles(b *testing.B) {
	files := map[string]string{}
	for i := range 2000 {
		files[filepath.Join("d", noise(uint64(i), 3)[:0]+string(rune('a'+i%26)), "f"+strings.Repeat("x", i%7)+string(rune('0'+i%10))+".log"+string(rune('a'+i/26%26)))] = lineOne
	}
	dir := folder(b, files)
	b.ReportAllocs()
	for b.Loop() {
		Walk(context.Background(), []string{dir}, Options{}, func(s *Stream) error {
			r, err := s.Open()
			if err != nil {
				return err
			}
			defer r.Close()
			_, err = io.Copy(io.Discard, r)
			return err
		})
	}
	b.ReportMetric(float64(len(files)*b.N)/b.Elapsed().Seconds(), "files/s")
}
