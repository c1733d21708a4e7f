package pdf

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/lang"
	"github.com/barid-dfir/barid/internal/report/input"
)

func small(t *testing.T, tag string) *input.Input {
	t.Helper()
	in := input.Of(&casefile.Case{Incidents: []casefile.Incident{{ID: "i", Title: "Web shell used", Severity: "high", First: time.Unix(1614753600, 0).UTC(), Hosts: []string{"EX1"}}}}, nil)
	l, err := lang.Find(tag)
	if err != nil {
		t.Fatal(err)
	}
	in.Lang = l
	return in
}

func TestPrints(t *testing.T) {
	if _, err := find(""); err != nil {
		t.Skip(err)
	}
	for _, tag := range lang.Tags() {
		var b bytes.Buffer
		if err := Write(t.Context(), &b, small(t, tag), ""); err != nil {
			t.Fatal(err)
		}
		if b.Len() < 5000 || !bytes.HasPrefix(b.Bytes(), []byte("%PDF-")) || !bytes.Contains(b.Bytes()[b.Len()-100:], []byte("%%EOF")) {
			t.Errorf("%s: %d bytes that are no PDF", tag, b.Len())
		}
	}
}

func TestNoBrowserIsSaid(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := find(""); err != nil && (!errors.Is(err, ErrNoBrowser) || !strings.Contains(err.Error(), "print report.html from any browser")) {
		t.Error(err)
	}
	if _, err := find("no-such-browser"); err == nil || !strings.Contains(err.Error(), "--browser") {
		t.Error(err)
	}
}

func TestABrowserThatPrintsNothingIsAnError(t *testing.T) {
	for script, want := range map[string]string{"#!/bin/sh\nexit 0\n": "printed nothing", "#!/bin/sh\necho broken >&2\nexit 3\n": "broken",
		"#!/bin/sh\nfor a; do case $a in --print-to-pdf=*) echo no > \"${a#*=}\";; esac; done\n": "no PDF"} {
		p := filepath.Join(t.TempDir(), "browser")
		if err := os.WriteFile(p, []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := Write(t.Context(), &b, small(t, "en"), p); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", script, err)
		}
		if b.Len() > 0 {
			t.Errorf("%q: %d bytes were written", script, b.Len())
		}
	}
}

func TestFileURL(t *testing.T) {
	for path, want := range map[string]string{"/tmp/a b/ü#?.html": "file:///tmp/a%20b/%C3%BC%23%3F.html", `C:/x/report.html`: "file:///C:/x/report.html"} {
		if got := fileURL(path); got != want {
			t.Errorf("%s: %s", path, got)
		}
	}
}
