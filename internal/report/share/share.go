// Package share is what of a case others may be given: what was done, from where, how it can be looked for, and in numbers what was
// reached. It holds no name of a person, account, mailbox or host of the organisation, no line of its logs and no address that is its own;
// those stand in case.json, and in the outputs for the organisation's own use.
package share

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/detect"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/report/attack"
	"github.com/barid-dfir/barid/internal/report/input"
)

// What a view holds at most. Formats for exchange are lists that are read as a whole.
const (
	maxIncidents = 200
	listedActors = 200 // of an incident in case.json: there may have been more
	maxAddresses = 1000
	maxAgents    = 200
	maxFiles     = 500
)

// View is what others may be given of a case. It is the caller's.
type View struct {
	// Time is the end of what the case knows, and Dated is false where no time is known: then it is 1970.
	Time  time.Time
	Dated bool
	// Organisation is nil where the facts do not name one.
	Organisation *casefile.Organisation
	Marking      casefile.TLP
	Version      string
	Incidents    []Incident
	Addresses    []Address
	Agents       []Agent
	Files        []File
	Techniques   []string // in order, each once: T1190
	CVEs         []string // in order, each once: CVE-2021-26855
	Reached      []Kind
	Gaps         int64 // times for which logs have nothing to say
	Left         Left
}

// Incident is an incident without the names of who was attacked.
type Incident struct {
	ID         string // as in case.json
	Name       string // the title of the rule that the case calls it by, or of the most severe
	Severity   string
	Stage      string // a tactic of ATT&CK, in words
	Techniques []string
	CVEs       []string
	// First and Last are the zero time where no event in it has one.
	First, Last time.Time
	Active      bool
	Findings    int64
	Rules       int
	Addresses   []netip.Addr // those of View.Addresses that acted in it
}

// Address is where the attacker came from.
type Address struct {
	IP netip.Addr
	// Proven says that a session of the attacker came from it; otherwise it is an actor of an incident.
	Proven bool
	// First and Last are the zero time where no event from it has one. Seen is how many findings are about it, or else how many acts.
	First, Last time.Time
	Seen        int64

	worst detect.Level
}

// Agent is what the client program of an attacker's session called itself, where no other session's did.
type Agent struct {
	Name        string
	First, Last time.Time
}

// File is a web shell that was given commands.
type File struct {
	Path        string // as it was asked for: /owa/auth/x.aspx
	First, Last time.Time
	Hosts       int
}

// Kind is what was reached of one kind of object.
type Kind struct {
	Kind string // mailbox, message, folder, file, shell, host, credential
	casefile.VerdictCounts
	// Bounds enclose how many messages in mailboxes had content reached. Other kinds have their counts.
	casefile.Bounds
}

// Left counts what is not in a view.
type Left struct {
	Ours      int // addresses that the facts call the organisation's, or shared by many
	Internal  int // addresses that mean nothing outside: private, loopback, link-local
	Shared    int // addresses that sessions of others came from too
	Unusable  int // names with characters that nobody could look for
	Common    int // client programs that others use too
	Actors    int // incidents of which the case lists only the first addresses
	Incidents int // beyond what a view holds, as are the next ones
	Addresses int
	Agents    int
	Files     int
	Undated   int // incidents without a time
}

// kinds in the order in which they are told.
var kinds = [...]string{"mailbox", "message", "folder", "file", casefile.KindShell, "host", "credential"}

// Of goes through a case and returns what others may be given of it. It holds no more than the limits of this package, and the addresses
// that the case lists.
func Of(in *input.Input) (*View, error) {
	c := in.Case
	v := &View{Organisation: c.Organisation, Marking: c.Marking(), Version: c.Barid.Version}
	v.date(c)
	g := gathering{v: v, addresses: make(map[netip.Addr]*Address), ours: ours(c), others: make(map[netip.Addr]bool), left: make(map[netip.Addr]bool)}
	g.sessions(c.Sessions)
	for i := range c.Incidents {
		g.incident(&c.Incidents[i])
	}
	g.coverage(c)
	if err := g.findings(in); err != nil {
		return nil, err
	}
	if err := g.reached(in); err != nil {
		return nil, err
	}
	g.finish()
	return v, nil
}

// date sets the time of the view.
func (v *View) date(c *casefile.Case) {
	take := func(t time.Time) {
		if Known(t) && (!v.Dated || t.After(v.Time)) {
			v.Time, v.Dated = t.UTC(), true
		}
	}
	if c.Window.To != nil {
		take(*c.Window.To)
	}
	for i := range c.Incidents {
		take(c.Incidents[i].Last)
	}
	if !v.Dated {
		v.Time = time.Unix(0, 0).UTC()
	}
}

// Known reports whether t is a time that formats can write: of the years 1 to 9999, and not the zero time.
func Known(t time.Time) bool { return !t.IsZero() && t.UTC().Year() >= 1 && t.UTC().Year() <= 9999 }

// Level returns the level of a name, informational where it is none.
func Level(name string) detect.Level {
	l, err := detect.ParseLevel(name)
	if err != nil {
		return detect.Informational
	}
	return l
}

// CVEs returns the vulnerabilities among the tags of a rule: CVE-2021-26855 for cve.2021-26855. The slice is the caller's.
func CVEs(tags []string) []string {
	var list []string
	for _, t := range tags {
		year, number, ok := strings.Cut(strings.TrimPrefix(t, "cve."), "-")
		if ok && strings.HasPrefix(t, "cve.") && len(year) == 4 && len(number) >= 4 && len(number) <= 19 && digits(year) && digits(number) {
			list = append(list, "CVE-"+year+"-"+number)
		}
	}
	return list
}

func digits(s string) bool {
	return strings.Trim(s, "0123456789") == ""
}

// summary returns an incident without the names of who was attacked.
func summary(in *casefile.Incident) Incident {
	out := Incident{ID: in.ID, Name: "Incident", Severity: Level(in.Severity).String(), Stage: event.Visible(in.Stage), Active: in.Active, Findings: in.Findings, Rules: len(in.Steps)}
	if Known(in.First) && Known(in.Last) && !in.Last.Before(in.First) {
		out.First, out.Last = in.First.UTC(), in.Last.UTC()
	}
	worst, titled := -1, 0
	for i := range in.Steps {
		r := &in.Steps[i].Rule
		out.CVEs = append(out.CVEs, CVEs(r.Tags)...)
		if l := int(Level(r.Level)); r.Title == "" {
			continue
		} else if strings.HasPrefix(in.Title, r.Title) && len(r.Title) > titled { // what the case calls it by
			titled, out.Name = len(r.Title), event.Visible(r.Title)
		} else if l > worst && titled == 0 {
			worst, out.Name = l, event.Visible(r.Title)
		}
	}
	for _, t := range in.Techniques {
		if attack.IsTechnique(t) {
			out.Techniques = append(out.Techniques, t)
		}
	}
	out.Techniques, out.CVEs = sorted(out.Techniques), sorted(out.CVEs)
	return out
}

func sorted(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}
