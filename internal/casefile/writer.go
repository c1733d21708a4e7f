package casefile

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// The names of the files in a case folder.
const (
	CaseFile     = "case.json"
	FindingsFile = "findings.jsonl"
	TimelineFile = "timeline.csv"
	ReportFile   = "report.html"
	ReachedFile  = "reached.csv"
	CustodyFile  = "custody.jsonl"
	StoreFile    = "store.bin"    // what the evidence taught, to decide anew from
	FactsFile    = "facts.yaml"   // a copy of the facts that were given
	RegimesFile  = "regimes.yaml" // copies of the further laws that were given
)

// InventoryFile is the name of the copy of a list of the inventory: mailboxes, messages or files.
func InventoryFile(kind string) string { return "inventory-" + kind + ".csv" }

var (
	// ErrExists is the error of Create where there is a case already and force is not set.
	ErrExists = errors.New("there is a case in this folder already")
	// ErrNotCase is the error where a folder is no case, or holds what no case holds.
	ErrNotCase = errors.New("the folder is not a case")
)

// Writer writes a case folder. What it writes stands in a folder beside the final one, which takes its place, whole, at
// Commit. Folders have the mode 0700, files 0600. It is not safe for concurrent use.
type Writer struct {
	dir   string // final
	tmp   string
	root  *os.Root // of tmp
	force bool
	files []Custody
	open  int
	chain *custodyLog // of the case that is written anew, nil where there is none
	bytes []byte      // its custody.jsonl
	by    []Custody   // what the case was decided by
}

// Create begins a case that will stand in dir, which must not exist or be empty. With force, dir may hold a case, which
// is replaced at Commit; a folder with any other file in it is refused.
func Create(dir string, force bool) (*Writer, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := mayReplace(dir, force); err != nil {
		return nil, err
	}
	parent, name := filepath.Split(dir)
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return nil, err
	}
	tmp, err := os.MkdirTemp(parent, "."+name+".partial-")
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(tmp)
	if err != nil {
		os.Remove(tmp)
		return nil, err
	}
	return &Writer{dir: dir, tmp: tmp, root: root, force: force}, nil
}

// Rewrite begins to write files of the case in dir anew. Those that are not written stay as they are. CommitJudgement puts
// the new case in the place of the old one.
func Rewrite(dir string) (*Writer, error) {
	p, err := os.ReadFile(filepath.Join(dir, CustodyFile))
	if err != nil {
		return nil, err
	}
	chain, whole, err := parseWhole(p)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	w, err := Create(dir, true)
	if err != nil {
		return nil, err
	}
	w.chain, w.bytes = chain, p[:whole]
	return w, nil
}

// Kept returns the SHA-256, in hexadecimal, that a file of the case had by its chain of custody when Rewrite began; "" if it
// had no such file.
func (w *Writer) Kept(name string) string {
	if w.chain == nil {
		return ""
	}
	for _, c := range slices.Backward(w.chain.entries) {
		if c.Kind == KindCase && c.Path == name {
			return c.SHA256
		}
	}
	return ""
}

// DecidedBy says what the verdicts of the case were made from: the facts, by Path, Bytes and SHA256, and the statements among them.
// The chain of custody gets a line for the judgement and one for each statement, before those of the files.
func (w *Writer) DecidedBy(facts Custody, statements []Statement) {
	facts.Kind = KindJudgement
	w.by = []Custody{facts}
	for i := range statements {
		w.by = append(w.by, statementLine(&statements[i], facts.Path))
	}
}

// CommitJudgement takes the place of the case that Rewrite was begun for. The chain of custody is that of the old case, with the
// exports that were recorded meanwhile, and after it what the case was decided by and a line for every file that was written. It
// returns the hash of the last line.
func (w *Writer) CommitJudgement(written time.Time) (head string, err error) {
	defer func() {
		if err != nil {
			w.Abort()
		}
	}()
	if w.chain == nil {
		return "", errors.New("casefile: not begun with Rewrite")
	}
	lock, err := lockCustody(w.dir, os.O_RDONLY)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if err := w.catchUp(lock, written); err != nil {
		return "", err
	}
	if err := w.keepOthers(); err != nil {
		return "", err
	}
	if runtime.GOOS == "windows" {
		lock.Close() // a folder with an open file in it cannot be renamed there
	}
	p, head := extendCustody(w.bytes, len(w.chain.entries), w.chain.head, w.own(written))
	return head, w.finish(p)
}

// catchUp takes over lines that were added to the chain since Rewrite, and mends its end.
func (w *Writer) catchUp(chain io.Reader, now time.Time) error {
	p, err := io.ReadAll(chain)
	if err != nil {
		return err
	}
	log, whole, err := parseWhole(p)
	if err != nil || !bytes.HasPrefix(p, w.bytes) {
		return fmt.Errorf("%s: %w: it was changed while Barid ran", w.dir, ErrChain)
	}
	for _, c := range log.entries[len(w.chain.entries):] {
		if c.Kind == KindCase || c.Kind == KindJudgement {
			return fmt.Errorf("%s: another run has decided this case anew meanwhile: nothing was written; run it again", w.dir)
		}
	}
	w.chain, w.bytes = log, endLine(p[:whole:whole])
	w.by = append(repair(p[whole:], now), w.by...)
	return nil
}

// keepOthers takes over the files of the old case that were not written anew.
func (w *Writer) keepOthers() error {
	entries, err := os.ReadDir(w.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := e.Name()
		if name == CustodyFile || slices.ContainsFunc(w.files, func(c Custody) bool { return c.Path == name }) {
			continue
		}
		if !e.Type().IsRegular() {
			return fmt.Errorf("%s: %w only: %q does not belong to it", w.dir, ErrNotCase, name)
		}
		from, to := filepath.Join(w.dir, name), filepath.Join(w.tmp, name)
		if os.Link(from, to) != nil {
			if err := copyFile(from, to); err != nil {
				return err
			}
		}
	}
	return nil
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err == nil {
		err = out.Sync()
	}
	return errors.Join(err, out.Close())
}

// mayReplace says why dir must be left alone.
func mayReplace(dir string, force bool) error {
	info, err := os.Lstat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s: %w", dir, ErrNotCase)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		return nil
	}
	if !isCase(dir) {
		return fmt.Errorf("%s: %w, and something is in it", dir, ErrNotCase)
	}
	if !force {
		return fmt.Errorf("%s: %w", dir, ErrExists)
	}
	known := []string{CaseFile, FindingsFile, TimelineFile, ReportFile, ReachedFile, CustodyFile, StoreFile}
	if log, err := readCustody(dir); err == nil {
		for _, c := range log.entries {
			if c.Kind == KindCase {
				known = append(known, c.Path)
			}
		}
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || !slices.Contains(known, e.Name()) && !isSealName(e.Name()) {
			return fmt.Errorf("%s: %w only: %q does not belong to it", dir, ErrNotCase, e.Name())
		}
	}
	return nil
}

// Dir returns the folder in which the files stand until Commit: for reading back what was written.
func (w *Writer) Dir() string { return w.tmp }

// File is a file of a case that is being written. Its content is hashed on the way.
type File struct {
	w    *Writer
	name string
	f    *os.File
	buf  *bufio.Writer
	hash hash.Hash
	size int64
}

// File begins the file called name, a plain name. It becomes part of the case when it is closed.
func (w *Writer) File(name string) (*File, error) {
	if !fs.ValidPath(name) || strings.ContainsAny(name, `/\`) || strings.HasPrefix(name, ".") || name == CustodyFile {
		return nil, fmt.Errorf("casefile: %q cannot be the name of a file", name)
	}
	if slices.ContainsFunc(w.files, func(c Custody) bool { return c.Path == name }) {
		return nil, fmt.Errorf("casefile: %s is written already", name)
	}
	f, err := w.root.OpenFile(tempName(name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	out := &File{w: w, name: name, f: f, hash: sha256.New()}
	out.buf = bufio.NewWriterSize(hashing{f, out.hash}, 256<<10)
	w.open++
	return out, nil
}

// hashing writes to a file and, at the same time, to a hash.
type hashing struct {
	f    *os.File
	hash hash.Hash
}

// Write implements io.Writer.
func (h hashing) Write(p []byte) (int, error) {
	done := make(chan struct{})
	go func() {
		h.hash.Write(p)
		close(done)
	}()
	n, err := h.f.Write(p)
	<-done
	return n, err
}

func tempName(name string) string { return ".writing-" + name }

// Write implements io.Writer.
func (f *File) Write(p []byte) (int, error) {
	n, err := f.buf.Write(p)
	f.size += int64(n)
	return n, err
}

// Close makes the file durable and gives it its name.
func (f *File) Close() error {
	if f.f == nil {
		return nil
	}
	err := f.buf.Flush()
	if err == nil {
		err = f.f.Sync()
	}
	if err != nil {
		f.abort()
		return err
	}
	file := f.f
	f.f = nil
	f.w.open--
	if err := file.Close(); err != nil {
		return err
	}
	if err := f.w.root.Rename(tempName(f.name), f.name); err != nil {
		return err
	}
	f.w.files = append(f.w.files, Custody{Kind: KindCase, Path: f.name, Bytes: f.size, SHA256: hex.EncodeToString(f.hash.Sum(nil))})
	return nil
}

// abort gives the file up.
func (f *File) abort() {
	if f.f == nil {
		return
	}
	f.f.Close()
	f.f = nil
	f.w.open--
	f.w.root.Remove(tempName(f.name))
}

// WriteCase writes case.json. Lists that are nil are written as empty ones.
func (w *Writer) WriteCase(c *Case) error {
	f, err := w.File(CaseFile)
	if err != nil {
		return err
	}
	if err := encode(f, c); err != nil {
		f.abort()
		return err
	}
	return f.Close()
}

// Commit writes custody.jsonl, with evidence first, in order of path, then what the case was decided by, and the files of the
// case after it, and puts the folder in its place. written is when: it stands in the lines of the case's own files. It returns the
// hash of the last line, the head: who notes it down elsewhere can prove later that nothing was changed.
func (w *Writer) Commit(evidence []Custody, written time.Time) (head string, err error) {
	defer func() {
		if err != nil {
			w.Abort()
		}
	}()
	if w.open > 0 {
		return "", errors.New("casefile: a file is not closed yet")
	}
	if !slices.ContainsFunc(w.files, func(c Custody) bool { return c.Path == CaseFile }) {
		return "", errors.New("casefile: no " + CaseFile)
	}
	lines := slices.Clone(evidence)
	for i := range lines {
		lines[i].Kind = KindEvidence
	}
	slices.SortStableFunc(lines, compareCustody)
	p, head := appendCustody(nil, append(lines, w.own(written)...))
	return head, w.finish(p)
}

// own returns the lines of what the case was decided by, and of the files that were written.
func (w *Writer) own(written time.Time) []Custody {
	files := slices.Clone(w.files)
	slices.SortFunc(files, compareCustody)
	own := append(slices.Clone(w.by), files...)
	for i := range own {
		own[i].Read = written
	}
	return own
}

// finish writes custody.jsonl and puts the folder in its place.
func (w *Writer) finish(custody []byte) error {
	f, err := w.root.OpenFile(tempName(CustodyFile), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(custody)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := w.root.Rename(tempName(CustodyFile), CustodyFile); err != nil {
		return err
	}
	syncDir(w.tmp)
	w.root.Close()
	w.root = nil
	if err := w.place(); err != nil {
		return err
	}
	w.tmp = ""
	syncDir(filepath.Dir(w.dir))
	return nil
}

// place puts the folder where it belongs. What stood there was looked at in Create and is looked at again: a person
// may have put a file there since.
func (w *Writer) place() error {
	if err := mayReplace(w.dir, w.force); err != nil {
		return err
	}
	entries, err := os.ReadDir(w.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return os.Rename(w.tmp, w.dir)
	}
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		if err := os.Remove(w.dir); err != nil {
			return err
		}
		return os.Rename(w.tmp, w.dir)
	}
	old := w.tmp
	if !exchange(w.tmp, w.dir) {
		old += "-old"
		if err := os.Rename(w.dir, old); err != nil {
			return err
		}
		if err := os.Rename(w.tmp, w.dir); err != nil {
			return errors.Join(err, os.Rename(old, w.dir))
		}
	}
	return os.RemoveAll(old)
}

// Abort removes what was written. After Commit it does nothing, so that it can be deferred.
func (w *Writer) Abort() error {
	if w.tmp == "" {
		return nil
	}
	if w.root != nil {
		w.root.Close()
		w.root = nil
	}
	tmp := w.tmp
	w.tmp = ""
	return os.RemoveAll(tmp)
}

// syncDir makes names in a folder durable where the system can.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		d.Close()
	}
}

// withLists returns a copy of c without nil lists: a script that reads a case need not expect null.
func withLists(c *Case) *Case {
	d := *c
	d.Sources = copyList(d.Sources)
	for i := range d.Sources {
		d.Sources[i].Errors = list(d.Sources[i].Errors)
	}
	d.Coverage = copyList(d.Coverage)
	for i := range d.Coverage {
		d.Coverage[i].Gaps = list(d.Coverage[i].Gaps)
	}
	d.Incidents = copyList(d.Incidents)
	for i := range d.Incidents {
		in := &d.Incidents[i]
		in.Techniques, in.Hosts, in.Actors, in.Accounts = list(in.Techniques), list(in.Hosts), list(in.Actors), list(in.Accounts)
		in.Steps = copyList(in.Steps)
		for j := range in.Steps {
			s := &in.Steps[j]
			s.Rule.Tags, s.Hosts, s.Actors, s.Evidence = list(s.Rule.Tags), list(s.Hosts), list(s.Actors), list(s.Evidence)
		}
	}
	d.Sessions = copyList(d.Sessions)
	for i := range d.Sessions {
		s := &d.Sessions[i]
		s.Accounts, s.IPs, s.Why = list(s.Accounts), list(s.IPs), list(s.Why)
	}
	d.Capabilities = copyList(d.Capabilities)
	for i := range d.Capabilities {
		d.Capabilities[i].Reach, d.Capabilities[i].Why = list(d.Capabilities[i].Reach), list(d.Capabilities[i].Why)
	}
	d.Reached = copyList(d.Reached)
	for i := range d.Reached {
		r := &d.Reached[i]
		r.By, r.Why = list(r.By), copyList(r.Why)
		for j := range r.Why {
			r.Why[j].Evidence = list(r.Why[j].Evidence)
		}
	}
	d.Rules.Rejected = list(d.Rules.Rejected)
	if d.Summary.Findings == nil {
		d.Summary.Findings = map[string]int64{}
	}
	if d.Summary.Reached == nil {
		d.Summary.Reached = map[string]VerdictCounts{}
	}
	return &d
}

func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

func copyList[T any](s []T) []T { return append([]T{}, s...) }

// isCase reports whether there is a case in dir that Open would read: it looks no further than the schema, which comes first.
func isCase(dir string) bool {
	f, err := os.Open(filepath.Join(dir, CaseFile))
	if err != nil {
		return false
	}
	defer f.Close()
	d := json.NewDecoder(f)
	for _, want := range [...]json.Token{json.Delim('{'), "schema", Schema} {
		if got, err := d.Token(); err != nil || got != want {
			_, err := Open(dir) // somebody has put its fields into another order
			return err == nil
		}
	}
	return true
}

// Open reads the case in dir.
func Open(dir string) (*Case, error) {
	p, err := os.ReadFile(filepath.Join(dir, CaseFile))
	if err != nil {
		return nil, err
	}
	var c Case
	if err := json.Unmarshal(p, &c); err != nil {
		return nil, damaged(dir, placed(0, err))
	}
	if c.Schema != Schema {
		return nil, fmt.Errorf("%s: %w that this program can read: its schema is %q, not %q", dir, ErrNotCase, c.Schema, Schema)
	}
	return &c, nil
}
