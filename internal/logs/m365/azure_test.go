package m365_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	stdjson "encoding/json"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/logtest"
	"github.com/barid-dfir/barid/internal/logs/m365"
	"github.com/barid-dfir/barid/internal/sharedtest"
)

func TestFormsOfAzureLogsAnswerToTheSameNames(t *testing.T) {
	f := func(in string, format string, source event.LogSource, fields map[string]string, observed string) {
		t.Helper()
		s := logtest.Source("x.json", []byte(in))
		if m365.NewAzure().Sniff(s) != logs.Certain {
			t.Errorf("not recognised: %s", in)
		}
		out := logtest.Events(t, m365.NewAzure(), "x.json", []byte(in))
		if len(out.Events) != 1 {
			t.Fatalf("%d events of %s", len(out.Events), in)
		}
		e := &out.Events[0]
		if e.Shape.Format != format || e.Shape.Sources[0] != source || e.Time == event.UnknownTime {
			t.Errorf("%s: %s %v", in, logtest.Dump(e), e.Shape.Sources)
		}
		for n, w := range fields {
			if slot := e.Shape.Slot(n); slot < 0 || e.Value(slot).String() != w {
				t.Errorf("%s: no %s=%s in %s", in, n, w, logtest.Dump(e))
			}
		}
		var got []string
		for _, o := range logtest.Observations(m365.NewAzure(), e) {
			got = append(got, logtest.DumpObservation(o))
		}
		if g := strings.Join(got, "\n"); g != observed {
			t.Errorf("%s:\n got %s\nwant %s", in, g, observed)
		}
	}
	signin := event.LogSource{Product: "azure", Service: "signinlogs"}
	audit := event.LogSource{Product: "azure", Service: "auditlogs"}
	want := map[string]string{"ResultType": "50126", "AppDisplayName": "OWA", "IPAddress": "203.0.113.9", "Username": "ana@example.org", "Status": "Failure", "conditionalAccessStatus": "notApplied", "DeviceDetail.isCompliant": "false"}
	const failed = "login failed account=ana@example.org ip=203.0.113.9 channel=m365 action=OWA"
	f(`{"createdDateTime":"2024-05-01T10:00:00Z","userPrincipalName":"ana@example.org","appDisplayName":"OWA","ipAddress":"203.0.113.9","conditionalAccessStatus":"notApplied","status":{"errorCode":50126,"failureReason":"x"},"deviceDetail":{"isCompliant":false}}`,
		"entra.signin", signin, want, failed)
	f(`{"time":"2024-05-01T10:00:00Z","resourceId":"/tenants/x","operationName":"Sign-in activity","category":"SignInLogs","resultType":"50126","callerIpAddress":"203.0.113.9","properties":{"userPrincipalName":"ana@example.org","appDisplayName":"OWA","conditionalAccessStatus":"notApplied","deviceDetail":{"isCompliant":false}}}`,
		"entra.signin", signin, want, failed)
	f(`{"TimeGenerated":"2024-05-01T10:00:00Z","ResultType":"0","UserPrincipalName":"ana@example.org","AppDisplayName":"OWA","IPAddress":"203.0.113.9","ConditionalAccessStatus":"success","Category":"SignInLogs"}`,
		"entra.signin", signin, map[string]string{"ResultType": "0", "userPrincipalName": "ana@example.org", "Status": "Success"}, "login ok account=ana@example.org ip=203.0.113.9 channel=m365 action=OWA inference=SIGNED_IN")
	f(`{"activityDateTime":"2024-05-01T10:00:00Z","category":"ApplicationManagement","activityDisplayName":"Consent to application","result":"success","initiatedBy":{"user":{"userPrincipalName":"ana@example.org","ipAddress":"203.0.113.9"}},"targetResources":[{"type":"ServicePrincipal"}]}`,
		"entra.audit", audit, map[string]string{"properties.message": "Consent to application", "OperationName": "Consent to application", "Category": "ApplicationManagement", "Status": "Success", "TargetResources": `{"type":"ServicePrincipal"}`},
		`capability ok account=ana@example.org ip=203.0.113.9 channel=m365 action="Consent to application" inference=CONSENT_GIVEN power=grant`)
	f(`{"time":"2024-05-01T10:00:00Z","resourceId":"/subscriptions/x","operationName":"MICROSOFT.KEYVAULT/VAULTS/DELETE","category":"Administrative","callerIpAddress":"203.0.113.9"}`,
		"azure.activity", event.LogSource{Product: "azure", Service: "activitylogs"}, map[string]string{"OperationName": "MICROSOFT.KEYVAULT/VAULTS/DELETE"}, "")
}

// TestSignInsSayHowAndWhere holds the manner and the place of a sign-in against each form of the log.
func TestSignInsSayHowAndWhere(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		out := logtest.Events(t, m365.NewAzure(), "x.json", []byte(in))
		if len(out.Events) != 1 {
			t.Fatalf("%d events of %s", len(out.Events), in)
		}
		list := logtest.Observations(m365.NewAzure(), &out.Events[0])
		if len(list) != 1 {
			t.Fatalf("%d observations of %s", len(list), in)
		}
		if got := list[0].Inference + " " + string(list[0].Target); got != want {
			t.Errorf("%s:\n got %s\nwant %s", in, got, want)
		}
	}
	const head = `{"createdDateTime":"2024-05-01T10:00:00Z","userPrincipalName":"ana@example.org","conditionalAccessStatus":"x","status":{"errorCode":0},`
	f(head+`"location":{"city":"Paris","countryOrRegion":"FR","geoCoordinates":{"altitude":null,"latitude":48.8566,"longitude":2.3522}},"autonomousSystemNumber":3215,"clientAppUsed":"Browser"}`,
		"SIGNED_IN 48.8566;2.3522;FR;3215")
	f(head+`"clientAppUsed":"IMAP4"}`, "SIGNED_IN_LEGACY ")
	f(head+`"clientAppUsed":"Authenticated SMTP","location":{"countryOrRegion":"NG"}}`, "SIGNED_IN_LEGACY ;;NG;")
	f(head+`"clientAppUsed":"Mobile Apps and Desktop clients","authenticationProtocol":"deviceCode"}`, "SIGNED_IN_BY_CODE ")
	f(head+`"originalTransferMethod":"deviceCodeFlow"}`, "SIGNED_IN_BY_CODE ")
	f(head+`"incomingTokenType":"saml11"}`, "SIGNED_IN_FEDERATED ")
	f(head+`"incomingTokenType":"none","tokenIssuerType":"AzureAD"}`, "SIGNED_IN ")
	f(`{"TimeGenerated":"2024-05-01T10:00:00Z","ResultType":"0","UserPrincipalName":"ana@example.org","ConditionalAccessStatus":"success","Category":"SignInLogs","Location":"FR","LocationDetails":"{\"city\":\"Paris\",\"countryOrRegion\":\"FR\",\"geoCoordinates\":{\"latitude\":48.8566,\"longitude\":2.3522}}"}`,
		"SIGNED_IN 48.8566;2.3522;FR;")
	f(`{"time":"2024-05-01T10:00:00Z","resourceId":"/tenants/x","operationName":"Sign-in activity","category":"SignInLogs","resultType":"0","properties":{"userPrincipalName":"ana@example.org","conditionalAccessStatus":"x","clientAppUsed":"POP3","location":{"countryOrRegion":"FR","geoCoordinates":{"latitude":48.5,"longitude":2}}}}`,
		"SIGNED_IN_LEGACY 48.5;2;FR;")
	f(head+`"location":{"geoCoordinates":{"latitude":{"x":1},"longitude":[2]}}}`, "SIGNED_IN ")
	// A failure says nothing of where its account was.
	out := logtest.Events(t, m365.NewAzure(), "x.json", []byte(strings.Replace(head, `"errorCode":0`, `"errorCode":50126`, 1)+`"location":{"countryOrRegion":"NG"}}`))
	if list := logtest.Observations(m365.NewAzure(), &out.Events[0]); len(list) != 1 || list[0].Target != nil || list[0].Inference != "" {
		t.Errorf("%+v", list)
	}
}

func TestMessageTraceOfEveryExport(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if m365.NewMessageTrace().Sniff(logtest.Source("x", []byte(in))) != logs.Certain {
			t.Errorf("not recognised: %s", in)
		}
		logtest.Golden(t, m365.NewMessageTrace(), in, want)
	}
	f("\"Received\",\"SenderAddress\",\"RecipientAddress\",\"Subject\",\"Status\",\"FromIP\",\"Size\",\"MessageTraceId\"\n\"5/1/2024 1:02:03 PM\",\"ana@example.org\",\"bob@example.net\",\"he said \"\"yes\"\"\",\"Delivered\",\"203.0.113.9\",\"77\",\"4831a108\"\n",
		`2024-05-01T13:02:03Z m365.messagetrace Received="5/1/2024 1:02:03 PM" SenderAddress=ana@example.org RecipientAddress=bob@example.net Subject="he said \"yes\"" Status=Delivered FromIP=203.0.113.9 Size=77 MessageTraceId=4831a108`)
	f("origin_timestamp_utc,sender_address,recipient_status\n2024-05-01T10:00:00.0000000Z,ana@example.org,bob@example.net##Receive\n",
		`2024-05-01T10:00:00Z m365.messagetrace origin_timestamp_utc=2024-05-01T10:00:00.0000000Z sender_address=ana@example.org recipient_status=bob@example.net##Receive`)
	f(`{"Received":"\/Date(1714557600000)\/","SenderAddress":"ana@example.org","MessageTraceId":"4831a108","Size":0}`,
		`2024-05-01T10:00:00Z m365.messagetrace Received=/Date(1714557600000)/ SenderAddress=ana@example.org MessageTraceId=4831a108 Size=0`)
	f("Received,SenderAddress\n1/5/2024 10:00:00,ana@example.org\nshort\n",
		"- m365.messagetrace Received=\"1/5/2024 10:00:00\" SenderAddress=ana@example.org\ndefect line 3 offset 57 length 6: another number of fields than the heading")
}

func TestMessageTraceSaysWhatCameWhere(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		out := logtest.Events(t, m365.NewMessageTrace(), "trace.csv", []byte(in))
		got := ""
		for i := range out.Events {
			for _, o := range logtest.Observations(m365.NewMessageTrace(), &out.Events[i]) {
				got += logtest.DumpObservation(o) + "\n"
			}
		}
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
	const came = "access ok channel=smtp inference=DELIVERED message=<m1@example.org> in="
	f("Received,MessageId,SenderAddress,RecipientAddress,Status\n2024-05-01T10:00:00Z,<m1@example.org>,a@example.org,b@example.net,Delivered\n", came+"b@example.net\n")
	f("Received,MessageId,SenderAddress,RecipientAddress,Status\n2024-05-01T10:00:00Z,<m1@example.org>,a@example.org,b@example.net,Failed\n", "")
	f("Received,MessageId,SenderAddress,RecipientAddress,Status\n2024-05-01T10:00:00Z,,a@example.org,b@example.net,Delivered\n", "")
	f("origin_timestamp_utc,message_id,sender_address,recipient_status\n2024-05-01T10:00:00Z,<m1@example.org>,a@example.org,"+
		"\"b@example.net##Receive, Send;c@example.org##Receive, Deliver;d@example.org##Receive, Fail;e@example.org##Receive;nobody\"\n",
		came+"b@example.net\n"+came+"c@example.org\n")
}

func unzipOne(t *testing.T, elem ...string) map[string][]byte {
	t.Helper()
	z, err := zip.OpenReader(sharedtest.Path(t, append([]string{"evidence", "m365"}, elem...)...))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	files := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
		r.Close()
	}
	return files
}

func TestGoldenSAMLSetIsRecognised(t *testing.T) {
	f := func(archive string, format logs.Format) {
		t.Helper()
		for name, data := range unzipOne(t, "otrf-goldensaml", archive) {
			s := logtest.Source(name, data)
			if c := format.Sniff(s); c != logs.Certain {
				t.Errorf("%s: certainty %d", name, c)
			}
			out := logtest.Events(t, format, name, data)
			kinds := map[string]int{}
			for i := range out.Events {
				e := &out.Events[i]
				if e.Time == event.UnknownTime {
					t.Errorf("no time: %.300s", logtest.Dump(e))
				}
				for _, o := range logtest.Observations(format, e) {
					kinds[o.Kind.String()]++
				}
			}
			if len(out.Events) == 0 || len(out.Defects) > 0 || len(kinds) == 0 {
				t.Errorf("%s: %d events, defects %v, observed %v", name, len(out.Events), out.Defects, kinds)
			}
			t.Log(name, len(out.Events), kinds)
		}
	}
	f("officeactivityevents.zip", m365.NewUAL())
	f("aadauditevents.zip", m365.NewAzure())
}

// TestSekoiaFieldsAgree holds the reader against the tests of another: operation, time, address and account.
func TestSekoiaFieldsAgree(t *testing.T) {
	right, all := 0, 0
	for name, data := range unzipOne(t, "sekoia-o365-tests.zip") {
		if !strings.HasSuffix(name, ".json") {
			continue
		}
		var s struct {
			Input    struct{ Message string }
			Expected struct {
				Timestamp string                  `json:"@timestamp"`
				Action    struct{ Name string }   `json:"action"`
				Event     struct{ Action string } `json:"event"`
				Source    struct{ IP string }     `json:"source"`
				User      struct{ Name, Email string }
			}
		}
		if err := stdjson.Unmarshal(data, &s); err != nil {
			t.Fatal(name, err)
		}
		out := logtest.Events(t, m365.NewUAL(), name, []byte(s.Input.Message))
		if len(out.Events) != 1 {
			t.Errorf("%s: %d events", name, len(out.Events))
			continue
		}
		e := &out.Events[0]
		all++
		x := s.Expected
		ok := true
		check := func(what, got, want string) {
			if want != "" && got != want {
				ok = false
				t.Logf("%s: %s is %q, want %q", name, what, got, want)
			}
		}
		check("operation", e.Value(max(0, e.Shape.Slot("Operation"))).String(), x.Event.Action)
		check("time", time.Unix(0, e.Time).UTC().Format("2006-01-02T15:04:05Z"), strings.Replace(x.Timestamp, ".000000Z", "Z", 1))
		check("address", string(event.Address(e.Role(event.Client).Data)), x.Source.IP)
		account := e.Role(event.Account).String()
		if x.User.Email != "" {
			check("account", account, x.User.Email)
		} else if x.User.Name != "" && account != x.User.Name {
			check("account", account, x.User.Name)
		}
		if ok {
			right++
		}
	}
	t.Logf("%d of %d agree", right, all)
	if right < 25 { // the others are names of accounts and operations that it takes from inside or changes
		t.Errorf("%d of %d agree", right, all)
	}
}

// TestPantherRecordsAreRecognised reads the records of another's rule tests as files of one record each.
func TestPantherRecordsAreRecognised(t *testing.T) {
	f, err := os.Open(sharedtest.Path(t, "evidence", "m365", "panther-microsoft-tests.jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for line := range bytes.Lines(all) {
		var r struct {
			LogTypes []string `json:"log_types"`
			Log      stdjson.RawMessage
		}
		if err := stdjson.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		kind := strings.SplitN(r.LogTypes[0], ".", 2)[0]
		s := logtest.Source("x.json", r.Log)
		got := "other"
		for _, format := range []logs.Format{m365.NewUAL(), m365.NewAzure(), m365.NewMessageTrace()} {
			if format.Sniff(s) == logs.Certain {
				out := logtest.Events(t, format, "x.json", r.Log)
				if len(out.Events) != 1 {
					t.Errorf("%d events of %.200s", len(out.Events), r.Log)
					continue
				}
				got = out.Events[0].Shape.Format
				break
			}
		}
		counts[kind+" as "+got]++
	}
	t.Log(counts)
	if counts["Microsoft365 as m365.ual"] != 7 {
		t.Errorf("%v", counts)
	}
}

func TestAzureAndTraceKeepThePromisesOfFormats(t *testing.T) {
	signin := `{"createdDateTime":"2024-05-01T10:00:00Z","userPrincipalName":"ana@example.org","ipAddress":"203.0.113.9","conditionalAccessStatus":"x","status":{"errorCode":50126}}`
	t.Run("Azure", func(t *testing.T) {
		logtest.Check(t, m365.NewAzure, []byte(strings.Repeat(signin+"\n", 4)), logtest.Options{Path: "x.json"})
	})
	t.Run("Trace", func(t *testing.T) {
		o := logtest.Options{Header: func(line []byte) bool { return bytes.HasPrefix([]byte("Received,SenderAddress,Subject"), line) }}
		logtest.Check(t, m365.NewMessageTrace, []byte("Received,SenderAddress,Subject\n"+strings.Repeat("5/1/2024 1:02:03 PM,ana@example.org,\"a \"\"b\"\"\nc\"\n", 4)), o)
	})
}

func FuzzAzure(f *testing.F) {
	logtest.Fuzz(f, m365.NewAzure, logtest.Options{Gap: func([]byte) bool { return true }},
		`{"createdDateTime":"2024-05-01T10:00:00Z","userPrincipalName":"a","conditionalAccessStatus":"x","status":{"errorCode":0}}`,
		`{"records":[{"time":"x","resourceId":"r","operationName":"o","category":"SignInLogs","properties":{"a":[]}}]}`)
}

func FuzzMessageTrace(f *testing.F) {
	logtest.Fuzz(f, m365.NewMessageTrace, logtest.Options{Gap: func([]byte) bool { return true }},
		"Received,SenderAddress\n5/1/2024 1:02:03 PM,a\n", "SenderAddress;x\n\"a\"\"b\";\"\n\"\n", `{"MessageTraceId":"x","SenderAddress":"y","Received":"\/Date(1)\/"}`)
}
