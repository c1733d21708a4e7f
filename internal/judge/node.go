// Package judge makes a case of findings: which of them a person would call one incident, what happened in it, and
// whether it goes on. It never reads evidence: with other facts, it judges the same findings again.
package judge

import (
	"cmp"
	"encoding/json"
	"net/netip"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/detect"
)

// node is a run of findings of one rule about the same host, address, account and object, without a long pause.
type node struct {
	rule     casefile.Rule
	level    detect.Level
	host     string
	client   string
	account  string
	object   string
	clients  []string // of a rule that counts, where they are several
	accounts []string // likewise
	source   string   // path of the first
	first    time.Time
	last     time.Time
	count    int64
	evidence []casefile.Evidence
	cluster  int // index of another node of its incident, or of itself
}

// runGap is the pause that ends a run.
const runGap = 6 * time.Hour

// maxRuns bounds how many runs of each level are told apart by address, account and object. Beyond it they are told apart
// by rule and host only, beyond twice as many by rule only, and beyond three times as many pauses do not part them: who
// writes a log can write any number of names into it. Each level has its own bound, so that noise does not hide the attack.
const maxRuns = 16_000

// maxEvidence is how many findings of a run are kept word for word.
const maxEvidence = 3

// Once the words kept come to maxWords bytes in all, runs keep one finding each, cut at scantWords bytes; once the names
// that counting rules list come to maxNames, runs keep the one that was counted.
const (
	maxWords   = 24 << 20
	scantWords = 200
	maxNames   = 200_000
)

type nodeKey struct{ rule, host, client, account, object string }

// nodes gathers findings, which come in order of time, into runs.
type nodes struct {
	list  []*node
	last  map[nodeKey]*node
	runs  [detect.Critical + 1]int // by level
	words int                      // bytes of evidence kept
	names int                      // addresses and accounts that counting rules list
}

// ruleKey tells a rule from others: rules of one's own may lack an id.
func ruleKey(r casefile.Rule) string { return cmp.Or(r.ID, r.Title) }

func (n *nodes) add(f *casefile.Finding, level detect.Level) {
	k := nodeKey{ruleKey(f.Rule), f.Host, f.Client, f.Account, ""}
	if isWebShell(f.Rule.Tags) {
		k.object = f.Object
	}
	crowd := n.runs[level] / maxRuns
	if crowd >= 1 {
		k.client, k.account, k.object = "", "", ""
	}
	if crowd >= 2 {
		k.host = ""
	}
	var at time.Time
	if f.Time != nil {
		at = *f.Time
	}
	run := n.last[k]
	if run == nil || crowd < 3 && at.Sub(run.last) > runGap || run.first.IsZero() != at.IsZero() {
		run = &node{rule: f.Rule, level: level, host: k.host, client: k.client, account: k.account, object: k.object,
			source: f.Source.Path, first: at, last: at, cluster: len(n.list)}
		n.list = append(n.list, run)
		n.last[k] = run
		n.runs[level]++
	}
	if at.After(run.last) {
		run.last = at
	}
	run.count++
	switch {
	case n.words < maxWords && len(run.evidence) < maxEvidence:
		n.keep(run, evidenceOf(f, at, detect.MaxRaw))
	case len(run.evidence) == 0:
		n.keep(run, evidenceOf(f, at, scantWords))
	}
	if f.Last != nil && f.Last.After(run.last) {
		run.last = *f.Last
	}
	if c, ok := countedOf(f); ok {
		if n.names += len(c.Clients) + len(c.Accounts); n.names <= maxNames {
			run.clients, run.accounts = c.Clients, c.Accounts
		}
		if c.Last != nil && c.Last.After(run.last) {
			run.last = *c.Last
		}
	}
}

func (n *nodes) keep(run *node, e casefile.Evidence) {
	run.evidence = append(run.evidence, e)
	n.words += len(e.Raw)
}

// evidenceOf quotes at most so many bytes of a finding.
func evidenceOf(f *casefile.Finding, at time.Time, most int) casefile.Evidence {
	raw := strings.Clone(f.Raw[:min(len(f.Raw), most)])
	if raw == "" {
		raw = string(f.Event[:min(len(f.Event), most)])
	}
	return casefile.Evidence{Source: f.Source.Path, SHA256: f.Source.SHA256, Line: f.Source.Line, Record: f.Source.Record,
		Offset: f.Source.Offset, Time: at, Raw: strings.ToValidUTF8(raw, "\ufffd")}
}

// counted is what a counting rule says in the event of its finding.
type counted struct {
	Clients  []string   `json:"clients"`
	Accounts []string   `json:"accounts"`
	Last     *time.Time `json:"last_minute"`
}

func countedOf(f *casefile.Finding) (counted, bool) {
	var c counted
	for _, r := range detect.CountingRules() {
		if r.ID == f.Rule.ID {
			return c, json.Unmarshal(f.Event, &c) == nil
		}
	}
	return c, false
}

// isWebShell reports whether a rule is about web shells (ATT&CK T1505.003), whose path ties visits together.
func isWebShell(tags []string) bool {
	for _, t := range tags {
		if t == "attack.t1505.003" {
			return true
		}
	}
	return false
}

// actor is the address by which a run is tied to others: "" for one that many share.
func (n *node) actor() string {
	a, err := netip.ParseAddr(n.client)
	if err != nil || a.IsLoopback() || a.IsUnspecified() || a.IsLinkLocalUnicast() {
		return ""
	}
	return n.client
}

// person is the account by which a run is tied to others: "" for one that is no person's.
func (n *node) person() string {
	if anybody[personOf(n.account)] {
		return ""
	}
	return personOf(n.account)
}

// anybody are accounts that say nothing of who used them: there is one of that name on every host.
var anybody = map[string]bool{"root": true, "administrator": true, "admin": true}

// personOf returns the account in lower case and without domain, "" for one of the system.
func personOf(account string) string {
	a := strings.ToLower(account)
	if i := strings.LastIndexByte(a, '\\'); i >= 0 {
		a = a[i+1:]
	}
	switch a {
	case "", "-", "system", "local service", "network service", "anonymous logon", "anonymous", "unknown":
		return ""
	}
	if strings.HasSuffix(a, "$") || strings.HasPrefix(a, "s-1-5-") && !isSID(a) || strings.HasPrefix(a, "healthmailbox") {
		return ""
	}
	return a
}

// place is where a run happened: its host, or failing that its source.
func (n *node) place() string {
	if n.host != "" {
		return strings.ToLower(n.host)
	}
	return "source:" + n.source
}
