package casefile

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/event"
)

// What a line of custody.jsonl is about.
const (
	KindEvidence = "evidence" // a source, as it was read
	KindCase     = "case"     // a file of the case itself
	// KindJudgement says that what was reached was decided anew, from the facts of that hash. The lines after it are of the
	// files that were written then: they take the place of earlier ones, whose lines stay.
	KindJudgement = "judgement"
)

// Custody is a line of custody.jsonl:
//
//	{"seq":1,"kind":"evidence","path":"…","bytes":7,"sha256":"…","read":"…","prev":"…","hash":"…"}
//
// seq counts from 1. prev is the hash of the line before, 64 zeros in the first. hash is SHA-256, in lower-case
// hexadecimal, over the 64 digits of prev followed by the line from its first byte up to where ,"hash" begins, and a
// closing brace. So a line cannot be changed, taken out or moved without every later line changing. That alone does not
// hold against someone who writes all of them anew: the hash of the last line, the seal, has to be noted down elsewhere.
//
// custody.jsonl is the only file of a case in which times of the run stand, in read; all others are the same, byte for
// byte, whenever the same evidence is read.
type Custody struct {
	Kind   string    `json:"kind"`
	Path   string    `json:"path"`
	Bytes  int64     `json:"bytes"`
	SHA256 string    `json:"sha256"`
	Read   time.Time `json:"read"` // when it was read; for a file of the case, when it was written
}

const noHash = "0000000000000000000000000000000000000000000000000000000000000000"

func compareCustody(a, b Custody) int {
	return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.SHA256, b.SHA256))
}

// appendCustody appends the lines of the chain and returns them with the hash of the last.
func appendCustody(dst []byte, entries []Custody) ([]byte, string) {
	return extendCustody(dst, 0, noHash, entries)
}

// extendCustody appends lines to a chain that has so many, of which the last has the hash prev.
func extendCustody(dst []byte, lines int, prev string, entries []Custody) ([]byte, string) {
	for i, c := range entries {
		start := len(dst)
		dst = strconv.AppendInt(append(dst, `{"seq":`...), int64(lines+i+1), 10)
		dst = event.AppendString(append(dst, `,"kind":`...), c.Kind)
		dst = event.AppendString(append(dst, `,"path":`...), c.Path)
		dst = strconv.AppendInt(append(dst, `,"bytes":`...), c.Bytes, 10)
		dst = event.AppendString(append(dst, `,"sha256":`...), c.SHA256)
		dst = append(event.AppendTime(append(dst, `,"read":"`...), c.Read), `","prev":"`...)
		dst = append(append(dst, prev...), '"')
		prev = lineHash(prev, dst[start:])
		dst = append(append(append(dst, `,"hash":"`...), prev...), '"', '}', '\n')
	}
	return dst, prev
}

// lineHash is the hash of a line whose bytes before ,"hash" are given.
func lineHash(prev string, line []byte) string {
	h := sha256.New()
	io.WriteString(h, prev)
	h.Write(line)
	io.WriteString(h, "}")
	return hex.EncodeToString(h.Sum(nil))
}

// custodyLog is custody.jsonl as it was read.
type custodyLog struct {
	entries []Custody
	broken  []string // where the chain does not hold, for people
	seal    string
}

// maxBroken is how many breaks of the chain are named.
const maxBroken = 20

func readCustody(dir string) (*custodyLog, error) {
	f, err := os.Open(filepath.Join(dir, CustodyFile))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return parseCustody(f)
}

// parseCustody reads a chain. A line that does not fit is noted; what can be read of it and of those after it is kept.
func parseCustody(r io.Reader) (*custodyLog, error) {
	log := &custodyLog{seal: noHash}
	lines := lineReader{r: bufio.NewReaderSize(r, 64<<10)}
	for n := 1; ; n++ {
		line, err := lines.next()
		if err == io.EOF {
			return log, nil
		}
		if err != nil {
			return log, fmt.Errorf("%s, line %d: %w", CustodyFile, n, err)
		}
		var c struct {
			Seq int `json:"seq"`
			Custody
			Prev string `json:"prev"`
			Hash string `json:"hash"`
		}
		if err := json.Unmarshal(line, &c); err != nil {
			log.breakAt(n, err.Error())
			continue
		}
		end := len(line) - len(`,"hash":"`) - len(noHash) - len(`"}`)
		switch {
		case c.Seq != n:
			log.breakAt(n, fmt.Sprintf("has the number %d", c.Seq))
		case c.Prev != log.seal:
			log.breakAt(n, "does not follow the line before it")
		case end < 0 || string(line[end:]) != `,"hash":"`+c.Hash+`"}` || lineHash(c.Prev, line[:end]) != c.Hash:
			log.breakAt(n, "was changed: its hash is another")
		}
		log.seal = c.Hash
		log.entries = append(log.entries, c.Custody)
	}
}

func (l *custodyLog) breakAt(n int, what string) {
	if len(l.broken) < maxBroken {
		l.broken = append(l.broken, fmt.Sprintf("line %d %s", n, what))
	}
}

// Status is what a check came to.
type Status string

// The outcomes.
const (
	OK         Status = "ok"
	Changed    Status = "changed"
	Missing    Status = "missing"
	NotChecked Status = "not checked"
	Replaced   Status = "replaced" // a later line is of the same file
)

// Check is a thing that Verify looked at.
type Check struct {
	Kind   string `json:"kind"` // "chain", KindEvidence or KindCase
	Path   string `json:"path"`
	Status Status `json:"status"`
	Detail string `json:"detail,omitempty"` // for people; "" when there is nothing to add
}

// ErrNotChecked is for the callback of Verify: the source is not at hand, and nothing is claimed about it.
var ErrNotChecked = errors.New("not at hand")

// Verify checks the case in dir: the chain first, then the evidence and the files in the order of the chain, then
// whether there are files that do not belong. It returns the seal, which is the hash of the last line of the chain.
//
// evidence returns the SHA-256, in hexadecimal, of the source that a line is about, or one of several that have its path:
// that of the line if there is one. An error that is fs.ErrNotExist counts as missing, any other as not checked. A nil
// evidence checks none. The error of Verify itself is for a case
// without a chain that can be read.
func Verify(dir string, evidence func(c Custody) (sha256 string, err error)) (checks []Check, seal string, err error) {
	log, err := readCustody(dir)
	if err != nil {
		return nil, "", err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, "", err
	}
	defer root.Close()

	for _, b := range log.broken {
		checks = append(checks, Check{Kind: "chain", Path: CustodyFile, Status: Changed, Detail: b})
	}
	if len(log.broken) == 0 {
		checks = append(checks, Check{Kind: "chain", Path: CustodyFile, Status: OK})
	}
	listed := []string{CustodyFile}
	last := make(map[string]int) // line of each file of the case
	for i, c := range log.entries {
		if c.Kind == KindCase {
			last[c.Path] = i
		}
	}
	for i, c := range log.entries {
		var sum string
		var err error
		switch {
		case c.Kind == KindJudgement:
			checks = append(checks, Check{Kind: c.Kind, Path: c.Path, Status: OK, Detail: "decided anew on " + c.Read.UTC().Format(time.RFC3339) + ", facts with SHA-256 " + c.SHA256})
			continue
		case c.Kind == KindCase && last[c.Path] != i:
			checks = append(checks, Check{Kind: c.Kind, Path: c.Path, Status: Replaced, Detail: "its SHA-256 was " + c.SHA256})
			continue
		case c.Kind == KindCase:
			listed = append(listed, c.Path)
			sum, err = hashFile(root, c.Path)
		case evidence != nil:
			sum, err = evidence(c)
		default:
			err = ErrNotChecked
		}
		k := Check{Kind: c.Kind, Path: c.Path, Status: OK}
		switch {
		case errors.Is(err, fs.ErrNotExist):
			k.Status = Missing
		case err != nil:
			k.Status, k.Detail = NotChecked, err.Error()
		case !strings.EqualFold(sum, c.SHA256):
			k.Status, k.Detail = Changed, "SHA-256 was "+c.SHA256+", is "+sum
		}
		checks = append(checks, k)
	}
	for _, name := range []string{CaseFile, FindingsFile} {
		if !slices.Contains(listed, name) {
			checks = append(checks, Check{Kind: "chain", Path: name, Status: Missing, Detail: "the chain has no line for it: it was cut, or is of another program"})
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return checks, log.seal, err
	}
	for _, e := range entries {
		if !slices.Contains(listed, e.Name()) {
			checks = append(checks, Check{Kind: KindCase, Path: e.Name(), Status: NotChecked, Detail: "not part of the case"})
		}
	}
	return checks, log.seal, nil
}

// hashFile hashes a regular file inside root. The name comes from the chain and may be anything.
func hashFile(root *os.Root, name string) (string, error) {
	info, err := root.Lstat(name)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", errors.New("not a regular file")
	}
	f, err := root.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
