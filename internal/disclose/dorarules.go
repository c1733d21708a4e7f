package disclose

import (
	"math"
	"slices"
	"strings"
	"time"
)

// doraProblem is what keeps a report from being filed.
type doraProblem struct {
	field *doraField
	// rule is the rule that is broken: "missing", or one of doraRules and checks of values. dora.rule.… says it in words.
	rule string
	// why is, for a field that is missing and not always required, the condition by which it is: dora.when.… says it in words. "" otherwise.
	why string
}

// doraConditions say when a field that is not always required is: the column C of Annex II to Implementing Regulation (EU) 2025/302, which
// the schema leaves out. Rules marked (S) are those of authorities' guides, (U) is what Barid's authors read in it; docs/disclosure.md
// lists them.
var doraConditions = map[string]struct {
	name string
	when func(*doraReport) bool
}{
	"1.5":  {"submitter", func(r *doraReport) bool { return r.otherSubmitter() || r.given("1.6") }},
	"1.6":  {"submitter", func(r *doraReport) bool { return r.otherSubmitter() || r.given("1.5") }},
	"1.13": {"pair", func(r *doraReport) bool { return r.given("1.14") }},
	"1.14": {"pair", func(r *doraReport) bool { return r.given("1.13") }},
	"2.6":  {"geography", func(r *doraReport) bool { return r.has("2.5", critGeography) }},
	"2.8": {"third", func(r *doraReport) bool {
		return r.ask.third || r.text("2.7") == "third-party_provider" || r.has("4.2", causeThirdParty)
	}},
	"2.10": {"reclassified", func(r *doraReport) bool { return r.stage == doraReclassified }},
	"3.1":  {"submitted", func(r *doraReport) bool { return r.ask.submitted }}, // (S)
	"3.3": {"recovered", func(r *doraReport) bool {
		return (r.given("3.16") || r.ask.down) && (r.stage == doraFinal || !r.ask.stillDown)
	}},
	"3.8":  {"clients", func(r *doraReport) bool { return r.has("2.5", critClients) }},
	"3.9":  {"transactions", (*doraReport).transactions},
	"3.10": {"transactions", (*doraReport).transactions},
	"3.11": {"transactions", (*doraReport).transactions},
	"3.13": {"reputation", func(r *doraReport) bool { return r.has("2.5", critReputation) }},
	"3.14": {"reputation", func(r *doraReport) bool { return r.has("2.5", critReputation) }},
	"3.16": {"down", func(r *doraReport) bool { return r.given("3.3") || r.ask.down }},
	"3.18": {"geography", func(r *doraReport) bool { return r.has("2.5", critGeography) }},
	"3.19": {"geography", func(r *doraReport) bool { return r.has("2.5", critGeography) }},
	"3.20": {"data", func(r *doraReport) bool { return r.has("2.5", critData) }},
	"3.21": {"data", func(r *doraReport) bool { return r.has("2.5", critData) }},
	"3.24": {"other_type", func(r *doraReport) bool { return r.has("3.23", "other") }},
	"3.25": {"cyber", (*doraReport).cyber},
	"3.26": {"other_technique", func(r *doraReport) bool { return r.has("3.25", "other") }},
	"3.29": {"infrastructure", func(r *doraReport) bool { return r.text("3.28") == "yes" }},
	"3.32": {"other_authority", func(r *doraReport) bool { return r.has("3.31", "other") }},
	"3.35": {"cyber", (*doraReport).cyber},
	"4.3": {"more_causes", func(r *doraReport) bool { // (U)
		return r.has("4.2", causeMonitoring) || r.has("4.2", causeRisk) || r.has("4.2", causeOperations) || r.has("4.2", causeAcquisition)
	}},
	"4.4": {"other_cause", func(r *doraReport) bool {
		return slices.ContainsFunc(r.list("4.2"), func(c string) bool { return strings.HasSuffix(c, "_other") })
	}},
	"4.12": {"economic", func(r *doraReport) bool { return r.has("2.5", critEconomic) }},
	"4.15": {"recurring", func(r *doraReport) bool { return r.given("4.16") || r.ask.recurring }},
	"4.16": {"recurring", func(r *doraReport) bool { return r.given("4.15") || r.ask.recurring }},
}

// otherSubmitter says whether somebody else submits for the entity: by a code that is no LEI.
func (r *doraReport) otherSubmitter() bool {
	return r.given("1.3") && !leiShape.MatchString(r.text("1.3"))
}

func (r *doraReport) cyber() bool { return r.has("3.23", "cybersecurity-related") }

// transactions says whether transactions were affected.
func (r *doraReport) transactions() bool {
	return r.has("3.12", "actual_figures_for_transactions_affected") || r.has("3.12", "estimates_for_transactions_affected")
}

// required says whether a field must be there, and by which condition; "" where it always must.
func (r *doraReport) required(f *doraField) (bool, string) {
	if r.stage.requires(f.from) {
		return true, ""
	}
	if !r.stage.carries(f.part()) {
		return false, ""
	}
	c, ok := doraConditions[f.number]
	return ok && c.when(r), c.name
}

// doraRules are what values must hold to, one field with another. Each returns the number of the field that is wrong, or "".
var doraRules = []struct {
	name  string
	wrong func(*doraReport) string
}{
	// Times follow each other.
	{"order", func(r *doraReport) string { return r.before("3.2", "2.2") }},
	{"order", func(r *doraReport) string { return r.before("2.2", "2.3") }},
	{"order", func(r *doraReport) string { return r.before("3.2", "3.3") }},
	{"order", func(r *doraReport) string { return r.before("3.2", "4.7") }},
	{"order", func(r *doraReport) string { return r.before("3.2", "4.8") }},
	{"order", func(r *doraReport) string { return r.before("3.3", "4.8") }},
	// (S) At least 150 characters.
	{"short", func(r *doraReport) string {
		if s := r.text("2.4"); s != "" && len([]rune(s)) < 150 {
			return "2.4"
		}
		return ""
	}},
	// RTS 2024/1772 article 8(1): critical services, and data losses or two others.
	{"criteria", func(r *doraReport) string {
		l := r.list("2.5")
		others := 0
		for _, c := range l {
			if c != critCritical {
				others++
			}
		}
		if len(l) > 0 && (!slices.Contains(l, critCritical) || others == 0 || others == 1 && !slices.Contains(l, critData)) {
			return "2.5"
		}
		return ""
	}},
	{"home", func(r *doraReport) string { return wrongIf(r.ask.home != "" && r.has("2.6", r.ask.home), "2.6") }},
	{"third", func(r *doraReport) string {
		p := strings.Split(r.text("2.8"), ";")
		return wrongIf(r.given("2.8") && (len(p) < 3 || strings.TrimSpace(p[0]) == "" || !slices.Contains([]string{"LEI", "EUID"}, strings.TrimSpace(p[2]))), "2.8")
	}},
	{"code", func(r *doraReport) string {
		return wrongIf(r.ask.acpr && r.given("2.1") && !ownCode.MatchString(r.text("2.1")), "2.1")
	}},
	{"code", func(r *doraReport) string {
		return wrongIf(r.ask.acpr && r.given("3.1") && !acprCode.MatchString(r.text("3.1")), "3.1")
	}},
	{"none", func(r *doraReport) string { return wrongIf(r.has("3.31", "none") && len(r.list("3.31")) > 1, "3.31") }},
	// People say no, and the case proves it.
	{"contradicted", func(r *doraReport) string { return wrongIf(r.ask.hosts && r.text("3.28") == "no", "3.28") }},
	{"contradicted", func(r *doraReport) string {
		return wrongIf(r.ask.content && r.given("3.20") && !r.has("3.20", "confidentiality"), "3.20")
	}},
	// One figure of each kind, and a figure that fits the number.
	{"figures", func(r *doraReport) string {
		one := func(kind string) bool { return r.figuresOf(kind) == 1 }
		return wrongIf(r.given("3.12") && !(one(figureKinds[0]) && one(figureKinds[1]) && one(figureKinds[2])), "3.12")
	}},
	{"zero", func(r *doraReport) string {
		for i, kind := range figureKinds {
			n := float(r.values[figureNumbers[i][0]])
			if r.figuresOf(kind) == 1 && !math.IsNaN(n) && r.has("3.12", "no_impact_on_"+kind) == (n > 0) {
				return figureNumbers[i][0]
			}
		}
		return ""
	}},
	{"share", func(r *doraReport) string {
		for _, f := range figureNumbers {
			n, p := float(r.values[f[0]]), float(r.values[f[1]])
			if !math.IsNaN(n) && !math.IsNaN(p) && (n > 0) != (p > 0) {
				return f[1]
			}
		}
		return ""
	}},
	// Detailed causes are of the causes named, and each of those has one.
	{"cause", func(r *doraReport) string {
		for _, c := range r.list("4.2") {
			if !slices.ContainsFunc(r.list("4.1"), func(high string) bool { return ofCause(c, high) }) {
				return "4.2"
			}
		}
		return ""
	}},
	{"cause", func(r *doraReport) string {
		for _, high := range r.list("4.1") {
			if r.given("4.2") && !slices.ContainsFunc(r.list("4.2"), func(c string) bool { return ofCause(c, high) }) {
				return "4.1"
			}
		}
		return ""
	}},
}

// Kinds of figures in 3.12, and the fields of their number and share.
var (
	figureKinds    = []string{"clients", "financial_counterparts", "transactions"}
	figureNumbers  = [][2]string{{"3.4", "3.5"}, {"3.6", "3.7"}, {"3.9", "3.10"}}
	figurePrefixes = []figurePrefix{{"actual_figures_for_", "_affected"}, {"estimates_for_", "_affected"}, {"no_impact_on_", ""}}
)

type figurePrefix struct{ before, after string }

func (p figurePrefix) of(kind string) string { return p.before + kind + p.after }

// figuresOf returns how many figures of a kind 3.12 names.
func (r *doraReport) figuresOf(kind string) int {
	n := 0
	for _, p := range figurePrefixes {
		if r.has("3.12", p.of(kind)) {
			n++
		}
	}
	return n
}

func ofCause(detailed, high string) bool {
	return strings.HasPrefix(detailed, strings.TrimSuffix(high, "_malfunction")+"_")
}

func wrongIf(wrong bool, number string) string {
	if wrong {
		return number
	}
	return ""
}

// before returns the number of the later of two fields if its time is before that of the earlier one.
func (r *doraReport) before(first, then string) string {
	a, err1 := time.Parse(time.RFC3339, r.text(first))
	b, err2 := time.Parse(time.RFC3339, r.text(then))
	return wrongIf(err1 == nil && err2 == nil && b.Before(a), then)
}

// problems returns all that keeps the report from being filed, in the order of the template.
func (r *doraReport) problems() []doraProblem {
	var out []doraProblem
	for i := range doraFields {
		f := &doraFields[i]
		if !r.given(f.number) {
			if need, why := r.required(f); need {
				out = append(out, doraProblem{f, "missing", why})
			}
			continue
		}
		if !r.written(f) {
			continue
		}
		if rule := f.check(r.values[f.number]); rule != "" {
			out = append(out, doraProblem{field: f, rule: rule})
			continue
		}
		for _, rule := range doraRules {
			if rule.wrong(r) == f.number {
				out = append(out, doraProblem{field: f, rule: rule.name})
				break
			}
		}
	}
	return out
}

// maxDORAText is how many characters a text may have.
const maxDORAText = 32767

// maxCount is beyond any number that can be meant.
const maxCount = 1e15

// check returns the rule that a value breaks by itself; "" if it breaks none.
func (f *doraField) check(v any) string {
	switch f.kind {
	case kindChoice:
		if s, _ := v.(string); !slices.Contains(f.codes, s) {
			return "list"
		}
	case kindMulti:
		l, _ := v.([]string)
		for i, s := range l {
			if !slices.Contains(f.codes, s) {
				return "list"
			}
			if slices.Contains(l[:i], s) {
				return "twice"
			}
		}
	case kindInteger, kindPercent, kindAmount:
		return f.checkNumber(float(v))
	case kindTime:
		s, _ := v.(string)
		if t, err := time.Parse("2006-01-02T15:04:05Z", s); err != nil || t.Year() < 2000 || t.Year() > 2100 {
			return "time"
		}
	case kindDuration:
		if s, _ := v.(string); !durationShape.MatchString(s) {
			return "duration"
		}
	case kindEmail:
		if s, _ := v.(string); !mailAddress.MatchString(s) {
			return "email"
		}
	case kindPhone:
		if s, _ := v.(string); !phoneShape.MatchString(s) {
			return "phone"
		}
	}
	s, _ := v.(string)
	switch {
	case len([]rune(s)) > maxDORAText:
		return "long"
	case strings.HasSuffix(f.path, ".LEI") && (f.number != "1.3" || leiShape.MatchString(s)) && checkLEI(s) != nil:
		return "lei"
	}
	return ""
}

func (f *doraField) checkNumber(n float64) string {
	tenths := n * 10
	switch {
	case math.IsNaN(n) || n < 0 || n > maxCount:
		return "number"
	case f.kind == kindInteger && n != math.Trunc(n):
		return "whole"
	case f.kind == kindPercent && n > 100:
		return "percent"
	case f.kind == kindPercent && math.Abs(tenths-math.Round(tenths)) > 1e-6:
		return "decimal"
	}
	return ""
}
