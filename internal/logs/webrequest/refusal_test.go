package webrequest

import "testing"

func TestRefusedBy(t *testing.T) {
	f := func(message, account string, want Refusal) {
		t.Helper()
		if a, r := RefusedBy([]byte(message)); string(a) != account || r != want {
			t.Errorf("%s: %q %d, want %q %d", message, a, r, account, want)
		}
	}
	f(`AH01617: user ana: authentication failure for "/x": Password Mismatch`, "ana", Failed)
	f(`AH01618: user ana not found: /x`, "ana", Failed)
	f(`user  not found: /`, "", Failed)
	f(`user a b not found: /`, "a b", Failed)
	f("Digest: user `ana' in realm `r' not found: /x", "ana", Failed)
	f("AH01790: user `ana' in realm `r' not found: /x", "ana", Failed)
	f(`Digest: user ana: password mismatch: /x`, "ana", Failed)
	f("Digest: realm mismatch - got `a' but expected `b'", "", Failed)
	f("AH01793: invalid qop `auth' received: /x", "", Failed)
	f("Digest: invalid nonce aa received - user attempted time travel", "", Failed)
	f("Digest: invalid nonce aa received - hash is not bb", "", Nothing)
	f(`AH01631: user ana: authorization failure for "/x": `, "ana", Denied)
	f("Authorization of user ana to access /x failed, reason: file owner bob does not match.", "ana", Denied)
	f("AH01630: client denied by server configuration: /x", "", Denied)
	f("AH01614: client used wrong authentication scheme: /x", "", Denied)
	f(`user "ana": password mismatch, client: 192.0.2.1`, "ana", Failed)
	f(`user "a b" was not found in "/etc/x", client: 192.0.2.1`, "a b", Failed)
	f(`PAM: user 'ana' - not authenticated: Authentication failure, client: 192.0.2.1`, "ana", Failed)
	f("File does not exist: /srv/[client 192.0.2.1] user root not found", "", Nothing)
	f("user", "", Nothing)
	f("AH", "", Nothing)
	f("", "", Nothing)
}
