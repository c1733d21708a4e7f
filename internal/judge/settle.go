package judge

import (
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/logs"
)

// settle names the logs that would settle what is open of an item of that signature; "" where nothing is.
func (r *reacher) settle(b *box, sig signature) string {
	var out []string
	say := func(s string) {
		if !slices.Contains(out, s) && len(out) < 3 {
			out = append(out, s)
		}
	}
	for _, i := range gravest(b, sig) {
		w := b.ways[i]
		if w.degree == was && w.grasp != graspCoarse {
			continue
		}
		if s := settles(w); s != "" {
			say(s)
		}
	}
	return strings.Join(out, "; ")
}

// hostOnly leaves the times of a host's capability out.
func hostOnly(of string) string {
	host, _, _ := strings.Cut(of, " from ")
	return host
}

// settles names the log that would show what a way leaves open.
func settles(w *way) string {
	of := ""
	switch {
	case len(w.gaps) > 0:
		of = ": " + w.gaps[0].sought()
	case len(w.words) > 0:
		of = ": " + w.words[0]
	}
	switch w.rule {
	case ruleHostCapability:
		return "the process events of the host (Security 4688 with command lines, or Sysmon 1), with its PowerShell and cmdlet logs" + hostOnly(of)
	case ruleNoAttacker:
		return "who the attacker is: his addresses, accounts or sessions, in the facts"
	case ruleNotAssessed:
		if what, ok := strings.CutPrefix(of, ": there is no log of "); ok {
			return "a log of " + what
		}
		return "the log of who came in" + of
	case ruleNoPresence:
		return "the log that is missing" + of
	case ruleThrottled:
		return "nothing that Microsoft keeps: Bind records were not written; only the client itself would show it"
	case ruleNoDetail:
		return "a log of what was read: mailbox auditing, or the log of the protocol" + of
	case ruleOpenSession:
		return "the log with the end of the session " + sessionNames(w.by, 3)
	case ruleSyncMailbox:
		return "the attacker's client: what it synchronised besides"
	case ruleUnseenSync:
		return "the attacker's client: whether it copied the mailbox"
	case ruleAttribution:
		return "the owner's word on whether the session " + sessionNames(w.by, 3) + " was theirs (facts: statements)"
	case ruleServerRequest:
		return "the EWS log of the server, with the operation and the mailbox of each request"
	case ruleSuccessUnknown:
		return "a log that says whether it succeeded"
	case ruleOtherName:
		return "the list of which number in the mail store is which message"
	case ruleOtherAccount:
		name := strings.TrimPrefix(of, ": "+noMailbox)
		return nameColumns[kindOf(name)].settle + name
	case ruleUnknownMailbox:
		return nameColumns[guidOfMailbox].settle + strings.TrimPrefix(of, ": "+noOwner)
	case ruleUnseenRule:
		return "the rules that are in the mailbox now, and the message trace"
	case logs.RuleMade:
		return "the message trace, or the log of the mail server, with what the rule forwarded"
	case ruleCoarse:
		switch w.of {
		case logs.MailFetched, logs.MailTraffic, logs.MailHeaders:
			return "Dovecot's events (mail_opened), or another record of single messages"
		case logs.ExportRequested, logs.ExportFiltered:
			return "the statistics of the export request, and whether its file was fetched"
		}
		return "mailbox auditing that names the messages"
	}
	return ""
}
