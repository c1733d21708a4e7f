// Package timesketch writes a case for import into Timesketch: JSON lines, each with message, datetime and
// timestamp_desc (Timesketch documentation, "Import data from JSON or CSV"), and what else is known of the finding.
package timesketch

import (
	"encoding/json"
	"io"
	"strings"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/report/fields"
	"github.com/barid-dfir/barid/internal/report/input"
)

// maxMessage is the most of an event that a message shows, in bytes.
const maxMessage = 1000

// line is a finding. Timesketch makes an attribute of every field.
type line struct {
	Message       string          `json:"message"`
	Datetime      string          `json:"datetime"`
	TimestampDesc string          `json:"timestamp_desc"`
	DataType      string          `json:"data_type"`
	Tag           []string        `json:"tag"`
	Level         string          `json:"level"`
	RuleID        string          `json:"rule_id"`
	RuleTitle     string          `json:"rule_title"`
	Hostname      string          `json:"hostname"`
	Username      string          `json:"username,omitempty"`
	SourceIP      string          `json:"src_ip,omitempty"`
	DisplayName   string          `json:"display_name"`
	SHA256        string          `json:"sha256_hash,omitempty"`
	Line          int64           `json:"line,omitempty"`
	Record        int64           `json:"record,omitempty"`
	Offset        int64           `json:"offset"`
	Event         json.RawMessage `json:"event,omitempty"`
}

// Write writes a line for every finding. Timesketch takes no event without a time: a finding without one is dated
// 1970-01-01 and says so in timestamp_desc.
func Write(w io.Writer, in *input.Input) error {
	var text []byte
	for f, err := range in.Findings {
		if err != nil {
			return err
		}
		text = fields.AppendMessage(append(append(text[:0], f.Rule.Title...), ": "...), f.Event, maxMessage)
		l := line{
			Message: event.Visible(string(text)), Datetime: "1970-01-01T00:00:00.000Z", TimestampDesc: "Time unknown", DataType: "barid:finding",
			Tag: append([]string{"barid", f.Rule.Level}, techniques(f.Rule.Tags)...), Level: f.Rule.Level, RuleID: event.Visible(f.Rule.ID), RuleTitle: event.Visible(f.Rule.Title),
			Hostname: event.Visible(f.Host), Username: event.Visible(f.Account), SourceIP: event.Visible(f.Client), DisplayName: event.Visible(f.Source.Path), SHA256: f.Source.SHA256,
			Line: f.Source.Line, Record: f.Source.Record, Offset: f.Source.Offset, Event: f.Event,
		}
		if f.Time != nil {
			l.Datetime, l.TimestampDesc = string(event.AppendTime(nil, *f.Time)), "Event Time"
		}
		p, err := casefile.EncodeValue(&l, "")
		if err != nil {
			return err
		}
		if _, err := w.Write(p); err != nil {
			return err
		}
	}
	return nil
}

// techniques returns the ATT&CK techniques among the tags of a rule, as people write them: T1190.
func techniques(tags []string) []string {
	var list []string
	for _, t := range tags {
		if id, ok := strings.CutPrefix(t, "attack.t"); ok && id != "" && '0' <= id[0] && id[0] <= '9' {
			list = append(list, "T"+id)
		}
	}
	return list
}
