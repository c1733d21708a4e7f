package judge

import (
	"testing"

	"github.com/barid-dfir/barid/internal/logs"
)

// TestTrafficOfCyrusClosesItsSession: the line names no account and no address, only the session of the login.
func TestTrafficOfCyrusClosesItsSession(t *testing.T) {
	f := func(name, session string, open bool) {
		t.Helper()
		var s scene
		s.facts.Attacker.IPs = []string{"203.0.113.9"}
		cyrus := from("mx1", "syslog.cyrus")
		s.login("08:00", "ana", "203.0.113.9", cyrus, bySession("mx1-1"))
		s.access(logs.MailTraffic, "08:10", "", "", cyrus, bySession(session), amount(-1, 4096))
		for _, x := range s.attribute(t).all {
			if x.attribution == ofAttacker && x.open != open {
				t.Errorf("%s: %s, open %v, want %v", name, x.ID, x.open, open)
			}
		}
	}
	f("its own", "mx1-1", false)
	f("another's", "mx1-2", true)
	f("nobody's", "", true)
}
