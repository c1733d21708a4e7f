// Package content is what is known, as data that people who don't program can read and correct: field names and log
// sources, and Barid's own rules. It is embedded in the program.
package content

import (
	"embed"
	"io/fs"
)

//go:embed fields/*.yml
var fields embed.FS

// Fields returns the files of content/fields: for a log source, its name in rules and its native field names against
// those of rules. windows.yml says in its comments what each part of it means.
func Fields() fs.FS { return sub(fields, "fields") }

// sub returns the folder dir of an embedded tree that is known to have it.
func sub(fsys embed.FS, dir string) fs.FS {
	s, err := fs.Sub(fsys, dir)
	if err != nil {
		panic(err) // only for a malformed name
	}
	return s
}
