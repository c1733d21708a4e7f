package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/barid-dfir/barid/internal/sharedtest"
)

// The examples of docs/log-sources.md are the files that the script of that name runs.
func TestDocumentedLogSourcesAreTheOnesThatRun(t *testing.T) {
	script, err := txtar.ParseFile(filepath.Join("testdata", "log-sources.txt"))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile(filepath.Join(sharedtest.Root(t), "docs", "log-sources.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range script.Files {
		switch f.Name {
		case "gateway.yml", "gateway.jsonl", "channels.yml":
			if !strings.Contains(string(doc), "\n"+string(f.Data)+"```") {
				t.Errorf("docs/log-sources.md does not have %s as it is run", f.Name)
			}
		}
	}
}
