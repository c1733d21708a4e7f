// Package logsource says what rules call an event: which log sources it belongs to (product, category, service) and
// under which other names rules find its fields. All of that stands in one table, the files of content/fields, to which
// a user adds files of the same form; docs/log-sources.md describes it.
//
// A row of the table says which events it means (by format, by fields that they have, by values) and what is true of
// those. It is asked once for each Shape: what constants decide is closed into the Shape. Only rows that depend on a
// value that changes from record to record are asked for each event.
package logsource

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/barid-dfir/barid/content"
	"github.com/barid-dfir/barid/internal/event"
)

// The words that stand for something.
const (
	windowsFormats = "windows.*"
	windowsProduct = "windows"
	channelField   = "Channel"
	eventIDField   = "EventID"
	// variantPart, as a part of a log source, stands for what the reader of the log calls the variant.
	variantPart = "{variant}"
	// alsoMark before a name gives it to a field though another has it itself.
	alsoMark = "+"
)

// Table is a table of rows. It does not change once it is made.
type Table struct {
	files   []file
	rows    []*Row
	windows *Windows
}

// Row is one entry of the table: what is true of some events.
type Row struct {
	// Path and Line are where the row was read from.
	Path string
	Line int

	// Format is the format of the events, with * for any end; "" for every format.
	Format string
	// Variants are what the reader calls the parts of the format that are meant, * for any; none for the whole format.
	Variants []string
	// Has are fields that the events must have.
	Has []string
	// When are conditions that must all hold.
	When []Condition

	// Sources are the log sources of the events.
	Sources []event.LogSource
	// Names are other names of their fields.
	Names []Name
	// Fields are all fields that they can have, by native name; none if that is not known.
	Fields []string

	// Move gives fields another name and takes their own from them.
	Move map[string]string

	tests   []test // of When
	builtin bool
	compact bool // in the short form for Windows events, which their readers apply
}

// Condition asks that a field has one of some values, which may contain * for any characters. Letters are compared
// without regard to case.
type Condition struct {
	Field  string
	Values []string
}

// Name is a field's native name, in which one * stands for any characters, and what rules call it, where * stands for
// the same characters. A name that another field has itself is left out unless + stands before it.
type Name struct {
	Native string
	Sigma  []string
}

// Builtin returns the table that comes with Barid.
func Builtin() *Table { return builtin() }

var builtin = sync.OnceValue(func() *Table {
	var files []file
	for _, name := range []string{"windows.yml", "logs.yml"} {
		data, err := fs.ReadFile(content.Fields(), name)
		if err != nil {
			panic(err)
		}
		files = append(files, file{path: "content/fields/" + name, data: data, builtin: true})
	}
	t, err := read(files)
	if err != nil {
		panic(err) // the tests of this package would have shown it
	}
	return t
})

// Extend returns a table that says what t says and, besides that, what is in a file. path is for naming it; an error is
// an [*Error].
func (t *Table) Extend(path string, data []byte) (*Table, error) {
	return read(append(slices.Clone(t.files), file{path: path, data: data}))
}

// Windows returns what the table says of Windows events, made ready for readers of those.
func (t *Table) Windows() *Windows { return t.windows }

// String returns where the row stands, for people.
func (r *Row) String() string { return fmt.Sprintf("%s:%d", r.Path, r.Line) }

// means reports whether the row may mean events of a format and variant.
func (r *Row) means(format, variant string) bool {
	if !fits(r.Format, format) {
		return false
	}
	return len(r.Variants) == 0 || variant != "" && slices.ContainsFunc(r.Variants, func(v string) bool { return v == "*" || v == variant })
}

// fits reports whether a name is what a pattern says: "" is any, a * at the end any end.
func fits(pattern, name string) bool {
	if start, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(name, start) || name == strings.TrimSuffix(start, ".")
	}
	return pattern == "" || pattern == name
}

// sources returns the log sources of the row for a variant.
func (r *Row) sources(variant string) []event.LogSource {
	out := r.Sources
	for i, s := range r.Sources {
		for _, part := range []*string{&s.Product, &s.Category, &s.Service} {
			if *part == variantPart {
				*part = variant
			}
		}
		if s != r.Sources[i] {
			if &out[0] == &r.Sources[0] {
				out = slices.Clone(out)
			}
			out[i] = s
		}
	}
	return out
}

// appendAliases appends the other names of a field of the given name.
func (r *Row) appendAliases(dst []string, name string) []string {
	for _, n := range r.Names {
		start, end, pattern := strings.Cut(n.Native, "*")
		switch {
		case !pattern && n.Native == name:
			dst = append(dst, n.Sigma...)
		case pattern && len(name) > len(start)+len(end) && strings.HasPrefix(name, start) && strings.HasSuffix(name, end):
			for _, s := range n.Sigma {
				dst = append(dst, strings.Replace(s, "*", name[len(start):len(name)-len(end)], 1))
			}
		}
	}
	return dst
}
