package webrequest

import (
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/logs/logtest"
)

func TestObserve(t *testing.T) {
	f := func(r Request, want string) {
		t.Helper()
		var got []string
		for _, o := range Observe(&r, nil) {
			got = append(got, logtest.DumpObservation(o))
		}
		if g := strings.Join(got, "; "); g != want {
			t.Errorf("%s %s %s:\n got %q\nwant %q", r.Method, r.Path, r.Status, g, want)
		}
	}
	b := func(s string) []byte { return []byte(s) }
	ip := b("203.0.113.9:4711")

	// IIS: which 401 is a refused password.
	iis := func(account, sub, win32 string) Request {
		return Request{Method: b("POST"), Path: b("/EWS/Exchange.asmx"), Status: b("401"), Account: b(account), Substatus: b(sub), Win32: b(win32), Client: ip}
	}
	f(iis("ana", "1", "1326"), "login failed account=ana ip=203.0.113.9 channel=ews")
	f(iis("", "1", "1326"), "login failed ip=203.0.113.9 channel=ews")
	f(iis("", "0", "1909"), "login failed ip=203.0.113.9 channel=ews")
	f(iis("", "1", "2148074252"), "login failed ip=203.0.113.9 channel=ews")
	f(iis("", "1", "2148074254"), "") // the first leg of a negotiation
	f(iis("", "2", "5"), "")          // the challenge
	f(iis("", "1", "0"), "")
	f(iis("ana", "1", "0"), "login failed account=ana ip=203.0.113.9 channel=ews")

	// Presence.
	f(Request{Method: b("POST"), Path: b("/owa/service.svc"), Query: b("action=GetItem&x=1"), Status: b("200"), Account: b("ana"), Client: ip, Bytes: b("512")},
		"access ok account=ana ip=203.0.113.9 channel=owa action=GetItem inference=MAILBOX_READ mailbox=ana exposure=content bytes=512")
	f(Request{Path: b("/Microsoft-Server-ActiveSync/default.eas"), Query: b("?Cmd=Ping&User=x&DeviceId=D1&DeviceType=iPhone"), Status: b("200"), Account: b("ana"), Client: ip},
		"access ok account=ana ip=203.0.113.9 channel=eas device=D1 action=Ping inference=MAILBOX_USED mailbox=ana")
	f(Request{Path: b("/EWS/Exchange.asmx"), Query: b("SoapAction=GetItem;MailboxRPCRequests=1;"), Status: b("200"), Account: b("ana"), Client: ip},
		"access ok account=ana ip=203.0.113.9 channel=ews action=GetItem inference=MAILBOX_READ mailbox=ana exposure=content")
	f(Request{Path: b("/owa/"), Status: b("500"), Account: b("ana"), Client: ip}, "")
	f(Request{Path: b("/owa/"), Status: b("200"), Client: ip}, "")
	f(Request{Path: b("/owalike"), Status: b("200"), Account: b("ana"), Client: ip}, "access ok account=ana ip=203.0.113.9 channel=web")

	// OWA's form answers 302 to right and wrong passwords alike.
	form := Request{Method: b("POST"), Path: b("/owa/auth.owa"), Status: b("302"), Account: b(`EXAMPLE\ana`), Client: ip}
	f(form, `login ok account="EXAMPLE\\ana" ip=203.0.113.9 channel=owa inference=SIGNED_IN`)
	form.Account = nil
	f(form, "")
	f(Request{Method: b("GET"), Path: b("/owa/auth/logon.aspx"), Query: b("url=x&reason=2"), Status: b("200"), Client: ip}, "login failed ip=203.0.113.9 channel=owa")
	f(Request{Method: b("GET"), Path: b("/owa/auth/logon.aspx"), Query: b("url=x&reason=0"), Status: b("200"), Client: ip}, "")

	// The server's own.
	f(Request{Path: b("/owa/"), Status: b("200"), Account: b(`EXAMPLE\HealthMailbox1a2b`), Client: b("::1")}, `heartbeat ok account="EXAMPLE\\HealthMailbox1a2b" ip=::1 channel=owa`)
	f(Request{Path: b("/ews/"), Status: b("401"), UserAgent: b("AMProbe/Local/ClientAccess"), Client: b("127.0.0.1")}, "heartbeat failed ip=127.0.0.1 channel=ews")
	f(Request{Path: b("/rpc/rpcproxy.dll"), Status: b("200"), Account: b(`EXAMPLE\EX1$`), Client: b("192.168.0.1")}, `heartbeat ok account="EXAMPLE\\EX1$" ip=192.168.0.1 channel=rpc`)
	// Attackers give accounts such names, too.
	f(Request{Path: b("/ews/"), Status: b("200"), Account: b(`EXAMPLE\eve$`), Client: ip}, `access ok account="EXAMPLE\\eve$" ip=203.0.113.9 channel=ews inference=MAILBOX_USED mailbox="EXAMPLE\\eve$"`)
	f(Request{Path: b("/"), Status: b("200"), Client: b("127.0.0.1")}, "") // any web server's loopback says nothing
	f(Request{Path: b("/ecp/"), Status: b("200"), Account: b("ana"), Client: b("::1")}, "access ok account=ana ip=::1 channel=ecp inference=MAILBOX_USED mailbox=ana")

	// Web applications.
	post := func(path, query, status string) Request {
		return Request{Method: b("POST"), Path: b(path), Query: b(query), Status: b(status), Client: ip}
	}
	f(post("/blog/wp-login.php", "", "302"), "login ok ip=203.0.113.9 channel=web inference=SIGNED_IN")
	f(post("/wp-login.php", "", "200"), "login failed ip=203.0.113.9 channel=web")
	f(post("/wp-login.php", "action=lostpassword", "302"), "")
	f(post("/wp-login.php", "", "503"), "")
	f(post("/wp-login.php", "", "406"), "login failed ip=203.0.113.9 channel=web") // turned away by a filter
	f(post("/wp-login.php", "", "404"), "")
	f(post("/xmlrpc.php", "", "200"), "login unknown ip=203.0.113.9 channel=web inference=SIGNED_IN") // the answer is in the body
	f(post("//xmlrpc.php", "", "403"), "login failed ip=203.0.113.9 channel=web")
	f(post("/xmlrpc.php", "for=jetpack", "200"), "")
	f(post("/mail/", "_task=login", "302"), "login ok ip=203.0.113.9 channel=web inference=SIGNED_IN")
	f(post("/mail/", "_task=login", "200"), "")
	f(post("/mail/", "_task=login", "401"), "login failed ip=203.0.113.9 channel=web")
	f(post("/wp-login.php", "", "401"), "login failed ip=203.0.113.9 channel=web")
	f(post("/xmlrpc.php", "", "401"), "login failed ip=203.0.113.9 channel=web")
	f(post("/form", "", "401"), "") // nobody's form
	f(Request{Method: b("GET"), Path: b("/mail/"), Query: b("_task=login"), Status: b("401"), Client: ip}, "")
	f(Request{Method: b("GET"), Path: b("/wp-login.php"), Status: b("200"), Client: ip}, "")
	f(Request{Method: b("GET"), Path: b("/private"), Status: b("401"), Account: b(`CORP\x5Cana`), Client: ip, Escaped: true}, `login failed account="CORP\\ana" ip=203.0.113.9 channel=web`)
	f(Request{Method: b("GET"), Path: b("/private"), Status: b("401"), Account: b(`CORP\xabel`), Client: ip}, `login failed account="CORP\\xabel" ip=203.0.113.9 channel=web`)
	// Apache and nginx have no substatus: the account is there because a password was.
	f(Request{Method: b("GET"), Path: b("/private"), Status: b("401"), Account: b("ana"), Client: ip}, "login failed account=ana ip=203.0.113.9 channel=web")
	f(Request{Method: b("GET"), Path: b("/private"), Status: b("401"), Client: ip}, "")
}

func TestParam(t *testing.T) {
	f := func(query, name, want string) {
		t.Helper()
		if got := string(Param([]byte(query), name)); got != want {
			t.Errorf("%q of %q: %q, want %q", name, query, got, want)
		}
	}
	f("a=1&b=2", "b", "2")
	f("ab=1&b=2", "b", "2")
	f("?b=2;c", "b", "2")
	f("b", "b", "")
	f("bb=1&xb=2", "b", "")
	f("", "b", "")
}

func TestObserveDoesNotAllocate(t *testing.T) {
	r := Request{Method: []byte("POST"), Path: []byte("/owa/service.svc"), Query: []byte("action=GetItem"), Status: []byte("200"), Account: []byte("ana"), Client: []byte("203.0.113.9")}
	obs := Observe(&r, nil)
	if n := testing.AllocsPerRun(100, func() { obs = Observe(&r, obs[:0]) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
