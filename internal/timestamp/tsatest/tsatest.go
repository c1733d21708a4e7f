// Package tsatest is a time stamping authority for tests: `openssl ts -reply` behind a handler on the loopback interface.
package tsatest

import (
	"crypto/rand"
	"crypto/rsa"
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
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// Authority is an authority that runs until the end of a test.
type Authority struct {
	URL   string
	Roots string // a PEM file of its root
	// Config is a configuration file for openssl ts -reply -config.
	Config string

	mu sync.Mutex // of the file of serial numbers
}

// The policies that an Authority stamps by.
const (
	Policy      = "1.2.3.4.1"
	OtherPolicy = "1.2.3.4.5"
)

// New starts an authority whose signatures name its certificate by a hash: sha256 (RFC 5816), or sha1 (RFC 3161). The test is
// skipped where there is no openssl.
func New(t testing.TB, essHash string) *Authority {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("no openssl")
	}
	dir := t.TempDir()
	a := &Authority{Roots: filepath.Join(dir, "root.pem"), Config: filepath.Join(dir, "tsa.cnf")}
	certificates(t, dir)
	write(t, filepath.Join(dir, "serial"), []byte("01\n"))
	write(t, a.Config, fmt.Appendf(nil, `[tsa]
default_tsa = stamp
[stamp]
serial = %[1]s/serial
crypto_device = builtin
signer_cert = %[1]s/tsa.pem
signer_key = %[1]s/key.pem
certs = %[1]s/root.pem
signer_digest = sha256
default_policy = %[2]s
other_policies = %[3]s
digests = sha256
accuracy = secs:1, millisecs:500
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = %[4]s
`, dir, Policy, OtherPolicy, essHash))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		question, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		w.Header().Set("Content-Type", "application/timestamp-reply")
		w.Write(a.Answer(t, question))
	}))
	t.Cleanup(s.Close)
	a.URL = s.URL + "/tsr"
	return a
}

// Answer answers a question.
func (a *Authority) Answer(t testing.TB, question []byte) []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "q.tsq"), filepath.Join(dir, "r.tsr")
	write(t, in, question)
	if said, err := exec.Command("openssl", "ts", "-reply", "-config", a.Config, "-queryfile", in, "-out", out).CombinedOutput(); err != nil {
		t.Errorf("openssl ts -reply: %v: %s", err, said)
	}
	p, err := os.ReadFile(out)
	if err != nil {
		t.Error(err)
	}
	return p
}

// certificates writes root.pem, tsa.pem and key.pem.
func certificates(t testing.TB, dir string) {
	t.Helper()
	usage, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	root := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test Root"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "Test Time Stamping"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: usage}}}
	rootKey, leafKey := key(t), key(t)
	write(t, filepath.Join(dir, "root.pem"), certificate(t, root, root, rootKey, rootKey))
	write(t, filepath.Join(dir, "tsa.pem"), certificate(t, leaf, root, leafKey, rootKey))
	der, err := x509.MarshalPKCS8PrivateKey(leafKey)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func key(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func certificate(t testing.TB, c, parent *x509.Certificate, own, by *rsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &own.PublicKey, by)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func write(t testing.TB, path string, p []byte) {
	t.Helper()
	if err := os.WriteFile(path, p, 0o600); err != nil {
		t.Error(err)
	}
}
