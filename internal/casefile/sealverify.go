package casefile

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/timestamp"
)

// Seal is a time stamp of an authority, and whether it still fits the chain.
type Seal struct {
	Path string    `json:"path"`
	Line int       `json:"line,omitempty"` // of the chain that is about it; 0 for one that is kept elsewhere
	Head string    `json:"head"`           // what was stamped: the hash of a line
	Of   int       `json:"of,omitempty"`   // that line; 0 if the chain has none with that hash
	Time time.Time `json:"time"`
	By   string    `json:"by"`
	// Fits says that the chain up to line Of is as it was at that time; Trusted, that the certificate leads to a root that was given.
	Fits    bool   `json:"fits"`
	Trusted bool   `json:"trusted"`
	Command string `json:"command"` // with which anybody can check it
}

// seal checks a seal that the chain has a line for.
func (v *verifying) seal(i int, k *Check) {
	c := &v.log.entries[i]
	v.listed = append(v.listed, c.Path)
	sum, err := hashFile(v.root, c.Path)
	k.compare(c, sum, err)
	if k.Status == OK {
		v.fits(filepath.Join(v.dir, c.Path), k)
	}
}

// otherSeal checks a seal that the chain has no line for: one that is kept elsewhere, or one in the folder.
func (v *verifying) otherSeal(path string) {
	k := Check{Kind: KindSeal, Path: path, Status: OK}
	v.fits(path, &k)
	v.add(k)
}

// fits checks the seal in the file path against the chain.
func (v *verifying) fits(path string, k *Check) {
	answer, err := readSeal(path)
	var token *timestamp.Token
	if err == nil {
		token, err = timestamp.Parse(answer)
	}
	if err != nil {
		k.Status, k.Detail = Changed, err.Error()
		return
	}
	s := Seal{Path: path, Line: k.Line, Head: hex.EncodeToString(token.Digest[:]), Time: token.Time, By: token.By()}
	s.Command = opensslCommand(&s, v.opt.RootsFile)
	s.Of, s.Fits = v.log.at(s.Head)
	k.Detail = fmt.Sprintf("at %s %s stamped %s", s.Time.Format(time.RFC3339), s.By, s.Head)
	switch at := v.log.firstFault(); {
	case !s.Fits:
		k.Status, k.Was = Changed, s.Head
		k.Detail += ", which is the hash of no line of the chain"
	case at > 0 && at <= s.Of:
		s.Fits = false
		k.Status, k.Was = Changed, s.Head
		k.Detail += fmt.Sprintf(", which line %d says of itself, but the chain does not hold up to there", s.Of)
	case k.Line > 0 && s.Of >= k.Line:
		s.Fits = false
		k.Status, k.Was = Changed, s.Head
		k.Detail += fmt.Sprintf(", the hash of line %d, which comes after it", s.Of)
	default:
		k.Detail += fmt.Sprintf(", the hash of line %d", s.Of)
		if read := v.log.entries[s.Of-1].Read; s.Time.Before(read.Add(-time.Minute)) {
			k.Detail += fmt.Sprintf("; by the clock of the machine that line was written later, at %s: one of the two clocks is wrong", when(read))
		}
	}
	if v.opt.Roots != nil {
		if err := token.Trust(v.opt.Roots); err != nil {
			s.Fits = false
			k.Status = Changed
			k.Detail += "; " + err.Error()
		} else {
			s.Trusted = true
		}
	}
	v.Seals = append(v.Seals, s)
}

// firstFault returns the first line at which a chain does not hold, 0 if it holds.
func (l *custodyLog) firstFault() int {
	if len(l.broken) == 0 {
		return 0
	}
	return l.broken[0].line
}

func readSeal(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: %w", path, errNotRegular)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, timestamp.MaxAnswer+1))
}

// request checks the file that a question was written to, which may be gone.
func (v *verifying) request(i int, k *Check) {
	c := &v.log.entries[i]
	k.Detail = fmt.Sprintf("on %s a time stamp of line %d was asked for", when(c.Read), c.Of)
	for _, later := range v.log.entries[i+1:] {
		if later.Kind == KindSeal && later.Head == c.Head {
			k.Detail += "; it was answered"
			return
		}
	}
	if _, err := os.Stat(c.Path); errors.Is(err, fs.ErrNotExist) {
		k.Detail += "; the file is not there any more"
	}
	k.Status = NotChecked
	k.Detail += "; no answer was taken yet"
}

// opensslCommand returns the command with which anybody can check a seal: OpenSSL needs nothing of this program.
func opensslCommand(s *Seal, roots string) string {
	if roots == "" {
		roots = "ROOTS.pem"
	}
	return strings.Join([]string{"openssl ts -verify -digest", s.Head, "-in", shellWord(s.Path), "-CAfile", shellWord(roots), "-attime", strconv.FormatInt(s.Time.Unix(), 10)}, " ")
}

// shellWord quotes s for a shell where it has to be.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+:", r)
	}
	if s != "" && s[0] != '-' && strings.TrimLeftFunc(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
