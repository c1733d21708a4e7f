package webrequest

import (
	"testing"

	"github.com/barid-dfir/barid/internal/event"
)

func TestAnswered(t *testing.T) {
	for _, c := range []struct {
		method, path, query, status, bytes string
		want                               event.Answer
	}{
		{"GET", "/download.php", "id=11", "200", "48000", event.Answer{Kind: event.OpaqueAnswer, Bytes: 48000}},
		{"POST", "/attachment.aspx", "", "200", "", event.Answer{Kind: event.OpaqueAnswer, Bytes: -1}},
		{"GET", "/api/v1/docs/77", "", "206", "500", event.Answer{Kind: event.OpaqueAnswer, Bytes: 500, Ranged: true}},
		{"GET", "/f/77", "", "200", "1", event.Answer{Kind: event.OpaqueAnswer, Bytes: 1}},
		{"GET", "/f/77", "", "200", "0", event.Answer{}},
		{"GET", "/f/77", "", "302", "400", event.Answer{}},
		{"GET", "/f/77", "", "404", "400", event.Answer{}},
		{"HEAD", "/f/77", "", "200", "400", event.Answer{}},
		{"GET", "/f/77", "", "304", "0", event.Answer{Kind: event.OpaqueAnswer, Bytes: -1}},
		{"GET", "/files/77.json", "", "200", "5", event.Answer{Kind: event.OpaqueAnswer, Bytes: 5}},
		{"GET", "/export.json", "table=users", "200", "5", event.Answer{Kind: event.OpaqueAnswer, Bytes: 5}},
		{"GET", "/manifest.json", "", "200", "5", event.Answer{Kind: event.NamedAnswer, Name: []byte("manifest.json")}},
		{"GET", "/files/plan.dwg", "v=2", "200", "5", event.Answer{Kind: event.NamedAnswer, Name: []byte("plan.dwg")}},
		{"GET", "/files/plan.2024", "", "200", "5", event.Answer{Kind: event.OpaqueAnswer, Bytes: 5}},
		{"GET", "/files/plan.dwg;jsessionid=1", "", "200", "5", event.Answer{Kind: event.OpaqueAnswer, Bytes: 5}},
		{"GET", "/files/.htaccess", "", "200", "5", event.Answer{Kind: event.OpaqueAnswer, Bytes: 5}},
		{"GET", "/", "", "200", "5", event.Answer{}},
		{"GET", "/", "page=../../etc/passwd", "200", "5", event.Answer{Kind: event.OpaqueAnswer, Bytes: 5}},
		{"POST", "/", "", "200", "5", event.Answer{Kind: event.OpaqueAnswer, Bytes: 5}},
		{"GET", "/Index.php", "", "200", "5", event.Answer{}},
		{"GET", "/nextcloud/status.php", "", "200", "180", event.Answer{}},
		{"GET", "/status.php", "", "200", "1000", event.Answer{Kind: event.AuditedAnswer, Bytes: 1000}},
		{"GET", "/status.php", "", "206", "180", event.Answer{Kind: event.AuditedAnswer, Bytes: 180, Ranged: true}},
		{"GET", "/status.php", "", "200", "", event.Answer{Kind: event.AuditedAnswer, Bytes: -1}},
		{"GET", "/status.php", "id=1", "200", "5", event.Answer{Kind: event.AuditedAnswer, Bytes: 5}},
		{"GET", "/docs/status.php", "", "200", "5", event.Answer{Kind: event.AuditedAnswer, Bytes: 5}},
		{"GET", "/index.php", "action=dl", "200", "5", event.Answer{Kind: event.OpaqueAnswer, Bytes: 5}},
		{"GET", "/owa/auth/logon.aspx", "", "200", "5", event.Answer{}},
		{"GET", "/ocs/v2.php/apps/x", "", "200", "5", event.Answer{Kind: event.AuditedAnswer, Bytes: 5}},
		{"GET", "/", "_task=mail", "200", "5", event.Answer{}},
		{"GET", "/mail/", "_task=settings&_action=upload-display", "200", "5", event.Answer{Kind: event.OpaqueAnswer, Bytes: 5}},
		{"GET", "/files/a.b/c", "", "200", "5", event.Answer{Kind: event.OpaqueAnswer, Bytes: 5}},
		{"GET", "/files/plan.", "", "200", "5", event.Answer{Kind: event.OpaqueAnswer, Bytes: 5}},
		{"GET", "/files/plan.longer", "", "200", "5", event.Answer{Kind: event.OpaqueAnswer, Bytes: 5}},
		{"GET", "a.js", "", "200", "5", event.Answer{Kind: event.NamedAnswer, Name: []byte("a.js")}},
		{"", "", "", "200", "5", event.Answer{Kind: event.OpaqueAnswer, Bytes: 5}},
		{"GET", "/f/77", "", "20", "5", event.Answer{}},
		{"get", "/data/REPORT.PDF", "", "200", "5", event.Answer{Kind: event.OpaqueAnswer, Bytes: 5}},
		{"GET", "/docs/report.pdf;jsessionid=AB.node1", "", "200", "5", event.Answer{Kind: event.OpaqueAnswer, Bytes: 5}},
		{"GET", "/docs/7.do;jsessionid=AB.node1", "", "200", "5", event.Answer{Kind: event.OpaqueAnswer, Bytes: 5}},
		{"GET", "/docs/report.pdf;x.css", "", "200", "5", event.Answer{Kind: event.OpaqueAnswer, Bytes: 5}},
		{"GET", "/docs/report.pdf/x.css", "", "200", "5", event.Answer{Kind: event.OpaqueAnswer, Bytes: 5}},
		{"GET", "/download.php/x.png", "id=3", "200", "5", event.Answer{Kind: event.OpaqueAnswer, Bytes: 5}},
		{"GET", "/thumb.png", "file=report.pdf", "200", "5", event.Answer{Kind: event.OpaqueAnswer, Bytes: 5}},
		{"GET", "/style.css", "v=1.2.3", "200", "5", event.Answer{Kind: event.NamedAnswer, Name: []byte("style.css")}},
		{"GET", "/view.html", "id=7", "200", "5", event.Answer{Kind: event.OpaqueAnswer, Bytes: 5}},
		{"GET", "/view.html", "", "200", "5", event.Answer{Kind: event.NamedAnswer, Name: []byte("view.html")}},
		{"GET", "/get.mvc", "id=7", "200", "5", event.Answer{Kind: event.OpaqueAnswer, Bytes: 5}},
		{"GET", "/report.p%64f", "", "200", "5", event.Answer{Kind: event.OpaqueAnswer, Bytes: 5}},
		{"GET", "/report.dwg~", "", "200", "5", event.Answer{Kind: event.OpaqueAnswer, Bytes: 5}},
		{"GET", "/uploads/8d7f2c.dwg", "", "200", "5", event.Answer{Kind: event.OpaqueAnswer, Bytes: 5}},
		{"GET", "/uploads/b2.dwg", "", "200", "5", event.Answer{Kind: event.NamedAnswer, Name: []byte("b2.dwg")}},
		{"GET", "/download.php", "_task=mail&id=11", "200", "5", event.Answer{Kind: event.OpaqueAnswer, Bytes: 5}},
		{"GET", "/", "_task=mail&id=11", "200", "5", event.Answer{Kind: event.OpaqueAnswer, Bytes: 5}},
		{"GET", "/rpc/files/77", "", "200", "5", event.Answer{Kind: event.OpaqueAnswer, Bytes: 5}},
		{"GET", "/ews/exchange.asmx", "", "200", "5", event.Answer{}},
	} {
		size := []byte(c.bytes)
		if c.bytes == "" {
			size = nil
		}
		got := Answered([]byte(c.method), []byte(c.path), []byte(c.query), []byte(c.status), size)
		if got.Kind != c.want.Kind || string(got.Name) != string(c.want.Name) || got.Kind != event.NoAnswer && got.Bytes != c.want.Bytes || got.Ranged != c.want.Ranged {
			t.Errorf("%s %s?%s %s %s: %+v, want %+v", c.method, c.path, c.query, c.status, c.bytes, got, c.want)
		}
	}
}
