package timestamp

import (
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"slices"
	"strings"
	"time"
)

// Token is a time stamp whose signature, and the certificate that it was made with, are as RFC 3161 wants them. Who has that
// certificate is another question: Trust.
type Token struct {
	Digest   [sha256.Size]byte // what was stamped
	Time     time.Time         // UTC
	Accuracy time.Duration     // 0 if the authority does not say
	Policy   asn1.ObjectIdentifier
	Serial   *big.Int
	Nonce    *big.Int          // nil if there is none
	Signer   *x509.Certificate // of the authority

	others *x509.CertPool // certificates that came with it
}

// By returns the subject of the certificate that signed, for people.
func (t *Token) By() string { return t.Signer.Subject.String() }

// Trust checks that the certificate that signed leads to one of roots, at the time of the stamp.
func (t *Token) Trust(roots *x509.CertPool) error {
	_, err := t.Signer.Verify(x509.VerifyOptions{Roots: roots, Intermediates: t.others, CurrentTime: t.Time, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}})
	if err != nil {
		return fmt.Errorf("the certificate %q does not lead to a root that was given: %w", t.By(), err)
	}
	return nil
}

// maxRoots is how large a file of roots may be, in bytes.
const maxRoots = 16 << 20

// ReadRoots reads a PEM file of certificates. One of more than 16 MiB is an error: of a part of it nobody would know which roots are meant.
func ReadRoots(path string) (*x509.CertPool, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p, err := io.ReadAll(io.LimitReader(f, maxRoots+1))
	if err != nil {
		return nil, err
	}
	if len(p) > maxRoots {
		return nil, fmt.Errorf("%s is larger than %d MiB: that is no list of roots", path, maxRoots>>20)
	}
	pool, n := x509.NewCertPool(), 0
	for {
		var block *pem.Block
		if block, p = pem.Decode(p); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: certificate %d: %w", path, n+1, err)
		}
		pool.AddCert(c)
		n++
	}
	if n == 0 {
		return nil, fmt.Errorf("%s holds no certificate in PEM", path)
	}
	return pool, nil
}

// The parts of a TimeStampResp and of a TSTInfo: RFC 3161, 2.4.2.
type (
	response struct {
		Status statusInfo
		Token  asn1.RawValue `asn1:"optional"`
	}
	statusInfo struct {
		Status  int
		Text    []asn1.RawValue `asn1:"optional"`
		Failure asn1.BitString  `asn1:"optional"`
	}
	imprint struct {
		Algorithm pkix.AlgorithmIdentifier
		Digest    []byte
	}
	accuracy struct {
		Seconds int `asn1:"optional"`
		Millis  int `asn1:"optional,tag:0"`
		Micros  int `asn1:"optional,tag:1"`
	}
	info struct {
		Version    int
		Policy     asn1.ObjectIdentifier
		Imprint    imprint
		Serial     *big.Int
		Time       time.Time        `asn1:"generalized"`
		Accuracy   accuracy         `asn1:"optional"`
		Ordering   bool             `asn1:"optional"`
		Nonce      *big.Int         `asn1:"optional"`
		TSA        asn1.RawValue    `asn1:"optional,explicit,tag:0"`
		Extensions []pkix.Extension `asn1:"optional,tag:1"`
	}
)

// Parse reads the answer of an authority and checks all that can be checked without knowing the question: the status, the
// signature, that it was made with the certificate that it names and that this is one for time stamps, valid at that time.
func Parse(answer []byte) (*Token, error) {
	if len(answer) > MaxAnswer {
		return nil, fmt.Errorf("the answer has more than %d bytes", MaxAnswer)
	}
	var r response
	if err := unmarshal(answer, &r); err != nil {
		return nil, fmt.Errorf("the answer is no time stamp response: %w", err)
	}
	if r.Status.Status != 0 {
		return nil, r.Status.refusal()
	}
	if len(r.Token.FullBytes) == 0 {
		return nil, errors.New("the authority says that it grants the time stamp, and sends none")
	}
	signed, err := parseSigned(r.Token.FullBytes)
	if err != nil {
		return nil, fmt.Errorf("the time stamp is not believed: %w", err)
	}
	t, err := readInfo(signed.content)
	if err != nil {
		return nil, fmt.Errorf("the time stamp is not believed: %w", err)
	}
	t.Signer, t.others = signed.signer, signed.others
	if err := t.mayStamp(); err != nil {
		return nil, fmt.Errorf("the time stamp is not believed: %w", err)
	}
	return t, nil
}

// unmarshal reads DER that is one value and nothing else.
func unmarshal(der []byte, into any) error {
	rest, err := asn1.Unmarshal(der, into)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%d bytes too many", len(rest))
	}
	return err
}

// refusal is what an authority says that grants nothing.
func (s *statusInfo) refusal() error {
	names := map[int]string{1: "granted with modifications, which were not asked for", 2: "refused", 3: "to be answered later", 4: "revocation is imminent", 5: "revoked"}
	said, ok := names[s.Status]
	if !ok {
		said = fmt.Sprintf("unknown status %d", s.Status)
	}
	for _, f := range [...]struct {
		bit  int
		says string
	}{
		{0, "it does not know the algorithm"}, {2, "it does not take such requests"}, {5, "it finds the request malformed"}, {14, "its clock is not available"},
		{15, "it does not stamp by that policy"}, {16, "it does not know an extension"}, {17, "it cannot give what was asked for"}, {25, "it has failed"},
	} {
		if s.Failure.At(f.bit) != 0 {
			said += ": " + f.says
		}
	}
	for _, t := range s.Text[:min(len(s.Text), 3)] {
		said += fmt.Sprintf(": %q", strings.ToValidUTF8(string(t.Bytes[:min(len(t.Bytes), 200)]), "?"))
	}
	return errors.New("the authority gave no time stamp: " + said)
}

// maxAccuracy is the largest accuracy that is read: an authority that is off by more says nothing.
const maxAccuracy = 24 * time.Hour

// readInfo reads what was signed.
func readInfo(der []byte) (*Token, error) {
	var in info
	if err := unmarshal(der, &in); err != nil {
		return nil, fmt.Errorf("what it signs is no TSTInfo: %w", err)
	}
	switch {
	case in.Version != 1:
		return nil, fmt.Errorf("its version is %d, not 1", in.Version)
	case !in.Imprint.Algorithm.Algorithm.Equal(oidSHA256):
		return nil, fmt.Errorf("it is of a hash of the algorithm %s, not SHA-256", in.Imprint.Algorithm.Algorithm)
	case len(in.Imprint.Digest) != sha256.Size:
		return nil, fmt.Errorf("its hash has %d bytes, not %d", len(in.Imprint.Digest), sha256.Size)
	case in.Time.Year() < 1990 || in.Time.Year() > 9000:
		return nil, fmt.Errorf("its time is %s", in.Time)
	}
	for _, e := range in.Extensions {
		if e.Critical {
			return nil, fmt.Errorf("it has an extension that must be understood, and is not: %s", e.Id)
		}
	}
	a := in.Accuracy
	if a.Seconds < 0 || a.Seconds > int(maxAccuracy/time.Second) || a.Millis < 0 || a.Millis > 999 || a.Micros < 0 || a.Micros > 999 {
		return nil, fmt.Errorf("its accuracy is not believed: %d s, %d ms, %d µs", a.Seconds, a.Millis, a.Micros)
	}
	t := &Token{Time: in.Time.UTC(), Policy: in.Policy, Serial: in.Serial, Nonce: in.Nonce,
		Accuracy: time.Duration(a.Seconds)*time.Second + time.Duration(a.Millis)*time.Millisecond + time.Duration(a.Micros)*time.Microsecond}
	copy(t.Digest[:], in.Imprint.Digest)
	return t, nil
}

var oidExtKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 37}

// mayStamp says why the certificate that signed may not make time stamps: RFC 3161, 2.3.
func (t *Token) mayStamp() error {
	c := t.Signer
	critical := slices.ContainsFunc(c.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(oidExtKeyUsage) && e.Critical })
	switch {
	case len(c.ExtKeyUsage) != 1 || c.ExtKeyUsage[0] != x509.ExtKeyUsageTimeStamping || len(c.UnknownExtKeyUsage) > 0:
		return fmt.Errorf("the certificate %q is not one for time stamps alone (extended key usage)", t.By())
	case !critical:
		return fmt.Errorf("the certificate %q does not say that it is for time stamps alone (extended key usage is not critical)", t.By())
	case c.KeyUsage != 0 && c.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) == 0:
		return fmt.Errorf("the certificate %q may not sign (key usage)", t.By())
	case t.Time.Before(c.NotBefore) || t.Time.After(c.NotAfter):
		return fmt.Errorf("the certificate %q is valid from %s to %s, and the time stamp says %s", t.By(), c.NotBefore.UTC().Format(time.RFC3339), c.NotAfter.UTC().Format(time.RFC3339), t.Time.Format(time.RFC3339))
	}
	return nil
}
