package evidence

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/ulikunitz/xz/lzma"
	"pgregory.net/rapid"
)

// mixed draws text that has every kind of match in it.
func mixed(t *rapid.T) []byte {
	var b []byte
	for range rapid.IntRange(0, 40).Draw(t, "pieces") {
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			b = append(b, rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "bytes")...)
		case 1:
			b = append(b, strings.Repeat(lineOne, rapid.IntRange(0, 300).Draw(t, "lines"))...)
		case 2:
			b = append(b, bytes.Repeat([]byte{0}, rapid.IntRange(0, 2000).Draw(t, "zeros"))...)
		case 3:
			if len(b) > 0 {
				at := rapid.IntRange(0, len(b)-1).Draw(t, "from")
				b = append(b, b[at:min(len(b), at+rapid.IntRange(0, 2000).Draw(t, "length"))]...)
			}
		}
	}
	return b
}

func TestLZMAIsReadAsTheLibraryWritesIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := mixed(t)
		props := lzma.Properties{LC: rapid.IntRange(0, 4).Draw(t, "lc"), LP: 0, PB: rapid.IntRange(0, 4).Draw(t, "pb")}
		props.LP = rapid.IntRange(0, 4-props.LC).Draw(t, "lp")
		dict := rapid.SampledFrom([]int{4096, 10_000, 1 << 20}).Draw(t, "dictionary")

		var b bytes.Buffer
		sized := rapid.Bool().Draw(t, "sized")
		w, err := lzma.WriterConfig{Properties: &props, DictCap: dict, SizeInHeader: sized, Size: int64(len(text)), EOSMarker: !sized}.NewWriter(&b)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(text)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		unpacked := uint64(1<<64 - 1)
		if sized {
			unpacked = uint64(len(text))
		}
		l, err := newLZMAReader(bufio.NewReader(bytes.NewReader(b.Bytes()[13:])), b.Bytes()[:5], unpacked)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(l); err != nil || !bytes.Equal(got, text) {
			t.Fatalf("LZMA: got %d bytes of %d, %v", len(got), len(text), err)
		}

		b.Reset()
		w2, err := lzma.Writer2Config{Properties: &props, DictCap: dict}.NewWriter2(&b)
		if err != nil {
			t.Fatal(err)
		}
		w2.Write(text)
		w2.Close()
		packed := b.Bytes()
		in := bufio.NewReader(strings.NewReader(string(packed) + "after"))
		l = newLZMA2Reader(in, dict)
		if got, err := io.ReadAll(l); err != nil || !bytes.Equal(got, text) || l.taken != int64(len(packed)) {
			t.Fatalf("LZMA2: got %d bytes of %d from %d of %d, %v", len(got), len(text), l.taken, len(packed), err)
		}
		if rest, _ := io.ReadAll(in); string(rest) != "after" {
			t.Fatalf("LZMA2 took bytes that follow it: %q is left", rest)
		}

		cut := rapid.IntRange(0, len(packed)-1).Draw(t, "cut")
		got, err := io.ReadAll(newLZMA2Reader(bufio.NewReader(bytes.NewReader(packed[:cut])), dict))
		if err != io.ErrUnexpectedEOF || !bytes.HasPrefix(text, got) {
			t.Fatalf("cut at %d of %d: got %d bytes and %v", cut, len(packed), len(got), err)
		}
	})
}

// FuzzLZMA2 promises the bytes that the library makes of any chunks, as far as both go: each breaks off where the other
// does not mind.
func FuzzLZMA2(f *testing.F) {
	for _, text := range []string{"", lineOne, strings.Repeat(lineOne+lineTwo, 50)} {
		var b bytes.Buffer
		w, err := lzma.NewWriter2(&b)
		if err != nil {
			f.Fatal(err)
		}
		io.WriteString(w, text)
		w.Close()
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		const dict, most = 1 << 16, 4 << 20
		got, err := io.ReadAll(io.LimitReader(newLZMA2Reader(bufio.NewReader(bytes.NewReader(data)), dict), most))
		r, e := lzma.Reader2Config{DictCap: dict}.NewReader2(bytes.NewReader(data))
		if e != nil {
			return
		}
		want, e := io.ReadAll(io.LimitReader(r, most))
		if n := min(len(got), len(want)); e == nil && !bytes.Equal(got[:n], want[:n]) {
			t.Errorf("got %d bytes and %v, the library %d", len(got), err, len(want))
		}
	})
}

func BenchmarkLZMA2(b *testing.B) {
	text := logText(16 << 20)
	var packed bytes.Buffer
	w, err := lzma.Writer2Config{DictCap: 8 << 20}.NewWriter2(&packed)
	if err != nil {
		b.Fatal(err)
	}
	io.WriteString(w, text)
	w.Close()
	run := func(name string, open func() io.Reader) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if n, err := io.Copy(io.Discard, open()); err != nil || n != int64(len(text)) {
					b.Fatal(n, err)
				}
			}
		})
	}
	run("here", func() io.Reader { return newLZMA2Reader(bufio.NewReader(bytes.NewReader(packed.Bytes())), 8<<20) })
	run("library", func() io.Reader {
		r, _ := lzma.Reader2Config{DictCap: 8 << 20}.NewReader2(bytes.NewReader(packed.Bytes()))
		return r
	})
}
