// Package content is what is known, as data that people who don't program can read and correct: field names and log
// sources, and Barid's own rules. It is embedded in the program.
package content

import (
	"embed"
	"io/fs"
)

//go:embed fields/*.yml
var fields embed.FS

// Fields returns the files of content/fields: windows.yml and logs.yml are the table of log sources, docs/log-sources.md
// says what its entries mean; windows-forms.yml is how Windows events are written down.
func Fields() fs.FS { return sub(fields, "fields") }

// sub returns the folder dir of an embedded tree that is known to have it.
func sub(fsys embed.FS, dir string) fs.FS {
	s, err := fs.Sub(fsys, dir)
	if err != nil {
		panic(err) // only for a malformed name
	}
	return s
}
