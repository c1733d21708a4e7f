package html

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"html"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/lang"
	"github.com/barid-dfir/barid/internal/report/input"
	"github.com/google/go-cmp/cmp"
)

func render(t testing.TB, c *casefile.Case) string {
	t.Helper()
	return renderIn(t, c, lang.English)
}

func renderIn(t testing.TB, c *casefile.Case, tag string) string {
	t.Helper()
	var b bytes.Buffer
	in := input.Of(c, fromSteps(c))
	in.Lang = language(t, tag).l
	if err := Write(&b, in); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var plainElements = regexp.MustCompile(`(?s)<(title|desc|text)[^>]*>.*?</(title|desc|text)>`)

// hidden returns a character on the page that does not show, or 0. Where no element can isolate a value, in the labels and titles of shapes,
// characters do.
func hidden(t testing.TB, page string) rune {
	t.Helper()
	page = plainElements.ReplaceAllStringFunc(page, func(s string) string {
		open := 0
		return strings.Map(func(r rune) rune {
			switch r {
			case '\u2066', '\u2068':
				open++
				return -1
			case '\u2069':
				if open--; open >= 0 {
					return -1
				}
			}
			return r
		}, s) + strings.Repeat("\u2066", open)
	})
	for _, r := range page {
		if event.Hidden(r) && r != '\n' && r != '\t' {
			return r
		}
	}
	return 0
}

// evil are texts that must do nothing on a page.
var evil = []string{
	`<script>alert(1)</script>`,
	"invoice\u202efdp.exe \u2066x\u2069 \u200b\ufeff\U000e0041",
	`"><img src=x onerror=alert(1)>`,
	`javascript:alert(1)`,
	"\x00\x1b[31m\x7f\xff\xfe",
	`{{.Style}} </style></title></svg><!--`,
	strings.Repeat("A", 10_000),
	strings.Repeat("\u0301", 500),
	"محمد@example.org",
	"line\r\nline\ttab\u2028sep",
}

// harm sets every text of a case, keeping levels and hashes as they are half of the time.
func harm(c *casefile.Case, text func(i int) string) {
	i := 0
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Pointer:
			if !v.IsNil() {
				walk(v.Elem())
			}
		case reflect.Struct:
			if v.Type() == reflect.TypeFor[time.Time]() {
				return
			}
			for j := range v.NumField() {
				walk(v.Field(j))
			}
		case reflect.Slice:
			if v.Type() == reflect.TypeFor[json.RawMessage]() {
				return
			}
			for j := range v.Len() {
				walk(v.Index(j))
			}
		case reflect.String:
			v.SetString(text(i))
			i++
		}
	}
	walk(reflect.ValueOf(c))
}

func full() *casefile.Case {
	c := judged()
	c.Reached = slices.DeleteFunc(c.Reached, func(r casefile.Reached) bool { return len(r.Why) == 0 })
	for i := range c.Reached { // each for a reason of its own, so that none are told together
		c.Reached[i].Why[0].Text += " " + strconv.Itoa(i)
	}
	return c
}

func TestNoTextActsOnThePage(t *testing.T) {
	plain := full()
	harm(plain, func(i int) string { return "text " + strconv.Itoa(i) })
	clean := render(t, plain)
	for k := range 3 * len(evil) {
		tag := lang.Tags()[k/len(evil)]
		c := full()
		harm(c, func(i int) string { return evil[(i+k)%len(evil)] })
		page := renderIn(t, c, tag)
		if r := hidden(t, page); r != 0 {
			t.Fatalf("%s %d: %U stands on the page as it is", tag, k, r)
		}
		for _, bad := range []string{"<script", "<img", "javascript:alert(1)\"", "ZgotmplZ"} {
			if strings.Contains(page, bad) {
				t.Errorf("%d: %s on the page", k, bad)
			}
		}
		// Whatever texts say, the page has the elements of the page.
		elements := regexp.MustCompile(`<[a-z][a-z0-9]*`)
		if a, b := len(elements.FindAllString(clean, -1)), len(elements.FindAllString(page, -1)); tag == lang.English && b > a {
			t.Errorf("%d: %d elements became %d", k, a, b)
		}
	}
}

func TestNothingIsLoadedAndOnlyTheOwnStyleIsAllowed(t *testing.T) {
	page := render(t, full())
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(page)
	if style == nil {
		t.Fatal("no style")
	}
	sum := sha256.Sum256([]byte(style[1]))
	want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
	policy := regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(page)
	if policy == nil || html.UnescapeString(policy[1]) != want {
		t.Errorf("policy %v, want %s", policy, want)
	}
	for _, bad := range []string{" style=", "<script", " src=", "<link", "url(", "@import", "<iframe", " on"} {
		if i := strings.Index(strings.ReplaceAll(page, " on ", " "), bad); i >= 0 && bad != " on" {
			t.Errorf("%q on the page", bad)
		}
	}
	for _, m := range regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if !strings.HasPrefix(m[1], "#") && !strings.HasPrefix(m[1], "https://attack.mitre.org/techniques/T") {
			t.Errorf("link to %s", m[1])
		}
	}
}

func TestLinksInThePageLeadSomewhereAndIDsAreUnique(t *testing.T) {
	for _, c := range []*casefile.Case{full(), nothingFound(), many(300)} {
		page := render(t, c)
		ids := map[string]bool{}
		for _, m := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(page, -1) {
			if ids[m[1]] {
				t.Errorf("id %s twice", m[1])
			}
			ids[m[1]] = true
		}
		for _, m := range regexp.MustCompile(`href="#([^"]*)"`).FindAllStringSubmatch(page, -1) {
			if !ids[m[1]] {
				t.Errorf("#%s leads nowhere", m[1])
			}
		}
	}
}

func TestFirstScreen(t *testing.T) {
	f := func(c *casefile.Case, want ...string) {
		t.Helper()
		page := html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(render(t, c), ""))
		for _, w := range want {
			if !strings.Contains(page, w) {
				t.Errorf("the page does not say: %s", w)
			}
		}
	}
	f(proxyLogon(), "4 incidents, 1 of them critical. 1 is still active",
		"Yes: 1 incident was still going on when the logs that show it end.",
		"1 source is of a kind that was not recognised. 1 source was read in part or not at all. 3 lines, records or chunks are missing from this report.",
		"3,844 rules were applied. 2 rules could not be used.", "line 88,121: no #Fields above it", "modifier “fuzzy” is not known",
		"so there is no verdict on any. That is not proof that none was reached.", "barid judge CASE --facts facts.yaml", "Nothing is known of your duties to notify.")
	f(nothingFound(), "No finding at or above the level low in 263,532 events from 5 sources.", "That is not proof of absence: it means that 3,844 rules were applied to what was read, and nothing more. 2 rules could not be used",
		"Read: exchange.httpproxy.ecp, iis.w3c, syslog and windows.evtx.", "Not read: 1 source is of a kind")
	f(&casefile.Case{}, "No finding in 0 events from 0 sources.", "No event was read at all. Nothing can be concluded from this report.", "No evidence was given.")
	f(many(5000), "4,976 more are not drawn", "3,940 more incidents are not shown here")
}

func TestFindingsThatCannotBeReadAreSaid(t *testing.T) {
	var b strings.Builder
	err := Write(&b, input.Of(proxyLogon(), func(yield func(*casefile.Finding, error) bool) {
		yield(nil, errors.New("findings.jsonl, line 7: cut short"))
	}))
	if err != nil || !strings.Contains(b.String(), "this table is not complete: <bdi>findings.jsonl, line 7: cut short</bdi>") {
		t.Errorf("%v", err)
	}
}

func TestPageStaysSmall(t *testing.T) {
	c := many(5000)
	long := strings.Repeat("<&\u202e", 20_000)
	harm(c, func(int) string { return long })
	for i := range c.Incidents {
		c.Incidents[i].Severity = "high"
	}
	n := len(render(t, c))
	t.Logf("%d bytes for 5,000 incidents with texts without bound", n)
	if n > 10<<20 {
		t.Errorf("%d bytes", n)
	}
	if n := len(render(t, many(5000))); n > 2<<20 {
		t.Errorf("%d bytes for 5,000 plain incidents", n)
	}
}

func TestSameCaseSamePage(t *testing.T) {
	one, two := render(t, many(200)), render(t, many(200))
	if one != two {
		t.Error("two pages of one case differ")
	}
}

var update = flag.Bool("update", os.Getenv("UPDATE_GOLDEN") != "", "write testdata/golden.html")

// TestGolden compares the page of a small case, without its style sheet.
func TestGolden(t *testing.T) {
	c := full()
	c.Incidents = c.Incidents[1:2]
	page := regexp.MustCompile(`(?s)<style>.*</style>`).ReplaceAllString(render(t, c), "<style></style>")
	page = regexp.MustCompile(`sha256-[A-Za-z0-9/&#;]*=`).ReplaceAllString(page, "sha256-…")
	name := filepath.Join("testdata", "golden.html")
	if *update {
		if err := os.WriteFile(name, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(page, "\n")); diff != "" {
		t.Error("run with UPDATE_GOLDEN=1 if this is meant:", diff)
	}
}

func FuzzPage(f *testing.F) {
	for _, s := range evil {
		f.Add(s, int64(1614753600), int64(3600))
	}
	f.Add("", int64(-9e9), int64(9e9))
	f.Fuzz(func(t *testing.T, text string, first, length int64) {
		if first < -9e9 || first > 9e9 || length < -9e9 || length > 9e9 {
			t.Skip("no time that a log can have")
		}
		c := full()
		harm(c, func(int) string { return text })
		c.Incidents[0].First, c.Incidents[0].Last = time.Unix(first, 0), time.Unix(first+length, 0)
		c.Incidents[0].Steps[0].First, c.Incidents[0].Steps[0].Last = time.Unix(first, 0), time.Unix(first+length/2, 0)
		page := render(t, c)
		if r := hidden(t, page); r != 0 {
			t.Fatalf("%U on the page", r)
		}
		if strings.Contains(page, "NaN") && !strings.Contains(text, "NaN") || strings.Contains(page, "Inf") && !strings.Contains(text, "Inf") {
			t.Fatal("a coordinate is no number")
		}
	})
}

func BenchmarkPage(b *testing.B) {
	c := many(1000)
	n := len(render(b, c))
	b.SetBytes(int64(n))
	for b.Loop() {
		render(b, c)
	}
}

func TestWhatWasReachedIsTold(t *testing.T) {
	page := html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(render(t, judged()), ""))
	for _, w := range []string{
		"Content that was accessed: 2 mailboxes, 30 messages and 1 file. Content that may have been accessed: 1 mailbox, 60 messages and 1 file.", "Of 12 the metadata may have been", "at least 1,241 messages and at most 5,000 messages",
		"at least 1 message; no upper bound is known", "at most 812 messages", "Not shown here: 5 confirmed and 60 possible", "410 mailboxes", "and 210 more",
		"ual.csv line 1,200, byte 373,200", "61 verdicts", "1 rule below is what practitioners know and nobody verified", "R. Haddad, IT", "session S0 is owner",
		"facts: attacker: accounts: bo@example.org is named by no evidence", "EX1 · exchange.httpproxy.owa, files of the log are missing: 2021-03-03 13:00:00 – 15:00:00",
		"may have been held since 2021-02-26", "owa ruled out: covered by iis.w3c of EX1",
	} {
		if !strings.Contains(page, w) {
			t.Errorf("the page does not say: %s", w)
		}
	}
}

// A case of many verdicts and many gaps makes a page that opens, and counts what it leaves out.
func TestManyVerdictsAreCut(t *testing.T) {
	c := judged()
	long := strings.Repeat("x", 3000)
	for i := range 20_000 {
		in := "box" + strconv.Itoa(i%1000)
		c.Reached = append(c.Reached, casefile.Reached{Object: casefile.Object{Kind: "message", ID: strconv.Itoa(i) + long, In: in, Name: long}, Verdict: casefile.Possible, Exposure: "content",
			Why: []casefile.Reason{{Rule: "BIND", Text: long, Evidence: proof(long, "2021-03-04 09:00:00", 3)}}, Settle: strconv.Itoa(i)})
		c.Reached = append(c.Reached, casefile.Reached{Object: casefile.Object{Kind: "file", ID: strconv.Itoa(i) + long}, Verdict: casefile.Confirmed, Exposure: "partial"})
	}
	for i := range 100_000 {
		from := at("2021-03-01 00:00:00").Add(time.Duration(i) * 5 * time.Second)
		to := from.Add(time.Second)
		c.Coverage[0].Gaps = append(c.Coverage[0].Gaps, casefile.Gap{From: &from, To: &to, Reason: "silence"})
	}
	page := render(t, c)
	if len(page) > 4<<20 {
		t.Errorf("%d bytes", len(page))
	}
	for _, w := range []string{"more mailboxes are not shown here", "more are not shown here", "reached.csv"} {
		if !strings.Contains(page, w) {
			t.Errorf("the page does not say: %s", w)
		}
	}
}

func TestWhatIsOwedIsToldEarliestFirst(t *testing.T) {
	page := html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(render(t, judged()), ""))
	rest := page
	for _, w := range []string{
		"2021-03-10 11:30 UTC (2021-03-10 12:30 +01:00 local time)", "DORA: initial notification · ACPR", "without undue delay", "persons concerned", "early warning", "disclosure.incident.aware", "DORA: intermediate report",
		"Tell the authority before the limit passes.", "4 hours after classification as major", "A sentence of a later version.", "not checked against the official text", "1 duty", "Classified by R. Haddad, 2021-03-10 07:30:00: major incident.", "a web shell on the mail server",
		"Critical services affected", "Economic impact", "disclosure.impact.costs",
	} {
		i := strings.Index(rest, w)
		if i < 0 {
			t.Errorf("the page does not say, or not here: %s", w)
			continue
		}
		rest = rest[i:]
	}
	if page := render(t, nothingFound()); !strings.Contains(page, `under <bdi dir="ltr">disclosure</bdi>`) {
		t.Error("a page without duties does not say what to give")
	}
}

// Logs write a name in several ways: it is one.
func TestNamesOfOneAccount(t *testing.T) {
	s := newSet()
	s.add([]string{"Ana@example.org", "bo"})
	s.add([]string{"ana@example.org", "BO", "eve"})
	if want := []string{"Ana@example.org", "bo", "eve"}; !slices.Equal(s.list, want) {
		t.Errorf("%v, want %v", s.list, want)
	}
}

// A log without a byte is no log of an unknown kind, and not passed over.
func TestEmptySources(t *testing.T) {
	c := nothingFound()
	c.Sources = append(c.Sources, casefile.Source{Path: "mx1/empty.log", SHA256: strings.Repeat("e3", 32), Notes: []string{"it is empty"}})
	page := render(t, c)
	for _, w := range []string{"1 source is empty.", "it is empty</bdi>", `data-name="Kind">empty</td>`} {
		if !strings.Contains(page, w) {
			t.Errorf("the page does not say %q", w)
		}
	}
}
