package judge

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

// shown is invented coverage: what is not said to be a hole is covered.
type shown struct {
	ways            []string // into mailboxes; nil for imap
	files           []string
	missing, coarse []hole // of presence, and of detail
	unassessed      bool
	unlogged        bool // processes
}

func (c *shown) answer(list []hole, from, to int64) answer {
	a := answer{assessed: !c.unassessed, by: []string{"a log"}}
	for _, h := range list {
		if h.from <= to && h.to >= from {
			h.from, h.to = max(h.from, from), min(h.to, to)
			a.holes = append(a.holes, h)
		}
	}
	return a
}
func (c *shown) presence(_, _ string, from, to int64) answer { return c.answer(c.missing, from, to) }
func (c *shown) presenceAt(_, _, _ string, from, to int64) answer {
	return c.answer(c.missing, from, to)
}
func (c *shown) detail(_, _ string, from, to int64) answer { return c.answer(c.coarse, from, to) }
func (c *shown) processes(_ string, _, _ int64) answer     { return answer{assessed: !c.unlogged} }
func (c *shown) channels(kind, _ string) []string {
	if kind == "file" {
		return c.files
	}
	if c.ways == nil {
		return []string{"imap"}
	}
	return c.ways
}

// gapIn is a hole.
func gapIn(reason, from, to string) hole {
	return hole{from: clockOf(from), to: clockOf(to), reason: reason, certain: true}
}

// reach decides the scene: whose says whose a context is and which session, "" for one that nobody cares about.
func (s *scene) reach(t testing.TB, cover shows, powers []capability, whose func(*tally.Context) (string, attribution), open ...string) *Judgement {
	t.Helper()
	in := s.input()
	who, err := newPeople(in)
	if err != nil {
		t.Fatal(err)
	}
	byID := make(map[string]int)
	var all []session
	of := make(map[int]int)
	contexts := in.Store.Contexts()
	for i := range contexts {
		id, a := whose(&contexts[i])
		if id == "" {
			continue
		}
		n, ok := byID[id]
		if !ok {
			n = len(all)
			byID[id] = n
			all = append(all, session{Session: casefile.Session{ID: id, Channels: []string{contexts[i].Channel}}, attribution: a, principal: who.key(contexts[i].Account), from: never, to: always, open: slices.Contains(open, id)})
		}
		of[i] = n
		for v, visit := range in.Store.Visits(i) {
			all[n].parts = append(all[n].parts, part{i, v, visit.From, visit.To})
			all[n].from, all[n].to = min(all[n].from, visit.From), max(all[n].to, visit.To)
		}
	}
	j := &Judgement{}
	r := &reacher{in: in, who: who, cover: cover, sessions: all, powers: powers, j: j, whose: func(c int, _ int64) *session {
		if n, ok := of[c]; ok {
			return &all[n]
		}
		return nil
	}}
	if err := r.run(); err != nil {
		t.Fatal(err)
	}
	check(t, j)
	return j
}

// byIP attributes by address: 203.0.113.0/24 is the attacker's, 203.0.113.66 suspected, everything else the owner's.
func byIP(c *tally.Context) (string, attribution) {
	id := c.Session
	if c.Account == "" && !strings.HasPrefix(c.IP, "203.0.113.") {
		return "", unattributed
	}
	if id == "" {
		id = c.Account + "|" + c.IP
	}
	switch {
	case c.IP == "203.0.113.66":
		return id, suspected
	case strings.HasPrefix(c.IP, "203.0.113."):
		return id, ofAttacker
	}
	return id, ofOwner
}

// held is a password of the account, known for all of the window until evicted.
func held(account, until string) capability {
	return capability{power: logs.Password, principal: account, earliest: clockOf("03-01 00:00"), from: clockOf("03-01 00:00"), to: clockOf(until), certain: true,
		reach: []scope{{kind: "mailbox", in: account}, {kind: "file"}}, rule: logs.SignedIn}
}

// check holds every judgement against what must always be so.
func check(t testing.TB, j *Judgement) {
	t.Helper()
	rank := map[string]int{casefile.RuledOut: 0, casefile.Possible: 1, casefile.Confirmed: 2}
	for i := range j.Reached {
		e := &j.Reached[i]
		name := e.Object.Kind + " " + e.Object.ID
		if e.Upper >= 0 && e.Lower > e.Upper {
			t.Errorf("%s: at least %d, at most %d", name, e.Lower, e.Upper)
		}
		if rank[e.Levels.Content] > rank[e.Levels.Partial] || rank[e.Levels.Partial] > rank[e.Levels.Metadata] {
			t.Errorf("%s: levels %+v", name, e.Levels)
		}
		if (e.Verdict == casefile.RuledOut) != (e.Exposure == "none") {
			t.Errorf("%s: %s %s", name, e.Verdict, e.Exposure)
		}
		if len(e.Why) == 0 {
			t.Errorf("%s: no reason", name)
		}
		for _, y := range e.Why {
			if y.Text == "" || y.Evidence == nil {
				t.Errorf("%s: %+v", name, y)
			}
		}
		content := max(rank[e.Levels.Content], rank[e.Levels.Partial])
		if content == 0 && (e.Lower != 0 || e.Upper != 0) || content == 1 && e.Lower != 0 {
			t.Errorf("%s: %+v, at least %d, at most %d", name, e.Levels, e.Lower, e.Upper)
		}
	}
}

// verdictOf returns an entry in short: "possible content [0,5] RULE RULE".
func verdictOf(j *Judgement, kind, id string) string {
	for i := range j.Reached {
		e := &j.Reached[i]
		if e.Object.Kind == kind && strings.Trim(e.Object.ID, "<>") == strings.Trim(id, "<>") {
			s := fmt.Sprintf("%s %s [%d,%d]", e.Verdict, e.Exposure, e.Lower, e.Upper)
			for _, y := range e.Why {
				s += " " + y.Rule
			}
			return s
		}
	}
	return "nothing"
}

// mail is a list of messages in one mailbox, in folder F unless said otherwise: "id size [folder [received [removed]]]".
func mail(box string, lines ...string) *Inventory {
	inv := &Inventory{}
	for _, l := range lines {
		f := append(strings.Split(l, "|"), "", "", "", "")
		m := Message{Mailbox: box, ID: f[0], Size: -1, FolderID: "F", Received: clockOf("02-01 00:00"), Removed: clockOf(f[4])}
		if f[1] != "" {
			fmt.Sscan(f[1], &m.Size)
		}
		if f[2] != "" {
			m.FolderID = f[2]
		}
		switch f[3] {
		case "":
		case "?":
			m.Received = clockOf("")
		default:
			m.Received = clockOf(f[3])
		}
		inv.Messages = append(inv.Messages, m)
	}
	return inv
}

const box1 = "ana@example.org"

func TestMessagesAreJudged(t *testing.T) {
	attacker := "203.0.113.9"
	f := func(name string, s *scene, cover *shown, want map[string]string, open ...string) {
		t.Helper()
		j := s.reach(t, cover, []capability{held(box1, "03-20 00:00")}, byIP, open...)
		for id, w := range want {
			kind := "message"
			if id == box1 {
				kind = "mailbox"
			}
			if got := verdictOf(j, kind, id); !strings.HasPrefix(got, w) {
				t.Errorf("%s: %s is %s, want %s", name, id, got, w)
			}
		}
	}

	s := &scene{inventory: mail(box1, "<m1@x>", "<M2@x>", "<m3@x>")}
	s.bind("08:05", box1, attacker, []string{"<m1@x>", "m2@X"}, bySession("S1"))
	s.bind("08:06", box1, "198.51.100.7", []string{"<m3@x>"}, bySession("S0"))
	f("Bind names messages", s, &shown{ways: []string{"m365"}}, map[string]string{
		"<m1@x>": "confirmed content [1,1] BIND", "<M2@x>": "confirmed content", "<m3@x>": "ruled_out none [0,0] OWNER_ONLY", box1: "confirmed content [2,2] BIND"})

	s = &scene{inventory: mail(box1, "<m1@x>", "<m2@x>", "<m3@x>")}
	s.bind("08:05", box1, "203.0.113.66", []string{"<m1@x>"}, bySession("S5"))
	f("A suspected session makes it possible", s, &shown{ways: []string{"m365"}}, map[string]string{
		"<m1@x>": "possible content [0,1] ATTRIBUTION", "<m2@x>": "ruled_out", box1: "possible content [0,1] ATTRIBUTION"})

	sync := func(s *scene, at string) {
		s.see(logs.Access, at, box1, attacker, over("m365"), from("", "m365.ual"), of("folder", "F"), inside(box1), exposing(logs.Content), bySession("S2"), func(x *sighting) { x.o.Inference = logs.SyncFolder })
	}
	s = &scene{inventory: mail(box1, "<in@x>", "<late@x>|||03-10 10:00", "<gone@x>|||03-01 00:00|03-10 08:00", "<when@x>|||?", "<other@x>||G", "<after@x>||G|03-25 00:00")}
	sync(s, "09:00")
	f("Sync takes what was in the folder then", s, &shown{ways: []string{"m365"}}, map[string]string{
		"<in@x>": "confirmed content [1,1] SYNC_FOLDER", "<late@x>": "possible content [0,1] SYNC_MAILBOX", "<gone@x>": "ruled_out", "<when@x>": "possible content",
		"<other@x>": "possible content [0,1] SYNC_MAILBOX", "<after@x>": "ruled_out", box1: "confirmed content [1,4] SYNC_FOLDER"})

	fetched := func(s *scene, at, id string, bodies, bytes int64) {
		s.login(at, box1, attacker, bySession(id))
		if bytes >= 0 {
			rule := logs.MailFetched
			if bodies == 0 {
				rule = logs.MailNotFetched
			}
			x := logs.Content
			if bodies == 0 {
				x = logs.NoExposure
			}
			s.access(rule, at+":30", box1, attacker, bySession(id), amount(bodies, bytes), exposing(x))
		}
	}
	s = &scene{inventory: mail(box1, "<a@x>|1000", "<b@x>|2000", "<big@x>|50000", "<c@x>|100", "<d@x>")}
	fetched(s, "08:00", "AAA", 2, 3000)
	f("Bodies are counted, and bound what was read", s, &shown{}, map[string]string{
		"<a@x>": "possible content [0,1] COARSE", "<big@x>": "possible partial [0,1] COARSE", "<d@x>": "possible content", box1: "confirmed content [1,2] MAIL_FETCHED"})
	fetched(s, "09:00", "CCC", 0, -1)
	f("A session without an end has no bound", s, &shown{}, map[string]string{
		"<big@x>": "possible content [0,1] OPEN_SESSION", box1: "confirmed content [1,5] MAIL_FETCHED OPEN_SESSION"}, "CCC")

	s = &scene{inventory: mail(box1, "<a@x>|1000", "<b@x>|2000")}
	fetched(s, "08:00", "AAA", 0, 0)
	f("No body was fetched", s, &shown{}, map[string]string{box1: "ruled_out none [0,0] COVERED"})
	f("The log has a hole", s, &shown{missing: []hole{gapIn("missing_file", "10:00", "11:00")}}, map[string]string{
		"<a@x>": "possible content [0,1] NO_PRESENCE", box1: "possible content [0,2] NO_PRESENCE"})
	f("There is no log", s, &shown{unassessed: true}, map[string]string{"<a@x>": "possible content [0,1] NOT_ASSESSED"})
	f("What was read is not logged while he was there", s, &shown{coarse: []hole{gapIn("lost", "07:00", "08:30")}}, map[string]string{"<a@x>": "possible content [0,1] NO_DETAIL"})
	f("What was read is not logged while he was away", s, &shown{coarse: []hole{gapIn("lost", "10:00", "11:00")}}, map[string]string{box1: "ruled_out"})

	s = &scene{inventory: mail(box1, "<a@x>", "<b@x>")}
	s.bind("08:05", box1, attacker, []string{"<a@x>"}, bySession("S1"))
	f("He may have stayed by a token", s, &shown{ways: []string{"m365"}, coarse: []hole{gapIn("throttled", "10:00", "11:00")}}, map[string]string{
		"<a@x>": "confirmed content [1,1] BIND THROTTLED", "<b@x>": "possible content [0,1] THROTTLED", box1: "confirmed content [1,2]"})

	s = &scene{inventory: mail(box1, "<a@x>", "<b@x>")}
	s.access(logs.MessageShown, "08:00", box1, attacker, of("message", "INBOX/7"), inside(box1))
	f("The log names it by a number", s, &shown{}, map[string]string{
		"<a@x>": "possible content [0,1] OTHER_NAME", "INBOX/7": "confirmed content [1,1] MESSAGE_SHOWN", box1: "confirmed content [1,2]"})
}

func TestFilesAreJudged(t *testing.T) {
	const ip = "203.0.113.9"
	file := func(s *scene, rule, at, path string, bytes int64, x logs.Exposure, more ...with) {
		s.see(logs.Access, at, "ana", ip, append([]with{from("web1", "web.access"), over("web"), inside("cloud.example.org"), of("file", path), amount(-1, bytes), exposing(x),
			func(y *sighting) { y.o.Inference = rule }}, more...)...)
	}
	stored := func(path string, size int64) StoredFile {
		return StoredFile{Path: path, Size: size, From: clockOf(""), To: clockOf("")}
	}
	s := &scene{inventory: &Inventory{Files: []StoredFile{stored("/Board/minutes.pdf", 1000), stored("/Board/salaries.xlsx", 1000), stored("/Board/plan.docx", 900), stored("/Board/legal.zip", 700),
		stored("/Board/quiet.pdf", 50), stored("/Other/notes.csv", 1000), stored("/Archive/a/twin.pdf", 10), stored("/Archive/b/twin.pdf", 10),
		{Path: "/Board/old.doc", Size: 100, From: clockOf("02-01 00:00"), To: clockOf("03-09 00:00")}, {Path: "/Board/old.doc", Size: 300, From: clockOf("03-09 00:00"), To: clockOf("")}}}}
	file(s, logs.FileListed, "10:00", "/remote/ana/Board/", 4000, logs.Metadata, of("folder", "/remote/ana/Board/"))
	file(s, logs.HTTPBody, "10:01", "/remote/ana/Board/minutes.pdf", 1000, logs.Content)
	file(s, logs.HTTPRange, "10:02", "/remote/ana/Board/salaries.xlsx", 480, logs.Partial)
	file(s, logs.HTTPRange, "10:03", "/remote/ana/Board/salaries.xlsx", 520, logs.Partial)
	file(s, logs.HTTPBody, "10:04", "/remote/ana/Board/plan.docx", 300, logs.Content)
	file(s, logs.HTTPNotModified, "10:05", "/remote/ana/Board/legal.zip", 0, logs.Content, unsaid())
	file(s, logs.HTTPBody, "10:06", "/remote/ana/Other/notes.csv", 200, logs.Content)
	file(s, logs.HTTPBody, "10:07", "/remote/ana/twin.pdf", 10, logs.Content)
	file(s, logs.HTTPBody, "10:08", "/remote/ana/Board/old.doc", 300, logs.Content)
	j := s.reach(t, &shown{files: []string{"web"}}, []capability{held("ana", "03-20 00:00")}, byIP)
	f := func(path, want string) {
		t.Helper()
		if got := verdictOf(j, "file", path); !strings.HasPrefix(got, want) {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
	f("/Board/minutes.pdf", "confirmed content [1,1] FILE_LISTED HTTP_BODY")
	f("/Board/salaries.xlsx", "confirmed content [1,1] FILE_LISTED HTTP_RANGE")
	f("/Board/plan.docx", "confirmed partial [1,1]")
	f("/Board/legal.zip", "possible content [0,1] FILE_LISTED HTTP_NOT_MODIFIED")
	f("/Board/quiet.pdf", "confirmed metadata [0,0] FILE_LISTED COVERED")
	f("/Other/notes.csv", "confirmed partial [1,1] HTTP_BODY")
	f("/Archive/a/twin.pdf", "possible content [0,1] COARSE")
	f("/remote/ana/twin.pdf", "confirmed partial")
	f("/Board/old.doc", "ruled_out none [0,0] COVERED") // the version that was replaced before
	if got := verdictOf(j, "folder", "/remote/ana/Board/"); got != "confirmed content [4,5] FILE_LISTED" {
		t.Errorf("the folder is %s", got)
	}
	if n := j.Counts["file"]; n.Confirmed != 6 || n.Possible != 3 {
		t.Errorf("files: %+v", n)
	}
}

func TestHostsAreJudged(t *testing.T) {
	attack := func(s *scene, rule, at string, x logs.Exposure, more ...with) {
		s.see(logs.Access, at, "", "203.0.113.21", append([]with{from("EX1", "exchange.httpproxy.ecp"), over("ecp"), of("host", "EX1"), exposing(x),
			func(y *sighting) { y.o.Inference = rule }}, more...)...)
	}
	scene1 := func() *scene {
		s := &scene{inventory: &Inventory{Mailboxes: []Mailbox{{Name: "a@example.org", Server: "EX1"}, {Name: "b@example.org", Server: "EX2"}}}}
		attack(s, logs.ProxyLogonSession, "06:49", logs.NoExposure)
		s.capability(logs.ShellWritten, logs.HostPower, "06:59", "", "203.0.113.21", from("EX1", "exchange.httpproxy.ecp"), over("ecp"), of("host", "EX1"))
		attack(s, logs.ProxyLogonMailbox, "07:10", logs.Content)
		s.see(logs.Access, "07:10", `CORP\EX1$`, "", from("EX1", "exchange.ews"), over("ews"), of("mailbox", ""), exposing(logs.Metadata), func(y *sighting) { y.o.Inference = logs.MailboxListed })
		return s
	}
	power := capability{power: logs.HostPower, principal: "ex1", earliest: clockOf("06:59"), from: clockOf("06:59"), to: clockOf("03-12 00:00"), certain: true, reach: []scope{{kind: "host", in: "EX1"}}, rule: logs.ShellWritten}
	visit := func(s *scene, rule string) {
		s.see(logs.Access, "03-11 03:06", "", "198.51.100.4", from("EX1", "iis.exchange"), over("web"), of("file", "/owa/auth/x.aspx"), inside("EX1"), exposing(logs.NoExposure), func(y *sighting) { y.o.Inference = rule })
	}
	f := func(s *scene, cover *shown, kind, id, want string) *Judgement {
		t.Helper()
		j := s.reach(t, cover, []capability{power}, byIP)
		if got := verdictOf(j, kind, id); !strings.HasPrefix(got, want) {
			t.Errorf("%s %s is %s, want %s", kind, id, got, want)
		}
		return j
	}
	ways := []string{"ews", "owa"}
	s := scene1()
	visit(s, logs.ShellVisited)
	f(s, &shown{ways: ways, unlogged: true}, "file", "/owa/auth/x.aspx", "ruled_out none [0,0] SHELL_NOT_USED")
	f(s, &shown{ways: ways, unlogged: true, missing: []hole{gapIn("missing_file", "12:00", "13:00")}}, "file", "/owa/auth/x.aspx", "possible content [0,1] SHELL_VISITED")
	f(s, &shown{ways: ways, unlogged: true}, "host", "ex1", "confirmed partial [1,1] SHELL_WRITTEN")
	j := f(s, &shown{ways: ways, unlogged: true}, "mailbox", "a@example.org", "possible content [0,-1] HOST_CAPABILITY SERVER_REQUEST")
	for _, c := range j.Reached[0].Channels {
		if c.Channel == "ews" && (c.Content != casefile.RuledOut || c.Metadata != casefile.Possible) {
			t.Errorf("through EWS: %+v", c)
		}
	}
	f(s, &shown{ways: ways, unlogged: true, coarse: []hole{gapIn("lost", "07:00", "08:00")}}, "mailbox", "a@example.org", "possible content [0,-1] HOST_CAPABILITY SERVER_REQUEST")
	f(s, &shown{ways: ways, unlogged: true}, "mailbox", "b@example.org", "ruled_out none [0,0] NOT_IN_SCOPE")
	f(s, &shown{ways: ways}, "mailbox", "a@example.org", "possible metadata [0,0] SERVER_REQUEST COVERED")
	s = scene1()
	visit(s, logs.ShellUsed)
	f(s, &shown{ways: ways}, "file", "/owa/auth/x.aspx", "confirmed content [1,1] SHELL_USED")
	f(s, &shown{ways: ways}, "host", "ex1", "confirmed content [1,1] SHELL_USED")
	f(s, &shown{ways: ways}, "mailbox", "a@example.org", "possible content [0,-1] HOST_CAPABILITY")
}
