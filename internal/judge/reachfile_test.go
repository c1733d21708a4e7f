package judge

import (
	"fmt"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/tally"
)

// TestLongPathsAreMatched tells of paths that the store keeps the beginning of.
func TestLongPathsAreMatched(t *testing.T) {
	long := "/board/" + strings.Repeat("minutes of the meeting/", 100) + "a.pdf"
	r := &reacher{in: &Input{Inventory: &Inventory{Files: []StoredFile{{Path: long}, {Path: "/board/b.pdf"}, {Path: strings.ToUpper(long)}}}}, files: newFileBox()}
	r.files.by = make(map[string][]int32)
	for i, f := range r.in.Inventory.Files {
		_, base := cutPath(filePath(f.Path))
		r.files.by[base] = append(r.files.by[base], int32(i))
	}
	f := func(object, want string) {
		t.Helper()
		rows, sure := r.match(object, true)
		if got := fmt.Sprint(rows, sure); got != want {
			t.Errorf("%.20s: %s, want %s", object, got, want)
		}
	}
	f(tally.Text(long), "[0 2] true")
	f(tally.Text("/srv"+long), "[0 1 2] false")
	f(tally.Text(strings.ToTitle(long[:9])+long[9:]), "[0 1 2] false")
	if found, sure := foldersOf(&folderTouch{id: tally.Text("/srv" + long)}, map[string][]string{"board": {"board"}, "x": {"a/x"}}); len(found) != 2 || sure {
		t.Errorf("folders %v %v", found, sure)
	}
}

// TestNoNameExcludesAMessageWhoseNameWasShortened: how a name goes on that was shortened is not known.
func TestNoNameExcludesAMessageWhoseNameWasShortened(t *testing.T) {
	id := strings.Repeat("x", 2000) + "@example.org"
	if isStandard(messageKey(tally.Text(id))) || !isStandard("a@example.org") {
		t.Error("a name that was shortened is compared as if it were whole")
	}
}

// What a log calls by a name that is not quite a file's may be any file.
func TestNamesThatDoNotTellWhichFile(t *testing.T) {
	for name, want := range map[string]bool{
		"report.pdf": false, "report-2026.docx": false, "~draft.pdf": false, "plan~.pdf": false, "minutes.pdf": false,
		"report~1.pdf": true, "r\xe9sum\xe9.pdf": true, "r\uFFFDsum\uFFFD.pdf": true, "r?sum?.pdf": true, "résumé.pdf": false,
		"77.pdf": true, "download.pdf": true, "backup.zip": true, "x": true, "a.pdf.d1700000000": true,
	} {
		if got := opaque(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}
