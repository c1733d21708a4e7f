package casefile

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Status is what a check came to.
type Status string

// The outcomes.
const (
	OK         Status = "ok"
	Changed    Status = "changed"
	Missing    Status = "missing"
	NotChecked Status = "not checked"
	Replaced   Status = "replaced" // a later line is of the same thing
)

// KindChain is the kind of a Check of the chain itself.
const KindChain = "chain"

// Check is a thing that Verify looked at.
type Check struct {
	Kind   string `json:"kind"` // KindChain, or the kind of the line
	Path   string `json:"path"`
	Line   int    `json:"line,omitempty"` // of custody.jsonl; 0 where there is none
	Status Status `json:"status"`
	// Was and Is are the SHA-256 by the chain and as it is now, hexadecimal, where they differ or the thing is gone.
	Was    string `json:"was,omitempty"`
	Is     string `json:"is,omitempty"`
	Detail string `json:"detail,omitempty"` // for people; "" when there is nothing to add
	// Meaning says what follows, and what to do, where something is not as it was.
	Meaning string `json:"meaning,omitempty"`
}

// Failed reports whether what was checked is not what it has to be. Evidence that is gone, or an export, is not at hand, and nothing more;
// a file of the case that cannot be read is.
func (c *Check) Failed() bool {
	return c.Status == Changed || c.Status == Missing && c.Kind != KindEvidence || c.Status == NotChecked && c.Kind == KindCase && c.Line > 0
}

// ErrNotChecked is for VerifyOptions.Evidence: the source is not at hand, and nothing is claimed about it.
var ErrNotChecked = errors.New("not at hand")

// VerifyOptions say what a case is checked against besides itself. All are optional.
type VerifyOptions struct {
	// Evidence returns the SHA-256, in hexadecimal, of the source that a line is about, or one of several that have its path:
	// that of the line if there is one. An error that is fs.ErrNotExist counts as missing, any other as not checked. Without it no
	// evidence is checked.
	Evidence func(c Custody) (sha256 string, err error)
	// Head is the hash of a line that was noted down elsewhere, hexadecimal.
	Head string
	// Seals are files of seals that are kept elsewhere.
	Seals []string
	// Roots are those that the certificates of seals have to lead to, and RootsFile is where they come from. Without, who made a seal
	// is not checked.
	Roots     *x509.CertPool
	RootsFile string
}

// Verification is what Verify found.
type Verification struct {
	Checks []Check `json:"checks"`
	Lines  int     `json:"lines"` // of the chain
	Head   string  `json:"head"`  // the hash of the last line
	// Noted is the line that has the hash VerifyOptions.Head, 0 if none has.
	Noted int    `json:"noted,omitempty"`
	Seals []Seal `json:"seals"` // those that could be read
}

// Failed returns how many checks failed.
func (v *Verification) Failed() int {
	n := 0
	for i := range v.Checks {
		if v.Checks[i].Failed() {
			n++
		}
	}
	return n
}

// Verify checks the case in dir: the chain first, then what its lines are about, in their order, then whether there are files that do
// not belong. Its error is for a case without a chain that can be read.
func Verify(dir string, opt VerifyOptions) (*Verification, error) {
	log, err := readCustody(dir)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	v := &verifying{dir: dir, root: root, log: log, opt: opt, last: make(map[string]int)}
	v.Head, v.Lines, v.Seals = log.head, len(log.entries), []Seal{}
	v.chain()
	for i, c := range log.entries {
		switch c.Kind {
		case KindCase, KindExport:
			v.last[c.Kind+" "+c.Path] = i
		case KindJudgement:
			v.judged = i
		}
	}
	v.stand()
	for i := range log.entries {
		v.line(i)
	}
	v.unlisted()
	err = v.strangers()
	for _, path := range opt.Seals {
		v.otherSeal(path)
	}
	for i := range v.Checks {
		if c := &v.Checks[i]; c.Failed() {
			c.Meaning = meaning(c)
		}
	}
	return &v.Verification, err
}

// verifying is a Verify under way.
type verifying struct {
	Verification
	dir    string
	root   *os.Root
	log    *custodyLog
	opt    VerifyOptions
	last   map[string]int // entry of each file of the case, and of each export
	judged int            // entry of the last judgement
	// standing are the hashes of the statements that case.json has, nil if it cannot be read.
	standing map[string]*Statement
	listed   []string // files that the chain has a line for
}

func (v *verifying) add(c Check) { v.Checks = append(v.Checks, c) }

// chain checks that each line follows the one before, and the head that was noted down.
func (v *verifying) chain() {
	for _, b := range v.log.broken {
		v.add(Check{Kind: KindChain, Path: CustodyFile, Line: b.line, Status: Changed, Detail: b.String()})
	}
	if len(v.log.broken) == 0 {
		v.add(Check{Kind: KindChain, Path: CustodyFile, Status: OK})
	}
	if v.opt.Head == "" {
		return
	}
	line, ok := v.log.at(strings.ToLower(v.opt.Head))
	v.Noted = line
	if !ok {
		v.add(Check{Kind: KindChain, Path: CustodyFile, Status: Changed, Was: v.opt.Head, Detail: "no line has the hash that was noted down: " + v.opt.Head})
	}
}

// line checks what a line is about.
func (v *verifying) line(i int) {
	c := &v.log.entries[i]
	k := Check{Kind: c.Kind, Path: c.Path, Line: v.log.lines[i], Status: OK}
	switch c.Kind {
	case KindJudgement:
		k.Detail = "decided on " + when(c.Read) + ", facts with SHA-256 " + c.SHA256
		if c.Bytes == 0 {
			k.Detail = "decided on " + when(c.Read) + ", without facts"
		}
	case KindStatement:
		v.statement(i, &k)
	case KindRepair:
		k.Detail = fmt.Sprintf("a write was interrupted before %s: the %d bytes that it left stand in this line", when(c.Read), c.Bytes)
	case KindCase:
		if v.last[c.Kind+" "+c.Path] != i {
			k.Status, k.Was, k.Detail = Replaced, c.SHA256, "its SHA-256 was "+c.SHA256
			break
		}
		v.listed = append(v.listed, c.Path)
		sum, err := hashFile(v.root, c.Path)
		k.compare(c, sum, err)
	case KindExport:
		v.export(i, &k)
	case KindSeal:
		v.seal(i, &k)
	case KindRequest:
		v.request(i, &k)
	case KindEvidence:
		sum, err := "", ErrNotChecked
		if v.opt.Evidence != nil {
			sum, err = v.opt.Evidence(*c)
		}
		k.compare(c, sum, err)
	default:
		k.Status, k.Detail = NotChecked, "a kind of line that this version of Barid does not know"
	}
	v.add(k)
}

// compare says whether the hash of a line is what its thing has now.
func (k *Check) compare(c *Custody, sum string, err error) {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		k.Status, k.Was, k.Detail = Missing, c.SHA256, "its SHA-256 was "+c.SHA256
	case errors.Is(err, errNotRegular) && c.Kind == KindCase: // what reads the case follows a link
		k.Status, k.Was, k.Detail = Changed, c.SHA256, "its SHA-256 was "+c.SHA256+", and it is a link, a folder or a device now"
	case err != nil:
		k.Status, k.Detail = NotChecked, err.Error()
	case !strings.EqualFold(sum, c.SHA256):
		k.Status, k.Was, k.Is, k.Detail = Changed, c.SHA256, sum, "its SHA-256 was "+c.SHA256+", is "+sum
	}
}

// export checks the file that an export went to, if it is still there.
func (v *verifying) export(i int, k *Check) {
	c := &v.log.entries[i]
	what := c.Format
	if c.Lang != "" {
		what += ", " + c.Lang
	}
	if c.TLP != "" {
		what += ", TLP:" + c.TLP
	}
	k.Detail = fmt.Sprintf("handed out on %s (%s), SHA-256 %s", when(c.Read), what, c.SHA256)
	switch {
	case c.Path == Stdout:
		k.Detail += ", to the standard output"
		return
	case v.last[c.Kind+" "+c.Path] != i:
		k.Status, k.Was = Replaced, c.SHA256
		return
	}
	sum, err := hashRegular(c.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		k.Status = NotChecked
		k.Detail += "; it is not there any more"
	case err != nil:
		k.Status = NotChecked
		k.Detail += ": " + err.Error()
	case !strings.EqualFold(sum, c.SHA256):
		k.Status, k.Was, k.Is = Changed, c.SHA256, sum
		k.Detail += "; what is there now has " + sum
	}
}

// stand reads the statements that case.json has.
func (v *verifying) stand() {
	made, err := OpenGiven(v.dir)
	if err != nil {
		return // case.json is checked in its own line
	}
	v.standing = make(map[string]*Statement)
	for i := range made.Statements {
		sum := sha256.Sum256(StatementWords(&made.Statements[i]))
		v.standing[hex.EncodeToString(sum[:])] = &made.Statements[i]
	}
}

// statement checks that case.json has the statement of a line, if it is of the last judgement.
func (v *verifying) statement(i int, k *Check) {
	c := &v.log.entries[i]
	k.Detail = c.Author
	if c.Stated != "" {
		k.Detail += ", " + c.Stated
	}
	k.Detail += ": " + c.About
	_, stands := v.standing[c.SHA256]
	switch {
	case v.standing == nil:
		k.Status = NotChecked
		k.Detail += ": " + CaseFile + " cannot be read"
	case i < v.judged && !stands:
		k.Status, k.Was = Replaced, c.SHA256
		k.Detail += "; withdrawn or changed since"
	case !stands:
		k.Status, k.Was = Changed, c.SHA256
		k.Detail += "; " + CaseFile + " has no statement with these words, SHA-256 " + c.SHA256
	}
}

// unlisted names what every chain has a line for, and this has none, and statements without one.
func (v *verifying) unlisted() {
	for _, name := range []string{CaseFile, FindingsFile} {
		if !slices.Contains(v.listed, name) {
			v.add(Check{Kind: KindChain, Path: name, Status: Missing, Detail: "the chain has no line for it: it was cut, or is of another program"})
		}
	}
	lines := make(map[string]bool)
	for _, c := range v.log.entries[min(v.judged, len(v.log.entries)):] {
		if c.Kind == KindStatement {
			lines[c.SHA256] = true
		}
	}
	if len(lines) == 0 {
		return // none, or decided by a version of Barid that wrote no lines for statements; the line of case.json covers them
	}
	for _, sum := range sortedKeys(v.standing) {
		if s := v.standing[sum]; !lines[sum] {
			v.add(Check{Kind: KindStatement, Path: CaseFile, Status: Changed, Is: sum, Detail: s.Author + ": " + s.About + "; the chain has no line for this statement"})
		}
	}
}

func sortedKeys(m map[string]*Statement) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// strangers names files in the folder that the chain has no line for.
func (v *verifying) strangers() error {
	entries, err := os.ReadDir(v.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := e.Name()
		switch {
		case name == CustodyFile || slices.Contains(v.listed, name):
		case strings.HasPrefix(name, tempName("")) && isSealName(name):
			v.add(Check{Kind: KindSeal, Path: name, Status: NotChecked, Detail: "left by a command that was interrupted: it can be deleted"})
		case isSealName(name):
			v.otherSeal(filepath.Join(v.dir, name))
		default:
			v.add(Check{Kind: KindCase, Path: name, Status: NotChecked, Detail: "not part of the case"})
		}
	}
	return nil
}

func when(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// hashFile hashes a regular file inside root. The name comes from the chain and may be anything.
func hashFile(root *os.Root, name string) (string, error) {
	info, err := root.Lstat(name)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", errNotRegular
	}
	f, err := root.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return hashOf(f)
}

// hashRegular hashes a file anywhere, for a path that may be anything: a pipe is not waited for.
func hashRegular(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() || !filepath.IsAbs(path) {
		return "", errNotRegular
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return hashOf(f)
}

var errNotRegular = errors.New("not a regular file")

func hashOf(r io.Reader) (string, error) {
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
