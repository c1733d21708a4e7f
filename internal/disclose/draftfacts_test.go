package disclose

import (
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/casefile"
)

// The mail server of an agency of the Union, from the text of the facts to the drafts: who is told is the EDPS and CERT-EU, not the authority of a
// Member State.
const agencyFacts = `
organisation: {name: Example Agency, kind: eu-body, country: FR}
disclosure:
  entity:
    timezone: Europe/Paris
    contacts: {dpo: {name: D. Moreau, email: dpo@agency.example}}
  incident:
    detected: 2025-03-07T08:00:00+01:00
    aware: 2025-03-07T09:00:00+01:00
    malicious: true
    delay: {eu-bodies-data: the mail system was off}
    next_statement: 2025-03-08T18:00:00+01:00
  personal_data:
    controller: true
    measures_before: [two factors]
    persons: {value: 1200, basis: estimate}
  acts:
  - {act: significant, regime: eu-bodies-cyber, as: yes, time: 2025-03-07T10:00:00+01:00, author: R. Haddad, reason: mail of all staff}
  - {act: risk, regime: eu-bodies-data, as: high, time: 2025-03-07T11:00:00+01:00, author: D. Moreau, reason: content of mail}
  - {act: submitted, regime: eu-bodies-cyber, stage: early, time: 2025-03-07T20:00:00+01:00, author: R. Haddad, receipt: CE-77}
`

func TestDraftsFromFacts(t *testing.T) {
	f, err := ParseFacts([]byte(agencyFacts))
	if err != nil {
		t.Fatal(err)
	}
	c, _, reached := agency(1)
	in := &Input{Case: c, Facts: f, Reached: verdictsOf(reached)}
	owed, err := Assess(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []struct {
		form string
		want []string
	}{
		{"edps", []string{"Due: `2025-03-10 08:00:00 UTC`, `2025-03-10 09:00 +01:00`, `Europe/Paris`", "Reasons for the delay: the mail system was off",
			"Risk to the persons affected: There is a high risk", "Regulation 2023/2841, early warning: done", "Content of 3 mailboxes may have been accessed", "Stated by D. Moreau: `disclosure.acts`", "Measures before the breach: two factors"}},
		{"cert-eu", []string{"Stage: incident notification", "Due: `2025-03-10 08:00:00 UTC`", "Submitted before: `early`, `2025-03-07 19:00:00 UTC`, `2025-03-07 20:00 +01:00`, `Europe/Paris`, receipt `CE-77`",
			"Significant incident: yes. Reason: mail of all staff", "`203.0.113.21`"}},
		{"gdpr-33", []string{"By the case and the facts this is not owed (GDPR, notification of the breach)"}},
		{"public", []string{"We will give the next statement on 8 March 2025 at 18:00 (Europe/Paris).", "We found it on 7 March 2025."}},
		{"gdpr-34", []string{"Risk to the persons affected: There is a high risk", "Article `35(1)`", "Content of your mailbox may have been accessed by the attacker"}},
	} {
		form, ok := FindForm(k.form)
		if !ok {
			t.Fatal(k.form)
		}
		var b strings.Builder
		if err := form.Write(&b, &Draft{Input: in, Owed: owed.Owed, Lang: language(t, "en"), As: "md"}); err != nil {
			t.Fatal(err)
		}
		for _, w := range k.want {
			if !strings.Contains(b.String(), w) {
				t.Errorf("%s lacks %q:\n%s", k.form, w, b.String())
			}
		}
	}
	for i := range owed.Owed {
		if o := &owed.Owed[i]; o.Form != "" && o.State != casefile.DutyNotOwed {
			if _, ok := FindForm(o.Form); !ok && !strings.HasPrefix(o.Form, "dora-") {
				t.Errorf("%s %s: there is no form %q", o.Regime, o.Stage, o.Form)
			}
		}
	}
}

func TestFinalReportIsRefusedBeforeTheNotification(t *testing.T) {
	c, f, reached := agency(1)
	form, _ := FindForm("nis2-final")
	var b strings.Builder
	err := form.Write(&b, draftOf(c, f, reached, language(t, "en")))
	if err == nil || b.Len() > 0 || !strings.Contains(err.Error(), "disclosure.acts") {
		t.Errorf("%v, %d bytes written", err, b.Len())
	}
}

// The messages that are named are not all there are where the mailbox has more, or nobody knows how many: their number is a bound.
func TestNumberOfNamedMessagesIsABound(t *testing.T) {
	message := func(id, content string, lower, upper int64) casefile.Reached {
		r := mailboxVerdict(id, content, casefile.Confirmed, lower, upper)
		r.Object.Kind = kindMessage
		return r
	}
	two := []casefile.Reached{message("m1", casefile.Confirmed, 1, 1), message("m2", casefile.Possible, 0, 1)}
	for _, k := range []struct {
		box        casefile.Reached
		want, more string
	}{
		{mailboxVerdict("a@x.example", casefile.Confirmed, casefile.Confirmed, 1, 2), "Content of 1 message was accessed", "at least 1 and at most 2"},
		{mailboxVerdict("a@x.example", casefile.Confirmed, casefile.Confirmed, 1, -1), "Content of at least 1 message was accessed", "at least 1; no upper bound"},
		{mailboxVerdict("a@x.example", casefile.Confirmed, casefile.Confirmed, 1, 7), "Content of at least 1 message may have been accessed", "at least 1 and at most 7"},
		{mailboxVerdict("a@x.example", casefile.Confirmed, casefile.Confirmed, 5, 7), "Content of at least 1 message was accessed", "at least 5 and at most 7"},
	} {
		for _, name := range []string{"public", "gdpr-33", "nis2-72h"} {
			form, _ := FindForm(name)
			c, f, _ := agency(1)
			d := draftOf(c, f, append([]casefile.Reached{k.box}, two...), language(t, "en"))
			d.As = "md"
			var b strings.Builder
			if err := form.Write(&b, d); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(b.String(), k.want) || !strings.Contains(b.String(), k.more) {
				t.Errorf("%s lacks %q or %q:\n%s", name, k.want, k.more, b.String())
			}
		}
	}
}

func TestNobodyIsAffectedOnlyWhereNothingWasPossible(t *testing.T) {
	form, _ := FindForm("gdpr-33")
	for _, k := range []struct{ content, want string }{
		{casefile.Confirmed, "records show access by the attacker to mailboxes"},
		{casefile.Possible, "mailboxes may have been accessed"},
		{casefile.RuledOut, "Number of persons: 0"},
	} {
		c, f, _ := agency(1)
		f.PersonalData.Persons = &Quantity{}
		d := draftOf(c, f, []casefile.Reached{mailboxVerdict("a@x.example", k.content, k.content, 0, 0)}, language(t, "en"))
		d.As = "md"
		var b strings.Builder
		if err := form.Write(&b, d); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), k.want) {
			t.Errorf("%s: lacks %q:\n%s", k.content, k.want, b.String())
		}
	}
}

// Without an inventory the number of mailboxes is that of those that records name.
func TestMailboxesThatNobodyListed(t *testing.T) {
	const says = "There may be more."
	for _, name := range []string{"public", "gdpr-33", "edps", "nis2-72h"} {
		form, _ := FindForm(name)
		for _, owner := range []string{"", "Ana Ito"} {
			c, f, _ := agency(1)
			r := mailboxVerdict("a@x.example", casefile.Possible, casefile.Possible, 0, -1)
			r.Object.Owner = owner
			d := draftOf(c, f, []casefile.Reached{r}, language(t, "en"))
			d.As = "md"
			var b strings.Builder
			if err := form.Write(&b, d); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(b.String(), says) != (owner == "") {
				t.Errorf("%s, owner %q:\n%s", name, owner, b.String())
			}
		}
	}
}
