package reporttest_test

import (
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/report/cacao"
	"github.com/barid-dfir/barid/internal/report/misp"
	"github.com/barid-dfir/barid/internal/report/ocsf"
	"github.com/barid-dfir/barid/internal/report/reporttest"
	"github.com/barid-dfir/barid/internal/report/stix"
	"github.com/barid-dfir/barid/internal/report/veris"
)

// recorder is a test that may fail.
type recorder struct {
	testing.TB
	failed bool
}

func (r *recorder) Helper()               {}
func (r *recorder) Error(...any)          { r.failed = true }
func (r *recorder) Errorf(string, ...any) { r.failed = true }
func (r *recorder) Fatal(...any)          { r.failed = true; panic(r) }
func (r *recorder) Fatalf(string, ...any) { r.failed = true; panic(r) }

// check checks a text.
func (r *recorder) check(check func(testing.TB, string), text string) {
	defer func() {
		if e := recover(); e != nil && e != any(r) {
			panic(e)
		}
	}()
	check(r, text)
}

// What is wrong in one place is found.
func TestTheChecksCanFail(t *testing.T) {
	in := reporttest.Cases()["small"]
	var b [5]strings.Builder
	for i, err := range []error{stix.Write(&b[0], in), misp.Write(&b[1], in), ocsf.Write(&b[2], in), veris.Write(&b[3], in), cacao.Write(&b[4], in)} {
		if err != nil {
			t.Fatal(i, err)
		}
	}
	f := func(check func(testing.TB, string), text, old, new string) {
		t.Helper()
		if !strings.Contains(text, old) {
			t.Fatalf("%q is not in it", old)
		}
		r := &recorder{TB: t}
		r.check(check, strings.Replace(text, old, new, 1))
		if !r.failed {
			t.Errorf("%q for %q is not found", new, old)
		}
	}
	for _, x := range [][2]string{
		{`"spec_version":"2.1","id":"identity`, `"spec_version":"2.0","id":"identity`}, {`"created":"2021-03-09T00:00:00.000Z"`, `"created":"2021-03-09T00:00:00Z"`},
		{`"modified":"2021-03-09T00:00:00.000Z"`, `"modified":"2021-03-08T00:00:00.000Z"`}, {`"last_observed":"2021-03-0`, `"last_observed":"2020-03-0`},
		{`= '203.0.113.9'`, `= '203.0.113.9''`}, {`it\\'s.aspx`, `it's.aspx`}, {`"lang":"en"`, `"lang":"english language"`}, {`"fr":{`, `"en":{`}, {`"value":"203.0.113.9"`, `"value":"203.0.113.8"`},
		{`"external_id":"CVE-2021-26855"`, `"external_id":"26855"`}, {`"relationship_type":"related-to"`, `"relationship_type":"Related to"`},
		{`"created_by_ref":"identity--d3`, `"created_by_ref":"identity--d4`}, {`"name":"Web Shell"`, `"name":""`}, {`"name":"Web Shell"`, "\"name\":\"Web\u202eShell\""},
	} {
		f(reporttest.CheckSTIX, b[0].String(), x[0], x[1])
	}
	for _, x := range [][2]string{{`"ip-src"`, `"ip"`}, {`"category": "Network activity"`, `"category": "Other"`}, {`"timestamp": "1615248000"`, `"timestamp": 1615248000`}, {`"tlp:amber"`, `"amber"`}, {`"published": false`, `"published": true`}, {`"value": "203.0.113.9"`, `"value": " "`}} {
		f(reporttest.CheckMISP, b[1].String(), x[0], x[1])
	}
	checkOCSF := func(tb testing.TB, text string) { reporttest.CheckOCSF(tb, text) }
	for _, x := range [][2]string{{`"type_uid":200501`, `"type_uid":200401`}, {`"assignee_group":{"name":"unassigned"},`, ``}, {`"time":1614754186000`, `"time":"2021"`}, {`"status_id":1`, `"status_id":6`}, {`"tlp:amber"`, `"x"`}, {`"severity_id":5`, `"severity_id":7`}} {
		f(checkOCSF, b[2].String(), x[0], x[1])
	}
	f(reporttest.CheckVERIS, b[3].String(), `"data_disclosure": "Yes"`, `"data_disclosure": "yes"`)
	for _, x := range [][2]string{{`"type": "manual"`, `"type": "bash"`}, {`"on_completion": "action--`, `"on_completion": "end--`}, {`"TLP:AMBER"`, `"AMBER"`}, {`"workflow_start": "start--`, `"workflow_start": "action--`}} {
		f(reporttest.CheckCACAO, b[4].String(), x[0], x[1])
	}
}
