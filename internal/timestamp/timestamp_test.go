package timestamp

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tsp "github.com/digitorus/timestamp"
)

var policy = asn1.ObjectIdentifier{1, 2, 3, 4, 1}

// authority is one that does what it is told to, lies among it.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	root *x509.Certificate
}

// newAuthority returns an authority whose certificate is as change makes it.
func newAuthority(t testing.TB, change func(*x509.Certificate)) *authority {
	t.Helper()
	make := func(c, parent *x509.Certificate, signer *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if parent == nil {
			parent, signer = c, key
		}
		der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
		if err != nil {
			t.Fatal(err)
		}
		made, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return made, key
	}
	now := time.Now()
	root, rootKey := make(&x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test Root"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, nil, nil)
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "Test Authority"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtraExtensions: []pkix.Extension{usage(true, 8)}}
	if change != nil {
		change(leaf)
	}
	a := &authority{root: root}
	a.cert, a.key = make(leaf, root, rootKey)
	return a
}

// usage is the extension of extended key usage: 1.3.6.1.5.5.7.3.purpose; 8 is for time stamps.
func usage(critical bool, purposes ...int) pkix.Extension {
	var ids []asn1.ObjectIdentifier
	for _, p := range purposes {
		ids = append(ids, asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, p})
	}
	der, err := asn1.Marshal(ids)
	if err != nil {
		panic(err)
	}
	return pkix.Extension{Id: oidExtKeyUsage, Critical: critical, Value: der}
}

// answer answers a question, after change.
func (a *authority) answer(t testing.TB, question []byte, change func(*tsp.Timestamp)) []byte {
	t.Helper()
	q, err := tsp.ParseRequest(question)
	if err != nil {
		t.Fatal(err)
	}
	s := &tsp.Timestamp{HashAlgorithm: q.HashAlgorithm, HashedMessage: q.HashedMessage, Nonce: q.Nonce, Policy: policy, Time: time.Now().UTC().Truncate(time.Second), AddTSACertificate: q.Certificates}
	if change != nil {
		change(s)
	}
	p, err := s.CreateResponseWithOpts(a.cert, a.key, crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func question(t testing.TB, by asn1.ObjectIdentifier) *Request {
	t.Helper()
	r, err := NewRequest(sha256.Sum256([]byte("head")), by)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.root)
	return pool
}

func TestAnHonestAnswerIsBelieved(t *testing.T) {
	a := newAuthority(t, nil)
	q := question(t, policy)
	tok, err := Parse(a.answer(t, q.DER, nil))
	if err != nil {
		t.Fatal(err)
	}
	if err := tok.Answers(q); err != nil {
		t.Error(err)
	}
	if err := tok.Trust(a.pool()); err != nil {
		t.Error(err)
	}
	if tok.By() != "CN=Test Authority" || tok.Skew(time.Now()) != "" || !tok.Policy.Equal(policy) {
		t.Errorf("%s %s %s", tok.By(), tok.Skew(time.Now()), tok.Policy)
	}
	if s := tok.Skew(tok.Time.Add(time.Hour)); !strings.Contains(s, "1h0m0s ahead of the authority's") {
		t.Error(s)
	}
	if s := tok.Skew(tok.Time.Add(-24 * time.Hour)); !strings.Contains(s, "24h0m0s behind the authority's") {
		t.Error(s)
	}
	if err := tok.Trust(newAuthority(t, nil).pool()); err == nil || !strings.Contains(err.Error(), "does not lead to a root") {
		t.Errorf("another root: %v", err)
	}
}

func TestTwoQuestionsHaveTwoNonces(t *testing.T) {
	a, b := question(t, nil), question(t, nil)
	if a.Nonce.Cmp(b.Nonce) == 0 || a.Nonce.BitLen() != 65 {
		t.Errorf("%x %x", a.Nonce, b.Nonce)
	}
}

func TestALyingAuthorityIsNotBelieved(t *testing.T) {
	honest := newAuthority(t, nil)
	now := time.Now().UTC().Truncate(time.Second)
	q := question(t, policy)
	f := func(name string, answer []byte, want string) {
		t.Helper()
		tok, err := Parse(answer)
		if err == nil {
			err = tok.Answers(q)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
	}
	lie := func(change func(*tsp.Timestamp)) []byte { return honest.answer(t, q.DER, change) }
	f("another imprint", lie(func(s *tsp.Timestamp) { h := sha256.Sum256(nil); s.HashedMessage = h[:] }), "the time stamp is of e3b0c44298fc")
	f("a short imprint", lie(func(s *tsp.Timestamp) { s.HashedMessage = s.HashedMessage[:31] }), "its hash has 31 bytes")
	f("another hash function", lie(func(s *tsp.Timestamp) { s.HashAlgorithm = crypto.SHA512; s.HashedMessage = make([]byte, 64) }), "not SHA-256")
	f("another nonce", lie(func(s *tsp.Timestamp) { s.Nonce = big.NewInt(7) }), "has the nonce 7")
	f("no nonce", lie(func(s *tsp.Timestamp) { s.Nonce = nil }), "has no nonce")
	f("another policy", lie(func(s *tsp.Timestamp) { s.Policy = asn1.ObjectIdentifier{1, 2, 9} }), "is by the policy 1.2.9")
	f("no certificate", lie(func(s *tsp.Timestamp) { s.AddTSACertificate = false }), "it has no certificate")
	f("a time after its certificate", lie(func(s *tsp.Timestamp) { s.Time = now.Add(2 * time.Hour) }), "is valid from")
	f("a time before its certificate", lie(func(s *tsp.Timestamp) { s.Time = now.Add(-2 * time.Hour) }), "is valid from")
	f("accurate to years", lie(func(s *tsp.Timestamp) { s.Accuracy = 100000 * time.Hour }), "its accuracy is not believed")
	f("a critical extension", lie(func(s *tsp.Timestamp) {
		s.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}}}
	}), "must be understood")

	cert := func(change func(*x509.Certificate)) []byte { return newAuthority(t, change).answer(t, q.DER, nil) }
	f("an expired certificate", cert(func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Minute) }), "is valid from")
	f("a certificate of the future", cert(func(c *x509.Certificate) { c.NotBefore = now.Add(time.Minute) }), "is valid from")
	f("a certificate of a server", cert(func(c *x509.Certificate) { c.ExtraExtensions = []pkix.Extension{usage(true, 1)} }), "not one for time stamps alone")
	f("a certificate for all", cert(func(c *x509.Certificate) { c.ExtraExtensions = nil }), "not one for time stamps alone")
	f("a certificate for two things", cert(func(c *x509.Certificate) { c.ExtraExtensions = []pkix.Extension{usage(true, 8, 1)} }), "not one for time stamps alone")
	f("a certificate for an unknown thing too", cert(func(c *x509.Certificate) { c.ExtraExtensions = []pkix.Extension{usage(true, 8, 99)} }), "not one for time stamps alone")
	f("a use that is not critical", cert(func(c *x509.Certificate) { c.ExtraExtensions = []pkix.Extension{usage(false, 8)} }), "not critical")
	f("a certificate that may not sign", cert(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }), "may not sign")

	// The certificate of another with the same name and number: the signature names its own by its hash.
	other := newAuthority(t, nil)
	swapped := bytes.Replace(lie(nil), honest.cert.Raw, other.cert.Raw, 1)
	if len(other.cert.Raw) == len(honest.cert.Raw) {
		f("another certificate", swapped, "not believed")
	}

	refused, err := tsp.CreateErrorResponse(tsp.Rejection, tsp.UnacceptedPolicy)
	if err != nil {
		t.Fatal(err)
	}
	f("refused", refused, "refused: it does not stamp by that policy")
	later, _ := tsp.CreateErrorResponse(tsp.Waiting, tsp.TimeNotAvailable)
	f("later", later, "to be answered later")
	granted, _ := asn1.Marshal(struct{ S struct{ N int } }{struct{ N int }{0}})
	f("granted without", granted, "grants the time stamp, and sends none")
	mods, _ := asn1.Marshal(struct{ S struct{ N int } }{struct{ N int }{1}})
	f("granted with modifications", mods, "modifications")
	said, _ := asn1.Marshal(struct {
		S struct {
			N int
			T []string
		}
	}{struct {
		N int
		T []string
	}{2, []string{"no \x1b[31m" + strings.Repeat("x", 1000)}}})
	f("refused with an escape", said, `"no \x1b[31mxxx`)
	f("garbage", []byte("<html>not found</html>"), "no time stamp response")
	f("nothing", nil, "no time stamp response")
	f("too much", make([]byte, MaxAnswer+1), "more than 1048576 bytes")
	f("bytes after it", append(lie(nil), 0), "1 bytes too many")
	f("deep", bytes.Repeat([]byte{0x30, 0x80}, MaxAnswer/4), "no time stamp response")
}

// Whatever byte is changed, the answer is not believed to say anything else: it fails, or says the same (the certificates that
// are not used, the attributes that are not signed).
func TestNoChangedByteIsBelieved(t *testing.T) {
	a := newAuthority(t, nil)
	q := question(t, policy)
	good := a.answer(t, q.DER, nil)
	tok, err := Parse(good)
	if err != nil {
		t.Fatal(err)
	}
	believed := 0
	for i := range good {
		for _, bit := range [...]byte{1, 0x80} {
			bad := bytes.Clone(good)
			bad[i] ^= bit
			got, err := Parse(bad)
			if err != nil {
				continue
			}
			if got.Trust(a.pool()) != nil {
				continue
			}
			believed++
			if got.Digest != tok.Digest || !got.Time.Equal(tok.Time) || got.Nonce.Cmp(tok.Nonce) != 0 || !got.Policy.Equal(tok.Policy) || !bytes.Equal(got.Signer.Raw, tok.Signer.Raw) {
				t.Errorf("byte %d: it says something else", i)
			}
		}
	}
	if believed > 40 { // bits of versions, and of what says nothing
		t.Errorf("%d of %d changes were believed", believed, 2*len(good))
	}
	for n := range good {
		if _, err := Parse(good[:n]); err == nil {
			t.Fatalf("%d of %d bytes are believed", n, len(good))
		}
	}
}

func TestFetch(t *testing.T) {
	a := newAuthority(t, nil)
	q := question(t, nil)
	good := a.answer(t, q.DER, nil)
	reply := func(w http.ResponseWriter, p []byte) {
		w.Header().Set("Content-Type", mediaReply)
		w.Write(p)
	}
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { reply(w, good) }))
	defer elsewhere.Close()
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	f := func(name string, h http.HandlerFunc, want string) {
		t.Helper()
		s := httptest.NewServer(h)
		defer s.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		got, err := Fetch(ctx, s.URL+"/tsr", q.DER)
		switch {
		case want == "" && (err != nil || !bytes.Equal(got, good)):
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
	}
	f("honest", func(w http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		body.ReadFrom(r.Body)
		if r.Method != http.MethodPost || r.Header.Get("Content-Type") != mediaQuery || !bytes.Equal(body.Bytes(), q.DER) {
			t.Errorf("asked with %s %v", r.Method, r.Header)
		}
		reply(w, good)
	}, "")
	f("sends on, question and all", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	}, "")
	f("sends on without the question", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) }, "the question would be lost")
	f("sends on to another scheme", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, secure.URL, http.StatusTemporaryRedirect)
	}, "is not followed")
	f("sends on to a file", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "file:///etc/passwd")
		w.WriteHeader(http.StatusTemporaryRedirect)
	}, "is not followed")
	f("sends in circles", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/again", http.StatusTemporaryRedirect)
	}, "again and again")
	f("not there", http.NotFound, `"404 Not Found"`)
	f("a page", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "<html>log in first</html>") }, "it is no time stamping authority")
	f("no end", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", mediaReply)
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	}, "more than 1048576 bytes")
	f("silence", func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) // only then does a server see that its client has gone
		<-r.Context().Done()
	}, "no answer in time")
	f("silence in the middle", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", mediaReply)
		w.Write(good[:10])
		w.(http.Flusher).Flush()
		io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}, "no answer in time")
	f("hangs up", func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }, "could not be asked")

	for _, address := range []string{"", "tsa.example.org", "ftp://tsa.example.org", "file:///etc/passwd", "http://", "http://[::1"} {
		if _, err := Fetch(t.Context(), address, q.DER); err == nil || !strings.Contains(err.Error(), "is no address") {
			t.Errorf("%s: %v", address, err)
		}
	}
	gone := httptest.NewServer(http.NotFoundHandler())
	address := strings.Replace(gone.URL, "http://", "http://user:secret@", 1)
	gone.Close()
	if _, err := Fetch(t.Context(), address, q.DER); err == nil || !strings.Contains(err.Error(), "could not be asked") || strings.Contains(err.Error(), "secret") {
		t.Errorf("unreachable: %v", err)
	}
}

func TestReadRoots(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"empty": "", "other": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "broken": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"} {
		path := filepath.Join(dir, name)
		os.WriteFile(path, []byte(text), 0o600)
		if _, err := ReadRoots(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
	root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: newAuthority(t, nil).root.Raw})
	path := filepath.Join(dir, "large")
	os.WriteFile(path, append(bytes.Repeat([]byte("\n"), maxRoots-len(root)), root...), 0o600)
	if _, err := ReadRoots(path); err != nil {
		t.Errorf("as large as it may be: %v", err)
	}
	os.WriteFile(path, append(root, bytes.Repeat([]byte("\n"), maxRoots)...), 0o600)
	if _, err := ReadRoots(path); err == nil || !strings.Contains(err.Error(), "larger than 16 MiB") {
		t.Errorf("too large: %v", err)
	}
}

func TestParsePolicy(t *testing.T) {
	for s, want := range map[string]string{"": "", "1.2.3.4.1": "1.2.3.4.1", "1": "!", "1.2.x": "!", "9.9": "!", "1.-2": "!", "1..2": "!"} {
		id, err := ParsePolicy(s)
		if got := id.String(); err == nil && got != want || err != nil && want != "!" {
			t.Errorf("%s: %s %v", s, got, err)
		}
	}
}

// testdata/openssl.tsr was made by openssl ts -reply: SHA-384, fractions of a second, an accuracy, an order, a name.
func TestAnAnswerOfOpenSSL(t *testing.T) {
	p, err := os.ReadFile(filepath.Join("testdata", "openssl.tsr"))
	if err != nil {
		t.Fatal(err)
	}
	tok, err := Parse(p)
	if err != nil {
		t.Fatal(err)
	}
	if tok.Digest != sha256.Sum256([]byte("head")) || tok.Accuracy != 1500100*time.Microsecond || tok.By() != "CN=Test Time Stamping" || tok.Policy.String() != "1.2.3.4.1" || tok.Time.Nanosecond() == 0 {
		t.Errorf("%+v", tok)
	}
}

func FuzzParse(f *testing.F) {
	p, err := os.ReadFile(filepath.Join("testdata", "openssl.tsr"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(p)
	f.Add([]byte("0\x03\x02\x01\x02"))
	f.Fuzz(func(t *testing.T, p []byte) {
		if tok, err := Parse(p); err == nil && (tok.Signer == nil || tok.Time.IsZero()) {
			t.Error("believed without a signer or a time")
		}
	})
}
