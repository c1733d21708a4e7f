package json_test

import (
	"slices"
	"testing"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/json"
	"github.com/barid-dfir/barid/internal/logs/logsource"
	"github.com/barid-dfir/barid/internal/logs/logtest"
)

// What stands in content/fields/logs.yml of logs in JSON, on records as their services write them.
func TestRecordsOfServicesHaveTheirLogSource(t *testing.T) {
	format := logsource.Builtin().Apply([]logs.Format{json.New()})[0]
	f := func(in string, want event.LogSource, field, value string) {
		t.Helper()
		out := logtest.Events(t, format, "x.json", []byte(in))
		if len(out.Events) != 1 {
			t.Fatalf("%s: %d events", in, len(out.Events))
		}
		e := &out.Events[0]
		if !slices.Contains(e.Shape.Sources, want) {
			t.Errorf("%s\nis of %v, want %v", in, e.Shape.Sources, want)
		}
		slot := e.Shape.Slot(field)
		if slot < 0 {
			t.Errorf("%s\nhas no field %s", in, field)
		} else if got := e.Value(slot).String(); got != value {
			t.Errorf("%s\n%s is %q, want %q", in, field, got, value)
		}
	}
	source := func(product, category, service string) event.LogSource {
		return event.LogSource{Product: product, Category: category, Service: service}
	}
	f(`{"_path":"http","ts":1,"uid":"C1","id.orig_h":"192.0.2.1","host":"a.example","uri":"/x","user_agent":"y"}`, source("zeek", "proxy", "http"), "c-useragent", "y")
	f(`{"_path":"dns","ts":1,"uid":"C1","query":"a.example","qtype_name":"TXT","answers":["z"]}`, source("zeek", "dns", "dns"), "record_type", "TXT")
	f(`{"_path":"conn","ts":1,"uid":"C1","id_resp_h":"192.0.2.1","id_resp_p":25}`, source("zeek", "firewall", "conn"), "dst_port", "25")
	f(`{"timestamp":"2026-03-01T10:00:00Z","flow_id":1,"event_type":"dns","dns":{"type":"query","rrname":"a.example","rrtype":"A"}}`, source("suricata", "dns", ""), "query", "a.example")
	f(`{"timestamp":"2026-03-01T10:00:00Z","flow_id":1,"event_type":"http","http":{"hostname":"a.example","url":"/x","status":200}}`, source("suricata", "proxy", ""), "c-uri", "/x")
	f(`{"eventVersion":"1.08","eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"x","sourceIPAddress":"192.0.2.1"}`, source("aws", "", "cloudtrail"), "src_ip", "192.0.2.1")
	f(`{"uuid":"1","published":"2026-03-01T10:00:00Z","eventType":"user.session.start","actor":{"alternateId":"ana@example.org"},"outcome":{"result":"SUCCESS"}}`, source("okta", "", "okta"), "outcome.result", "SUCCESS")
	f(`{"event_type_id":5,"account_id":7}`, source("onelogin", "", "onelogin.events"), "event_type_id", "5")
	f(`{"action":"repo.destroy","actor":"ana","created_at":1772359200000,"org":"example"}`, source("github", "", "audit"), "action", "repo.destroy")
	f(`{"auditType":{"category":"Permissions","action":"Global permission granted"}}`, source("bitbucket", "", "audit"), "auditType.action", "Global permission granted")
	f(`{"event_type":"authentication","factor":"duo_push","reason":"user_approved"}`, source("cisco", "", "duo"), "reason", "user_approved")
	f(`{"kind":"Event","auditID":"1","stage":"ResponseComplete","verb":"create","objectRef":{"resource":"pods","apiGroup":"apps"}}`, source("kubernetes", "application", "audit"), "apiGroup", "apps")
	f(`{"logName":"projects/x/logs/a","protoPayload":{"serviceName":"compute.googleapis.com","methodName":"v1.compute.instances.delete"}}`, source("gcp", "", "gcp.audit"), "gcp.audit.method_name", "v1.compute.instances.delete")
	f(`{"protoPayload":{"serviceName":"login.googleapis.com","metadata":{"event":{"eventName":"suspicious_login"}}}}`, source("gcp", "", "google_workspace.login"), "protoPayload.Servicename", "login.googleapis.com")
	f(`{"eventService":"admin.googleapis.com","eventName":"REMOVE_APPLICATION"}`, source("gcp", "", "google_workspace.admin"), "eventName", "REMOVE_APPLICATION")
	f(`{"dst_host":"192.0.2.1","logtype":4000,"node_id":"x","src_host":"203.0.113.9","logdata":{"USERNAME":"root"}}`, source("opencanary", "application", ""), "logtype", "4000")
	f(`{"riskEventType":"leakedCredentials","riskState":"atRisk"}`, source("azure", "", "riskdetection"), "riskEventType", "leakedCredentials")
	f(`{"riskEventType":"noMfaOnRoleActivationAlertIncident"}`, source("azure", "", "pim"), "riskEventType", "noMfaOnRoleActivationAlertIncident")
	f(`{"auditd":{"message_type":"execve","data":{"a0":"nc","a1":"-l"}},"process":{"executable":"/usr/bin/nc"}}`, source("linux", "", "auditd"), "a1", "-l")
}
