package html

import (
	"github.com/barid-dfir/barid/internal/report/input"
	"os"
	"path/filepath"
	"testing"

	"github.com/barid-dfir/barid/internal/casefile"
)

// TestPages writes pages to look at in a browser: BARID_PAGES=folder go test -run Pages.
func TestPages(t *testing.T) {
	dir := os.Getenv("BARID_PAGES")
	if dir == "" {
		t.Skip("BARID_PAGES is not set")
	}
	hostile := judged()
	harm(hostile, func(i int) string { return evil[i%len(evil)] })
	for name, c := range map[string]*casefile.Case{"proxylogon": proxyLogon(), "nothing": nothingFound(), "many": many(300), "hostile": hostile, "judged": judged()} {
		f, err := os.Create(filepath.Join(dir, name+".html"))
		if err != nil {
			t.Fatal(err)
		}
		if err := Write(f, input.Of(c, fromSteps(c))); err != nil {
			t.Error(err)
		}
		f.Close()
	}
}
