// Package casefile is the case on disk: a folder that is written once, can be verified and can be opened again.
//
//	case.json       what was decided (Case)
//	findings.jsonl  every finding, in order of time (Finding)
//	timeline.csv    the same for spreadsheets
//	custody.jsonl   every source with its hash, each line carrying the hash of the line before
//	report.html     for people
//	records.jsonl   records of the evidence that verdicts lean on, word for word (Record)
//	reached.csv     every verdict, for spreadsheets
//	store.bin       what the evidence taught, to decide anew from
//	facts.yaml, inventory-….csv, regimes.yaml  what people gave
package casefile

import (
	"encoding/json"
	"strings"
	"time"
)

// Schema is the value of Case.Schema that this program writes.
const Schema = "barid.case/1"

// Case is case.json. Its field names are a promise to people's scripts: add, do not rename. Times are UTC.
type Case struct {
	Schema       string        `json:"schema"`
	Barid        Program       `json:"barid"`
	Organisation *Organisation `json:"organisation,omitempty"`
	Window       Window        `json:"window"`
	Sources      []Source      `json:"sources"`
	Coverage     []Coverage    `json:"coverage"`
	Incidents    []Incident    `json:"incidents"`
	Sessions     []Session     `json:"sessions"`
	Capabilities []Capability  `json:"capabilities"`
	Reached      []Reached     `json:"reached"`
	// Statements are what people stated and answer for: what verdicts lean on, and then the acts of the disclosure.
	Statements []Statement `json:"statements,omitempty"`
	// Inferences explains the rules that verdicts name.
	Inferences []Inference `json:"inferences,omitempty"`
	// TLP is how far the case may go, a marking of TLP 2.0: clear, green, amber, amber+strict, red. See Marking.
	TLP string `json:"tlp,omitempty"`
	// Ours are addresses and networks that the facts call the organisation's own, its services', its scanners', or shared by many: no
	// output names them as an attacker's.
	Ours []string `json:"ours,omitempty"`
	// Owed is whom the organisation must tell, by when.
	Owed []Duty `json:"owed,omitempty"`
	// Classifications are what the rules of regimes say of the incident, for the person who classifies it.
	Classifications []Classification `json:"classifications,omitempty"`
	// Notes say what of the facts was not used, and why.
	Notes   []string `json:"notes,omitempty"`
	Rules   Rules    `json:"rules"`
	Summary Summary  `json:"summary"`
}

// Program says which program wrote the case.
type Program struct {
	Version string `json:"version"`
}

// Organisation is whose case it is, from the facts.
type Organisation struct {
	Name    string `json:"name,omitempty" yaml:"name"`
	Kind    string `json:"kind,omitempty" yaml:"kind"`
	Country string `json:"country,omitempty" yaml:"country"`
	LEI     string `json:"lei,omitempty" yaml:"lei"`
}

// Window is the time that the evidence (or --from, --to) spans; nil where nothing in it has a time.
type Window struct {
	From *time.Time `json:"from"`
	To   *time.Time `json:"to"`
}

// Source is one stream of evidence: a file, or an entry of an archive.
type Source struct {
	Path   string     `json:"path"`
	SHA256 string     `json:"sha256"`
	Bytes  int64      `json:"bytes"`
	Format string     `json:"format"` // "" if nobody recognised it
	Host   string     `json:"host"`
	Events int64      `json:"events"`
	From   *time.Time `json:"from"`
	To     *time.Time `json:"to"`
	// Unparsed is how many parts (lines, records, chunks) could not be read; Errors names the first of them.
	Unparsed int64    `json:"unparsed"`
	Errors   []string `json:"errors"`
	// Duplicates is how many records were left out because another with the same identifier was read.
	Duplicates int64 `json:"duplicates,omitempty"`
	// Notes says what was assumed to read it: a year, a time zone, an encoding.
	Notes []string `json:"notes,omitempty"`
}

// Coverage is what a stream of logs would have shown.
type Coverage struct {
	Host   string `json:"host"`
	Stream string `json:"stream"`
	// Principal is the account or mailbox that it holds for; "" for everybody.
	Principal string `json:"principal"`
	// Level is presence (who connected) or detail (what was read).
	Level string     `json:"level"`
	From  *time.Time `json:"from"`
	To    *time.Time `json:"to"`
	Gaps  []Gap      `json:"gaps"`
	// Beyond says of whom it shows nothing although the entry is not of one principal; "" where that is nobody.
	Beyond string `json:"beyond,omitempty"`
	// Channels are the ways in that it covers.
	Channels []string `json:"channels,omitempty"`
	// Sources are the paths of the evidence, the first of them.
	Sources []string `json:"sources,omitempty"`
	Notes   []string `json:"notes,omitempty"`
}

// Gap is a time for which a stream has nothing to say.
type Gap struct {
	From *time.Time `json:"from"`
	To   *time.Time `json:"to"`
	// Reason is one of before_coverage, after_coverage, missing_file, missing_records, silence, cleared, disabled, bypass, narrowed,
	// throttled, truncated_export, truncated_file, lost, clock, parse_error, time_unknown.
	Reason  string `json:"reason"`
	Certain bool   `json:"certain"`
	// Substitute is the stream that shows presence in its place; "" if none does.
	Substitute string `json:"substitute"`
	// Why says what it is concluded from.
	Why string `json:"why,omitempty"`
}

// The verdicts, and the levels of coverage.
const (
	Confirmed = "confirmed"
	Possible  = "possible"
	RuledOut  = "ruled_out"

	Presence = "presence"
	Detail   = "detail"
)

// Reached is what is known of whether an object was reached.
type Reached struct {
	Object Object `json:"object"`
	// Verdict and Exposure belong together: confirmed content, possible metadata. Where the verdict is ruled_out, exposure is none.
	Verdict  string `json:"verdict"`
	Exposure string `json:"exposure"`
	// Levels is the verdict for each level of exposure by itself.
	Levels Levels `json:"levels"`
	// Lower and Upper enclose how many messages or files had content, or a part of it, reached: of the object, 1 or 0; in a
	// container, of what lies in it. Upper is -1 where nothing bounds it.
	Lower int64 `json:"lower"`
	Upper int64 `json:"upper"`
	// Bytes is how many bytes of content were handed out, at least; 0 where no log says it.
	Bytes int64      `json:"bytes,omitempty"`
	First *time.Time `json:"first,omitempty"`
	Last  *time.Time `json:"last,omitempty"`
	// By are the ids of sessions.
	By       []string         `json:"by"`
	Channels []ChannelVerdict `json:"channels,omitempty"`
	Why      []Reason         `json:"why"`
	// Settle names the log that would settle what is open; "" where nothing is.
	Settle string `json:"settle"`
}

// IsShell reports whether it is a web shell: a file that the attacker put there, of which it is asked whether he used it. It is no
// file of the organisation's that was read.
func (r *Reached) IsShell() bool {
	return r.Object.Kind == "file" && len(r.Why) > 0 && strings.HasPrefix(r.Why[0].Rule, "SHELL_")
}

// KindShell is what web shells are counted as. Confirmed ones were used.
const KindShell = "shell"

// CountedAs returns the key of Summary.Reached that it is counted under: the kind of its object, and KindShell for a web shell.
func (r *Reached) CountedAs() string {
	if r.IsShell() {
		return KindShell
	}
	return r.Object.Kind
}

// Object is what may have been reached.
type Object struct {
	Kind string `json:"kind"` // mailbox, message, folder, file, host, credential
	ID   string `json:"id"`
	In   string `json:"in"` // the mailbox of a message or folder, the site or share of a file; "" if it lies in nothing
	// Name is how people call it, where ID is not it.
	Name string `json:"name,omitempty"`
	// Owner is whose mailbox it is or lies in, from the inventory.
	Owner string `json:"owner,omitempty"`
	// SameAs is the ID of another object of its kind that this may be, by another name: a host by its address and by its name, or a web
	// shell on both. Nobody knows; the case tells of both.
	SameAs string `json:"same_as,omitempty"`
}

// Levels is a verdict for each level of exposure: "confirmed", "possible" or "ruled_out".
type Levels struct {
	Content  string `json:"content"`
	Partial  string `json:"partial"`
	Metadata string `json:"metadata"`
}

// ChannelVerdict is the verdict for one way in.
type ChannelVerdict struct {
	Channel string `json:"channel"`
	Levels
	Why string `json:"why"`
}

// Reason is why a verdict is as it is.
type Reason struct {
	// Rule is the name of an inference, or of what is missing: SYNC_FOLDER, THROTTLED, NOT_ASSESSED.
	Rule     string  `json:"rule"`
	Text     string  `json:"text"`
	Evidence []Proof `json:"evidence"`
}

// Proof is where a record stands that a reason leans on.
type Proof struct {
	Source string     `json:"source"`
	Time   *time.Time `json:"time,omitempty"`
	Line   int64      `json:"line,omitempty"`
	Record int64      `json:"record,omitempty"`
	Offset int64      `json:"offset"`
}

// Inference explains a rule by which verdicts were reached.
type Inference struct {
	Name     string `json:"name"`
	Says     string `json:"says"`
	Verified bool   `json:"verified"` // read in the source named or measured on real records; otherwise practitioners' knowledge
	Source   string `json:"source,omitempty"`
	Verdicts int64  `json:"verdicts"` // how many lean on it
}

// Statement is what a person stated in the facts, and stands for.
type Statement struct {
	Author string     `json:"author"`
	Time   *time.Time `json:"time"`
	About  string     `json:"about"` // what is stated, in the words of the facts: "session S1 is owner"
	Reason string     `json:"reason"`
}

// Incident is findings that a person would call one attack.
type Incident struct {
	ID         string    `json:"id"`
	Title      string    `json:"title"`
	Severity   string    `json:"severity"` // the level of its highest finding
	Stage      string    `json:"stage"`    // the furthest ATT&CK tactic, in words: "Credential Access"
	Techniques []string  `json:"techniques"`
	First      time.Time `json:"first,omitzero"` // zero where no event in it has a time
	Last       time.Time `json:"last,omitzero"`
	// Active says that it was still going on when the logs that show it end.
	Active bool     `json:"active"`
	Hosts  []string `json:"hosts"`
	Actors []string `json:"actors"` // addresses that acted, and accounts where no address is known
	// Accounts are the people's accounts that its findings name: used, tried, or acted on.
	Accounts []string `json:"accounts"`
	Findings int64    `json:"findings"`
	// Summary says in a sentence or two what happened, from what the findings prove and no more.
	Summary string `json:"summary"`
	// Steps are the distinct things that were seen, in order of time.
	Steps []Step `json:"steps"`
}

// Step is one rule's findings in an incident.
type Step struct {
	Rule   Rule      `json:"rule"`
	Stage  string    `json:"stage"`
	First  time.Time `json:"first,omitzero"`
	Last   time.Time `json:"last,omitzero"`
	Count  int64     `json:"count"`
	Hosts  []string  `json:"hosts"`
	Actors []string  `json:"actors"`
	// Evidence is a few of the findings, the earliest first, with the line as it stands in the log.
	Evidence []Evidence `json:"evidence"`
}

// Evidence is a record that proves something.
type Evidence struct {
	Source string    `json:"source"` // path
	SHA256 string    `json:"sha256"`
	Line   int64     `json:"line,omitempty"`
	Record int64     `json:"record,omitempty"`
	Offset int64     `json:"offset"`
	Time   time.Time `json:"time,omitzero"`
	Raw    string    `json:"raw"` // the line, or the fields of a binary record; cut at 2,000 bytes
}

// Session is one continuous use of an identity.
type Session struct {
	ID          string    `json:"id"`
	Attribution string    `json:"attribution"` // attacker, suspected, unattributed, owner, service
	Accounts    []string  `json:"accounts"`
	IPs         []string  `json:"ips"`
	First       time.Time `json:"first,omitzero"`
	Last        time.Time `json:"last,omitzero"`
	// Why is the chain that leads to the attribution, a step each, from what was given to this session.
	Why []string `json:"why"`
	// Key says what holds the session together: strong (an identifier that the log writes), medium (account, address and client),
	// weak.
	Key      string   `json:"key,omitempty"`
	Channels []string `json:"channels,omitempty"`
	Agents   []string `json:"agents,omitempty"`
	Devices  []string `json:"devices,omitempty"`
	Acts     int64    `json:"acts,omitempty"`
	Evidence []Proof  `json:"evidence,omitempty"`
}

// Capability is a power that somebody held for a time.
type Capability struct {
	Kind      string `json:"kind"` // password, token, host, delegation, grant, rule
	Principal string `json:"principal"`
	// Suspected says that it is not proven to have been the attacker's.
	Suspected bool     `json:"suspected,omitempty"`
	Reach     []string `json:"reach"`
	// From is when it is first proven. It may have been held since Earliest.
	From     time.Time  `json:"from"`
	Earliest *time.Time `json:"earliest,omitempty"`
	To       *time.Time `json:"to"` // nil if nothing says that it ended
	Ends     string     `json:"ends,omitempty"`
	Why      []string   `json:"why"`
	Evidence []Proof    `json:"evidence,omitempty"`
}

// Rules says what was looked for.
type Rules struct {
	Loaded   int            `json:"loaded"`
	Rejected []RejectedRule `json:"rejected"`
	// MinLevel is the level below which findings were left out; "" if none were.
	MinLevel string `json:"min_level,omitempty"`
	// Notes say what took no part in correlations, in words.
	Notes []string `json:"notes,omitempty"`
}

// RejectedRule is a rule that could not be used.
type RejectedRule struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

// Summary counts.
type Summary struct {
	Findings map[string]int64         `json:"findings"` // by level
	Reached  map[string]VerdictCounts `json:"reached"`  // by kind of object; web shells are no files here (see Reached.CountedAs)
}

// VerdictCounts counts objects by the verdict on their content, or a part of it.
type VerdictCounts struct {
	Confirmed int64 `json:"confirmed"`
	Possible  int64 `json:"possible"`
	RuledOut  int64 `json:"ruled_out"`
	// PerhapsSame is how many of Confirmed may be others of them by another name (see Object.SameAs): so many fewer there are at least.
	PerhapsSame int64 `json:"perhaps_same,omitempty"`
	// MetadataConfirmed and MetadataPossible are those of RuledOut whose metadata was, or may have been, reached.
	MetadataConfirmed int64 `json:"metadata_confirmed,omitempty"`
	MetadataPossible  int64 `json:"metadata_possible,omitempty"`
}

// ConfirmedLeast is how many objects there are at least of which it is confirmed; there are at most Confirmed.
func (n VerdictCounts) ConfirmedLeast() int64 {
	return max(n.Confirmed-n.PerhapsSame, min(n.Confirmed, 1))
}

// Rule names a rule in a finding.
type Rule struct {
	ID    string   `json:"id"`
	Title string   `json:"title"`
	Level string   `json:"level"` // informational, low, medium, high, critical
	Tags  []string `json:"tags"`
}

// Finding is a line of findings.jsonl, and of barid scan: a rule matched an event.
type Finding struct {
	Time *time.Time `json:"time"`
	// Last is when the last of its events happened, where it is about several.
	Last *time.Time `json:"last,omitempty"`
	Rule Rule       `json:"rule"`
	Host string     `json:"host"`
	// Account is who acted, or tried to, and Client the remote address, where the event says so.
	Account string `json:"account,omitempty"`
	Client  string `json:"client,omitempty"`
	// Object is the path that was asked for, where the event is a request.
	Object string          `json:"object,omitempty"`
	Source Position        `json:"source"`
	Event  json.RawMessage `json:"event"`
	// EventIsClean says that Event is valid and as AppendFinding would write it.
	EventIsClean bool `json:"-"`
	// Raw is the line as it stands in a text log, cut at 2,000 bytes; "" for a binary log.
	Raw string `json:"raw,omitempty"`
}

// Position is where a record stands.
type Position struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256,omitempty"`
	Record int64  `json:"record,omitempty"`
	Line   int64  `json:"line,omitempty"`
	Offset int64  `json:"offset"`
}
