package mailboxaudit_test

import (
	"slices"
	"testing"

	"github.com/barid-dfir/barid/internal/logs/logtest"
	"github.com/barid-dfir/barid/internal/logs/mailboxaudit"
)

func TestRecordsTellIdentities(t *testing.T) {
	in := "<SearchResults><Event " + ana + bob + when + `Operation="MessageBind" ItemId="1"/><Event ` + ana + `LogonType="SystemService" LogonUserSid="S-1-5-18" ` + when + `Operation="Update"/></SearchResults>`
	got := logtest.Identities(t, mailboxaudit.New(), "x.xml", []byte(in))
	if want := []string{"ana@example.org=g1", "ana@example.org=S-1-1", "bob=S-1-2", "ana@example.org=g1", "ana@example.org=S-1-1"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
