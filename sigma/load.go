package sigma

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// Pack is what was loaded from a folder, a file or a zip of rules.
type Pack struct {
	Rules        []*Rule
	Correlations []*Correlation
	Filters      []*Filter
	Rejected     []*Rejection
	// LeftOut are the rules and correlations that Select has taken out.
	LeftOut []*Rejection
	// Skipped names the YAML files in which nothing claims to be a rule: no detection, correlation or filter, nor both
	// a title and a logsource.
	Skipped []string

	replaced []*Rule // among LeftOut, those that another has taken the place of
}

// Limits on a pack, which may be a hostile archive.
const (
	maxPackFiles = 200_000
	maxPackBytes = 1 << 30
)

// Load reads the rules at name: a folder with all that is below it, a zip, or a single file. Of folders and zips, only
// files ending in .yml or .yaml are read. The error is for a name that cannot be read at all.
func Load(name string) (*Pack, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return loadFS(os.DirFS(name), name+string(filepath.Separator))
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: neither a file nor a folder", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	magic := make([]byte, 4)
	if n, _ := io.ReadFull(f, magic); n == 4 && string(magic) == "PK\x03\x04" {
		z, err := zip.NewReader(f, info.Size())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return loadZip(z, name+"!")
	}
	p := &Pack{}
	if info.Size() > maxRuleFile {
		p.Rejected = []*Rejection{tooLong(name)}
		return p, nil
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	p.add(parseOne(name, data, &yamlReader{}).pack)
	p.dropDuplicates()
	return p, nil
}

// LoadFS reads the rules in all .yml and .yaml files of fsys, in the order of their paths.
func LoadFS(fsys fs.FS) (*Pack, error) { return loadFS(fsys, "") }

// source is a file of a pack.
type source struct {
	path string
	open func() (io.ReadCloser, error)
}

func isRuleFile(name string) bool {
	ext := strings.ToLower(path.Ext(name))
	return ext == ".yml" || ext == ".yaml"
}

func loadFS(fsys fs.FS, prefix string) (*Pack, error) {
	var unreadable []*Rejection
	p, err := parseAll(func(add func(source) error) error {
		return fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
			switch {
			case err != nil && name == ".":
				return err
			case err != nil:
				unreadable = append(unreadable, &Rejection{Path: prefix + name, Reason: "cannot be read: " + err.Error()})
				return nil
			case !d.Type().IsRegular() || !isRuleFile(name):
				return nil
			}
			return add(source{prefix + name, func() (io.ReadCloser, error) { return fsys.Open(name) }})
		})
	})
	if p != nil {
		p.Rejected = append(p.Rejected, unreadable...)
	}
	return p, err
}

func loadZip(z *zip.Reader, prefix string) (*Pack, error) {
	var files []source
	for _, f := range z.File {
		if f.Mode().IsRegular() && isRuleFile(f.Name) {
			files = append(files, source{prefix + f.Name, f.Open})
		}
	}
	slices.SortStableFunc(files, func(a, b source) int { return strings.Compare(a.path, b.path) })
	return parseAll(func(add func(source) error) error {
		for _, f := range files {
			if err := add(f); err != nil {
				return err
			}
		}
		return nil
	})
}

var errTooMany = fmt.Errorf("more than %d rule files", maxPackFiles)

func tooLong(name string) *Rejection {
	return &Rejection{Path: name, Reason: fmt.Sprintf("the file is more than %d bytes long: split it", maxRuleFile)}
}

type parsed struct {
	pack  *Pack
	bytes int
}

func parseOne(name string, data []byte, reader *yamlReader) parsed {
	p, claims := parseFile(name, data, reader)
	if !claims {
		p = &Pack{Skipped: []string{name}}
	}
	return parsed{p, len(data)}
}

// minParsers is how many files are read at once even on a few processors, because a disk may be slow to answer.
const minParsers = 8

// parseAll parses the files that list adds, while it goes on listing. The result is in their order. An error of list is
// returned.
func parseAll(list func(add func(source) error) error) (*Pack, error) {
	var (
		mu     sync.Mutex
		more   = sync.NewCond(&mu) // files, or the end of the list
		files  []source
		parts  []parsed // of files
		next   int      // of files
		total  int      // bytes
		listed bool
		wg     sync.WaitGroup
	)
	for range max(runtime.GOMAXPROCS(0), minParsers) {
		wg.Go(func() {
			var buf bytes.Buffer
			var reader yamlReader
			mu.Lock()
			defer mu.Unlock()
			for {
				for next == len(files) && !listed {
					more.Wait()
				}
				if next == len(files) || total > maxPackBytes {
					return
				}
				i := next
				next++
				f := files[i]
				mu.Unlock()
				part := parseSource(f, &buf, &reader)
				mu.Lock()
				parts[i] = part
				total += part.bytes
			}
		})
	}
	err := list(func(f source) error {
		mu.Lock()
		defer mu.Unlock()
		if len(files) == maxPackFiles {
			return errTooMany
		}
		files = append(files, f)
		parts = append(parts, parsed{})
		more.Signal()
		return nil
	})
	mu.Lock()
	listed = true
	if err != nil {
		next = len(files)
	}
	more.Broadcast()
	mu.Unlock()
	wg.Wait()
	if err != nil {
		return nil, err
	}
	if total > maxPackBytes {
		return nil, fmt.Errorf("more than %d bytes of rules", maxPackBytes)
	}
	p := &Pack{}
	for _, r := range parts {
		if r.pack != nil {
			p.add(r.pack)
		}
	}
	p.dropDuplicates()
	return p, nil
}

func parseSource(f source, buf *bytes.Buffer, reader *yamlReader) parsed {
	r, err := f.open()
	if err != nil {
		return unread(&Rejection{Path: f.path, Reason: "cannot be read: " + err.Error()}, 0)
	}
	defer r.Close()
	buf.Reset()
	_, err = io.Copy(buf, io.LimitReader(r, maxRuleFile+1))
	switch {
	case buf.Len() > maxRuleFile:
		return unread(tooLong(f.path), buf.Len())
	case err != nil && !errors.Is(err, io.EOF):
		return unread(&Rejection{Path: f.path, Reason: "cannot be read: " + err.Error()}, 0)
	}
	return parseOne(f.path, buf.Bytes(), reader)
}

func unread(r *Rejection, bytes int) parsed {
	return parsed{&Pack{Rejected: []*Rejection{r}}, bytes}
}

func (p *Pack) add(other *Pack) {
	p.Rules = append(p.Rules, other.Rules...)
	p.Correlations = append(p.Correlations, other.Correlations...)
	p.Filters = append(p.Filters, other.Filters...)
	p.Rejected = append(p.Rejected, other.Rejected...)
	p.LeftOut = append(p.LeftOut, other.LeftOut...)
	p.replaced = append(p.replaced, other.replaced...)
	p.Skipped = append(p.Skipped, other.Skipped...)
}

// Add appends the rules, rejections and skipped files of other. Of rules with the same identifier the first is kept.
func (p *Pack) Add(other *Pack) {
	p.add(other)
	p.dropDuplicates()
}

// dropDuplicates keeps the first of rules with the same identifier. Another with the same content is left out in
// silence, one that differs is rejected.
func (p *Pack) dropDuplicates() {
	first := make(map[string]*Rule, len(p.Rules))
	kept := p.Rules[:0]
	for _, r := range p.Rules {
		before := first[r.ID]
		switch {
		case r.ID == "" || before == nil:
			first[r.ID] = r
			kept = append(kept, r)
		case before == r || sameRule(before, r):
		case r.shared && before.shared && r.Path == before.Path:
			kept = append(kept, r) // of one collection
		default:
			p.Rejected = append(p.Rejected, &Rejection{Path: r.Path, Line: r.Line, ID: r.ID, Title: r.Title,
				Reason: fmt.Sprintf("the rule %s was already read from %s, with other content: give one of them another id", r.ID, before.Path)})
		}
	}
	p.Rules = kept
}

func sameRule(a, b *Rule) bool {
	return a.Title == b.Title && a.Level == b.Level && a.LogSource == b.LogSource && a.Description == b.Description &&
		reflect.DeepEqual(a.Tags, b.Tags) && reflect.DeepEqual(a.detection.written(), b.detection.written())
}

// written returns the detection without the places where its parts stand.
func (d *detection) written() *detection {
	c := &detection{conditions: d.conditions}
	for _, s := range d.selections {
		c.selections = append(c.selections, selection{name: s.name, body: s.body.written()})
	}
	return c
}

func (b *block) written() *block {
	c := &block{}
	for _, sub := range b.any {
		c.any = append(c.any, sub.written())
	}
	for _, l := range b.all {
		w := line{field: l.field, modifiers: l.modifiers}
		for _, v := range l.values {
			w.values = append(w.values, scalar{text: v.text, null: v.null})
		}
		c.all = append(c.all, w)
	}
	return c
}
