// Package ocsf writes a case as events of the Open Cybersecurity Schema Framework 1.8.0, a JSON line each: an Incident Finding (class 2005)
// for every incident, then a Detection Finding (class 2004) for every finding. It is for the organisation's own SIEM: names and raw lines
// stand in it as they are.
//
// A finding without a time has the time 0 and the label time:unknown, since the class demands one. What was reached has no class in OCSF;
// it stands in numbers in each incident, under unmapped. The assignee group is "unassigned", which the class demands too: Barid assigns
// nothing. is_suspected_breach is true where a verdict on mail or files of the case is confirmed or possible, and else not there:
// that there was no breach is for a person to say.
package ocsf

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/detect"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/report/attack"
	"github.com/barid-dfir/barid/internal/report/ident"
	"github.com/barid-dfir/barid/internal/report/input"
	"github.com/barid-dfir/barid/internal/report/share"
)

const (
	findings         = 2
	detectionFinding = 2004
	incidentFinding  = 2005
	create           = 1
	isNew            = 1
	suspicious       = 4
)

// ocsfEvent is an event of either class.
type ocsfEvent struct {
	ActivityID      int          `json:"activity_id"`
	Activity        string       `json:"activity_name"`
	CategoryUID     int          `json:"category_uid"`
	Category        string       `json:"category_name"`
	ClassUID        int          `json:"class_uid"`
	Class           string       `json:"class_name"`
	TypeUID         int          `json:"type_uid"`
	SeverityID      int          `json:"severity_id"`
	Severity        string       `json:"severity"`
	StatusID        int          `json:"status_id"`
	Status          string       `json:"status"`
	Time            int64        `json:"time"` // milliseconds since 1970
	Start           *int64       `json:"start_time,omitempty"`
	End             *int64       `json:"end_time,omitempty"`
	Message         string       `json:"message"`
	Metadata        metadata     `json:"metadata"`
	Info            *info        `json:"finding_info,omitempty"`
	Infos           []info       `json:"finding_info_list,omitempty"`
	Evidences       []evidence   `json:"evidences,omitempty"`
	Device          *device      `json:"device,omitempty"`
	IsAlert         *bool        `json:"is_alert,omitempty"`
	Desc            string       `json:"desc,omitempty"`
	Attacks         []attackInfo `json:"attacks,omitempty"`
	AssigneeGroup   *group       `json:"assignee_group,omitempty"`
	SuspectedBreach *bool        `json:"is_suspected_breach,omitempty"`
	VerdictID       int          `json:"verdict_id,omitempty"`
	Verdict         string       `json:"verdict,omitempty"`
	Count           int64        `json:"count,omitempty"`
	Observables     []observable `json:"observables,omitempty"`
	RawData         string       `json:"raw_data,omitempty"`
	Unmapped        *unmapped    `json:"unmapped,omitempty"`
}

type metadata struct {
	Version  string   `json:"version"`
	Product  product  `json:"product"`
	Profiles []string `json:"profiles,omitempty"`
	Labels   []string `json:"labels"`
	UID      string   `json:"uid"`
}

type product struct {
	Name    string `json:"name"`
	Vendor  string `json:"vendor_name"`
	Version string `json:"version,omitempty"`
}

type info struct {
	UID      string       `json:"uid"`
	Title    string       `json:"title"`
	Analytic *analytic    `json:"analytic,omitempty"`
	Attacks  []attackInfo `json:"attacks,omitempty"`
	First    *int64       `json:"first_seen_time,omitempty"`
	Last     *int64       `json:"last_seen_time,omitempty"`
	Sources  []string     `json:"data_sources,omitempty"`
	Related  int64        `json:"related_events_count,omitempty"`
}

type analytic struct {
	Name   string `json:"name"`
	UID    string `json:"uid,omitempty"`
	TypeID int    `json:"type_id"`
	Type   string `json:"type"`
}

type attackInfo struct {
	Technique *named `json:"technique,omitempty"`
	Sub       *named `json:"sub_technique,omitempty"`
}

type named struct {
	UID  string `json:"uid"`
	Name string `json:"name,omitempty"`
}

type group struct {
	Name string `json:"name"`
}

type device struct {
	TypeID   int    `json:"type_id"`
	Hostname string `json:"hostname,omitempty"`
	IP       string `json:"ip,omitempty"`
}

type endpoint struct {
	IP   string `json:"ip,omitempty"`
	Name string `json:"name,omitempty"`
}

type user struct {
	Name string `json:"name"`
}

type url struct {
	Path string `json:"path"`
}

type evidence struct {
	Data   json.RawMessage `json:"data"`
	Source *endpoint       `json:"src_endpoint,omitempty"`
	User   *user           `json:"user,omitempty"`
	URL    *url            `json:"url,omitempty"`
}

type observable struct {
	TypeID int    `json:"type_id"`
	Type   string `json:"type"`
	Value  string `json:"value"`
}

// unmapped is what has no place in the class.
type unmapped struct {
	Active   bool                              `json:"active"`
	Stage    string                            `json:"stage,omitempty"`
	Reached  map[string]casefile.VerdictCounts `json:"reached_in_case,omitempty"`
	Position *casefile.Position                `json:"position,omitempty"`
}

// Write writes the events.
func Write(w io.Writer, in *input.Input) error {
	out := bufio.NewWriterSize(w, 64<<10)
	e := encoder{w: out, c: in.Case, labels: []string{"tlp:" + in.Case.Marking().Name()}}
	for i := range in.Case.Incidents {
		if err := e.incident(&in.Case.Incidents[i]); err != nil {
			return err
		}
	}
	for f, err := range in.Findings {
		if err != nil {
			return err
		}
		if err := e.finding(f); err != nil {
			return err
		}
	}
	return out.Flush()
}

type encoder struct {
	w      *bufio.Writer
	c      *casefile.Case
	labels []string
}

// write writes an event of a class as a line.
func (e *encoder) write(x *ocsfEvent, class int, level string) error {
	x.ActivityID, x.Activity, x.CategoryUID, x.Category, x.ClassUID, x.TypeUID, x.StatusID, x.Status = create, "Create", findings, "Findings", class, class*100+create, isNew, "New"
	x.Class = map[int]string{detectionFinding: "Detection Finding", incidentFinding: "Incident Finding"}[class]
	l := share.Level(level)
	x.SeverityID = int(l) + 1 // informational is 1, critical 5
	x.Severity = strings.ToUpper(l.String()[:1]) + l.String()[1:]
	x.Metadata.Version, x.Metadata.Product, x.Metadata.Labels = "1.8.0", product{"Barid", "Barid", e.c.Barid.Version}, e.labels
	if x.Start == nil {
		x.Metadata.Labels = append(append([]string{}, e.labels...), "time:unknown")
	} else {
		x.Time = *x.Start
	}
	line, err := casefile.EncodeValue(x, "")
	if err != nil {
		return err
	}
	_, err = e.w.Write(line)
	return err
}

// milliseconds returns a time as OCSF has it: nil where it is not known.
func milliseconds(t time.Time) *int64 {
	if !share.Known(t) {
		return nil
	}
	n := t.UnixMilli()
	return &n
}

func (e *encoder) incident(in *casefile.Incident) error {
	yes := true
	x := &ocsfEvent{Start: milliseconds(in.First), End: milliseconds(in.Last), Message: event.Visible(in.Title), Desc: event.Visible(in.Summary), Metadata: metadata{Profiles: []string{"incident"}},
		AssigneeGroup: &group{"unassigned"}, VerdictID: suspicious, Verdict: "Suspicious", Count: in.Findings, Infos: []info{},
		Unmapped: &unmapped{Active: in.Active, Stage: event.Visible(in.Stage), Reached: e.c.Summary.Reached}}
	x.Metadata.UID = ident.V5(ident.Barid, fmt.Appendf(nil, "incident %q %q %s %d", in.ID, in.Title, in.First.UTC(), in.Findings)).String()
	for _, k := range [...]string{"mailbox", "message", "folder", "file"} {
		if n := e.c.Summary.Reached[k]; n.Confirmed+n.Possible+n.MetadataConfirmed+n.MetadataPossible > 0 {
			x.SuspectedBreach = &yes
		}
	}
	for i := range in.Steps {
		s := &in.Steps[i]
		step := info{UID: ident.V5(ident.Barid, fmt.Appendf(nil, "step %s %q %d", x.Metadata.UID, s.Rule.ID, i)).String(), Title: event.Visible(s.Rule.Title), Analytic: analyticOf(&s.Rule),
			Attacks: attacks(attack.Techniques(s.Rule.Tags)), First: milliseconds(s.First), Last: milliseconds(s.Last), Related: s.Count}
		for j := range s.Evidence {
			step.Sources = append(step.Sources, s.Evidence[j].Source)
		}
		x.Infos = append(x.Infos, step)
	}
	if len(x.Infos) == 0 {
		x.Infos = append(x.Infos, info{UID: x.Metadata.UID, Title: x.Message})
	}
	x.Attacks = attacks(valid(in.Techniques))
	for _, a := range in.Actors {
		x.Observables = append(x.Observables, observed(a, 4, "User Name"))
	}
	for _, h := range in.Hosts {
		x.Observables = append(x.Observables, observed(h, 1, "Hostname"))
	}
	return e.write(x, incidentFinding, in.Severity)
}

// observed returns an address as one, and what is none as another type.
func observed(value string, otherID int, other string) observable {
	if _, err := netip.ParseAddr(value); err == nil {
		return observable{2, "IP Address", value}
	}
	return observable{otherID, other, value}
}

func (e *encoder) finding(f *casefile.Finding) error {
	yes := share.Level(f.Rule.Level) >= detect.Medium
	x := &ocsfEvent{Message: event.Visible(f.Rule.Title), IsAlert: &yes, RawData: f.Raw, Unmapped: &unmapped{Position: &f.Source}}
	if f.Time != nil {
		x.Start, x.End = milliseconds(*f.Time), milliseconds(*f.Time)
	}
	if f.Last != nil && x.Start != nil && !f.Last.Before(*f.Time) {
		x.End = milliseconds(*f.Last)
	}
	name := fmt.Appendf(nil, "finding %s %q %q %d %d %d %q %q %q %q", f.Source.SHA256, f.Source.Path, f.Rule.ID, f.Source.Record, f.Source.Line, f.Source.Offset, f.Host, f.Account, f.Client, f.Object)
	if f.Time != nil {
		name = f.Time.UTC().AppendFormat(name, time.RFC3339Nano)
	}
	x.Metadata.UID = ident.V5(ident.Barid, name).String()
	x.Info = &info{UID: x.Metadata.UID, Title: x.Message, Analytic: analyticOf(&f.Rule), Attacks: attacks(attack.Techniques(f.Rule.Tags)), First: x.Start, Last: x.End}
	if f.Source.Path != "" {
		x.Info.Sources = []string{f.Source.Path}
	}
	proof := evidence{Data: f.Event}
	switch {
	case len(f.Event) == 0:
		proof.Data = json.RawMessage("{}")
	case !f.EventIsClean && !json.Valid(f.Event):
		text, err := json.Marshal(string(f.Event))
		if err != nil {
			return err
		}
		proof.Data = text
	}
	if ip, err := netip.ParseAddr(f.Client); err == nil {
		proof.Source = &endpoint{IP: ip.Unmap().WithZone("").String()}
	} else if f.Client != "" {
		proof.Source = &endpoint{Name: f.Client}
	}
	if f.Account != "" {
		proof.User = &user{f.Account}
	}
	if f.Object != "" {
		proof.URL = &url{f.Object}
	}
	x.Evidences = []evidence{proof}
	if ip, err := netip.ParseAddr(f.Host); err == nil {
		x.Device = &device{IP: ip.Unmap().WithZone("").String()}
	} else if f.Host != "" {
		x.Device = &device{Hostname: f.Host}
	}
	return e.write(x, detectionFinding, f.Rule.Level)
}

func analyticOf(r *casefile.Rule) *analytic {
	return &analytic{Name: event.Visible(r.Title), UID: r.ID, TypeID: 1, Type: "Rule"}
}

func valid(techniques []string) []string {
	var list []string
	for _, t := range techniques {
		if attack.IsTechnique(t) {
			list = append(list, t)
		}
	}
	return list
}

func attacks(techniques []string) []attackInfo {
	var list []attackInfo
	for _, t := range techniques {
		parent := share.Parent(t)
		x := attackInfo{Technique: &named{parent, attack.Name(parent)}}
		if t != parent {
			x.Sub = &named{t, attack.Name(t)}
		}
		list = append(list, x)
	}
	return list
}
