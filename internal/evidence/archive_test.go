package evidence

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/klauspost/compress/flate"
)

// check walks data as the file "x", and through standard input, and compares both with what is wanted.
// Paths in want begin with x, or !.
func check(t *testing.T, opt Options, data string, want []seen, wantProblems ...string) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(name, []byte(data), 0o644); err != nil {
		t.Fatal(err)
	}
	compare := func(from, self string, streams []seen, problems []Problem) {
		t.Helper()
		for i := range streams {
			streams[i].Path = "x" + strings.TrimPrefix(streams[i].Path, self)
		}
		if d := cmp.Diff(want, streams, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("from a %s (-want +got):\n%s", from, d)
		}
		var texts []string
		for _, p := range problems {
			texts = append(texts, "x"+strings.TrimPrefix(p.Path, self)+": "+p.Reason)
		}
		if len(texts) != len(wantProblems) {
			t.Errorf("from a %s: got problems %q, want %q", from, texts, wantProblems)
			return
		}
		for i, w := range wantProblems {
			if !strings.Contains(texts[i], w) {
				t.Errorf("from a %s: got problem %q, want %q", from, texts[i], w)
			}
		}
	}
	streams, problems := collect(t, opt, name)
	compare("file", name, streams, problems)
	opt.Stdin = strings.NewReader(data)
	streams, problems = collect(t, opt, "-")
	compare("pipe", "-", streams, problems)
}

func TestArchivesAreOpenedByContent(t *testing.T) {
	two := []entry{{"a/x.log", lineOne}, {"y.log", lineTwo}}
	want := func(kind string) []seen {
		return []seen{{"x!a/x.log", "", lineOne}, {"x!y.log", "", lineTwo}, {"x", kind, ""}}
	}
	f := func(data, kind string) {
		t.Helper()
		check(t, Options{}, data, want(kind))
	}
	f(zipOf(t, two...), "zip")
	f(tarOf(t, two...), "tar")
	f(gzipOf(t, tarOf(t, two...)), "tar+gzip")
	f(zstdOf(t, tarOf(t, two...)), "tar+zstd")
	f(xzOf(t, tarOf(t, two...)), "tar+xz")
	f(fixtureTarBzip2, "tar+bzip2")
	f(fixture7zSolid, "7z")
	f(fixture7zLZMA, "7z")
	f(fixture7zBlocks, "7z")
	f(fixture7zBzip2, "7z")
	f("#!/bin/sh\n# something put before the archive\n"[:0]+zipOf(t, two...)+strings.Repeat("\x00", 100), "zip")

	one := func(data, kind string) {
		t.Helper()
		check(t, Options{}, data, []seen{{"x", "", lineOne}, {"x", kind, ""}})
	}
	one(gzipOf(t, lineOne), "gzip")
	one(xzOf(t, lineOne), "xz")
	one(zstdOf(t, lineOne), "zstd")
	one(fixtureBzip2, "bzip2")
}

func TestZipsOfWindowsWithLargeFiles(t *testing.T) {
	check(t, Options{}, fixtureDeflate64, []seen{{"x!l.log", "", deflate64Text()}, {"x", "zip", ""}})
	// A block that is not compressed between two that are.
	d := newDeflate64(bufio.NewReader(strings.NewReader("\x02\x00\x03\x00\xFC\xFFabc\x03\x00")))
	if got, err := io.ReadAll(d); string(got) != "abc" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestEmptyArchives(t *testing.T) {
	check(t, Options{}, zipOf(t), []seen{{"x", "zip", ""}})
	check(t, Options{}, gzipOf(t, ""), []seen{{"x", "", ""}, {"x", "gzip", ""}})
	check(t, Options{}, xzOf(t, ""), []seen{{"x", "", ""}, {"x", "xz", ""}})
	check(t, Options{}, zstdOf(t, ""), []seen{{"x", "", ""}, {"x", "zstd", ""}})
	check(t, Options{}, "", []seen{{"x", "", ""}})
}

func TestSeveralCompressedMembersAreOneStream(t *testing.T) {
	check(t, Options{}, gzipOf(t, lineOne)+gzipOf(t, lineTwo), []seen{{"x", "", lineOne + lineTwo}, {"x", "gzip", ""}})
	check(t, Options{}, zstdOf(t, lineOne)+zstdOf(t, lineTwo), []seen{{"x", "", lineOne + lineTwo}, {"x", "zstd", ""}})
	check(t, Options{}, xzOf(t, lineOne)+xzOf(t, lineTwo), []seen{{"x", "", lineOne + lineTwo}, {"x", "xz", ""}})
	check(t, Options{}, xzOf(t, lineOne)+"\x00\x00\x00\x00"+xzOf(t, lineTwo), []seen{{"x", "", lineOne + lineTwo}, {"x", "xz", ""}})
	check(t, Options{}, fixtureBzip2+fixtureBzip2, []seen{{"x", "", lineOne + lineOne}, {"x", "bzip2", ""}})
}

func TestArchivesInOneAnother(t *testing.T) {
	inner := zipOf(t, entry{"c.log", lineOne})
	check(t, Options{}, gzipOf(t, tarOf(t, entry{"b.zip", inner}, entry{"d.log.gz", gzipOf(t, lineTwo)})), []seen{
		{"x!b.zip!c.log", "", lineOne}, {"x!b.zip", "zip", ""},
		{"x!d.log.gz", "", lineTwo}, {"x!d.log.gz", "gzip", ""},
		{"x", "tar+gzip", ""},
	})
	check(t, Options{}, zipOf(t, entry{"b.7z", fixture7zSolid}, entry{"t.tar", tarOf(t, entry{"i.zip", inner})}), []seen{
		{"x!b.7z!a/x.log", "", lineOne}, {"x!b.7z!y.log", "", lineTwo}, {"x!b.7z", "7z", ""},
		{"x!t.tar!i.zip!c.log", "", lineOne}, {"x!t.tar!i.zip", "zip", ""}, {"x!t.tar", "tar", ""},
		{"x", "zip", ""},
	})
	four := zipOf(t, entry{"3.zip", zipOf(t, entry{"2.zip", zipOf(t, entry{"1.zip", inner})})})
	check(t, Options{}, four, []seen{
		{"x!3.zip!2.zip!1.zip", "zip", ""}, {"x!3.zip!2.zip", "zip", ""}, {"x!3.zip", "zip", ""}, {"x", "zip", ""},
	}, "x!3.zip!2.zip!1.zip: not unpacked: it lies in 3 archives already; --max-depth")
	check(t, Options{MaxDepth: 4}, four, []seen{
		{"x!3.zip!2.zip!1.zip!c.log", "", lineOne},
		{"x!3.zip!2.zip!1.zip", "zip", ""}, {"x!3.zip!2.zip", "zip", ""}, {"x!3.zip", "zip", ""}, {"x", "zip", ""},
	})
}

func TestWhatOnlyLooksLikeAnArchiveIsTakenAsItIs(t *testing.T) {
	f := func(data string, problems ...string) {
		t.Helper()
		check(t, Options{}, data, []seen{{"x", "", data}}, problems...)
	}
	f("BZh9 is how this line of a log begins\n")
	f("BZh91AY&SY but no bzip2", "taken as it is: it begins like bzip2")
	f("\x1f\x8b\x08")
	f("\x1f\x8b\x08\x00 no gzip", "taken as it is: it begins like gzip")
	f("\xFD7zXZ\x00 no xz at all", "taken as it is: it begins like xz")
	f("\x28\xB5\x2F\xFD\xFF", "taken as it is: it begins like zstd")
	f("PK\x03\x04 no zip", "taken as it is: it begins like zip, but cannot be unpacked: its end is missing")
	f("7z\xBC\xAF\x27\x1C no 7z"+strings.Repeat(" ", 40), "taken as it is: it begins like 7z")
	f("Rar!\x1A\x07\x01\x00", "it is a RAR archive; give it unpacked")
	f("MZ\x90\x00")
	f("ElfFile\x00")
	f("PK")
}

func TestADamagedPartCostsThatPart(t *testing.T) {
	long := noise(1, 60_000)
	z := []byte(zipOf(t, entry{"1.log", lineOne}, entry{"2.log", long}, entry{"3.log", lineTwo}))
	z[len(z)/2] ^= 0x55
	name := filepath.Join(t.TempDir(), "x.zip")
	os.WriteFile(name, z, 0o644)
	streams, problems := collect(t, Options{}, name)
	if len(streams) != 4 || streams[0].Content != lineOne || streams[2].Content != lineTwo {
		t.Errorf("got %d streams, want the entries beside the damaged one", len(streams))
	}
	if len(problems) != 1 || !strings.HasSuffix(problems[0].Path, "!2.log") || !strings.HasPrefix(problems[0].Reason, "damaged") {
		t.Errorf("got %v", problems)
	}

	cutOff := func(data string) string { return data[:len(data)-len(data)/3] }
	broken := func(data, kind string, problem string) {
		t.Helper()
		name := filepath.Join(t.TempDir(), "x")
		os.WriteFile(name, []byte(data), 0o644)
		streams, problems := collect(t, Options{}, name)
		if len(streams) != 2 || !strings.HasPrefix(long, streams[0].Content) || len(streams[0].Content) < len(long)/4 || streams[1].Container != kind {
			t.Errorf("%s: got %d streams, want what could be read and the container", kind, len(streams))
		}
		if len(problems) != 1 || !strings.Contains(problems[0].Reason, problem) {
			t.Errorf("%s: got %v", kind, problems)
		}
	}
	broken(cutOff(gzipOf(t, long)), "gzip", "damaged: it ends in the middle")
	broken(cutOff(xzOf(t, long)), "xz", "damaged: it ends in the middle")
	wrongSum := []byte(xzOf(t, long))
	wrongSum[len(wrongSum)-25] ^= 1 // in the check, before index and footer
	broken(string(wrongSum), "xz", "damaged: the checksum of a block is wrong")
	broken(gzipOf(t, long)+"and then this", "gzip", "followed by bytes that are no gzip")
	broken(xzOf(t, long)+"and then this", "xz", "followed by bytes that are no xz")
	wrongSum = []byte(gzipOf(t, long))
	wrongSum[len(wrongSum)-8] ^= 1
	broken(string(wrongSum), "gzip", "damaged")
}

func TestATarIsReadOnAfterADamagedHeader(t *testing.T) {
	data := []byte(tarOf(t, entry{"1.log", lineOne}, entry{"2.log", lineTwo}, entry{"3.log", lineOne}))
	data[1024] ^= 0xFF // the name of the second
	check(t, Options{}, string(data), []seen{{"x!1.log", "", lineOne}, {"x!3.log", "", lineOne}, {"x", "tar", ""}},
		"damaged: a header is wrong; 512 bytes to the next one are left out")
	check(t, Options{}, gzipOf(t, string(data)), []seen{{"x!1.log", "", lineOne}, {"x!3.log", "", lineOne}, {"x", "tar+gzip", ""}},
		"damaged: a header is wrong; 512 bytes to the next one are left out")
	check(t, Options{}, string(data[:512+5]), []seen{{"x!1.log", "", lineOne[:5]}, {"x", "tar", ""}}, "x!1.log: damaged: it ends in the middle", "x: damaged")
}

func TestAZipIsReadWithoutItsEnd(t *testing.T) {
	data := zipOf(t, entry{"1.log", lineOne}, entry{"2.log", lineTwo}, entry{"3.log", noise(2, 5000)})
	directory := strings.Index(data, zipCentral)
	want := []seen{{"x!1.log", "", lineOne}, {"x!2.log", "", lineTwo}, {"x!3.log", "", noise(2, 5000)}, {"x", "zip", ""}}
	check(t, Options{}, data[:directory], want, "x: damaged: its end is missing; its entries were looked for without it")
	check(t, Options{}, data[:directory+10], want, "x: damaged: its end is missing; its entries were looked for without it")
	second := strings.Index(data[4:], zipLocal) + 4
	check(t, Options{}, data[:second], []seen{want[0], want[3]}, "x: damaged: its end is missing")
}

func TestEncryptedEntriesAreNamed(t *testing.T) {
	z := []byte(zipOf(t, entry{"1.log", lineOne}))
	z[bytes.Index(z, []byte(zipCentral))+8] |= 1
	check(t, Options{}, string(z), []seen{{"x", "zip", ""}}, "x!1.log: not read: encrypted; give it unpacked")
	check(t, Options{}, fixture7zPassword, []seen{{"x", "7z", ""}},
		"x!a/x.log: not read: encrypted; give it unpacked", "x!y.log: not read: encrypted; give it unpacked")
	check(t, Options{}, fixture7zPPMd, []seen{{"x", "7z", ""}},
		"x!a/x.log: not read: compressed with PPMd", "x!y.log: not read: compressed with PPMd")
}

func TestNamesThatLeadElsewhereArePutRight(t *testing.T) {
	f := func(name, clean, bad string) {
		t.Helper()
		got, why := cleanEntry(name)
		if got != clean || why != bad {
			t.Errorf("%q: got %q, %q; want %q, %q", name, got, why, clean, bad)
		}
	}
	f("HttpProxy/Ecp/x.LOG", "HttpProxy/Ecp/x.LOG", "")
	f(`HttpProxy\Ecp\x.LOG`, "HttpProxy/Ecp/x.LOG", "")
	f("./var/log/maillog", "var/log/maillog", "")
	f("../../etc/passwd", "etc/passwd", "which leads out of its folder")
	f(`a\..\..\b`, "a/b", "which leads out of its folder")
	f("/etc/passwd", "etc/passwd", "an absolute path")
	f(`C:\Windows\x.evtx`, "C:/Windows/x.evtx", "an absolute path")
	f("a\x00.log", "a\uFFFD.log", "with characters that hide something")
	f("a\u202Egol.exe", "a\uFFFDgol.exe", "with characters that hide something")
	f("a\x1b[2J", "a\uFFFD[2J", "with characters that hide something")
	f("a\xffb", "a\uFFFDb", "")
	f("", "(no name)", "which is no name")
	f("..", "(no name)", "which is no name")
	f(strings.Repeat("a", 5000), strings.Repeat("a", 4096), "which is too long")

	check(t, Options{}, tarOf(t, entry{"../../etc/cron.d/x", lineOne}), []seen{{"x!etc/cron.d/x", "", lineOne}, {"x", "tar", ""}},
		`x!etc/cron.d/x: the archive calls it "../../etc/cron.d/x", which leads out of its folder`)
}

func TestEntriesOfOneNameAreToldApart(t *testing.T) {
	check(t, Options{}, zipOf(t, entry{"a.log", lineOne}, entry{"b.log", lineOne}, entry{"./a.log", lineTwo}), []seen{
		{"x!a.log", "", lineOne}, {"x!b.log", "", lineOne}, {"x!a.log#2", "", lineTwo}, {"x", "zip", ""},
	}, "x!a.log#2: the archive holds several entries of this name")
}

func TestLinksAndDevicesInArchivesAreNamedAndLeft(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range []tar.Header{
		{Name: "link", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"},
		{Name: "hard", Typeflag: tar.TypeLink, Linkname: "link"},
		{Name: "pipe", Typeflag: tar.TypeFifo},
		{Name: "disk", Typeflag: tar.TypeBlock},
		{Name: "folder/", Typeflag: tar.TypeDir},
	} {
		w.WriteHeader(&h)
	}
	w.Close()
	check(t, Options{}, b.String(), []seen{{"x", "tar", ""}}, "x!link: not read: it is a symbolic link to /etc/passwd",
		"x!hard: not read: it is a hard link to link", "x!pipe: not read: it is a named pipe", "x!disk: not read: it is a device")

	b.Reset()
	z := zip.NewWriter(&b)
	h := &zip.FileHeader{Name: "link"}
	h.SetMode(os.ModeSymlink | 0o777)
	f, _ := z.CreateHeader(h)
	io.WriteString(f, "/etc/passwd")
	z.Close()
	check(t, Options{}, b.String(), []seen{{"x", "zip", ""}}, "x!link: not read: it is a symbolic link")
}

// nothing is a reader of NUL bytes.
type nothing struct{}

func (nothing) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func deflated(t testing.TB, size int64) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, 1)
	if err != nil {
		t.Fatal(err)
	}
	io.CopyN(w, nothing{}, size)
	w.Close()
	return b.Bytes()
}

// rawZip is a zip of stored bytes that claim to be deflated entries.
func rawZip(t testing.TB, packed []byte, claimed uint64, entries int) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := range entries {
		f, err := z.CreateRaw(&zip.FileHeader{Name: fmt.Sprintf("%d.log", i), Method: zip.Deflate, CompressedSize64: uint64(len(packed)), UncompressedSize64: claimed})
		if err != nil {
			t.Fatal(err)
		}
		f.Write(packed)
	}
	z.Close()
	return b.String()
}

// drainAll walks a file and discards what is in it.
func drainAll(t testing.TB, opt Options, data string) (total int64, problems []Problem) {
	t.Helper()
	opt.Stdin = strings.NewReader(data)
	opt.Report = func(p Problem) { problems = append(problems, p) }
	err := Walk(context.Background(), []string{"-"}, opt, func(s *Stream) error {
		if s.Container != "" {
			_, _, err := s.Hash()
			return err
		}
		r, err := s.Open()
		if err != nil {
			return nil
		}
		defer r.Close()
		r.Finish()
		total += r.Count()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return total, problems
}

func TestArchiveBombsAreBrokenOff(t *testing.T) {
	f := func(what string, opt Options, data string, most int64, flag string) {
		t.Helper()
		total, problems := drainAll(t, opt, data)
		if total > most {
			t.Errorf("%s: %d bytes were unpacked, more than %d", what, total, most)
		}
		if len(problems) == 0 {
			t.Errorf("%s: not reported", what)
			return
		}
		if !strings.Contains(problems[0].Reason, flag) {
			t.Errorf("%s: got %q, which does not name %s", what, problems[0].Reason, flag)
		}
	}
	bomb := deflated(t, 400<<20) // a thousand to one
	f("ratio", Options{}, rawZip(t, bomb, 400<<20, 1), entryFloor+100<<20, "--max-ratio")
	f("total", Options{MaxTotal: 1 << 20}, rawZip(t, bomb, 400<<20, 3), 2<<20, "--max-total")
	f("total of a gzip", Options{MaxTotal: 1 << 20}, gzipOf(t, strings.Repeat("a", 3<<20)), 2<<20, "--max-total")
	f("total of a tar.gz", Options{MaxTotal: 1 << 20}, gzipOf(t, tarOf(t, entry{"a", strings.Repeat("a", 3<<20)})), 2<<20, "--max-total")
	f("total of an xz", Options{MaxTotal: 1 << 20}, xzOf(t, strings.Repeat("a", 3<<20)), 2<<20, "--max-total")
	f("entries", Options{MaxEntries: 10}, zipOf(t, make([]entry, 20)...), 0, "")
	f("entries", Options{MaxEntries: 1}, fixture7zSolid, 100, "--max-entries")
	f("entries", Options{MaxEntries: 1}, tarOf(t, entry{"a", lineOne}, entry{"b", lineTwo}), 100, "--max-entries")
	f("entries", Options{MaxEntries: 1}, zipOf(t, entry{"a", lineOne}, entry{"b", lineTwo}), 100, "--max-entries")
}

func TestEntriesThatOverlapAreBrokenOffTogether(t *testing.T) {
	if testing.Short() {
		t.Skip("unpacks more than a gigabyte")
	}
	// 20 entries of the directory name the same 200 MiB.
	data := rawZip(t, deflated(t, 200<<20), 200<<20, 1)
	directory := strings.Index(data, zipCentral)
	end := strings.Index(data, zipEnd)
	central := strings.Repeat(data[directory:end], 20)
	tail := []byte(data[end:])
	binary.LittleEndian.PutUint16(tail[8:], 20)
	binary.LittleEndian.PutUint16(tail[10:], 20)
	binary.LittleEndian.PutUint32(tail[12:], uint32(len(central)))
	total, problems := drainAll(t, Options{}, data[:directory]+central+string(tail))
	if total > fileFloor+200<<20 || len(problems) == 0 {
		t.Errorf("%d bytes were unpacked with problems %v", total, problems)
	}
}

func TestADirectoryThatLies(t *testing.T) {
	z := []byte(zipOf(t, entry{"1.log", lineOne}, entry{"2.log", lineTwo}))
	at := bytes.Index(z, []byte(zipCentral))
	binary.LittleEndian.PutUint32(z[at+24:], 5) // uncompressed size
	check(t, Options{}, string(z), []seen{{"x!1.log", "", lineOne}, {"x!2.log", "", lineTwo}, {"x", "zip", ""}},
		"x!1.log: damaged: it is 14 bytes long, not the stated 5")
	binary.LittleEndian.PutUint32(z[at+42:], 1<<30) // where it lies
	check(t, Options{}, string(z), []seen{{"x!2.log", "", lineTwo}, {"x", "zip", ""}},
		"x!1.log: damaged: the directory says that it lies outside of the archive")
}

func TestAHeaderDoesNotDecideOnMemory(t *testing.T) {
	// A block header of an .xz that asks for a dictionary of 4 GiB.
	data := []byte(xzOf(t, lineOne))
	i := bytes.IndexByte(data[12:], 0x21) + 12
	data[i+2] = 40
	n := (int(data[12]) + 1) * 4
	binary.LittleEndian.PutUint32(data[12+n-4:], crcOf(data[12:12+n-4]))
	check(t, Options{}, string(data), []seen{{"x", "", string(data)}}, "refused: unpacking it takes 4096 MiB of memory")
}

func TestSevenHeaderCountsAreBounded(t *testing.T) {
	f := func(header string) {
		t.Helper()
		start := make([]byte, 20)
		binary.LittleEndian.PutUint64(start[8:], uint64(len(header)))
		binary.LittleEndian.PutUint32(start[16:], crcOf([]byte(header)))
		crc := make([]byte, 4)
		binary.LittleEndian.PutUint32(crc, crcOf(start))
		data := "7z\xBC\xAF\x27\x1C\x00\x04" + string(crc) + string(start) + header
		allocated := testing.AllocsPerRun(1, func() { drainAll(t, Options{}, data) })
		if allocated > 10_000 {
			t.Errorf("%x: %v allocations", header, allocated)
		}
	}
	huge := "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F"
	f("\x01\x05" + huge)
	f("\x01\x04\x06\x00" + huge + "\x09")
	f("\x01\x04\x07\x0B" + huge)
	f("\x01\x04\x07\x0B\x01\x00" + huge)
	f("\x01\x04\x07\x0B\x01\x00\x01\x21\x21\x01\x28\x0C\x80\x00\x08\x0D" + huge + "\x09")
	f("\x17\x06\x00\x01\x09\x00\x00\x07\x0B\x01\x00\x01\x21\x21\x01\x28\x0C" + huge + "\x00\x00")
}

func TestStreamsCanBeReadAfterTheWalkSeveralAtOnce(t *testing.T) {
	big := noise(3, 9<<20) // larger than what is spooled in memory
	inner := zipOf(t, entry{"big.log", big}, entry{"one.log", lineOne})
	dir := folder(t, map[string]string{
		"a.tgz": gzipOf(t, tarOf(t, entry{"i.zip", inner}, entry{"two.log", lineTwo})), "b.zip": zipOf(t, entry{"i.zip", inner}), "c.log": lineOne,
		"d.tar": tarOf(t, entry{"big.log", big}),
	})
	temp := t.TempDir()
	w := NewWalker(Options{TempDir: temp, Report: func(p Problem) { t.Error(p) }})
	var streams []*Stream
	err := w.Walk(context.Background(), []string{dir}, func(s *Stream) error {
		if s.Sequential {
			t.Errorf("%s has to be read in sequence", s.Path)
		}
		if s.Container != "" {
			s.Hash()
			return nil
		}
		streams = append(streams, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	got := make([]string, len(streams))
	for i, s := range streams {
		wg.Go(func() {
			r, err := s.Open()
			if err != nil {
				t.Error(err)
				return
			}
			defer r.Close()
			data, err := io.ReadAll(r)
			if err != nil {
				t.Error(err)
			}
			got[i] = string(data)
		})
	}
	wg.Wait()
	if d := cmp.Diff([]string{big, lineOne, lineTwo, big, lineOne, lineOne, big}, got); d != "" {
		t.Error("content differs")
	}
	if n := w.buffered.Load(); n != 0 {
		t.Errorf("%d bytes of the budget are still taken", n)
	}
	if len(w.spools) != 0 {
		t.Errorf("%d spools are left", len(w.spools))
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(temp); len(left) != 0 {
		t.Errorf("%d temporary files are left", len(left))
	}
}

func TestTimesOfEntries(t *testing.T) {
	f := func(data string) {
		t.Helper()
		Walk(context.Background(), []string{"-"}, Options{Stdin: strings.NewReader(data)}, func(s *Stream) error {
			if s.Container == "" && !s.ModTime.Equal(written) {
				t.Errorf("%s: %v, want %v", s.Path, s.ModTime, written)
			}
			return nil
		})
	}
	f(zipOf(t, entry{"a.log", lineOne}))
	f(tarOf(t, entry{"a.log", lineOne}))
	f(fixture7zSolid)
	if got := dosTime(0x5263, 0x3637); !got.Equal(time.Date(2021, 3, 3, 6, 49, 46, 0, time.UTC)) {
		t.Error(got)
	}
}

func TestTheWalkEndsWithTheVisitorOrTheContext(t *testing.T) {
	stop := errors.New("stop")
	data := zipOf(t, entry{"a", lineOne}, entry{"b", lineOne})
	visits := 0
	err := Walk(context.Background(), []string{"-"}, Options{Stdin: strings.NewReader(data)}, func(*Stream) error { visits++; return stop })
	if !errors.Is(err, stop) || visits != 1 {
		t.Errorf("got %v after %d visits", err, visits)
	}
	ctx, cancel := context.WithCancel(context.Background())
	visits = 0
	err = Walk(ctx, []string{"-"}, Options{Stdin: strings.NewReader(data)}, func(*Stream) error { visits++; cancel(); return nil })
	if !errors.Is(err, context.Canceled) || visits != 1 {
		t.Errorf("got %v after %d visits", err, visits)
	}
}

// noise is text that does not compress to nothing.
func noise(seed uint64, n int) string {
	r := rand.New(rand.NewPCG(seed, 0))
	b := make([]byte, n)
	for i := range b {
		b[i] = ' ' + byte(r.UintN(90))
	}
	return string(b)
}
