// Package veris writes a case as an incident of VERIS 1.4.1 (vz-risk/veris, verisc-merged.json), for statistics.
//
// VERIS describes one incident: a case of several is described as one, and notes say how many. What is not proven is "Unknown", as VERIS
// has it: who the actor was, why, how the incident was discovered and whether it was aimed. An action is one that findings of level high
// or above, or a flood, show. data_disclosure is Yes only where a verdict on mail or files is confirmed, Potentially where one is possible,
// and otherwise Unknown: that nothing was disclosed is for a person to say. The victim is not named.
package veris

import (
	"io"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/language"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/detect"
	"github.com/barid-dfir/barid/internal/lang"
	"github.com/barid-dfir/barid/internal/report/attack"
	"github.com/barid-dfir/barid/internal/report/ident"
	"github.com/barid-dfir/barid/internal/report/input"
	"github.com/barid-dfir/barid/internal/report/share"
)

type incident struct {
	SchemaVersion    string         `json:"schema_version"`
	ID               string         `json:"incident_id"`
	SecurityIncident string         `json:"security_incident"`
	Summary          string         `json:"summary"`
	Timeline         timeline       `json:"timeline"`
	Victim           *victim        `json:"victim,omitempty"`
	Actor            unknownOnly    `json:"actor"`
	Action           actions        `json:"action"`
	Asset            asset          `json:"asset"`
	Attribute        attributes     `json:"attribute"`
	Discovery        map[string]any `json:"discovery_method"`
	Targeted         string         `json:"targeted"`
	IOC              []ioc          `json:"ioc,omitempty"`
	Notes            string         `json:"notes"`
}

type timeline struct {
	Incident date `json:"incident"`
}

type date struct {
	Year  int `json:"year"`
	Month int `json:"month,omitempty"`
	Day   int `json:"day,omitempty"`
}

type victim struct {
	Country       []string `json:"country"`
	EmployeeCount string   `json:"employee_count"`
	Industry      string   `json:"industry"`
	Government    []string `json:"government"`
}

type unknownOnly struct {
	Unknown notes `json:"unknown"`
}

type notes struct {
	Notes string `json:"notes,omitempty"`
}

type actions struct {
	Hacking *action `json:"hacking,omitempty"`
	Malware *action `json:"malware,omitempty"`
	Social  *action `json:"social,omitempty"`
	Unknown *notes  `json:"unknown,omitempty"`
}

type action struct {
	Variety []string `json:"variety"`
	Vector  []string `json:"vector"`
	Target  []string `json:"target,omitempty"` // of social
	CVE     string   `json:"cve,omitempty"`
}

type asset struct {
	Assets []assets `json:"assets"`
	Cloud  []string `json:"cloud"`
}

type assets struct {
	Variety string `json:"variety"`
	Amount  int64  `json:"amount,omitempty"`
}

type attributes struct {
	Confidentiality *confidentiality `json:"confidentiality,omitempty"`
	Integrity       *variety         `json:"integrity,omitempty"`
	Availability    *variety         `json:"availability,omitempty"`
	Unknown         *notes           `json:"unknown,omitempty"`
}

type confidentiality struct {
	Disclosure string `json:"data_disclosure"`
	Data       []data `json:"data,omitempty"`
	Notes      string `json:"notes,omitempty"`
}

type data struct {
	Variety string `json:"variety"`
}

type variety struct {
	Variety []string `json:"variety"`
	Notes   string   `json:"notes,omitempty"`
}

type ioc struct {
	Indicator string `json:"indicator"`
	Comment   string `json:"comment"`
}

const unknown = "Unknown"

// Write writes an incident.
func Write(w io.Writer, in *input.Input) error {
	v, err := share.Of(in)
	if err != nil {
		return err
	}
	english, err := lang.Find(lang.English)
	if err != nil {
		return err
	}
	x := newIncident(v, in.Case, english)
	p, err := casefile.EncodeValue(x, "")
	if err != nil {
		return err
	}
	x.ID = ident.V5(ident.Barid, p).String()
	if p, err = casefile.EncodeValue(x, " "); err != nil {
		return err
	}
	_, err = w.Write(p)
	return err
}

func newIncident(v *share.View, c *casefile.Case, l *lang.Language) *incident {
	x := &incident{
		SchemaVersion: "1.4.1", SecurityIncident: "Suspected", Summary: summary(v, l), Timeline: timeline{when(v)}, Victim: victimOf(v.Organisation),
		Actor: unknownOnly{notes{"Where the attacker came from is among the indicators. Who it was, and why, no log says."}},
		Asset: assetsOf(v), Discovery: map[string]any{"unknown": true}, Targeted: unknown, IOC: indicators(v, l),
	}
	x.Action = actionsOf(v, c)
	x.Attribute = attributesOf(v, c, x.Action)
	if proven(v, c) {
		x.SecurityIncident = "Confirmed"
	}
	lines := []string{"Marking: " + v.Marking.String() + "."}
	if n := len(v.Incidents) + v.Left.Incidents; n > 1 {
		lines = append(lines, "The case has "+strconv.Itoa(n)+" incidents, which are described as one.")
	}
	lines = append(append(append(lines, share.ReachedText(v, l)...), share.OpenText(v, l)...), share.LeftText(v, l)...)
	x.Notes = strings.Join(lines, "\n")
	return x
}

// summary names the incidents, the first of them.
func summary(v *share.View, l *lang.Language) string {
	if len(v.Incidents) == 0 {
		return l.Text("export.report.nothing")
	}
	var names []string
	for i := range v.Incidents {
		if i == 5 {
			break
		}
		if !slices.Contains(names, v.Incidents[i].Name) {
			names = append(names, v.Incidents[i].Name)
		}
	}
	return strings.Join(names, "; ")
}

// when returns the day on which the incident began. VERIS wants a year from 1950 on: where none is known it is 1970, which the notes say.
func when(v *share.View) date {
	t := v.Time
	for i := range v.Incidents {
		if f := v.Incidents[i].First; !f.IsZero() && f.Before(t) {
			t = f
		}
	}
	if !v.Dated || t.Year() < 1950 {
		return date{Year: 1970}
	}
	return date{t.Year(), int(t.Month()), t.Day()}
}

// victimOf returns what the facts say of the organisation, but its name.
func victimOf(o *casefile.Organisation) *victim {
	if o == nil {
		return nil
	}
	x := &victim{Country: []string{unknown}, EmployeeCount: unknown, Industry: "00", Government: []string{unknown}}
	if r, err := language.ParseRegion(o.Country); err == nil && r.IsCountry() && r.String() == o.Country && len(o.Country) == 2 {
		x.Country[0] = o.Country
	}
	switch o.Kind {
	case "bank":
		x.Industry, x.Government[0] = "522110", "NA"
	case "post":
		x.Industry = "491110"
	case "financial":
		x.Industry, x.Government[0] = "52", "NA"
	case "ministry", "authority":
		x.Industry = "92"
	case "eu-body":
		x.Industry, x.Government[0] = "92", "Other"
	}
	return x
}

// proven reports whether anything of the case was proven to have been reached, or a session to have been the attacker's.
func proven(v *share.View, c *casefile.Case) bool {
	return slices.ContainsFunc(v.Reached, func(k share.Kind) bool { return k.Confirmed > 0 || k.MetadataConfirmed > 0 }) ||
		slices.ContainsFunc(c.Sessions, func(s casefile.Session) bool { return s.Attribution == "attacker" })
}

// mapped is what a technique of ATT&CK is in VERIS. It is taken where its number begins with technique; the first one counts.
var mapped = [...]struct {
	technique, action, variety, vector string
}{
	{"T1190", "hacking", "Exploit vuln", "Web application"},
	{"T1110", "hacking", "Brute force", unknown},
	{"T1078", "hacking", "Use of stolen creds", unknown},
	{"T1498", "hacking", "DoS", unknown},
	{"T1499", "hacking", "DoS", unknown},
	{"T1595", "hacking", "Scan network", unknown},
	{"T1059", "hacking", "OS commanding", unknown},
	{"T1550.002", "hacking", "Pass-the-hash", unknown},
	{"T1557", "hacking", "AitM", unknown},
	{"T1505.003", "malware", "Backdoor", "Direct install"},
	{"T1003", "malware", "Password dumper", unknown},
	{"T1486", "malware", "Ransomware", unknown},
	{"T1485", "malware", "Destroy data", unknown},
	{"T1496", "malware", "Cryptocurrency mining", unknown},
	{"T1566", "social", "Phishing", "Email"},
	{"T1534", "social", "Phishing", "Email"},
}

// actionsOf returns the actions that findings of level high or above show, and floods.
func actionsOf(v *share.View, c *casefile.Case) actions {
	var a actions
	at := map[string]**action{"hacking": &a.Hacking, "malware": &a.Malware, "social": &a.Social}
	for i := range c.Incidents {
		for j := range c.Incidents[i].Steps {
			r := &c.Incidents[i].Steps[j].Rule
			for _, t := range attack.Techniques(r.Tags) {
				flood := strings.HasPrefix(t, "T1498") || strings.HasPrefix(t, "T1499")
				if share.Level(r.Level) < detect.High && !flood {
					continue
				}
				for _, m := range mapped {
					if strings.HasPrefix(t, m.technique) {
						add(at[m.action], m.variety, m.vector)
						break
					}
				}
			}
		}
	}
	for _, x := range at {
		if *x != nil {
			(*x).tidy()
		}
	}
	if a.Social != nil {
		a.Social.Target = []string{unknown}
	}
	if a.Hacking != nil && slices.Contains(a.Hacking.Variety, "Exploit vuln") {
		a.Hacking.CVE = strings.Join(v.CVEs, "; ")
	}
	if a.Hacking == nil && a.Malware == nil && a.Social == nil {
		a.Unknown = &notes{}
	}
	return a
}

func add(to **action, variety, vector string) {
	if *to == nil {
		*to = &action{}
	}
	(*to).Variety, (*to).Vector = append((*to).Variety, variety), append((*to).Vector, vector)
}

// tidy puts the lists in order, each value once.
func (a *action) tidy() {
	slices.Sort(a.Variety)
	slices.Sort(a.Vector)
	a.Variety, a.Vector = slices.Compact(a.Variety), slices.Compact(a.Vector)
}

// kind returns what was reached of a kind.
func kind(v *share.View, name string) casefile.VerdictCounts {
	for i := range v.Reached {
		if v.Reached[i].Kind == name {
			return v.Reached[i].VerdictCounts
		}
	}
	return casefile.VerdictCounts{}
}

// assetsOf returns the assets that were reached beyond doubt.
func assetsOf(v *share.View) asset {
	a := asset{Cloud: []string{unknown}}
	if kind(v, "mailbox").Confirmed+kind(v, "message").Confirmed+kind(v, "folder").Confirmed > 0 {
		a.Assets = append(a.Assets, assets{Variety: "S - Mail"})
	}
	if kind(v, "file").Confirmed > 0 {
		a.Assets = append(a.Assets, assets{Variety: "S - File"})
	}
	if n := kind(v, "host").ConfirmedLeast(); n > 0 {
		a.Assets = append(a.Assets, assets{Variety: "S - Unknown", Amount: n})
	}
	if len(a.Assets) == 0 {
		a.Assets = []assets{{Variety: unknown}}
	}
	return a
}

// attributesOf returns what was done to the security of the assets.
func attributesOf(v *share.View, c *casefile.Case, done actions) attributes {
	var a attributes
	var yes, perhaps int64
	for _, k := range [...]string{"mailbox", "message", "folder", "file"} {
		n := kind(v, k)
		yes, perhaps = yes+n.Confirmed+n.MetadataConfirmed, perhaps+n.Possible+n.MetadataPossible
	}
	held := kind(v, "credential")
	switch {
	case yes > 0:
		a.Confidentiality = &confidentiality{Disclosure: "Yes", Data: []data{{unknown}}}
	case perhaps > 0:
		a.Confidentiality = &confidentiality{Disclosure: "Potentially"}
	case held.Confirmed > 0:
		a.Confidentiality = &confidentiality{Disclosure: unknown}
	}
	if held.Confirmed > 0 {
		a.Confidentiality.Data = append(a.Confidentiality.Data, data{"Credentials"})
		a.Confidentiality.Notes = "Credentials were held by the attacker. Where they came from is not known."
	}
	var changed []string
	if kind(v, casefile.KindShell).Confirmed > 0 {
		changed = append(changed, "Software installation")
	}
	for i := range c.Capabilities {
		p := &c.Capabilities[i]
		switch {
		case p.Suspected:
		case p.Kind == "rule":
			changed = append(changed, "Modify configuration")
		case p.Kind == "delegation" || p.Kind == "grant":
			changed = append(changed, "Modify privileges")
		}
	}
	slices.Sort(changed)
	if changed = slices.Compact(changed); len(changed) > 0 {
		a.Integrity = &variety{Variety: changed}
	}
	if done.Hacking != nil && slices.Contains(done.Hacking.Variety, "DoS") {
		a.Availability = &variety{Variety: []string{unknown}, Notes: "A flood was seen. Whether the service suffered is not said by the case."}
	}
	if a == (attributes{}) {
		a.Unknown = &notes{}
	}
	return a
}

// indicators returns the addresses and web shells.
func indicators(v *share.View, l *lang.Language) []ioc {
	var list []ioc
	for i := range v.Addresses {
		why := "export.address.seen"
		if v.Addresses[i].Proven {
			why = "export.address.proven"
		}
		list = append(list, ioc{v.Addresses[i].IP.String(), l.Text(why)})
	}
	for i := range v.Files {
		list = append(list, ioc{v.Files[i].Path, l.Text("export.file")})
	}
	return list
}
