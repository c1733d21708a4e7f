package casefile

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
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
	// KindJudgement says that what was reached was decided, from the facts of that hash. The lines after it are of the
	// statements that it was decided by, and of the files that were written then: they take the place of earlier ones, whose
	// lines stay.
	KindJudgement = "judgement"
	KindStatement = "statement" // what a person stands for: StatementWords says of which bytes the hash is
	KindExport    = "export"    // what was handed out: a report, a form, a list
	KindRequest   = "request"   // a question to a time stamping authority, for a machine that is online
	KindSeal      = "seal"      // the answer of a time stamping authority: the chain was so up to a line
	// KindRepair keeps what a write that was interrupted had left at the end of the chain.
	KindRepair = "repair"
)

// Custody is a line of custody.jsonl:
//
//	{"seq":1,"kind":"evidence","path":"…","bytes":7,"sha256":"…","read":"…","prev":"…","hash":"…"}
//
// seq counts from 1. prev is the hash of the line before, 64 zeros in the first. hash is SHA-256, in lower-case
// hexadecimal, over the 64 digits of prev followed by the line from its first byte up to where ,"hash" begins, and a
// closing brace. So a line cannot be changed, taken out or moved without every later line changing. That alone does not
// hold against someone who writes all of them anew: the hash of the last line, the head, has to be noted down elsewhere, or
// sealed.
//
// The fields after read stand in lines of some kinds only, and are left out where they are empty. docs/custody.md is for
// those who check a chain without this program.
//
// custody.jsonl is the only file of a case in which times of the run stand, in read; all others are the same, byte for
// byte, whenever the same evidence is read.
type Custody struct {
	Kind   string    `json:"kind"`
	Path   string    `json:"path"`
	Bytes  int64     `json:"bytes"`
	SHA256 string    `json:"sha256"`
	Read   time.Time `json:"read"` // when it was read; for a file of the case, an export or a seal, when it was written

	Format string `json:"format,omitempty"` // of an export
	TLP    string `json:"tlp,omitempty"`    // of an export: the marking that it carries
	Lang   string `json:"lang,omitempty"`   // of an export

	Author string `json:"author,omitempty"` // of a statement
	Stated string `json:"stated,omitempty"` // of a statement: when, RFC 3339
	About  string `json:"about,omitempty"`  // of a statement, in words

	Of     int    `json:"of,omitempty"`     // of a request or a seal: the line whose hash it is about, and so all up to it
	Head   string `json:"head,omitempty"`   // that hash
	Nonce  string `json:"nonce,omitempty"`  // of a request: the number that its answer has to repeat, hexadecimal
	Policy string `json:"policy,omitempty"` // of a request: that was asked for, an object identifier
	Time   string `json:"time,omitempty"`   // of a seal: what the authority says, RFC 3339
	By     string `json:"by,omitempty"`     // of a seal: the subject of the certificate that signed it

	Torn string `json:"torn,omitempty"` // of a repair: the bytes that were there; what is no text shows as U+FFFD
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
		dst = append(event.AppendTime(append(dst, `,"read":"`...), c.Read), '"')
		dst = c.appendMore(dst)
		dst = append(append(append(dst, `,"prev":"`...), prev...), '"')
		prev = lineHash(prev, dst[start:])
		dst = append(append(append(dst, `,"hash":"`...), prev...), '"', '}', '\n')
	}
	return dst, prev
}

// appendMore appends the fields that lines of some kinds have.
func (c *Custody) appendMore(dst []byte) []byte {
	text := func(key, value string) {
		if value != "" {
			dst = append(append(append(dst, `,"`...), key...), `":`...)
			dst = event.AppendString(dst, value)
		}
	}
	text("format", c.Format)
	text("tlp", c.TLP)
	text("lang", c.Lang)
	text("author", c.Author)
	text("stated", c.Stated)
	text("about", c.About)
	if c.Of != 0 {
		dst = strconv.AppendInt(append(dst, `,"of":`...), int64(c.Of), 10)
	}
	text("head", c.Head)
	text("nonce", c.Nonce)
	text("policy", c.Policy)
	text("time", c.Time)
	text("by", c.By)
	text("torn", c.Torn)
	return dst
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
	lines   []int    // where each entry stands: the number of its line
	hashes  []string // of each entry
	broken  []fault  // where the chain does not hold
	head    string   // the hash of the last line
}

// at returns the number of the line that has a hash, and whether there is one.
func (l *custodyLog) at(hash string) (line int, ok bool) {
	i := slices.Index(l.hashes, hash)
	if i < 0 {
		return 0, false
	}
	return l.lines[i], true
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
	log := &custodyLog{head: noHash}
	lines := lineReader{r: bufio.NewReaderSize(r, 64<<10)}
	for n := 1; ; n++ {
		line, err := lines.next()
		if err == io.EOF {
			return log, nil
		}
		if err != nil {
			return log, fmt.Errorf("%s, line %d: %w", CustodyFile, n, inWords(err))
		}
		var c struct {
			Seq int `json:"seq"`
			Custody
			Prev string `json:"prev"`
			Hash string `json:"hash"`
		}
		if err := json.Unmarshal(line, &c); err != nil {
			log.breakAt(n, "is no line of a chain ("+err.Error()+"): it was edited, or not written to its end")
			continue
		}
		end := len(line) - len(`,"hash":"`) - len(noHash) - len(`"}`)
		switch {
		case c.Seq != n:
			log.breakAt(n, fmt.Sprintf("has the number %d", c.Seq))
		case c.Prev != log.head:
			log.breakAt(n, "does not follow the line before it")
		case end < 0 || string(line[end:]) != `,"hash":"`+c.Hash+`"}` || lineHash(c.Prev, line[:end]) != c.Hash:
			log.breakAt(n, "was changed: its hash is another")
		}
		log.head = c.Hash
		log.entries, log.lines, log.hashes = append(log.entries, c.Custody), append(log.lines, n), append(log.hashes, c.Hash)
	}
}

func (l *custodyLog) breakAt(n int, what string) {
	if len(l.broken) < maxBroken {
		l.broken = append(l.broken, fault{n, what})
	}
}
