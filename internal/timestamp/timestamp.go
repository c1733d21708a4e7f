// Package timestamp asks a time stamping authority for a time stamp (RFC 3161, RFC 5816) and checks what it answers.
//
// What is answered is believed only when all of it holds: it is read as strict DER, by code that the format bounds, since whoever
// answers may be anybody. The library that the request is made with reads answers more freely than that.
package timestamp

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	tsp "github.com/digitorus/timestamp"
)

// MaxAnswer is how large the answer of an authority may be, in bytes.
const MaxAnswer = 1 << 20

// Request is a question to an authority.
type Request struct {
	Digest [sha256.Size]byte     // what is stamped: a SHA-256
	Nonce  *big.Int              // what the answer has to repeat
	Policy asn1.ObjectIdentifier // that the authority has to stamp by; nil for any
	DER    []byte                // the question as it is sent
}

// NewRequest returns a question about digest, with a nonce that nobody can foresee. The authority is asked for its certificate.
func NewRequest(digest [sha256.Size]byte, policy asn1.ObjectIdentifier) (*Request, error) {
	nonce, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 64))
	if err != nil {
		return nil, err
	}
	nonce.SetBit(nonce, 64, 1) // never 0, and always of one length
	r := &Request{Digest: digest, Nonce: nonce, Policy: policy}
	q := tsp.Request{HashAlgorithm: crypto.SHA256, HashedMessage: digest[:], Certificates: true, Nonce: nonce, TSAPolicyOID: policy}
	r.DER, err = q.Marshal()
	return r, err
}

// ParsePolicy reads an object identifier: 1.2.3.4. "" is none.
func ParsePolicy(s string) (asn1.ObjectIdentifier, error) {
	if s == "" {
		return nil, nil
	}
	var id asn1.ObjectIdentifier
	for part := range strings.SplitSeq(s, ".") {
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("%q is no object identifier: write it as 1.2.3.4", s)
		}
		id = append(id, n)
	}
	if _, err := asn1.Marshal(id); err != nil {
		return nil, fmt.Errorf("%q is no object identifier: write it as 1.2.3.4", s)
	}
	return id, nil
}

// Answers says why a token is no answer to r: it is about something else, to another question, or by another policy.
func (t *Token) Answers(r *Request) error {
	switch {
	case t.Digest != r.Digest:
		return fmt.Errorf("the time stamp is of %s, and %s was asked for", hex.EncodeToString(t.Digest[:]), hex.EncodeToString(r.Digest[:]))
	case t.Nonce == nil:
		return fmt.Errorf("the time stamp has no nonce: it may be the answer to another question")
	case t.Nonce.Cmp(r.Nonce) != 0:
		return fmt.Errorf("the time stamp has the nonce %x, and %x was asked with: it is the answer to another question", t.Nonce, r.Nonce)
	case r.Policy != nil && !t.Policy.Equal(r.Policy):
		return fmt.Errorf("the time stamp is by the policy %s, and %s was asked for", t.Policy, r.Policy)
	}
	return nil
}

// maxSkew is by how much the clocks of this machine and of an authority may differ without a word.
const maxSkew = 5 * time.Minute

// Skew returns a sentence for people if the time of the token is far from now, "" otherwise.
func (t *Token) Skew(now time.Time) string {
	off := t.Time.Sub(now)
	if off.Abs() <= maxSkew+t.Accuracy {
		return ""
	}
	side := "behind"
	if off < 0 {
		side = "ahead of"
	}
	return fmt.Sprintf("the clock of this machine is %s %s the authority's: one of the two is wrong, and the times in the case may be as well", off.Abs().Round(time.Second), side)
}
