// Package misp writes what others may be given of a case as a MISP event (MISP core format, draft-dulaunoy-misp-core-format): attributes for
// the addresses, web shells and client programs of the attacker and the vulnerabilities that were used, with the marking of the case and the
// techniques as tags. Only what is proven is marked for detection (to_ids).
//
// The event is not published and is distributed to the own organisation alone: whoever imports it decides. It names no organisation as its
// creator, so that it becomes that of whoever imports it. It has no name of a person, account, mailbox or host, and at most as many
// attributes as package share holds: what is beyond that is counted in attributes of the type text. It has no objects and no galaxies:
// MISP makes galaxies of the tags.
package misp

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/lang"
	"github.com/barid-dfir/barid/internal/report/attack"
	"github.com/barid-dfir/barid/internal/report/ident"
	"github.com/barid-dfir/barid/internal/report/input"
	"github.com/barid-dfir/barid/internal/report/share"
)

// event is a MISP event. Numbers are strings, as the format wants them.
type event struct {
	UUID             string      `json:"uuid,omitempty"`
	ID               string      `json:"id"`
	OrgID            string      `json:"org_id"`
	OrgcID           string      `json:"orgc_id"`
	Info             string      `json:"info"`
	Date             string      `json:"date"`
	Timestamp        string      `json:"timestamp"`
	PublishTimestamp string      `json:"publish_timestamp"`
	Published        bool        `json:"published"`
	ThreatLevel      string      `json:"threat_level_id"`
	Analysis         string      `json:"analysis"`
	Distribution     string      `json:"distribution"`
	AttributeCount   string      `json:"attribute_count"`
	Attributes       []attribute `json:"Attribute"`
	Tags             []tag       `json:"Tag"`
}

type attribute struct {
	UUID               string `json:"uuid,omitempty"`
	Type               string `json:"type"`
	Category           string `json:"category"`
	Value              string `json:"value"`
	ToIDs              bool   `json:"to_ids"`
	Distribution       string `json:"distribution"`
	Timestamp          string `json:"timestamp"`
	Comment            string `json:"comment"`
	Deleted            bool   `json:"deleted"`
	DisableCorrelation bool   `json:"disable_correlation"`
	FirstSeen          string `json:"first_seen,omitempty"`
	LastSeen           string `json:"last_seen,omitempty"`
}

type tag struct {
	Name string `json:"name"`
}

// Of distributions, and of how far an analysis is: what the numbers mean.
const (
	ownOrganisation = "0"
	asTheEvent      = "5"
	ongoing         = "1"
)

// Write writes an event.
func Write(w io.Writer, in *input.Input) error {
	v, err := share.Of(in)
	if err != nil {
		return err
	}
	english, err := lang.Find(lang.English)
	if err != nil {
		return err
	}
	e := newEvent(v, english)
	p, err := casefile.EncodeValue(struct{ Event *event }{e}, " ")
	if err != nil {
		return err
	}
	_, err = w.Write(p)
	return err
}

func newEvent(v *share.View, l *lang.Language) *event {
	at := strconv.FormatInt(max(v.Time.Unix(), 0), 10)
	e := &event{
		ID: "0", OrgID: "0", OrgcID: "0", Info: l.Text("export.report.name"), Date: v.Time.Format(time.DateOnly), Timestamp: at, PublishTimestamp: "0",
		ThreatLevel: threat(v), Analysis: ongoing, Distribution: ownOrganisation, Attributes: []attribute{},
	}
	if len(v.Incidents) > 0 {
		e.Info += ": " + v.Incidents[0].Name
		if !v.Incidents[0].First.IsZero() {
			e.Date = v.Incidents[0].First.Format(time.DateOnly)
		}
	}
	add := func(a attribute, first, last time.Time) {
		a.Distribution, a.Timestamp = asTheEvent, at
		if !first.IsZero() {
			a.FirstSeen, a.LastSeen = stamp(first), stamp(last)
		}
		e.Attributes = append(e.Attributes, a)
	}
	for i := range v.Addresses {
		a := &v.Addresses[i]
		why := "export.address.seen"
		if a.Proven {
			why = "export.address.proven"
		}
		add(attribute{Type: "ip-src", Category: "Network activity", Value: a.IP.String(), ToIDs: a.Proven, Comment: l.Text(why)}, a.First, a.Last)
	}
	for i := range v.Files {
		f := &v.Files[i]
		a := attribute{Type: "filename", Category: "Persistence mechanism", Value: f.Path, ToIDs: true, Comment: l.Text("export.file")}
		if strings.HasPrefix(f.Path, "/") {
			a.Type, a.Category = "uri", "Network activity"
		}
		add(a, f.First, f.Last)
	}
	for i := range v.Agents {
		a := &v.Agents[i]
		add(attribute{Type: "user-agent", Category: "Network activity", Value: a.Name, DisableCorrelation: true, Comment: l.Text("export.agent")}, a.First, a.Last)
	}
	for _, c := range v.CVEs {
		add(attribute{Type: "vulnerability", Category: "External analysis", Value: c}, time.Time{}, time.Time{})
	}
	for _, text := range texts(v, l) {
		add(attribute{Type: "text", Category: "Other", Value: text, DisableCorrelation: true}, time.Time{}, time.Time{})
	}
	e.Tags = tags(v)
	e.AttributeCount = strconv.Itoa(len(e.Attributes))
	e.name()
	return e
}

// texts says what was reached, what is not known and what was left out.
func texts(v *share.View, l *lang.Language) []string {
	var all []string
	for _, list := range [...][]string{share.ReachedText(v, l), share.OpenText(v, l), share.LeftText(v, l)} {
		all = append(all, list...)
	}
	return all
}

// name gives the event and its attributes identifiers that are made of their content.
func (e *event) name() {
	p, err := json.Marshal(e)
	if err != nil {
		panic(err) // strings
	}
	id := ident.V5(ident.Barid, p)
	e.UUID = id.String()
	for i := range e.Attributes {
		a := &e.Attributes[i]
		a.UUID = ident.V5(id, []byte(a.Type+"|"+a.Value)).String()
	}
}

// threat returns the level of the most severe incident: 1 high, 2 medium, 3 low, 4 undefined.
func threat(v *share.View) string {
	level := "4"
	for i := range v.Incidents {
		switch s := v.Incidents[i].Severity; {
		case s == "critical" || s == "high":
			return "1"
		case s == "medium":
			level = "2"
		case s == "low" && level == "4":
			level = "3"
		}
	}
	return level
}

// tags returns the marking of the case, and the techniques as the galaxy of ATT&CK names them. A technique that Barid has no name for is
// a tag of its own.
func tags(v *share.View) []tag {
	list := []tag{{"tlp:" + v.Marking.Name()}}
	for _, t := range v.Techniques {
		if name := attack.Name(t); name != "" {
			list = append(list, tag{fmt.Sprintf(`misp-galaxy:mitre-attack-pattern="%s - %s"`, name, t)})
		} else {
			list = append(list, tag{"attack:" + t})
		}
	}
	return list
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000+00:00") }
