package casefile

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
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

// SealFile is the name of the file of a case that holds an answer of a time stamping authority. n counts from 1.
func SealFile(n int) string { return "seal-" + strconv.Itoa(n) + ".tsr" }

// isSealName reports whether a file in a case folder is a seal, or one that was not written to its end.
func isSealName(name string) bool {
	n, ok := strings.CutPrefix(strings.TrimPrefix(name, tempName("")), "seal-")
	if !ok {
		return false
	}
	if n, ok = strings.CutSuffix(n, ".tsr"); !ok {
		return false
	}
	i, err := strconv.Atoi(n)
	return err == nil && i > 0
}

// SealQuestion is a question to a time stamping authority about the head of a chain of custody.
type SealQuestion struct {
	*timestamp.Request
	Line int    // that has the hash that is to be stamped
	Head string // the hash, hexadecimal
}

// AskSeal returns a question about the head of the chain of the case in dir. It fails where the chain does not hold, or the case
// cannot be written to: nobody is asked for what could not be kept.
func AskSeal(dir string, policy asn1.ObjectIdentifier) (*SealQuestion, error) {
	var q SealQuestion
	err := withChain(dir, func(log *custodyLog) error {
		var digest [sha256.Size]byte
		if n, err := hex.Decode(digest[:], []byte(log.head)); err != nil || n != len(digest) {
			return ErrChain
		}
		r, err := timestamp.NewRequest(digest, policy)
		q = SealQuestion{Request: r, Line: len(log.entries), Head: log.head}
		return err
	})
	return &q, err
}

// withChain calls do with the chain of the case in dir, which holds and can be written to.
func withChain(dir string, do func(*custodyLog) error) error {
	f, err := lockCustody(dir, os.O_RDWR)
	if err != nil {
		return err
	}
	defer f.Close()
	p, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	log, _, err := parseWhole(p)
	if err != nil {
		return err
	}
	return do(log)
}

// RecordRequest adds a line to the chain of the case in dir: a question was written to the file path, for a machine that is online. The
// answer is taken by KeepAnswer.
func RecordRequest(dir string, q *SealQuestion, path string, now time.Time) error {
	sum := sha256.Sum256(q.DER)
	_, _, err := extend(dir, now, func(log *custodyLog) ([]Custody, error) {
		return []Custody{{Kind: KindRequest, Path: path, Bytes: int64(len(q.DER)), SHA256: hex.EncodeToString(sum[:]), Read: now, Of: q.Line, Head: q.Head, Nonce: q.Nonce.Text(16), Policy: q.Policy.String()}}, nil
	})
	return err
}

// KeptSeal is a seal that was taken into a case.
type KeptSeal struct {
	File  string // in the case folder
	Line  int    // up to which it seals
	Head  string
	Token *timestamp.Token
}

// KeepSeal checks the answer of an authority to q and takes it into the case in dir: a file, and a line of the chain. With roots, the
// certificate of the authority has to lead to one of them. If anything is wrong the case stays as it was.
func KeepSeal(dir string, q *SealQuestion, answer []byte, roots *x509.CertPool, now time.Time) (*KeptSeal, error) {
	token, err := believe(answer, roots)
	if err != nil {
		return nil, err
	}
	return keep(dir, answer, token, now, func(*custodyLog) (*SealQuestion, error) { return q, nil })
}

// KeepAnswer is KeepSeal for an answer to a question that RecordRequest has recorded.
func KeepAnswer(dir string, answer []byte, roots *x509.CertPool, now time.Time) (*KeptSeal, error) {
	token, err := believe(answer, roots)
	if err != nil {
		return nil, err
	}
	return keep(dir, answer, token, now, func(log *custodyLog) (*SealQuestion, error) { return askedFor(log, token) })
}

func believe(answer []byte, roots *x509.CertPool) (*timestamp.Token, error) {
	token, err := timestamp.Parse(answer)
	if err == nil && roots != nil {
		err = token.Trust(roots)
	}
	return token, err
}

// askedFor returns the recorded question that a token answers.
func askedFor(log *custodyLog, token *timestamp.Token) (*SealQuestion, error) {
	head := hex.EncodeToString(token.Digest[:])
	asked := false
	for _, c := range log.entries {
		if c.Kind != KindRequest || c.Head != head {
			continue
		}
		asked = true
		if token.Nonce == nil || c.Nonce != token.Nonce.Text(16) {
			continue
		}
		policy, err := timestamp.ParsePolicy(c.Policy)
		if err != nil {
			return nil, fmt.Errorf("the request in the chain names no policy: %w", err)
		}
		return &SealQuestion{Request: &timestamp.Request{Digest: token.Digest, Nonce: token.Nonce, Policy: policy}, Line: c.Of, Head: c.Head}, nil
	}
	if asked {
		return nil, errors.New("the answer has another nonce than was asked with: it is the answer to another question. Ask again: barid seal --request")
	}
	return nil, fmt.Errorf("this case has asked for no time stamp of %s: the answer is of another case, or the request was written for another copy of this one", head)
}

// keep writes an answer that is believed into the case.
func keep(dir string, answer []byte, token *timestamp.Token, now time.Time, question func(*custodyLog) (*SealQuestion, error)) (*KeptSeal, error) {
	kept := &KeptSeal{Token: token}
	digest := sha256.Sum256(answer)
	sum := hex.EncodeToString(digest[:])
	_, _, err := extend(dir, now, func(log *custodyLog) ([]Custody, error) {
		q, err := question(log)
		if err != nil {
			return nil, err
		}
		if err := token.Answers(q.Request); err != nil {
			return nil, err
		}
		if line, ok := log.at(q.Head); !ok || line != q.Line {
			return nil, fmt.Errorf("the chain was changed since the time stamp was asked for: line %d had the hash %s", q.Line, q.Head)
		}
		for i, c := range log.entries {
			if c.Kind == KindSeal && c.SHA256 == sum {
				return nil, fmt.Errorf("the case has this answer already: %s, line %d of the chain", c.Path, log.lines[i])
			}
		}
		name, err := writeSeal(dir, answer)
		if err != nil {
			return nil, err
		}
		kept.File, kept.Line, kept.Head = name, q.Line, q.Head
		return []Custody{{Kind: KindSeal, Path: name, Bytes: int64(len(answer)), SHA256: sum, Read: now, Of: q.Line, Head: q.Head, Time: token.Time.Format(time.RFC3339Nano), By: token.By()}}, nil
	})
	if err != nil && kept.File != "" {
		err = errors.Join(err, os.Remove(filepath.Join(dir, kept.File)))
	}
	return kept, err
}

// writeSeal writes the file of a seal, under the first number that is free, and returns its name. Whoever calls it holds the lock.
func writeSeal(dir string, answer []byte) (string, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", err
	}
	defer root.Close()
	n := 1
	for {
		if _, err := root.Lstat(SealFile(n)); errors.Is(err, fs.ErrNotExist) {
			break
		} else if err != nil {
			return "", err
		}
		n++
	}
	name := SealFile(n)
	f, err := root.OpenFile(tempName(name), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return "", err
	}
	_, err = io.Copy(f, bytes.NewReader(answer))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = root.Rename(tempName(name), name)
	}
	if err != nil {
		return "", errors.Join(err, root.Remove(tempName(name)))
	}
	syncDir(dir)
	return name, nil
}
