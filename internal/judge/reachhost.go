package judge

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

// attacked is a host, and what an attack did to it.
type attacked struct {
	name     string
	acts     []attackAct
	unnamed  []unnamed
	searched bool // for accounts
	// clean says that its processes were logged without a hole, and nothing shows that code ran.
	asked, clean bool
	from, to     int64 // while code may have run; never and always if it may not
}

// attackAct is something that only an attack does.
type attackAct struct {
	act     *tally.Act
	context int
	session *session
}

// unnamed is a request for contents of a mailbox that the log does not name.
type unnamed struct {
	act      *tally.Act
	session  *session
	exposure logs.Exposure
	degree   degree
	channel  string
	words    string
}

// host returns what is known of a host; names of one host are one.
func (r *reacher) host(name string) *attacked {
	low := strings.ToLower(strings.TrimSpace(r.in.Hosts.Of(name)))
	if h := r.hosts[low]; h != nil {
		return h
	}
	for _, k := range slices.Sorted(maps.Keys(r.hosts)) {
		if sameHost(k, low) {
			return r.hosts[k]
		}
	}
	h := &attacked{name: low, from: never, to: always}
	r.hosts[low] = h
	return h
}

// attack takes an act that only an attack does.
func (r *reacher) attack(a *tally.Act, s *session) {
	keep := *a
	name := r.contexts[a.Context].Host
	if name == "" && a.ObjectKind == "host" {
		name = a.Object
	}
	if name == "" {
		name = a.In
	}
	h := r.host(name)
	h.acts = append(h.acts, attackAct{&keep, a.Context, s})
}

// attacks gathers what else attacks did to hosts: whoever did it, it was no regular use.
func (r *reacher) attacks() error {
	for a, err := range r.in.Store.Powers() {
		if err != nil {
			return err
		}
		if a.Kind == logs.Capability && a.Power == logs.HostPower && (a.OK || a.Unknown) && !r.innocent(a) {
			r.attack(a, r.whose(a.Context, timeOf(a)))
		}
	}
	for i := range r.powers {
		if k := &r.powers[i]; k.power == logs.HostPower {
			for _, sc := range k.reach {
				if sc.kind == "host" {
					r.host(sc.in)
				}
			}
			r.host(k.principal)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.hosts)) {
		h := r.hosts[name]
		var called []string
		for _, in := range r.in.Hosts.all(name) {
			called = append(called, in, strings.ToUpper(in))
		}
		slices.Sort(called)
		for _, in := range slices.Compact(called) {
			if in == "" {
				continue
			}
			for a, err := range r.in.Store.Touched(in) {
				if err != nil {
					return err
				}
				if readingOf(a.Inference).server && (a.OK || a.Unknown || a.Inference == logs.ShellAbsent) && !r.innocent(a) {
					r.attack(a, r.whose(a.Context, timeOf(a)))
				}
			}
		}
		slices.SortStableFunc(h.acts, func(a, b attackAct) int {
			return cmp.Or(cmp.Compare(a.act.From, b.act.From), cmp.Compare(a.context, b.context), tally.CompareActs(a.act, b.act))
		})
		h.acts = slices.CompactFunc(h.acts, func(a, b attackAct) bool { return a.context == b.context && tally.CompareActs(a.act, b.act) == 0 })
	}
	return nil
}

// innocent reports whether an act is known to be the organisation's own: its scanners', say.
func (r *reacher) innocent(a *tally.Act) bool {
	if s := r.whose(a.Context, timeOf(a)); s != nil && (s.attribution == ofOwner && s.principal != "" || s.attribution == ofService) {
		return true
	}
	return r.in.Facts != nil && r.in.Facts.IsOurs(r.contexts[a.Context].IP)
}

// openHost opens what code on the host of a mailbox may have read.
func (r *reacher) openHost(b *box, k *capability, from, to int64) {
	name := k.principal
	for _, sc := range k.reach {
		if sc.kind == "host" {
			name = sc.in
		}
	}
	h := r.host(name)
	if !h.asked {
		h.asked = true
		ran := slices.ContainsFunc(h.acts, func(a attackAct) bool {
			return a.act.Inference == logs.CodeRan || a.act.Inference == logs.ShellUsed || a.act.Inference == logs.ProxyShellPowerShell
		})
		h.clean = !ran && r.cover.processes(h.name, from, to).covered()
	}
	if h.clean {
		b.through("host").shown([]string{"the log of processes of " + h.name})
		return
	}
	h.from, h.to = min(h.from, from), max(h.to, to)
	b.held = true
	w := b.way(wayKey{rule: ruleHostCapability, of: k.rule, grasp: graspCoarse, degree: may, exposure: logs.Content, open: !k.certain})
	w.bound(-1, -1)
	w.times++
	w.self = may
	w.span(from, to)
	words := h.name
	if first, last := firstLast(from, to); first != nil {
		words += fmt.Sprintf(" from %s to %s", first.Format("2006-01-02 15:04"), last.Format("2006-01-02 15:04"))
	}
	w.words = addTo(w.words, words, mostWords)
	b.through("host").raise(may, "code may have run on "+h.name+", and no complete log of its processes is there")
}

// requests takes requests for contents of mailboxes that went through a server under attack, and lists of mailboxes that it gave.
func (r *reacher) requests() error {
	for _, name := range slices.Sorted(maps.Keys(r.hosts)) {
		h := r.hosts[name]
		for i := range h.acts {
			a := h.acts[i].act
			switch a.Inference {
			case logs.ProxyLogonMailbox, logs.ProxyShellMailbox:
				if err := r.request(h, &h.acts[i]); err != nil {
					return err
				}
			case logs.ProxyLogonDirectory, logs.AddressBookRead:
				for _, b := range r.on(h.name) {
					d := may
					if a.OK {
						d = was
					}
					w := b.way(wayKey{rule: ruleDirectory, of: a.Inference, grasp: graspSelf, degree: d, exposure: logs.Metadata})
					w.bound(-1, -1)
					w.record(a, h.acts[i].session)
					w.self = max(w.self, d)
					w.span(orAlways(a.From), orNever(a.To))
				}
			}
		}
		for _, u := range h.unnamed {
			var only map[string]bool
			if u.channel == "webmail" {
				var err error
				if only, err = r.behindWebMail(u.act, u.session); err != nil {
					return err
				}
			}
			for _, b := range r.on(h.name) {
				if only == nil || only[b.key] {
					r.mayHaveRead(b, &u)
				}
			}
		}
	}
	return nil
}

// near is how far apart the lines of two logs about one request may be, in nanoseconds.
const near = 5e9

// request takes a request that was smuggled through a server. The EWS log says what kind it was, where it is complete.
func (r *reacher) request(h *attacked, at *attackAct) error {
	a := at.act
	u := unnamed{act: a, session: at.session, exposure: logs.Content, degree: may, channel: "ews", words: "the kind of request is not known"}
	ans := r.cover.detail("ews", "", sum(orAlways(a.From), -near), sum(orNever(a.To), near))
	if ans.covered() {
		listed, read, err := r.ownRequests(h, a)
		if err != nil {
			return err
		}
		if listed >= max(a.Times, 1) && read == 0 {
			u.exposure, u.words = logs.Metadata, "the EWS log is complete and shows requests that list, and none that reads"
		}
	}
	if a.ObjectKind == "mailbox" && a.Object != "" && !isMachine(a.Object) {
		if b := r.box(a.Object); b != nil {
			r.mayHaveRead(b, &u)
			return nil
		}
	}
	for _, b := range r.on(h.name) {
		r.mayHaveRead(b, &u)
	}
	return nil
}

// mayHaveRead opens what a request for the contents of some mailbox may have shown of this one.
func (r *reacher) mayHaveRead(b *box, u *unnamed) {
	w := b.way(wayKey{rule: ruleServerRequest, of: u.act.Inference, grasp: graspCoarse, degree: may, exposure: max(u.exposure, logs.Metadata)})
	w.bound(-1, -1)
	w.record(u.act, u.session)
	w.self = max(w.self, may)
	w.span(orAlways(u.act.From), orNever(u.act.To))
	w.words = addTo(w.words, u.words, mostWords)
	b.through(u.channel).show(max(u.exposure, logs.Metadata), may, u.words)
}

// ownRequests counts the EWS requests of the server's own account around an act: those that list, and those that read.
func (r *reacher) ownRequests(h *attacked, a *tally.Act) (listed, read int64, err error) {
	for i := range r.contexts {
		c := &r.contexts[i]
		if c.Channel != "ews" || !isMachine(c.Account) || c.Host != "" && !r.in.Hosts.same(c.Host, h.name) || !strings.HasSuffix(c.Format, ".ews") || strings.Contains(c.Format, "httpproxy") {
			continue
		}
		for x, err := range r.in.Store.Acts(i) {
			if err != nil {
				return 0, 0, err
			}
			if x.Kind != logs.Access || x.From != event.UnknownTime && (x.From > sum(a.To, near) || x.To < sum(a.From, -near)) {
				continue
			}
			if x.Exposure == logs.Metadata && x.Inference == logs.MailboxListed {
				listed += max(x.Times, 1)
			} else if x.Inference != logs.ProxyLogonMailbox {
				read++
			}
		}
	}
	return listed, read, nil
}

// stageOfAttack is what an act shows to have been done to a host.
func stageOfAttack(rule string) (logs.Exposure, string) {
	switch rule {
	case logs.CodeRan, logs.ShellUsed:
		return logs.Content, "code ran"
	case logs.ProxyShellPowerShell:
		return logs.Content, "commands ran as an administrator"
	case logs.ProxyLogonWritten, logs.ShellWritten:
		return logs.Partial, "a file was written (S4)"
	case logs.ProxyLogonMailbox, logs.ProxyShellMailbox:
		return logs.Metadata, "requests for mailbox contents were answered"
	case logs.ProxyLogonDirectory, logs.AddressBookRead:
		return logs.Metadata, "the directory was read (S3)"
	case logs.ProxyLogonSession:
		return logs.Metadata, "an administrator's session was made (S2)"
	case logs.ProxyLogonSID:
		return logs.Metadata, "an owner's identifier was read (S1)"
	}
	return logs.NoExposure, ""
}

// tellHosts says which hosts were attacked with success, and whether the web shells on them were used.
func (r *reacher) tellHosts() {
	begin := len(r.j.Reached)
	defer func() { r.sameHosts(r.j.Reached[begin:]) }()
	for _, name := range slices.Sorted(maps.Keys(r.hosts)) {
		h := r.hosts[name]
		var l levels
		type reason struct {
			times    int64
			from, to int64
			refs     []tally.Ref
			by       []string
		}
		why := make(map[string]*reason)
		from, to := int64(never), int64(always)
		var by []string
		for _, x := range h.acts {
			a := x.act
			e, _ := stageOfAttack(a.Inference)
			if e == logs.NoExposure || !a.OK && !a.Unknown {
				continue
			}
			d := was
			if !a.OK {
				d = may
			}
			l.raise(e, d)
			q := why[a.Inference]
			if q == nil {
				q = &reason{from: never, to: always}
				why[a.Inference] = q
			}
			q.times += max(a.Times, 1)
			q.from, q.to = min(q.from, orNever(a.From)), max(q.to, orAlways(a.To))
			q.refs = keepRefs(q.refs, a.Refs)
			from, to = min(from, q.from), max(to, q.to)
			if x.session != nil && x.session.attribution >= suspected {
				q.by = addTo(q.by, x.session.ID, mostBy)
				by = addTo(by, x.session.ID, mostBy)
			}
		}
		for i := range r.powers {
			if k := &r.powers[i]; k.power == logs.HostPower && sameHost(k.principal, h.name) && !h.clean {
				l.raise(logs.Content, may)
			}
		}
		if name != "" && l != (levels{}) {
			e := casefile.Reached{Object: casefile.Object{Kind: "host", ID: h.name}, By: by}
			verdict(&e, &l)
			e.First, e.Last = firstLast(from, to)
			rules := slices.SortedFunc(maps.Keys(why), func(a, b string) int {
				xa, _ := stageOfAttack(a)
				xb, _ := stageOfAttack(b)
				return cmp.Or(cmp.Compare(xb, xa), strings.Compare(a, b))
			})
			for _, rule := range rules {
				q := why[rule]
				_, stage := stageOfAttack(rule)
				first, last := firstLast(q.from, q.to)
				e.Why = append(e.Why, casefile.Reason{Rule: rule, Text: r.says(rule) + " That is: " + stage + ". " + recordsBy(q.times, q.by, first, last), Evidence: r.in.proofs(q.refs)})
			}
			if len(e.Why) == 0 || l[logs.Content] == may {
				e.Why = append(e.Why, casefile.Reason{Rule: ruleHostCapability, Text: r.says(ruleHostCapability), Evidence: []casefile.Proof{}})
				e.Settle = "the process events of the host (Security 4688 with command lines, or Sysmon 1), with its PowerShell and cmdlet logs"
			}
			for _, why := range r.in.Hosts.reasons(h.name) {
				if len(e.Why) < mostReasons {
					e.Why = append(e.Why, casefile.Reason{Rule: ruleSameHost, Text: r.says(ruleSameHost) + " " + why, Evidence: []casefile.Proof{}})
				}
			}
			if _, why := r.in.Hosts.maybe(h.name); why != "" {
				e.Why = append(e.Why, casefile.Reason{Rule: rulePerhapsHost, Text: r.says(rulePerhapsHost) + " " + why, Evidence: []casefile.Proof{}})
			}
			r.add(e)
		}
		r.tellShells(h)
	}
}

// shellPath returns the path under which a web shell is asked for, or its name where the log tells no more.
func shellPath(a *tally.Act) string {
	switch a.Inference {
	case logs.ShellVisited, logs.ShellUsed:
		return a.Object
	}
	return ""
}

// tellShells says of each web shell that was asked for whether it was used.
func (r *reacher) tellShells(h *attacked) {
	type shell struct {
		id            string
		used, unknown bool
		times         int64
		from, to      int64
		refs          []tally.Ref
		by            []string
	}
	shells := make(map[string]*shell)
	since := int64(never)
	for _, x := range h.acts {
		if x.act.Inference == logs.ShellWritten || x.act.Inference == logs.ProxyLogonWritten {
			since = min(since, orAlways(x.act.From))
		}
	}
	if since == never {
		since = r.from
	}
	for _, x := range h.acts {
		path := shellPath(x.act)
		if path == "" {
			continue
		}
		key := strings.ToLower(path)
		s := shells[key]
		if s == nil {
			s = &shell{id: path, from: never, to: always}
			shells[key] = s
		}
		a := x.act
		if a.Inference == logs.ShellUsed {
			s.used = s.used || a.OK
			s.unknown = s.unknown || !a.OK
		}
		s.times += max(a.Times, 1)
		s.from, s.to = min(s.from, orNever(a.From)), max(s.to, orAlways(a.To))
		s.refs = keepRefs(s.refs, a.Refs)
		if x.session != nil && x.session.attribution >= suspected {
			s.by = addTo(s.by, x.session.ID, mostBy)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(shells)) {
		s := shells[key]
		e := casefile.Reached{Object: casefile.Object{Kind: "file", ID: s.id, In: h.name}, By: s.by}
		var l levels
		first, last := firstLast(s.from, s.to)
		e.First, e.Last = first, last
		records := recordsBy(s.times, s.by, first, last)
		until := r.to
		if f := r.in.Facts; f != nil && f.Evicted != nil { // from then on it was gone
			until = max(min(until, f.Evicted.UnixNano()), s.to)
		}
		ans := r.cover.presenceAt(h.name, "web", "", min(since, s.from), until)
		if !ans.assessed { // the log of requests calls the host otherwise
			ans = r.cover.presence("web", "", min(since, s.from), until)
		}
		switch {
		case s.used:
			l.raise(logs.Content, was)
			e.Why = []casefile.Reason{{Rule: logs.ShellUsed, Text: r.says(logs.ShellUsed) + " " + records, Evidence: r.in.proofs(s.refs)}}
		case s.unknown:
			l.raise(logs.Content, may)
			e.Why = []casefile.Reason{{Rule: logs.ShellUsed, Text: "Whether the web shell ran a command is not shown. " + records, Evidence: r.in.proofs(s.refs)}}
			e.Settle = "the process events of the host"
		case ans.covered():
			e.Why = []casefile.Reason{{Rule: ruleShellNotUsed, Text: r.says(ruleShellNotUsed) + " Logs: " + orNone(strings.Join(ans.by, ", ")) + ". " + records, Evidence: r.in.proofs(s.refs)}}
		default:
			l.raise(logs.Content, may)
			words := "There is no log of the web server."
			if ans.assessed {
				words = "The log of the web server has a gap: " + describeHole(ans.holes[0]) + "."
			}
			e.Why = []casefile.Reason{{Rule: logs.ShellVisited, Text: r.says(logs.ShellVisited) + " " + words + " " + records, Evidence: r.in.proofs(s.refs)}}
			e.Settle = "the log of the web server that is missing"
		}
		verdict(&e, &l)
		r.add(e)
	}
}
