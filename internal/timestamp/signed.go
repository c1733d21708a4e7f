package timestamp

import (
	"bytes"
	"crypto"
	_ "crypto/sha1" // of SigningCertificate, RFC 2634
	"crypto/sha256"
	_ "crypto/sha512" // of signatures
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
)

// Object identifiers of RFC 5652, 2634, 5035, 3161, 4055, 5758 and 8410.
var (
	oidSignedData  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidTSTInfo     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidContentType = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidDigest      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidSigningCert = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}
	oidSigningV2   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	oidSHA1        = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
	oidSHA256      = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidSHA384      = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}
	oidSHA512      = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}
	oidRSA         = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidRSAPSS      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}
	oidRSASHA256   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}
	oidRSASHA384   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 12}
	oidRSASHA512   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 13}
	oidECKey       = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	oidECSHA256    = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
	oidECSHA384    = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 3}
	oidECSHA512    = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 4}
	oidEd25519     = asn1.ObjectIdentifier{1, 3, 101, 112}
)

// The parts of a SignedData: RFC 5652, 5.
type (
	contentInfo struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue `asn1:"explicit,tag:0"`
	}
	signedData struct {
		Version    int
		Algorithms []pkix.AlgorithmIdentifier `asn1:"set"`
		Content    struct {
			Type    asn1.ObjectIdentifier
			Content []byte `asn1:"explicit,tag:0"`
		}
		Certificates asn1.RawValue `asn1:"optional,tag:0"`
		CRLs         asn1.RawValue `asn1:"optional,tag:1"`
		Signers      []signerInfo  `asn1:"set"`
	}
	signerInfo struct {
		Version   int
		ID        asn1.RawValue
		Digest    pkix.AlgorithmIdentifier
		Signed    asn1.RawValue `asn1:"optional,tag:0"`
		Algorithm pkix.AlgorithmIdentifier
		Signature []byte
		NotSigned asn1.RawValue `asn1:"optional,tag:1"`
	}
	issuerAndSerial struct {
		Issuer asn1.RawValue
		Serial *big.Int
	}
	attribute struct {
		Type   asn1.ObjectIdentifier
		Values []asn1.RawValue `asn1:"set"`
	}
	essCert struct {
		Hash   []byte
		Issuer asn1.RawValue `asn1:"optional"`
	}
	essCertV2 struct {
		Algorithm pkix.AlgorithmIdentifier `asn1:"optional"`
		Hash      []byte
		Issuer    asn1.RawValue `asn1:"optional"`
	}
)

// signer is who made the one signature of a SignedData.
type signer struct {
	signerInfo
	attributes []attribute // that are signed
}

// signed is a SignedData whose one signature holds.
type signed struct {
	content []byte
	signer  *x509.Certificate
	others  *x509.CertPool
}

// parseSigned reads a ContentInfo and checks its signature.
func parseSigned(der []byte) (*signed, error) {
	var outer contentInfo
	if err := unmarshal(der, &outer); err != nil {
		return nil, fmt.Errorf("it is not signed data: %w", err)
	}
	if !outer.Type.Equal(oidSignedData) {
		return nil, fmt.Errorf("it is not signed data, but %s", outer.Type)
	}
	var data signedData
	if err := unmarshal(outer.Content.Bytes, &data); err != nil {
		return nil, fmt.Errorf("its signed data cannot be read: %w", err)
	}
	if !data.Content.Type.Equal(oidTSTInfo) {
		return nil, fmt.Errorf("what it signs is not a time stamp, but %s", data.Content.Type)
	}
	if len(data.Signers) != 1 {
		return nil, fmt.Errorf("it has %d signatures, not one", len(data.Signers))
	}
	certs, err := x509.ParseCertificates(data.Certificates.Bytes)
	if err != nil {
		return nil, fmt.Errorf("its certificates cannot be read: %w", err)
	}
	s := &signer{signerInfo: data.Signers[0]}
	out := &signed{content: data.Content.Content, others: x509.NewCertPool()}
	for _, c := range certs {
		out.others.AddCert(c)
	}
	if out.signer, err = s.certificate(certs); err != nil {
		return nil, err
	}
	return out, s.check(data.Content.Content, out.signer)
}

// certificate returns the certificate that the signer names.
func (s *signer) certificate(certs []*x509.Certificate) (*x509.Certificate, error) {
	if len(certs) == 0 {
		return nil, errors.New("it has no certificate, though one was asked for")
	}
	var named issuerAndSerial
	byKey := s.ID.Class == asn1.ClassContextSpecific && s.ID.Tag == 0
	if !byKey {
		if err := unmarshal(s.ID.FullBytes, &named); err != nil {
			return nil, fmt.Errorf("its signer cannot be read: %w", err)
		}
	}
	for _, c := range certs {
		if byKey && len(s.ID.Bytes) > 0 && bytes.Equal(c.SubjectKeyId, s.ID.Bytes) || !byKey && bytes.Equal(c.RawIssuer, named.Issuer.FullBytes) && c.SerialNumber.Cmp(named.Serial) == 0 {
			return c, nil
		}
	}
	return nil, errors.New("the certificate of its signer is not in it")
}

// check checks the signature over content, and that it names the certificate that it was made with.
func (s *signer) check(content []byte, by *x509.Certificate) error {
	if len(s.Signed.FullBytes) == 0 {
		return errors.New("it has no signed attributes")
	}
	set := bytes.Clone(s.Signed.FullBytes)
	set[0] = asn1.TagSet | 0x20 // what is signed is the set, not the field that holds it: RFC 5652, 5.4
	rest, err := asn1.UnmarshalWithParams(set, &s.attributes, "set")
	if err != nil || len(rest) > 0 {
		return errors.New("its signed attributes cannot be read")
	}
	var kind asn1.ObjectIdentifier
	if err := s.attribute(oidContentType, &kind); err != nil || !kind.Equal(oidTSTInfo) {
		return errors.New("its signature is not over a time stamp (content type)")
	}
	hash, err := hashOf(s.Digest.Algorithm)
	if err != nil {
		return err
	}
	var digest []byte
	if err := s.attribute(oidDigest, &digest); err != nil {
		return fmt.Errorf("its digest cannot be read: %w", err)
	}
	if !bytes.Equal(digest, sum(hash, content)) {
		return errors.New("it was changed after it was signed (message digest)")
	}
	algorithm, err := s.algorithm(hash, by)
	if err != nil {
		return err
	}
	if err := by.CheckSignature(algorithm, set, s.Signature); err != nil {
		return fmt.Errorf("its signature does not hold: %w", err)
	}
	return s.checkNamed(by)
}

// checkNamed checks that the certificate is the one that the signature names by its hash (ESS, RFC 2634 and 5816).
func (s *signer) checkNamed(by *x509.Certificate) error {
	var v2 struct {
		Certs    []essCertV2
		Policies asn1.RawValue `asn1:"optional"`
	}
	var v1 struct {
		Certs    []essCert
		Policies asn1.RawValue `asn1:"optional"`
	}
	hash, named := crypto.SHA256, []byte(nil)
	switch {
	case s.has(oidSigningV2):
		if err := s.attribute(oidSigningV2, &v2); err != nil || len(v2.Certs) == 0 {
			return errors.New("what it says of its certificate cannot be read (ESS)")
		}
		if id := v2.Certs[0].Algorithm.Algorithm; len(id) > 0 {
			var err error
			if hash, err = hashOf(id); err != nil {
				return err
			}
		}
		named = v2.Certs[0].Hash
	case s.has(oidSigningCert):
		if err := s.attribute(oidSigningCert, &v1); err != nil || len(v1.Certs) == 0 {
			return errors.New("what it says of its certificate cannot be read (ESS)")
		}
		hash, named = crypto.SHA1, v1.Certs[0].Hash
	default:
		return errors.New("it does not say which certificate it was made with (ESS)")
	}
	if !bytes.Equal(named, sum(hash, by.Raw)) {
		return errors.New("it was made with another certificate than the one it comes with (ESS)")
	}
	return nil
}

func (s *signer) has(id asn1.ObjectIdentifier) bool {
	for i := range s.attributes {
		if s.attributes[i].Type.Equal(id) {
			return true
		}
	}
	return false
}

// attribute reads a signed attribute, which has to be there once, with one value.
func (s *signer) attribute(id asn1.ObjectIdentifier, into any) error {
	var found *attribute
	for i := range s.attributes {
		if !s.attributes[i].Type.Equal(id) {
			continue
		}
		if found != nil {
			return fmt.Errorf("the attribute %s is there twice", id)
		}
		found = &s.attributes[i]
	}
	if found == nil || len(found.Values) != 1 {
		return fmt.Errorf("the attribute %s is not there once", id)
	}
	return unmarshal(found.Values[0].FullBytes, into)
}

// algorithm returns how the signature was made.
func (s *signer) algorithm(hash crypto.Hash, by *x509.Certificate) (x509.SignatureAlgorithm, error) {
	type row struct {
		oid  asn1.ObjectIdentifier
		hash crypto.Hash
		is   x509.SignatureAlgorithm
	}
	for _, r := range [...]row{
		{oidRSA, crypto.SHA256, x509.SHA256WithRSA}, {oidRSA, crypto.SHA384, x509.SHA384WithRSA}, {oidRSA, crypto.SHA512, x509.SHA512WithRSA},
		{oidRSASHA256, crypto.SHA256, x509.SHA256WithRSA}, {oidRSASHA384, crypto.SHA384, x509.SHA384WithRSA}, {oidRSASHA512, crypto.SHA512, x509.SHA512WithRSA},
		{oidRSAPSS, crypto.SHA256, x509.SHA256WithRSAPSS}, {oidRSAPSS, crypto.SHA384, x509.SHA384WithRSAPSS}, {oidRSAPSS, crypto.SHA512, x509.SHA512WithRSAPSS},
		{oidECKey, crypto.SHA256, x509.ECDSAWithSHA256}, {oidECKey, crypto.SHA384, x509.ECDSAWithSHA384}, {oidECKey, crypto.SHA512, x509.ECDSAWithSHA512},
		{oidECSHA256, crypto.SHA256, x509.ECDSAWithSHA256}, {oidECSHA384, crypto.SHA384, x509.ECDSAWithSHA384}, {oidECSHA512, crypto.SHA512, x509.ECDSAWithSHA512},
		{oidEd25519, crypto.SHA512, x509.PureEd25519}, {oidEd25519, crypto.SHA256, x509.PureEd25519},
	} {
		if r.oid.Equal(s.Algorithm.Algorithm) && r.hash == hash {
			return r.is, nil
		}
	}
	return 0, fmt.Errorf("its signature is of an algorithm that is not taken: %s with %s, key %s", s.Algorithm.Algorithm, hash, by.PublicKeyAlgorithm)
}

// hashOf returns a hash function by its name. SHA-1 is not taken: it can be made to say the same of two texts.
func hashOf(id asn1.ObjectIdentifier) (crypto.Hash, error) {
	switch {
	case id.Equal(oidSHA256):
		return crypto.SHA256, nil
	case id.Equal(oidSHA384):
		return crypto.SHA384, nil
	case id.Equal(oidSHA512):
		return crypto.SHA512, nil
	case id.Equal(oidSHA1):
		return 0, errors.New("it relies on SHA-1, which is not taken any more")
	}
	return 0, fmt.Errorf("it relies on a hash function that is not taken: %s", id)
}

func sum(hash crypto.Hash, p []byte) []byte {
	if hash == crypto.SHA256 {
		s := sha256.Sum256(p)
		return s[:]
	}
	h := hash.New()
	h.Write(p)
	return h.Sum(nil)
}
