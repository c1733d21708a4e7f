package main

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What lies in examples is what the generator writes.
func TestExamplesAreGenerated(t *testing.T) {
	for name, want := range Generate(1) {
		got, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		// Compressed bytes may differ between releases of Go; what is in them may not.
		if !bytes.Equal(content(t, name, got), content(t, name, want)) {
			t.Errorf("examples/%s is not what the generator writes: run go run ./examples/generate", name)
		}
	}
}

func content(t *testing.T, name string, p []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	switch {
	case strings.HasSuffix(name, ".gz"):
		z, err := gzip.NewReader(bytes.NewReader(p))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(&out, z); err != nil {
			t.Fatal(err)
		}
	case strings.HasSuffix(name, ".zip"):
		z, err := zip.NewReader(bytes.NewReader(p), int64(len(p)))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range z.File {
			out.WriteString(f.Name)
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(&out, r); err != nil {
				t.Fatal(err)
			}
			r.Close()
		}
	default:
		return p
	}
	return out.Bytes()
}
