package webrequest

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/logtest"
)

func observed(r Request) string {
	var got []string
	for _, o := range Observe(&r, nil) {
		got = append(got, logtest.DumpObservation(o))
	}
	return strings.Join(got, "; ")
}

func TestMail(t *testing.T) {
	f := func(method, url, status, want string) {
		t.Helper()
		path, query, _ := strings.Cut(url, "?")
		got := observed(Request{Method: []byte(method), Path: []byte(path), Query: []byte(query), Status: []byte(status), Account: []byte("ana"),
			Client: []byte("203.0.113.9"), Server: []byte("EX1")})
		got = strings.ReplaceAll(got, "access ok account=ana ip=203.0.113.9 channel=", "")
		if got != want {
			t.Errorf("%s %s %s:\n got %s\nwant %s", method, url, status, got, want)
		}
	}
	const maybe = "; access unknown account=ana ip=203.0.113.9 channel="

	// Outlook on the web.
	f("POST", "/owa/service.svc?action=GetConversationItems&EP=1", "200", "owa action=GetConversationItems inference=MAILBOX_READ mailbox=ana exposure=content")
	f("POST", "/owa/service.svc?action=FindConversation", "200", "owa action=FindConversation inference=MAILBOX_LISTED mailbox=ana exposure=metadata")
	f("POST", "/owa/service.svc?action=LogDatapoint", "200", "owa action=LogDatapoint inference=MAILBOX_USED mailbox=ana")
	f("POST", "/owa/service.svc?action=CreateItem", "200", "owa action=CreateItem inference=MESSAGE_TOUCHED mailbox=ana exposure=metadata")
	f("POST", "/owa/service.svc?action=SomethingNew", "200",
		"owa action=SomethingNew inference=MAILBOX_USED mailbox=ana"+maybe+"owa action=SomethingNew inference=MAILBOX_READ mailbox=ana exposure=content")
	f("GET", "/owa/service.svc/s/GetFileAttachment?id=AAA&X-OWA-CANARY=x", "200", "owa action=GetFileAttachment inference=ATTACHMENT_READ mailbox=ana exposure=content")
	f("GET", "/owa/service.svc/s/GetAttachmentThumbnail?id=AAA", "200", "owa action=GetAttachmentThumbnail inference=ATTACHMENT_READ mailbox=ana exposure=partial")
	f("GET", "/owa/service.svc/s/GetFileAttachment?id=AAA", "302", "owa action=GetFileAttachment inference=MAILBOX_USED mailbox=ana")
	f("GET", "/owa/service.svc/s/GetFileAttachment?id=AAA", "500", "")
	f("GET", "/owa/bob@example.org/service.svc?action=GetItem", "200", "owa action=GetItem inference=MAILBOX_READ mailbox=bob@example.org exposure=content")
	f("GET", "/owa/bob%40example.org/", "200", "owa inference=MAILBOX_USED mailbox=bob@example.org")
	f("GET", "/owa/prem/15.1/scripts/a.js", "200", "owa inference=MAILBOX_USED mailbox=ana")
	f("GET", "/owa/?ae=Item&t=IPM.Note&id=R", "200", "owa action=Item inference=MAILBOX_READ mailbox=ana exposure=content")
	f("GET", "/owa/ev.owa2?ns=PendingRequest&ev=x", "200", "owa action=ev.owa2 inference=MAILBOX_USED mailbox=ana")

	// Exchange Web Services: without the operation, its own log tells.
	f("POST", "/EWS/Exchange.asmx?&SoapAction=m:ExportItems;", "200", "ews action=ExportItems inference=MAILBOX_READ mailbox=ana exposure=content")
	f("POST", "/EWS/Exchange.asmx", "200", "ews inference=MAILBOX_USED mailbox=ana")

	// ActiveSync.
	const eas = "/Microsoft-Server-ActiveSync/default.eas?User=ana&DeviceId=D1&DeviceType=P&Cmd="
	f("POST", eas+"Sync", "200", "eas device=D1 action=Sync inference=MAILBOX_USED mailbox=ana"+maybe+"eas device=D1 action=Sync inference=MAILBOX_READ mailbox=ana exposure=content")
	f("POST", eas+"Sync&Log=V141_Fc2_Fid:5_Ty:Em_Filt0_St:F_Sk:12_Cli:0A0C0D2F0E_Svr:25A1C3D0SD0E_Fid:2_Ty:Ca_Filt4_St:S_Sk:7_Svr:0A0C1D0E_LdapC1", "200",
		"eas device=D1 action=Fid:5_Ty:Em_Filt0_St:F inference=FOLDER_SYNCED mailbox=ana exposure=content count=28")
	f("POST", eas+"Sync&Log=V141_Fid:5_Ty:Em_Filt0_St:S_Sk:12_Cli:1A0C0D0F0E_RpcC9", "200", "eas device=D1 action=Sync inference=MAILBOX_USED mailbox=ana")
	f("POST", eas+"Sync&Log=V141_As:BlockedG_Fid:5_Svr:25A", "200", "eas device=D1 action=Sync inference=MAILBOX_USED mailbox=ana")
	f("POST", eas+"Sync&Log=V141_Fid:5_Svr:99999999999999999999A_Fid:6_Ty:Em_Sv...", "200",
		"eas device=D1 action=Fid:5 inference=FOLDER_SYNCED mailbox=ana exposure=content count=1000000; eas device=D1 action=Sync inference=MAILBOX_USED mailbox=ana"+
			maybe+"eas device=D1 action=Sync inference=MAILBOX_READ mailbox=ana exposure=content")
	f("POST", eas+"ItemOperations", "200", "eas device=D1 action=ItemOperations inference=MAILBOX_READ mailbox=ana exposure=content")
	f("POST", eas+"SmartForward", "200", "eas device=D1 action=SmartForward inference=MAILBOX_READ mailbox=ana exposure=content; "+
		"send ok account=ana ip=203.0.113.9 channel=eas device=D1 action=SmartForward inference=MESSAGE_SENT mailbox=ana")
	f("POST", eas+"Ping", "200", "eas device=D1 action=Ping inference=MAILBOX_USED mailbox=ana")

	// Outlook: what it fetches is inside.
	f("POST", "/mapi/emsmdb/?MailboxId=1-2@example.org", "200", "mapi inference=MAILBOX_USED mailbox=ana"+maybe+"mapi inference=MAILBOX_READ mailbox=ana exposure=content"+
		maybe+"mapi inference=MAILBOX_READ mailbox=1-2@example.org exposure=content")
	f("POST", "/mapi/nspi/?MailboxId=1-2@example.org", "200", "mapi inference=ADDRESS_BOOK_READ host=EX1 exposure=metadata")
	f("RPC_OUT_DATA", "/rpc/rpcproxy.dll?EX1:6001", "200", "rpc action=RPC_OUT_DATA inference=MAILBOX_USED mailbox=ana"+maybe+"rpc action=RPC_OUT_DATA inference=MAILBOX_READ mailbox=ana exposure=content")
	f("RPC_IN_DATA", "/rpc/rpcproxy.dll?EX1:6001", "200", "rpc action=RPC_IN_DATA inference=MAILBOX_USED mailbox=ana")
	f("GET", "/OAB/1/2.lzx", "200", "oab inference=ADDRESS_BOOK_READ host=EX1 exposure=metadata")

	// A rule made in the control panel.
	f("POST", "/owa/service.svc?action=NewInboxRule", "200",
		"owa action=NewInboxRule inference=MAILBOX_USED mailbox=ana; capability unknown account=ana ip=203.0.113.9 channel=owa action=NewInboxRule inference=RULE_MADE power=rule in=ana")
	f("POST", "/ecp/RulesEditor/InboxRules.svc/NewObject?x", "200",
		"ecp inference=MAILBOX_USED mailbox=ana; capability unknown account=ana ip=203.0.113.9 channel=ecp action=NewObject inference=RULE_MADE power=rule in=ana")
	f("POST", "/powershell", "200", "powershell")
	f("POST", "/autodiscover/autodiscover.xml", "200", "autodiscover inference=MAILBOX_USED mailbox=ana")
}

func TestWhoCallsHimselfAProbeIsNone(t *testing.T) {
	got := observed(Request{Method: []byte("POST"), Path: []byte("/owa/service.svc"), Query: []byte("action=GetItem"), Status: []byte("200"), Account: []byte("ana"),
		Client: []byte("203.0.113.9"), UserAgent: []byte("AMProbe/Local/ClientAccess")})
	if want := "access ok account=ana ip=203.0.113.9 agent=AMProbe/Local/ClientAccess channel=owa action=GetItem inference=MAILBOX_READ mailbox=ana exposure=content"; got != want {
		t.Errorf("got %s", got)
	}
}

func TestTheBackEndDoesNotKnowTheClient(t *testing.T) {
	got := observed(Request{Method: []byte("POST"), Path: []byte("/owa/service.svc"), Query: []byte("action=GetItem"), Status: []byte("200"), Account: []byte("ana"),
		Client: []byte("192.0.2.1"), Taken: []byte("1500"), Backend: true})
	if want := "access ok account=ana channel=owa action=GetItem inference=MAILBOX_READ mailbox=ana exposure=content before=1.5s"; got != want {
		t.Errorf("got %s", got)
	}
}

// token returns a common access token for an account.
func token(parts ...string) string {
	var b []byte
	for _, p := range parts {
		b = append(b, p...)
	}
	return base64.StdEncoding.EncodeToString(b)
}

func TestForgedRequests(t *testing.T) {
	f := func(method, account, url, status, want string) {
		t.Helper()
		path, query, _ := strings.Cut(url, "?")
		got := observed(Request{Method: []byte(method), Path: []byte(path), Query: []byte(query), Status: []byte(status), Account: []byte(account),
			Client: []byte("203.0.113.9"), UserAgent: []byte("AMProbe"), Server: []byte("EX1")})
		if got = strings.ReplaceAll(got, " ip=203.0.113.9 agent=AMProbe channel=", " "); got != want {
			t.Errorf("%s %s %s:\n got %s\nwant %s", method, url, status, got, want)
		}
	}
	const ad = "/autodiscover/autodiscover.json"
	f("POST", "", ad+"?@x.example/mapi/emsmdb/?=&Email=autodiscover/autodiscover.json%3F@x.example", "200",
		"access ok autodiscover action=mapi/emsmdb inference=PROXYLOGON_SID host=EX1 exposure=metadata")
	f("POST", "", ad+"?@x.example/autodiscover/autodiscover.xml?=&Email=autodiscover/autodiscover.json%3F@x.example", "200",
		"access ok autodiscover action=autodiscover inference=PROXYLOGON_PROBE host=EX1 exposure=metadata")
	f("POST", "", ad+"?@x.example%2fPowerShell%2f&Email=x", "401", "access failed autodiscover action=powershell inference=PROXYSHELL_POWERSHELL host=EX1")
	cat := token("V\x01\x00", "T\x07Windows", "C\x00", "A\x05Basic", "L\x0dana@x.example", "U\x08S-1-5-21", "G\x00\x00\x00\x00")
	f("POST", "", ad+"?@x.example/powershell/?X-Rps-CAT="+strings.ReplaceAll(cat, "=", "%3D")+"&Email=x", "200",
		"access ok autodiscover action=powershell inference=PROXYSHELL_POWERSHELL host=EX1 target=ana@x.example")
	// A token that was copied as text: bytes are lost.
	lost := token("V\x01\uFFFD", "T\x07Windows", "C\uFFFD", "A\x05Basic", "Lana@x.example,S-1-5-21-1-2-3-500", "G\x04\uFFFD\x07\x00\x00\x00\x07", strings.Repeat("\x00", 99))
	unnamed := base64.StdEncoding.EncodeToString([]byte("V\x01\x00T\x07WindowsC\x00A\x05BasicL\x00U\x10S-1-5-21-1-2-3-4G\x01"))
	f("POST", "", ad+"?@x.example/powershell/?X-Rps-CAT="+strings.ReplaceAll(unnamed, "=", "%3D"), "", "access unknown autodiscover action=powershell inference=PROXYSHELL_POWERSHELL host=EX1 target=S-1-5-21-1-2-3-4")
	f("POST", "", ad+"?@x.example/powershell/?X-Rps-CAT="+lost, "", "access unknown autodiscover action=powershell inference=PROXYSHELL_POWERSHELL host=EX1 target=ana@x.example")
	f("POST", "bob", ad+"?a=b@x.example/powershell", "200", "access ok account=bob autodiscover action=powershell inference=PROXYSHELL_POWERSHELL host=EX1")
	f("POST", "", ad+"?@x.example/ews/exchange.asmx", "200", "access ok autodiscover action=ews inference=PROXYSHELL_MAILBOX host=EX1 exposure=content")
	f("GET", "bob", ad+"?Protocol=ActiveSync&Email=bob@example.org", "200", "access ok account=bob autodiscover inference=MAILBOX_USED mailbox=bob")
	f("POST", "bob", "/autodiscover/a@localhost/PowerShell/x?b=autodiscover.json", "200", "access ok account=bob autodiscover action=powershell inference=PROXYSHELL_POWERSHELL host=EX1")
	f("POST", "bob", ad+"?a=b@x.example%2fP%6fwerShell", "200", "access ok account=bob autodiscover action=powershell inference=PROXYSHELL_POWERSHELL host=EX1")
	f("POST", "bob", "/owa/a@x.example/powershell", "200", "access ok account=bob owa action=powershell inference=PROXYSHELL_POWERSHELL host=EX1")
	f("POST", "", "/ecp/bob@x.example/RulesEditor/InboxRules.svc/NewObject?msExchEcpCanary=x", "500",
		"capability unknown ecp action=NewObject inference=RULE_MADE power=rule in=bob@x.example")
	f("POST", `X\EX1$`, "/ecp/DDI/DDIService.svc/SetObject?schema=ResetOABVirtualDirectory&msExchEcpCanary=x", "200",
		`access ok account="X\\EX1$" ecp action=ecp/DDI/DDIService.svc/SetObject inference=PROXYLOGON_WRITTEN host=EX1; `+
			`capability ok account="X\\EX1$" ecp action=ecp/DDI/DDIService.svc/SetObject inference=SHELL_WRITTEN power=host host=EX1`)
	f("POST", "", "/ecp/y.js", "241", `access ok ecp action=ecp/y.js inference=PROXYLOGON_SESSION host=EX1`)
	f("POST", `X\EX1$`, "/ecp/DDI/DDIService.svc/SetObject?schema=OABVirtualDirectory", "200", `access ok account="X\\EX1$" ecp inference=MAILBOX_USED mailbox="X\\EX1$"`)
}

func FuzzMail(f *testing.F) {
	f.Add("/autodiscover/autodiscover.json", "@x/powershell?X-Rps-CAT=VgEAVAdXaW5kb3dz", "200", "ana")
	f.Add("/owa/a@b/service.svc/s/GetItem", "ae=Item", "200", "")
	f.Add("/Microsoft-Server-ActiveSync", "Cmd=Sync&Log=Fid:1_Svr:1A_Fid:", "200", "ana")
	f.Add("/ecp", "", "500", "$")
	f.Fuzz(func(t *testing.T, path, query, status, account string) {
		r := Request{Method: []byte("POST"), Path: []byte(path), Query: []byte(query), Status: []byte(status), Account: []byte(account), Type: []byte("Execute")}
		for _, o := range Observe(&r, nil) {
			if o.OK && o.Unknown {
				t.Errorf("both ok and unknown: %s", logtest.DumpObservation(o))
			}
			if o.Kind == logs.Heartbeat && !Monitoring(r.Account, nil) && !machine(r.Account) && !near(r.Client) {
				t.Errorf("a heartbeat of %q", account)
			}
		}
	})
}

// Programs of web mail other than Roundcube are known by their addresses, and only where something was answered.
func TestOtherWebMail(t *testing.T) {
	for _, c := range []struct {
		method, path, query, status string
		decoded                     bool
		mailbox                     string
		mail                        bool
	}{
		{"POST", "/SOGo/so/ana%40example.org/Mail/0/folderINBOX/17/view", "", "200", false, "ana@example.org", true},
		{"POST", "/SOGo/so/ana/Mail/0/folderINBOX/17/view", "", "403", false, "", false},
		{"GET", "/SOGo/so/ana/Calendar/view", "", "200", false, "", false},
		{"GET", "/horde/imp/dynamic.php", "page=mailbox", "200", false, "", true},
		{"POST", "/horde/services/ajax.php/imp/viewPort", "", "200", true, "", true},
		{"GET", "/images/imp/logo.png", "", "200", false, "", false},
		{"POST", "/", "/Json/&q[]=/0/", "200", false, "", true},
		{"GET", "/", "/Raw/&q[]=/0/Download/x", "200", false, "", true},
		{"GET", "/apps/mail/api/messages/7/body", "", "200", false, "", true},
	} {
		r := &Request{Method: []byte(c.method), Path: []byte(c.path), Query: []byte(c.query), Status: []byte(c.status), Client: []byte("192.0.2.9"), Bytes: []byte("5000"), Decoded: c.decoded}
		obs := Observe(r, nil)
		if got := len(obs) == 1 && obs[0].Channel == "webmail" && obs[0].Inference == logs.MailboxRead && obs[0].Unknown; got != c.mail {
			t.Errorf("%s %s?%s %s: %+v", c.method, c.path, c.query, c.status, obs)
		} else if got && string(obs[0].Object) != c.mailbox {
			t.Errorf("%s: mailbox %q", c.path, obs[0].Object)
		}
	}
}
