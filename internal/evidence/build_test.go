package evidence

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"encoding/base64"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// entry is a file in an archive that a test builds.
type entry struct{ name, data string }

var written = time.Date(2021, 3, 3, 6, 49, 46, 0, time.UTC)

func zipOf(t testing.TB, entries ...entry) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range entries {
		f, err := z.CreateHeader(&zip.FileHeader{Name: e.name, Method: zip.Deflate, Modified: written})
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(f, e.data)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func tarOf(t testing.TB, entries ...entry) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		if err := w.WriteHeader(&tar.Header{Name: e.name, Size: int64(len(e.data)), Mode: 0o644, ModTime: written}); err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, e.data)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func gzipOf(t testing.TB, data string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, data)
	w.Close()
	return b.String()
}

func zstdOf(t testing.TB, data string) string {
	t.Helper()
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, data)
	w.Close()
	return b.String()
}

func xzOf(t testing.TB, data string) string {
	t.Helper()
	var b bytes.Buffer
	w, err := xz.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, data)
	w.Close()
	return b.String()
}

func fixture(text string) string {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return string(b)
}

const (
	lineOne = "one 192.0.2.1\n"
	lineTwo = "two 198.51.100.7\n"
)

// Archives of a/x.log (lineOne) and y.log (lineTwo) in forms that nothing in Go writes, made with 7-Zip 26.02 and GNU tar.
var (
	fixture7zSolid    = fixture("N3q8ryccAAQzUTRYIwAAAAAAAABuAAAAAAAAAM1uVCABAB5vbmUgMTkyLjAuMi4xCnR3byAxOTguNTEuMTAwLjcKAAEEBgABCSMABwsBAAEhIQEADB8ACA0CCQ4KAdOqsaCeLiLZAAAFAhkEAAAAABEdAGEALwB4AC4AbABvAGcAAAB5AC4AbABvAGcAAAAUEgEAACHOZfkP1wEAIc5l+Q/XARUKAQAggKSBIICkgQAA")
	fixture7zLZMA     = fixture("N3q8ryccAARF3niefgAAAAAAAAAgAAAAAAAAAH7PO8YAN5uIznSGVn269oCIC1gOzmL3JEcLwVYoi3YwZAz+og2AAAAAgTMHrg/QPBb8nz9HQWKyFbs93rUQXPnQEQvP/+pqla8zCWICMBnzWtVAsYVoKRiv8HkUS/FvoxoBrKiZ7d4my+Df2eLQvoRbnq+DoWURF+EIDt0qRB4AAAAXBiMBCVsABwsBAAEjAwEBBV0AEAAADG4KAck1n88AAA==")
	fixture7zBlocks   = fixture("N3q8ryccAARmhQYkgQAAAAAAAAAgAAAAAAAAAFLTk5kBAA1vbmUgMTkyLjAuMi4xCgABABB0d28gMTk4LjUxLjEwMC43CgAAAIEzB64xmXbJhpOaASJnulD8XseL2BwF5dSf7kbU5X1o+O8IKPsQhRVUeOzVpdsMa5/gWL6JWzkFjpMoAqGd9/Hns45a5yLc+5i0DlYO/1OZde53l4wAAAAXBicBCVoABwsBAAEjAwEBBV0AEAAADG4KAfR8QlkAAA==")
	fixture7zBzip2    = fixture("N3q8ryccAATDgvmJnwAAAAAAAAAgAAAAAAAAAEi4S0NCWmg5MUFZJlNZ6i9E3gAADlmAABBAAXLgAgGEgCAAIanogzU00KYAA5pVAeEZLsih1sHIqb8L+LuSKcKEh1F6JvAAAIEzB64P0gzKfUDAkM7ly3b2Orint33jQAPtvCs+7S7emOypp/NL3FnZGcuDzu6DxAfNDjfi2Qhlmwg0tuBo9HLSbLEScAVpRpWi0Fd3MCBy1wPARNqa0AAAAAAXBkIBCV0ABwsBAAEjAwEBBV0AEAAADG4KARTiHukAAA==")
	fixture7zPPMd     = fixture("N3q8ryccAATcZoCLewAAAAAAAAAgAAAAAAAAAHRWAIAAbwIpqcaoy+pZG8r1d3/6CMRZ2xkyoAjl7R/wRAAAAIEzB64Pz+swFA/r6p4BDujEqk+tXk1lua0IZhUWqapo67iHSlDisqD87CMQtpwj5B9XWxQRXRYy/TZipraSZaqYvSNCKvbtiLjkitsjom8XvzFWuOHJs2gAAAAXBh4BCV0ABwsBAAEjAwEBBV0AEAAADG4KAahdtw8AAA==")
	fixture7zPassword = fixture("N3q8ryccAAS0s70LqQAAAAAAAAAhAAAAAAAAAMXC3QYsx3yGXhyXERDzMjD6q0bqMVrYxp1MKLTq32+ztreJxa+UJ8j2GVde67IDb7bwm6YAAIEzB64P0QDUPKCKabDjxAD69FhUvgUIuJKFZO8EdZ5DqYxbRNeGUbDpHCWTK6uEJMJKr6tlDSpmbHuntD8IYD/MAFo2ZBIXKENrW6C0cPlNIW0wn4v5mmGr1OhJiCGoIAyu1KFD0v5rGPeqp10cslpO6wOYAAAAFwYwAQl5AAcLAQABIwMBAQVdABAAAAyAjgoBQrKr2gAA")
	fixtureTarBzip2   = fixture("QlpoOTFBWSZTWSKQ6QMAAKD7hcoSAEBAAf/gAChihZ7gAACAAIAIIACUCVNTamaRNA0NG0amjagSkhpoGmQAAAfcGZQQEIxQAKWgiIOW8kB4+tYwHChECwcuL3KULCdJEWyT7vS8jaB5RwMgGmuAHUtxEZtEkYjHp5wGNYtC+QhA7vISVBS4V6kkFCeZt4GE3+FZgoZFxsVFCpGphX9Ic4P4u5IpwoSBFIdIGA==")
	// fixtureDeflate64 is a zip of l.log, which is deflate64Text, with matches and distances that Deflate does not have.
	fixtureDeflate64 = fixture("UEsDBBUAAAAJAFWadV3Paa0usQUAAEJvAwAFAAAAbC5sb2fkxyEVACAQBTBPChL8x50jEBb6O4Jsbu+eWbuz0qnBjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvw++XFIAAAAAADk/2tDaPr169evX79+/fr169evX79+/fr169evX79+/fr169evX79+/fr169evX79+/fr169evX79+/fr169evX79+/fr169evX79+/fr169evX79+/fr169evX79+/fr169evX79+/fr169evX79+/fr169evX79+/fr169evX79+/fr169evX79+/fr169evX79+/fr169evX79+/fr169evX79+/fr169evX79+/fr169evX79+/fr169evX79+/fr169evX79+/fr169evX79+/fr169evX79+/fr169evX79+/fr169evX79+/fr169evX79+/fr169evX79+/fr169evX79+/fr169evXz/kxyEBAAAAAJD/rw2h6devX79+/fr169evX79+/fr169evX79+/fr169evX79+/fr169evX79+/fr169evX79+/fr169evX79+/fr169evXz/k1LmRBDEMBEG9rcEPjP+OXZlxGxRSKEZTxfP1fD1fz9fz9Xw9X8/X8/V7ZXKFUqXWaHX65Dy6POQpL3nLR77yk38KU/AnFKkoRStGsYpTfEpTujKUqSxlK0e5ylN+KlO5KlSpKlWrRrWqU31qU7s61KkudatHvepTfxrTuCY0qSlNa0azmtN8WtO6NrSpLW1rR7va034607kudKkrXetGt7rTffpMn+sLfamv9LW+0bf6Tt8nN4MjkCg0BosDOzc4AolCY7A4sAuDI5AoNAaLA7s0OAKJQmOwOLArgyOQKDQGiwO7NjgCiUJjsDiwG4MjkCg0BosDuzU4AolCY7A4sDuDI5AoNAaLA7vP4AgkCo3B4vApzOAIJAqNweLAzg2OQKLQGCwO7MLgCCQKjcHiwC4NjkCi0BgsDuzK4AgkCo3B4sCuDY5AotAYLA7sxuAIJAqNweLAbg2OQKLQGCwO7M7gCCQKjcHiwO4zOAKJQmOwOHz/6po9X8/X8/V8PV/P1/P1fD1fz9fz9Xw9X8/X8/V8/ZEfhwQAAAAAQP6/NoSmX79+/fr169evX79+/fr169evX79+/fr169evX79+/fohPw4JAAAAAID8f20ITb9+/fr169evX79+/fr169evX79+/fr169evX79+/fr169evX79+/fr169evX79+/fr169evX79+/fr169evX79+/fr169evX79+/fr169evX79+/fr169evX79+/fr169evX79+/fr169evX79+/fr169evX79+/fr169evX79+/fr166f8OCQAAAAAEPT/tSds0ODHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHjx8/fvz48ePHj9+7AFBLAQI/AxUAAAAJAFWadV3Paa0usQUAAEJvAwAFACQAAAAAAAAAIICkgQAAAABsLmxvZwoAIAAAAAAAAQAYAL3cuR3ted0BAAAAAAAAAAAAAAAAAAAAAFBLBQYAAAAAAQABAFcAAADUBQAAAAA=")
	// fixtureBzip2 is lineOne alone.
	fixtureBzip2 = "\x42\x5a\x68\x39\x31\x41\x59\x26\x53\x59\x20\xcf\x38\x73\x00\x00\x06\xd9\x00\x00\x10\x40\x01\x70\x20\x02\x01\xa0\x00\x31\x00\x30\x20\x0f\x51\xa5\xe8\xc0\xc6\xc9\xc9\x78\xbb\x92\x29\xc2\x84\x81\x06\x79\xc3\x98"
)

func crcOf(p []byte) uint32 { return crc32.ChecksumIEEE(p) }

func deflate64Text() string {
	var b strings.Builder
	b.WriteString(strings.Repeat(lineOne, 10000))
	for i := range 300 {
		fmt.Fprintln(&b, i)
	}
	b.WriteString(strings.Repeat(lineOne, 6000))
	return b.String()
}
