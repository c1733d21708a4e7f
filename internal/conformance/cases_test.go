package conformance_test

import (
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/detect"
)

// incidentOf returns the first incident that an address or account acts in.
func incidentOf(c *casefile.Case, actor string) *casefile.Incident {
	for i := range c.Incidents {
		if slices.Contains(c.Incidents[i].Actors, actor) {
			return &c.Incidents[i]
		}
	}
	return nil
}

// steps returns the titles of the rules of an incident.
func steps(in *casefile.Incident) []string {
	var out []string
	for _, s := range in.Steps {
		out = append(out, s.Rule.Title)
	}
	return out
}

// TestProxyLogonOf2021 knows how the attack went: 130.255.189.21 planted a web shell, and two scanners came later and only
// looked whether it was there.
func TestProxyLogonOf2021(t *testing.T) {
	dir := evidence(t, "exchange", "proxylogon-2021-03-real")
	c := assess(t, own(t), dir)
	t.Log(incidents(c))
	in := incidentOf(c, "130.255.189.21")
	if in == nil {
		t.Fatal("130.255.189.21 acts in no incident")
	}
	if in.Severity != "critical" {
		t.Errorf("its incident is %s", in.Severity)
	}
	for _, want := range []string{"ProxyLogon Probe of the Back End", "ProxyLogon Reached the MAPI Back End", "ProxyLogon Opened an Administrator Session",
		"ProxyLogon Changed a Virtual Directory", "ProxyLogon Wrote a File on the Server"} {
		if !slices.Contains(steps(in), want) {
			t.Errorf("no step %q", want)
		}
	}
	if !slices.Contains(steps(in), "Script Code in the Address of an Exchange Virtual Directory") {
		t.Error("what the ECP server logged is not in the attacker's incident")
	}
	for _, later := range []string{"139.162.202.236", "67.205.176.9"} {
		if slices.Contains(in.Actors, later) {
			t.Errorf("the later visitor %s is taken for the attacker", later)
		}
	}
	findings, _ := scan(t, own(t), dir)
	for _, f := range findings {
		if f.Client != "130.255.189.21" && slices.Contains(f.Rule.Tags, "attack.execution") {
			t.Errorf("%s is said to have run something: %s", f.Client, f.Rule.Title)
		}
		if strings.Contains(f.Rule.Title, "Used") && strings.Contains(f.Rule.Title, "Shell") {
			t.Errorf("a web shell is said to have been used, by %s: %s", f.Client, f.Rule.Title)
		}
	}
}

// TestTunnaTunnel knows that 4,298 requests of one address are the tunnel.
func TestTunnaTunnel(t *testing.T) {
	c := assess(t, own(t), evidence(t, "iis", "tunna-rdp-tunnel"))
	t.Log(incidents(c))
	if len(c.Incidents) != 1 || incidentOf(c, "10.0.2.17") == nil {
		t.Fatalf("%d incidents, want one, of 10.0.2.17", len(c.Incidents))
	}
	n := int64(0)
	for _, s := range c.Incidents[0].Steps {
		if strings.Contains(s.Rule.Title, "Tunna") {
			n += s.Count
		}
	}
	if n != 4298 {
		t.Errorf("%d requests of the tunnel, want 4298", n)
	}
}

// TestFloodOf2015 holds the addresses that the flood is said to come from against those that sent 85 requests and more.
func TestFloodOf2015(t *testing.T) {
	p, err := os.ReadFile(evidence(t, "web-access", "http-flood-2015", "derived_flood_sources.txt"))
	if err != nil {
		t.Fatal(err)
	}
	sources := map[string]bool{}
	for _, l := range strings.Split(string(p), "\n") {
		if f := strings.Fields(l); len(f) > 0 {
			sources[f[0]] = true
		}
	}
	findings, _ := scan(t, own(t), evidence(t, "web-access", "http-flood-2015", "access.log.gz"))
	named := map[string]bool{}
	for _, f := range findings {
		if f.Rule.Title != "Flood of Requests from Many Addresses at Once" {
			continue
		}
		var e struct{ Clients []string }
		if err := json.Unmarshal(f.Event, &e); err != nil {
			t.Fatal(err)
		}
		for _, c := range e.Clients {
			named[c] = true
		}
	}
	right := 0
	for c := range named {
		if sources[c] {
			right++
		}
	}
	t.Logf("%d addresses named, %d of them among the %d of the flood", len(named), right, len(sources))
	if right*100 < len(sources)*99 || right*100 < len(named)*99 {
		t.Error("fewer than 99 in a hundred of the addresses, or of those named, are right")
	}
}

// TestGuessingAtWordPress knows that addresses which post to the login pages in hundreds are guessing.
func TestGuessingAtWordPress(t *testing.T) {
	c := assess(t, own(t), evidence(t, "web-access", "wordpress-2016"))
	t.Log(incidents(c))
	// Addresses with more than a hundred POSTs to wp-login.php or xmlrpc.php.
	for _, address := range []string{"46.148.22.18", "46.148.18.162", "50.62.30.229", "192.99.43.115", "103.240.150.242", "101.200.126.82",
		"91.210.146.198", "202.29.87.245", "185.22.185.223", "155.133.82.62", "178.137.87.242", "52.62.70.209"} {
		in := incidentOf(c, address)
		if in == nil {
			t.Errorf("%s is in no incident", address)
			continue
		}
		if !slices.ContainsFunc(steps(in), func(s string) bool {
			return strings.Contains(s, "Password Guessing") || strings.Contains(s, "Login Page")
		}) {
			t.Errorf("%s is not said to guess: %v", address, steps(in))
		}
	}
	for _, in := range c.Incidents {
		if l, _ := detect.ParseLevel(in.Severity); l >= detect.High {
			t.Errorf("nothing grave happened, and yet: %s", in.Title)
		}
	}
}

// TestOrdinaryServers expects no incident in the logs of servers that nobody attacked.
func TestOrdinaryServers(t *testing.T) {
	for _, name := range []string{"semicomplete-2015", "erddap-nginx", "nginx-plus-json"} {
		c := assess(t, own(t), evidence(t, "web-access", name))
		t.Logf("%s: findings %v", name, c.Summary.Findings)
		if len(c.Incidents) > 0 {
			t.Errorf("%s:\n%s", name, incidents(c))
		}
	}
}

// TestScanners expects one incident for each of two runs of vulnerability scanners, and the web server of a honeynet
// of 2004 to show its loudest visitors.
func TestScanners(t *testing.T) {
	c := assess(t, own(t), evidence(t, "web-access", "scanners-2017"))
	t.Log(incidents(c))
	if len(c.Incidents) != 2 {
		t.Errorf("%d incidents of two scanners", len(c.Incidents))
	}
	c = assess(t, own(t), evidence(t, "web-access", "honeynet-2004"))
	t.Log(incidents(c))
	if incidentOf(c, "68.49.152.86") == nil {
		t.Error("68.49.152.86, which scanned, is in no incident")
	}
	findings, _ := scan(t, own(t), evidence(t, "web-access", "honeynet-2004"))
	flood := slices.IndexFunc(findings, func(f casefile.Finding) bool { return f.Rule.Title == "Flood of Requests from One Address" })
	if flood < 0 || findings[flood].Client != "82.82.97.119" { // whose WebDAV client asked 6,131 times: no attack, and seen
		t.Error("the requests of 82.82.97.119 are not found")
	}
	overflows := map[string]bool{}
	for _, f := range findings {
		if f.Rule.Title == "Old Worm Looks for IIS" && strings.Contains(string(f.Event), `"SEARCH"`) {
			overflows[f.Client] = true
		}
	}
	t.Logf("%d addresses tried to overflow SEARCH", len(overflows))
	if len(overflows) == 0 {
		t.Error("the overflows of SEARCH are not found")
	}
}

// TestLoginsOf2017 counts the logins in three weeks of a real auth.log.
func TestLoginsOf2017(t *testing.T) {
	failed, accepted := int64(0), int64(0)
	lines := map[int64]bool{}
	dump(t, func(l *line) {
		for _, o := range l.Observed {
			if o.Kind != "login" || o.Channel != "ssh" {
				continue
			}
			n := int64(1)
			if o.Count != nil {
				n = *o.Count
			}
			switch {
			case o.OK == nil:
			case *o.OK:
				accepted += n
			default:
				failed += n
				lines[l.Source.Line] = true
			}
		}
	}, evidence(t, "linux-auth", "elastic-auth-2017"))
	p, err := os.ReadFile(evidence(t, "linux-auth", "elastic-auth-2017", "auth.log"))
	if err != nil {
		t.Fatal(err)
	}
	passwords, seen := 0, 0
	for i, l := range strings.Split(string(p), "\n") {
		if strings.Contains(l, "Failed password") {
			passwords++
			if lines[int64(i+1)] {
				seen++
			}
		}
	}
	t.Logf("failed %d, accepted %d; %d of %d lines of failed passwords seen", failed, accepted, seen, passwords)
	if seen != 713 || passwords != 713 {
		t.Errorf("%d of %d failed passwords, want 713", seen, passwords)
	}
	if accepted != 226 {
		t.Errorf("%d accepted, want 226", accepted)
	}
}

// TestHoneypotOf2005 asks which of the addresses that its analysts named in incidents Barid names in a finding, or in an incident. That a
// folder may not be listed, and pings, are no attack for Barid.
func TestHoneypotOf2005(t *testing.T) {
	dir := evidence(t, "linux-sotm34", "raw")
	c := assess(t, own(t), dir)
	t.Log(incidents(c))
	findings, _ := scan(t, own(t), dir)
	found, inIncident := map[string]bool{}, map[string]bool{}
	for _, f := range findings {
		found[f.Client] = true
		for _, a := range addresses(string(f.Event)) {
			found[a] = true
		}
	}
	for _, in := range c.Incidents {
		for _, a := range in.Actors {
			inIncident[a] = true
		}
	}
	all, named, grave := map[string]int{}, map[string]int{}, map[string]int{}
	for _, row := range table(t, "linux-sotm34", "incidents.tsv") {
		kind := row["title"]
		if strings.HasPrefix(kind, "Access attempt to /var/www/html") || strings.Contains(kind, `"Access attempt to /var/www/html" & "ICMP`) {
			continue
		}
		for _, k := range []string{"SSH", "Awstats", "awstats", "elay", "proxy", "orm", "formmail", "phpBB", "OPTIONS", "FTP", "ftp"} {
			if strings.Contains(kind, k) {
				kind = strings.ToLower(k)
				break
			}
		}
		for _, a := range addresses(row["ip_addresses"]) {
			all[kind]++
			if found[a] {
				named[kind]++
			} else if *verbose {
				t.Logf("not named: %s %s: %.200s", row["incident"], a, row["title"]+": "+row["events_in_this_part"])
			}
			if inIncident[a] {
				grave[kind]++
			}
		}
	}
	total, totalNamed := 0, 0
	for kind, n := range all {
		total, totalNamed = total+n, totalNamed+named[kind]
		if n >= 3 {
			t.Logf("%3d addresses of %q: %d named, %d in an incident", n, kind, named[kind], grave[kind])
		}
	}
	t.Logf("%d of %d addresses named", totalNamed, total)
	if totalNamed < 108 {
		t.Error("more were named before")
	}
	if ssh := named["ssh"]; ssh < 20 {
		t.Errorf("%d addresses that guessed over SSH are named", ssh)
	}
	// The account test was guessed, and used from then on.
	if !slices.ContainsFunc(c.Incidents, func(in casefile.Incident) bool {
		return slices.Contains(steps(&in), "Well-Known Account Logged In by Password Over SSH")
	}) {
		t.Error("no incident of the account that was guessed")
	}
}

// addresses returns the IPv4 addresses in a text.
func addresses(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
}

// TestAuditLogOf2021 holds what is read of a real audit log against what was counted from it, and expects what is known to have been done.
func TestAuditLogOf2021(t *testing.T) {
	dir := evidence(t, "m365", "invictus-o365")
	operations := map[string]int{}
	type access struct{ time, user, kind string }
	accesses := map[access]int{}
	sources := dump(t, func(l *line) {
		op, _ := l.Event["Operation"].(string)
		operations[op]++
		if op == "MailItemsAccessed" {
			kind := ""
			for _, k := range []string{"Bind", "Sync"} {
				if l.Event["MailAccessType"] == k || l.Event["OperationProperties.MailAccessType"] == k {
					kind = k
				}
			}
			user, _ := l.Event["UserId"].(string)
			accesses[access{l.Time.Format("2006-01-02T15:04:05"), user, kind}]++
		}
	}, evidence(t, "m365", "invictus-o365", "auditrecords_2021-03_05.csv.gz"))
	duplicates := int64(0)
	for _, s := range sources {
		duplicates += s.Duplicates
		if s.Unparsed > 0 {
			t.Errorf("%s: %d unread: %v", s.Path, s.Unparsed, s.Errors)
		}
	}
	// The tables count every record, and many are in the file twice. What is left is counted here once more, by Id.
	distinct, repeated := auditRecords(t)
	if int64(repeated) != duplicates {
		t.Errorf("%d duplicates left out, %d are in the file", duplicates, repeated)
	}
	rows := table(t, "m365", "invictus-o365", "operations_2021-03_05.tsv")
	differ := 0
	for _, row := range rows {
		n := distinct[row["operation"]]
		if operations[row["operation"]] != n {
			differ++
			t.Logf("%s: %d, counted %d", row["operation"], operations[row["operation"]], n)
		}
		delete(operations, row["operation"])
	}
	t.Logf("%d operations, %d with another count; %d duplicates left out; not in the list: %v", len(rows), differ, duplicates, operations)
	if differ > 0 || len(operations) > 0 {
		t.Error("the operations are not those that were counted")
	}
	missing := 0
	for _, row := range table(t, "m365", "invictus-o365", "mailitemsaccessed_2021-03_05.tsv") {
		if accesses[access{row["creation_time"], row["user"], row["access_type"]}] == 0 {
			missing++
			t.Logf("not read: %v", row)
		}
	}
	if missing > 0 {
		t.Errorf("%d accesses are not read", missing)
	}
	c := assess(t, own(t), dir)
	t.Log(incidents(c))
	for _, want := range []string{"Application Allowed to Read Everybody's Mail or Files", "Microsoft 365 Transport Rule Copies or Redirects Mail",
		"Account Made an Administrator", "Full Access to Another Microsoft 365 Mailbox Granted", "Inbox Rule Hides Arriving Mail"} {
		if !slices.ContainsFunc(c.Incidents, func(in casefile.Incident) bool { return slices.Contains(steps(&in), want) }) {
			t.Errorf("no incident with %q", want)
		}
	}
	in := incidentOf(c, "178.85.138.132")
	if in == nil || !slices.ContainsFunc(steps(in), func(s string) bool { return strings.Contains(s, "Guessing") || strings.Contains(s, "Spraying") }) {
		t.Error("the guessing from 178.85.138.132 is not found")
	}
}

// TestGoldenSAML knows what was done: the key of AD FS read from the directory, a secret and the right to read mail given to an application.
func TestGoldenSAML(t *testing.T) {
	findings, _ := scan(t, own(t), evidence(t, "m365", "otrf-goldensaml"))
	for _, want := range []string{"Key of AD FS Read from the Directory", "Secret Added to an Application, Says Entra ID",
		"Delegated Permission for Mail or Files Granted, Says Entra ID"} {
		if !slices.Contains(titles(findings), want) {
			t.Errorf("not found: %s", want)
		}
	}
}

// auditRecords counts the different records of the audit log by operation, and those that are there again.
func auditRecords(t *testing.T) (operations map[string]int, repeated int) {
	t.Helper()
	f, err := os.Open(evidence(t, "m365", "invictus-o365", "auditrecords_2021-03_05.csv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(z).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	operations = map[string]int{}
	column := slices.Index(rows[0], "AuditData")
	seen := map[string]bool{}
	for _, row := range rows[1:] {
		var r struct{ Id, Operation string }
		if err := json.Unmarshal([]byte(row[column]), &r); err != nil {
			t.Fatal(err)
		}
		if seen[r.Id] {
			repeated++
			continue
		}
		seen[r.Id] = true
		operations[r.Operation]++
	}
	return operations, repeated
}

// TestRecordedAttacks asks in how many of the recordings of attacks on Windows something is found.
func TestRecordedAttacks(t *testing.T) {
	findings, sources := scan(t, withSigmaHQ(t), evidence(t, "windows-evtx", "evtx-attack-samples.zip"))
	found := map[string]bool{}
	for _, f := range findings {
		if l, _ := detect.ParseLevel(f.Rule.Level); l >= detect.Low {
			_, name, _ := strings.Cut(f.Source.Path, "!")
			found[name] = true
		}
	}
	events := map[string]int64{}
	for _, s := range sources {
		_, name, _ := strings.Cut(s.Path, "!")
		events[name] = s.Events
	}
	// The index counts what looks like the beginning of a record in these, in space that was freed and written over.
	overwritten := []string{"sysmon_1_exec_via_sql_xpcmdshell.evtx", "ID1151-Defender health status.evtx", "T1197_BitsClient.evtx",
		"ID4688,4697,5140-5145 PSexec remote execution + admin share.evtx"}
	all, without := 0, 0
	for _, row := range table(t, "windows-evtx", "index.tsv") {
		name := row["path_in_zip"]
		var records int64
		fmt.Sscan(row["records"], &records)
		if events[name] < records && !slices.Contains(overwritten, path.Base(name)) { // more where deleted records are recovered
			t.Errorf("%s: %d events, want %d", name, events[name], records)
		}
		all++
		if !found[name] {
			without++
			t.Logf("nothing in %s", name)
		}
	}
	t.Logf("something of level low or above in %d of %d recordings", all-without, all)
	if without > 88 {
		t.Error("it was found in more before")
	}
}

// TestRecordedAttackSteps asks in how many of the data sets, one attack step each, something is found. Two are records of
// auditd, which Barid does not read.
func TestRecordedAttackSteps(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 300,000 events")
	}
	findings, _ := scan(t, withSigmaHQ(t), evidence(t, "windows-json", "otrf-atomic"))
	found := map[string]bool{}
	for _, f := range findings {
		if l, _ := detect.ParseLevel(f.Rule.Level); l >= detect.Low {
			archive, _, _ := strings.Cut(f.Source.Path, "!")
			found[path.Base(archive)] = true
		}
	}
	rows := table(t, "windows-json", "otrf-atomic", "index.tsv")
	n := 0
	for _, row := range rows {
		if found[path.Base(row["file"])] {
			n++
			continue
		}
		t.Logf("nothing in %s", row["file"])
	}
	t.Logf("something of level low or above in %d of %d data sets", n, len(rows))
	if n < 73 {
		t.Error("it was found in more before")
	}
}
