package webrequest

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs/logtest"
)

// asked returns what a request means, without what all have in common. in is "account METHOD target status bytes"; "-" is nothing.
func asked(in string, iis bool) string {
	w := strings.Fields(in)
	b := func(i int) []byte {
		if i >= len(w) || w[i] == "-" {
			return nil
		}
		return []byte(w[i])
	}
	path, query, _ := bytes.Cut(b(2), []byte("?"))
	var buffer []byte
	r := Request{Account: b(0), Method: b(1), Path: path, Query: query, Status: b(3), Bytes: b(4), Win32: b(5), Client: []byte("203.0.113.9"), Decoded: iis, Escaped: !iis, Buffer: &buffer}
	var got []string
	for _, o := range Observe(&r, nil) {
		o.IP, o.Account, o.Action = nil, nil, nil
		if o.Channel == "web" {
			o.Channel = ""
		}
		got = append(got, logtest.DumpObservation(o))
	}
	return strings.Join(got, "; ")
}

func TestFiles(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if got := asked(in, false); got != want {
			t.Errorf("%s:\n got %s\nwant %s", in, got, want)
		}
	}
	// By status.
	const dav = "- GET /remote.php/dav/files/ana/Board/minutes.pdf "
	f(dav+"200 1048576", "access ok inference=HTTP_BODY file=/Board/minutes.pdf in=ana exposure=content bytes=1048576")
	f(dav+"206 500000", "access ok inference=HTTP_RANGE file=/Board/minutes.pdf in=ana exposure=partial bytes=500000")
	f(dav+"304 0", "access unknown inference=HTTP_NOT_MODIFIED file=/Board/minutes.pdf in=ana exposure=content")
	f(dav+"404 100", "")
	f(dav+"403 100", "")
	f(dav+"301 100", "")
	f("- HEAD /remote.php/dav/files/ana/a.pdf 200 0", "access ok inference=HTTP_HEAD file=/a.pdf in=ana exposure=metadata")
	f("- PROPFIND /remote.php/dav/files/ana/Board/ 207 88212", "access ok inference=FILE_LISTED folder=/Board/ in=ana exposure=metadata bytes=88212")
	f("- PROPFIND /remote.php/dav/files/ana/Board 207 88212", "access ok inference=FILE_LISTED folder=/Board/ in=ana exposure=metadata bytes=88212")
	f("- PROPFIND /remote.php/dav/files/ana 207 88212", "access ok inference=FILE_LISTED folder=/ in=ana exposure=metadata bytes=88212")
	f("- PROPFIND /remote.php/dav/files/ana/a.pdf 207 900",
		"access ok inference=FILE_LISTED file=/a.pdf in=ana exposure=metadata bytes=900; access ok inference=FILE_LISTED folder=/a.pdf/ in=ana exposure=metadata bytes=900")
	f("- PROPFIND /remote.php/dav/files/ana/Board/ 404 88", "")
	f("- PUT /remote.php/dav/files/ana/a.pdf 201 0", "access ok inference=FILE_TOUCHED file=/a.pdf in=ana exposure=metadata")
	f("- DELETE /remote.php/dav/files/ana/a.pdf 204 0", "access ok inference=FILE_TOUCHED file=/a.pdf in=ana exposure=metadata")
	// Names.
	f("- GET /index.php/../remote.php/dav/files/ana/a%20%C3%A9%2541.pdf 200 1", `access ok inference=HTTP_BODY file="/a é%41.pdf" in=ana exposure=content bytes=1`)
	f(`- GET /docs/r\xC3\xA9sum\xc3%A9\\\x5C\"\xzz.pdf 200 1`, `access ok inference=HTTP_BODY file="/docs/résumé\\\\\"\\xzz.pdf" exposure=content bytes=1`)
	f(`- GET /remote.php/dav/files/\xc3\xa9va/a.pdf 200 1`, "access ok inference=HTTP_BODY file=/a.pdf in=éva exposure=content bytes=1")
	f("- GET /cloud/remote.php/dav/files/ana%40example.org/a.pdf 200 1", "access ok inference=HTTP_BODY file=/a.pdf in=ana@example.org exposure=content bytes=1")
	f("ana GET /remote.php/webdav/a.pdf 200 1", "access ok inference=HTTP_BODY file=/a.pdf in=ana exposure=content bytes=1")
	f("- GET /remote.php/dav/versions/ana/versions/77/1700000000 200 1", "access ok inference=HTTP_BODY file=fileid:77 in=ana exposure=content bytes=1")
	f("- GET /remote.php/dav/files/ana/a%zz%2 200 1", "access ok inference=HTTP_BODY file=/a%zz%2 in=ana exposure=content bytes=1")
	f("- GET /remote.php/dav/files/ana/Board/?accept=zip 200 9", "access ok inference=FOLDER_EXPORTED folder=/Board/ in=ana exposure=content bytes=9")
	f("- GET /remote.php/dav/files 200 1", "access ok inference=HTTP_BODY file=/remote.php/dav/files exposure=content bytes=1")
	// Links.
	f("- GET /s/AbCdEf123456789/download 200 5", "access ok inference=HTTP_BODY file=/s/AbCdEf123456789/download exposure=content bytes=5")
	f("- GET /index.php/s/AbCdEf123456789 200 5", "access ok inference=FILE_LISTED folder=/index.php/s/AbCdEf123456789/ exposure=metadata bytes=5")
	f("- GET /index.php/s/AbCdEf123456789/preview 200 5", "access ok inference=FILE_PREVIEWED file=/index.php/s/AbCdEf123456789/preview exposure=partial bytes=5")
	f("- GET /s/style.css 200 5", "")
	f("- GET /s/search 200 5", "")
	f("AbCdEf123456789 GET /public.php/webdav/a.pdf 200 5", "access ok inference=HTTP_BODY file=/a.pdf in=AbCdEf123456789 exposure=content bytes=5")
	f("- GET /public.php/dav/files/AbCdEf123456789/a.pdf 200 5", "access ok inference=HTTP_BODY file=/a.pdf in=AbCdEf123456789 exposure=content bytes=5")
	// Previews.
	f("- GET /index.php/core/preview?fileId=77&x=256 200 18211", "access ok inference=FILE_PREVIEWED file=fileid:77 exposure=partial bytes=18211")
	f("ana GET /core/preview.png?file=%2Fa%20b.png 200 18211", `access ok inference=FILE_PREVIEWED file="/a b.png" in=ana exposure=partial bytes=18211`)
	f("- GET /index.php/apps/files/api/v1/thumbnail/256/256/a%20b.png 200 9", `access ok inference=FILE_PREVIEWED file="/a b.png" exposure=partial bytes=9`)
	f("- GET /preview?id=3 200 1", "")
	// SharePoint.
	f("ana GET /_layouts/15/download.aspx?SourceUrl=%2Fsites%2Fx%2Fa%20b.docx 200 7", `access ok inference=HTTP_BODY file="/sites/x/a b.docx" exposure=content bytes=7`)
	f("ana GET /sites/x/_layouts/15/WopiFrame.aspx?sourcedoc=/x/a.docx&action=view 200 7", "access ok inference=HTTP_BODY file=/x/a.docx exposure=content bytes=7")
	// Somebody's, or not for everybody.
	f("ana GET /private/a.pdf 200 7", "access ok inference=HTTP_BODY file=/private/a.pdf exposure=content bytes=7")
	f("- GET /private/a.PDF 200 7", "access ok inference=HTTP_BODY file=/private/a.PDF exposure=content bytes=7")
	f("- GET /private/a.pdf.png 200 7", "")
	f("- GET /private/a.html 200 7", "")
	f("ana GET /private/ 200 7", "access ok inference=FILE_LISTED folder=/private/ exposure=metadata bytes=7")
	f("ana GET /private 302 7", "access ok bytes=7")
	f("- GET /backup/db.sql.gz 200 7", "access ok inference=HTTP_BODY file=/backup/db.sql.gz exposure=content bytes=7")
	f("- GET /backup/DB.ZIP 206 7", "access ok inference=HTTP_RANGE file=/backup/DB.ZIP exposure=partial bytes=7")
	f("- GET /backup/db.zip 404 7", "")
	f("- POST /backup/db.zip 200 7", "access unknown inference=HTTP_BODY file=/backup/db.zip exposure=content bytes=7")
	f("- POST /backup/db.zip 302 7", "")
	f("- GET /s/documents/report.pdf 200 7", "access ok inference=HTTP_BODY file=/s/documents/report.pdf exposure=content bytes=7")
	f("- GET /owa/auth/db.zip 200 7", "access ok inference=HTTP_BODY file=/owa/auth/db.zip exposure=content bytes=7")
	f("- GET /owa/auth/db.txt 200 7", "")
}

// A file that people keep, whatever folder it seems to lie in, is observed or may be any: its name alone is not remembered of it.
func TestNoKeptFileIsLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pick := func(what string, list ...string) []byte { return []byte(rapid.SampledFrom(list).Draw(t, what)) }
		folder := pick("folder", "/", "/docs/", "/s/", "/s/documents/", "/s/documents/download/", "/index.php/s/documents/", "/owa/auth/", "/ecp/", "/ews/", "/oab/", "/remote.php/dav/files/ana/", "/public.php/webdav/",
			"/apps/files/api/v1/thumbnail/", "/apps/files/api/v1/thumbnail/1/2/", "/apps/mail/api/", "/SOGo/so/ana/Mail/", "/horde/imp/", "/_layouts/15/", "/preview/", "/publicpreview/", "/uploads/", "/aspnet_client/", "/a.php/", "/ocs/v2.php/")
		r := Request{Path: append(folder, "report"+rapid.SampledFrom(kept[:]).Draw(t, "end")...), Client: []byte("203.0.113.9"), Bytes: []byte("70000"), Decoded: rapid.Bool().Draw(t, "iis"),
			Method: pick("method", "GET", "POST", "get", "FOO"), Status: pick("status", "200", "203", "206", "226", "304"), Query: pick("query", "", "v=2", "_task=mail", "/ajax/", "fileId=7", "a=b/c")}
		for _, o := range Observe(&r, nil) {
			if o.ObjectKind == "file" || o.ObjectKind == "folder" || o.ObjectKind == "mailbox" {
				return
			}
		}
		if a := Answered(r.Method, r.Path, r.Query, r.Status, r.Bytes); a.Kind < event.OpaqueAnswer {
			t.Fatalf("%s %s?%s %s is %+v", r.Method, r.Path, r.Query, r.Status, a)
		}
	})
}

func TestFilesOfIIS(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if got := asked(in, true); got != want {
			t.Errorf("%s:\n got %s\nwant %s", in, got, want)
		}
	}
	f(`EX\ana GET /docs/a%20.pdf 200 - 0`, "access ok inference=HTTP_BODY file=/docs/a%20.pdf exposure=content")
	f(`EX\ana GET /docs/a.pdf 200 500 64`, "access ok inference=HTTP_BODY file=/docs/a.pdf exposure=partial bytes=500")
	f(`EX\ana GET /docs/a+b.pdf 200 500 0`, `access ok inference=HTTP_BODY file="/docs/a b.pdf" exposure=content bytes=500; access unknown inference=HTTP_BODY file=/docs/a+b.pdf exposure=content bytes=500`)
}

func TestWebMail(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if got := asked(in, false); got != want {
			t.Errorf("%s:\n got %s\nwant %s", in, got, want)
		}
	}
	f("- GET /mail/?_task=mail&_uid=17&_mbox=INBOX&_action=show 200 900", "access ok channel=webmail inference=MESSAGE_SHOWN message=INBOX/17 folder=INBOX exposure=content bytes=900")
	f("- GET /?_task=mail&_action=preview&_uid=17&_mbox=INBOX%2FBoard%20x 200 900", `access ok channel=webmail inference=MESSAGE_SHOWN message="INBOX/Board x/17" folder="INBOX/Board x" exposure=content bytes=900`)
	f("- GET /?_task=mail&_action=get&_uid=17&_mbox=INBOX&_part=2&_download=1 200 900", "access ok channel=webmail inference=ATTACHMENT_READ message=INBOX/17 folder=INBOX exposure=content bytes=900")
	f("- GET /?_task=mail&_action=compose&_reply_uid=17&_mbox=INBOX 200 900", "access ok channel=webmail inference=MESSAGE_SHOWN message=INBOX/17 folder=INBOX exposure=content bytes=900")
	f("- GET /?_task=mail&_action=compose 200 900", "")
	f("- GET /?_task=mail&_action=show&_uid=17&_mbox=INBOX 302 0", "")
	f("- GET /?_task=mail&_action=list&_mbox=INBOX&_remote=1 200 900", "access ok channel=webmail inference=FOLDER_LISTED folder=INBOX exposure=metadata")
	f("- POST /?_task=mail&_action=plugin.zipdownload.messages&_mbox=INBOX 200 9000", "access ok channel=webmail inference=FOLDER_EXPORTED folder=INBOX exposure=content bytes=9000")
}

func TestWebShells(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if got := asked(in, true); got != want {
			t.Errorf("%s:\n got %s\nwant %s", in, got, want)
		}
	}
	const page = "/owa/auth/RedirSuiteServerProxy.aspx"
	f("- GET "+page+"?&CorrelationID=<empty>;&cafeReqId=1;&encoding=; 200 -", "access ok channel=owa inference=SHELL_VISITED file="+page)
	f("- GET "+page+"?&k1=x&CorrelationID=<empty>;&cafeReqId=1; 200 -", "access ok channel=owa inference=SHELL_USED file="+page+" count=1")
	f("- POST "+page+"?&CorrelationID=<empty>; 200 -", "access ok channel=owa inference=SHELL_USED file="+page+" count=1")
	f("- POST "+page+" 500 -", "access unknown channel=owa inference=SHELL_USED file="+page+" count=1")
	f("- GET "+page+" 302 -", "access failed channel=owa inference=SHELL_ABSENT file="+page)
	f("- GET /aspnet_client/system_web/x.aspx 404 -", "access failed inference=SHELL_ABSENT file=/aspnet_client/system_web/x.aspx")
	f("- GET /owa/auth/logon.aspx?url=x&reason=0 200 -", "")
	f("- GET /owa/auth/15.1.2375/themes/x.png 200 -", "")
	f("- POST /wp-content/uploads/2026/03/a.php 200 10", "access ok inference=SHELL_USED file=/wp-content/uploads/2026/03/a.php bytes=10 count=1")
	f("- GET /wp-content/uploads/2026/03/a.jpg?x=1 200 10", "")
}

// What needs no account must have a mark, or nobody looks at its line.
func TestMarksHoldWhatIsRead(t *testing.T) {
	for _, in := range []string{
		"- GET /remote.php/dav/files/ana/a.pdf 200", "- HEAD /s/AbCdEf123456789/download 200", "- GET /index.php/s/AbCdEf123456789 200", "- GET /core/preview?fileId=7 200",
		"- GET /a/publicpreview/x?file=y 200", "- GET /index.php/apps/files/api/v1/thumbnail/1/1/a 200", "- GET /_layouts/15/Download.aspx?SourceUrl=x 200",
		"- GET /_layouts/15/WopiFrame.aspx?x=x 200", "- PROPFIND /x/ 207", "- SEARCH / 207", "- GET /?_task=mail&_action=list&_mbox=x 200", "- GET /a.7z 206", "- GET /A.SQL 200",
		"- POST /x/uploads/a.PHP5 200", "- GET /aspnet_client/a.aspx 404", "- GET /ecp/auth/a.ashx 200",
	} {
		w := strings.Fields(in)
		part := strings.ToLower(`"` + w[1] + " " + w[2] + ` HTTP/1.1" ` + w[3])
		found := asked(in, false) == ""
		if found {
			t.Errorf("%s means nothing", in)
		}
		for _, m := range PathMarks() {
			found = found || strings.Contains(part, m)
		}
		for _, p := range PathPairs() {
			found = found || strings.Contains(part, p[0]) && strings.Contains(part, p[1])
		}
		if !found {
			t.Errorf("%s has no mark", in)
		}
	}
}

func TestFilesDoNotAllocate(t *testing.T) {
	var buffer []byte
	r := Request{Method: []byte("GET"), Path: []byte("/remote.php/dav/files/ana/a%20b.pdf"), Status: []byte("200"), Client: []byte("203.0.113.9"), Buffer: &buffer}
	obs := Observe(&r, nil)
	if n := testing.AllocsPerRun(100, func() { obs = Observe(&r, obs[:0]) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzObserve(f *testing.F) {
	for _, s := range []string{"/remote.php/dav/files/ana/a%20b", "/index.php/s/AbCdEf123456789/", "/core/preview?fileId=7", "/?_task=mail&_action=get&_uid=%31&_mbox=%", "/owa/auth/x.aspx?a;b=c", "/a+b.zip"} {
		f.Add("GET", s, "200", "ana", true)
		f.Add("PROPFIND", s, "207", "", false)
	}
	f.Fuzz(func(t *testing.T, method, uri, status, account string, iis bool) {
		path, query, _ := strings.Cut(uri, "?")
		buffer := make([]byte, 0, 8)
		r := Request{Method: []byte(method), Path: []byte(path), Query: []byte(query), Status: []byte(status), Account: []byte(account), Decoded: iis, Escaped: !iis, Buffer: &buffer}
		Observe(&r, nil)
	})
}

// What is asked of every line is asked by the end of the name alone, and must say what Kept says.
func TestKeepsIsKept(t *testing.T) {
	for _, end := range kept {
		for _, name := range []string{end, "a" + end, "a.b" + strings.ToUpper(end), "/x/y" + end, end + "x", "a" + end[1:], "a" + end + ".php", "a" + end + "/b"} {
			if keeps([]byte(name)) != Kept(name) {
				t.Errorf("%s: keeps says %v", name, keeps([]byte(name)))
			}
		}
		if len(end) > longestKept {
			t.Errorf("%s is longer than the longest", end)
		}
	}
	for _, name := range []string{"", ".", "zip", "a.", "a.zipp"} {
		if keeps([]byte(name)) != Kept(name) {
			t.Errorf("%q: keeps says %v", name, keeps([]byte(name)))
		}
	}
}
