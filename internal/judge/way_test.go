package judge

import (
	"testing"
	"time"

	"github.com/barid-dfir/barid/internal/logs"
)

// A server's clock may have been wrong where its log is lost; Microsoft 365 has one clock.
func TestWhatWasRemovedShortlyBeforeMayHaveBeenThere(t *testing.T) {
	at := clockOf("03-04 12:00")
	f := func(rule string, before time.Duration, want degree) {
		t.Helper()
		w := &way{wayKey: wayKey{rule: rule, grasp: graspCoarse, degree: may}, from: at, to: at, size: -1}
		if got := w.reaches(&being{from: always, to: at - int64(before), size: 100}); got != want {
			t.Errorf("%s, removed %s before: %v, want %v", rule, before, got, want)
		}
	}
	f(logs.MailboxRead, 59*time.Minute, may)
	f(logs.MailboxRead, 61*time.Minute, not)
	f(logs.SyncFolder, 59*time.Second, may)
	f(logs.SyncFolder, 61*time.Second, not)
}
