package disclose

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/disclose/draft"
	"github.com/barid-dfir/barid/internal/lang"
)

// doraForms are the reports of Implementing Regulation (EU) 2025/302: JSON for the authority, which is refused while it could not
// be filed, and a draft to read, in which what is open is marked.
func doraForms() []Form {
	as := []string{"json", "html", "md"}
	return []Form{
		{Name: "dora-initial", About: "DORA: initial notification of a major incident", Regime: regimeDORA, Stage: "initial", As: as, Write: writeDORA(doraInitial)},
		{Name: "dora-intermediate", About: "DORA: intermediate report; --previous takes the report as filed before", Regime: regimeDORA, Stage: "intermediate", As: as,
			Write: writeDORA(doraIntermediate)},
		{Name: "dora-final", About: "DORA: final report; --previous takes the intermediate report as filed", Regime: regimeDORA, Stage: "final", As: as, Write: writeDORA(doraFinal)},
		{Name: "dora-reclassified", About: "DORA: an incident reported as major never was", Regime: regimeDORA, Stage: "reclassification", As: as,
			Write: writeDORA(doraReclassified)},
	}
}

func writeDORA(stage doraStage) func(io.Writer, *Draft) error {
	return func(w io.Writer, d *Draft) error {
		r, changes, err := draftDORA(d, stage)
		if err != nil {
			return err
		}
		if d.Warn != nil {
			warnOfChanges(d, changes)
		}
		problems := r.problems()
		if d.As != "json" {
			return writeDORAPage(w, d, r, problems, changes)
		}
		if len(problems) > 0 {
			return &NotReady{Fields: describe(problems)}
		}
		return r.writeJSON(w)
	}
}

func doraFormName(stage doraStage) string { return "dora-" + doraStageName(stage) }

func doraStageName(stage doraStage) string {
	return [...]string{doraInitial: "initial", doraIntermediate: "intermediate", doraFinal: "final", doraReclassified: "reclassified"}[stage]
}

// NotReady says that a form could not be filed as it is, and what would change that.
type NotReady struct {
	// Fields are what is missing or wrong, a line each: the number and the name of the field, what is wrong, the keys of the facts.
	Fields []string
}

// Error says how many fields there are; they are for the caller to list.
func (e *NotReady) Error() string {
	return fmt.Sprintf("it cannot be filed yet, and nothing was written. Fields that are missing or wrong: %d. A draft to read, with these marked: --as html or --as md", len(e.Fields))
}

// describe says in English what is wrong.
func describe(problems []doraProblem) []string {
	en, err := lang.Find(lang.English)
	if err != nil {
		return []string{err.Error()}
	}
	var out []string
	for _, p := range problems {
		s := p.field.number + " " + en.Text(p.field.name()) + ": " + en.Text("dora.rule."+p.rule)
		if p.why != "" {
			s += " (" + en.Text("dora.when."+p.why) + ")"
		}
		out = append(out, s+": give "+p.field.keys())
	}
	return out
}

// draftDORA fills the report of a stage, from the report before it where one is given, and says what is different from that.
func draftDORA(d *Draft, stage doraStage) (*doraReport, []doraChange, error) {
	if err := mayReport(d.Facts, stage); err != nil {
		return nil, nil, err
	}
	r, err := fillDORA(d, stage)
	if err != nil {
		return nil, nil, err
	}
	if d.Previous == nil {
		return r, nil, hasStageBefore(d.Facts, stage)
	}
	earlier, err := readDORA(d.Previous)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", d.PreviousName, err)
	}
	if err := r.follow(earlier, d.Facts.DORA); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", d.PreviousName, err)
	}
	return r, r.changes(earlier), nil
}

// mayReport says whether what people decided allows the form.
func mayReport(f *Facts, stage doraStage) error {
	act := lastClassification(f)
	switch {
	case stage == doraReclassified && (act == nil || act.Act != "reclassified"):
		return errors.New(`nobody reclassified the incident: give disclosure.acts: {act: reclassified, regime: dora, as: not_major, time, author, reason}`)
	case stage != doraReclassified && act != nil && act.As == "not_major":
		return fmt.Errorf("%s said at %s that the incident is not major (%s): a report on a major incident contradicts this act in disclosure.acts",
			plainText(act.Author), act.Time.Format(time.RFC3339), act.Act)
	}
	return nil
}

// hasStageBefore says whether the stage before was submitted, by the facts.
func hasStageBefore(f *Facts, stage doraStage) error {
	before := map[doraStage]doraStage{doraIntermediate: doraInitial, doraFinal: doraIntermediate, doraReclassified: doraInitial}[stage]
	if before == 0 || submittedDORA(f, before) != nil {
		return nil
	}
	name := doraStageName(before)
	return fmt.Errorf("there is no %s report before it: give it as filed with --previous, or disclosure.acts: {act: submitted, regime: dora, stage: %s, time, author, receipt}",
		name, name)
}

// follow takes over from the report before what nobody says anew. It fails if that is of another incident, or comes after this one.
func (r *doraReport) follow(earlier *doraReport, said map[string]any) error {
	for _, number := range []string{"2.1", "1.3"} {
		was, is := earlier.values[number], r.values[number]
		f := doraFieldOf(number)
		switch {
		case was == nil:
			return fmt.Errorf("it has no field %s (%s): no report under DORA as it was filed", number, f.path)
		case is != nil && was != is:
			return fmt.Errorf("it is of another incident: its field %s (%s) is %.80q, and that of %s is %.80q", number, f.path, was, f.keys(), is)
		}
	}
	if earlier.stage == doraReclassified || r.stage != doraReclassified && earlier.stage > r.stage {
		return fmt.Errorf("it is of the stage %s, which comes after %s", earlier.text("1.1"), r.text("1.1"))
	}
	if r.stage == doraFinal && earlier.stage == doraInitial {
		return errors.New("it is the initial notification: a final report follows the intermediate one")
	}
	for number, v := range earlier.values {
		if _, out := said[number]; number == "1.1" || out || r.given(number) {
			continue
		}
		r.values[number], r.from[number] = v, doraOrigin{basis: basisPrevious}
	}
	return nil
}

// warnOfChanges lists what is different from the report before.
func warnOfChanges(d *Draft, changes []doraChange) {
	en, err := lang.Find(lang.English)
	if err != nil {
		return
	}
	if d.Previous == nil {
		return
	}
	if len(changes) == 0 {
		d.Warn("No field that " + d.PreviousName + " has says anything else now.")
	}
	for _, c := range changes {
		d.Warn(c.field.number + " " + en.Text(c.field.name()) + ": " + draft.Plain(changeWords(en, c)))
	}
}

func changeWords(l *lang.Language, c doraChange) lang.Words {
	return l.Words("dora.change", "was", valueWords(l, c.was), "is", valueWords(l, c.is))
}

// maxShown is how many characters of a value a list of changes shows.
const maxShown = 200

// valueWords says a value in a line; a long one is cut.
func valueWords(l *lang.Language, v any) lang.Words {
	cut := func(s string) string {
		s = strings.ReplaceAll(s, "\n", " ")
		if r := []rune(s); len(r) > maxShown {
			return string(r[:maxShown]) + "…"
		}
		return s
	}
	switch v := v.(type) {
	case string:
		if v != "" {
			return l.Names(cut(v))[0]
		}
	case []string:
		if len(v) > 0 {
			return l.Values(cut(strings.Join(v, ", ")))[0]
		}
	case json.Number:
		return l.Values(v.String())[0]
	case bool:
		if v {
			return l.Words("dora.yes")
		}
		return l.Words("dora.no")
	}
	return l.Words("dora.change.none")
}
