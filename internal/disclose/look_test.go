package disclose

import (
	"os"
	"path/filepath"
	"testing"
)

// BARID_LOOK=DIR go test -run TestLook writes the drafts there as HTML, to be looked at in a browser.
func TestLook(t *testing.T) {
	dir := os.Getenv("BARID_LOOK")
	if dir == "" {
		t.Skip("BARID_LOOK names no folder")
	}
	for _, s := range scenes() {
		for _, tag := range []string{"en", "fr", "ar"} {
			for _, form := range drafts() {
				if text, ok := writeAll(t, s, form, tag)["html"]; ok {
					if err := os.WriteFile(filepath.Join(dir, s.name+"."+form.Name+"."+tag+".html"), []byte(text), 0o644); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
}
