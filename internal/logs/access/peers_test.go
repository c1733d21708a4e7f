package access_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"testing"

	"github.com/barid-dfir/barid/internal/logs/access"
	"github.com/barid-dfir/barid/internal/logs/logtest"
	"github.com/barid-dfir/barid/internal/sharedtest"
)

// TestRefusedPasswords compares with fail2ban's own samples: of the lines that it bans for, those that tell of a refused
// password are failed logins from the address it bans. The others tell of something else: a forbidden path, a broken
// handshake, a faulty digest.
func TestRefusedPasswords(t *testing.T) {
	z, err := zip.OpenReader(sharedtest.Path(t, "evidence", "fail2ban", "logs.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	f := func(name string, logins, banned int) {
		t.Helper()
		r, err := z.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		format := access.New()
		out := logtest.Events(t, format, name, data)
		all := bytes.Split(data, []byte("\n"))
		gotLogins, gotBanned := 0, 0
		for i := range out.Events {
			e := &out.Events[i]
			meta, ok := bytes.CutPrefix(all[e.Line-2], []byte("# failJSON:"))
			var want struct {
				Match bool
				Host  string
			}
			if !ok || json.Unmarshal(meta, &want) != nil || !want.Match {
				continue
			}
			gotBanned++
			for _, o := range logtest.Observations(format, e) {
				if string(o.IP) != want.Host || o.OK {
					t.Errorf("%s: %s, want a failure from %s", e.Raw, logtest.DumpObservation(o), want.Host)
				}
				gotLogins++
			}
		}
		if gotLogins != logins || gotBanned != banned {
			t.Errorf("%s: %d failed logins in %d lines, want %d in %d", name, gotLogins, gotBanned, logins, banned)
		}
	}
	f("apache-auth", 20, 22)
	f("nginx-http-auth", 4, 7)
	f("apache-badbots", 0, 4)
	f("apache-noscript", 0, 13)
}
