package judge

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

// coverage knows what the logs would have shown.
//
// The evidence of a case comes from places: a host, or the tenant of a cloud. At one place, logs stand in for one another:
// presence is covered if any of them covers it. Between places they do not: who came in through the second server is not in
// the logs of the first, so a moment is covered if it is covered at every place that offers the way in.
type coverage struct {
	in     *Input
	who    *people
	places []*place
	trails []*trail
	// special are the accounts and mailboxes that a gap, a statement or a channel that is off concerns, as people.key writes them.
	special map[string]bool
	// named are the accounts that records of the cloud name; wide says that they are so many that the export is of everybody.
	named map[string]bool
	wide  bool
	off   []channelOff
	made  map[question]*view
	// audited caches when the first record of mail access in a mailbox is; never if there is none.
	audited map[string]int64
	notes   []string
	// skewed is by how much clocks may be off, in nanoseconds, of the logs of which that is known.
	skewed map[logAt]int64
	// doubt is by how much all logs may be off together, in nanoseconds, so that only the times of an inventory are held against them.
	doubt int64
	// aliases are the places that logs mean by other names: the address of a server whose name stands in other logs. nil is several.
	aliases map[string]*place
}

// place is a host, or the tenant of a cloud.
type place struct {
	key  string // in lower case; "" where no log names it. After a zero byte, what tells it from others that logs call the same
	name string // for people
	// systems are those that are seen to run there.
	systems [windowsHost + 1]bool
	trails  []*trail
	spans   []tally.Span // when any of its logs had events
	down    []tally.Span // when it was down by its own word
}

// cloudPlace is the place of all logs of Microsoft 365.
const cloudPlace = "m365"

// called returns the key without what tells the place from others that logs call the same.
func (p *place) called() string {
	name, _, _ := strings.Cut(p.key, "\x00")
	return name
}

// alive reports whether another log of the place had events in the time.
func (p *place) alive(from, to int64) bool {
	i, _ := slices.BinarySearchFunc(p.spans, from, func(s tally.Span, at int64) int { return cmp.Compare(s.To, at) })
	return i < len(p.spans) && p.spans[i].From <= to
}

type channelOff struct{ channel, scope, proof string }

// question is what was asked; whom is "" for all that nothing special is known of.
type question struct {
	level                level
	channel, whom, place string
}

// view is the answer for all times.
type view struct {
	assessed bool
	holes    []hole
	trails   []*trail
}

// answer is what the logs say to the question whether they would have shown something.
type answer struct {
	// assessed says that there is a log of the kind at all.
	assessed bool
	// holes are the parts of the time asked for in which nothing would have shown it, in order, apart from one another.
	holes []hole
	// by names the streams that would have shown it, for people: "iis.w3c of EX1".
	by []string
}

// covered reports whether all of the time is covered.
func (a answer) covered() bool { return a.assessed && len(a.holes) == 0 }

// hole is a part of a time that no log covers, both ends included.
type hole struct {
	from, to int64 // nanoseconds since 1970 UTC
	reason   string
	certain  bool
	why      string
}

// stranger stands for all accounts that the records of a cloud do not name, where they name few.
const stranger = "\x00stranger"

// newCoverage computes it.
func newCoverage(in *Input, who *people) (*coverage, error) {
	c := &coverage{in: in, who: who, special: make(map[string]bool), named: make(map[string]bool), made: make(map[question]*view), audited: make(map[string]int64),
		aliases: make(map[string]*place)}
	if err := c.assemble(); err != nil {
		return nil, err
	}
	return c, nil
}

// presence tells whether the logs would have shown that somebody came in through the channel as the principal, on whatever
// host: from and to are nanoseconds since 1970 UTC, event.UnknownTime for no bound.
func (c *coverage) presence(channel, principal string, from, to int64) answer {
	return c.ask(presence, channel, principal, "", from, to)
}

// presenceAt is presence on one host only. Of a host that no log is of, nothing is covered.
func (c *coverage) presenceAt(host, channel, principal string, from, to int64) answer {
	return c.ask(presence, channel, principal, c.hostKey(host), from, to)
}

// detail tells whether the logs would have shown what was read through the channel in the mailbox, site or share; "" is every
// site. Of a site or a share only the host that it is on is asked, if logs name it so.
func (c *coverage) detail(channel, in string, from, to int64) answer {
	at := ""
	if channel == "m365" {
		switch low := strings.ToLower(in); {
		case strings.Contains(low, "-my.sharepoint."):
			channel = cloudDrives
		case strings.Contains(low, ".sharepoint.") || strings.Contains(low, "/"):
			channel = cloudSites
		case in == "":
			channel = cloudFiles
		}
	}
	switch channel {
	case "web", "dav", "nextcloud":
		at = c.placeOf(in)
	case "smb", "ssh", "sftp", processes:
		if at = c.hostKey(in); at == "*" { // Windows writes so in a share of the host itself
			at = ""
		}
	}
	return c.ask(detail, channel, in, at, from, to)
}

// processes tells whether the logs would have shown what programs ran on a host.
func (c *coverage) processes(host string, from, to int64) answer {
	return c.ask(detail, processes, "", c.hostKey(host), from, to)
}

// isOff tells whether a way in is proven to be off for an account, a mailbox or a host, and the proof.
func (c *coverage) isOff(channel, scope string) (proof string, off bool) {
	key := c.who.key(scope)
	for i := range c.off {
		if o := &c.off[i]; o.channel == channel && (o.scope == "*" || o.scope == key || o.scope == hostLabel(scope)) {
			return o.proof, true
		}
	}
	return "", false
}

// ask answers for the place with the key at, or for all of them.
func (c *coverage) ask(l level, channel, whom, at string, from, to int64) answer {
	if to == event.UnknownTime {
		to = never
	}
	if proof, off := c.isOff(channel, whom); off {
		return answer{assessed: true, by: []string{"facts: " + cmp.Or(proof, channel+" is off")}}
	}
	q := question{level: l, channel: channel, whom: c.class(l, channel, whom), place: at}
	v := c.made[q]
	if v == nil {
		v = c.look(q)
		c.made[q] = v
	}
	a := answer{assessed: v.assessed, holes: between(v.holes, from, to)}
	if l == detail {
		a.holes = c.unaudited(a.holes, channel, whom, from, to)
	}
	for _, t := range v.trails {
		if n := len(t.whole); n > 0 && t.whole[0].From <= to && t.whole[n-1].To >= from || len(t.stated) > 0 {
			a.by = append(a.by, t.full())
		}
	}
	slices.Sort(a.by)
	a.by = slices.Compact(a.by)
	return a
}

// class returns what stands for an account or mailbox of which nothing special is known: "".
func (c *coverage) class(l level, channel, whom string) string {
	if whom == "" {
		return ""
	}
	key := c.who.key(whom)
	if c.special[key] {
		return key
	}
	if !slices.Contains(cloudAll, channel) {
		return ""
	}
	if l == presence && !c.wide && !c.named[key] || l == detail && c.hasCloud() && c.auditedSince(whom, key) == never {
		return stranger
	}
	return ""
}

// auditedSince returns when the first record of mail access in a mailbox of the cloud is, never if it has none: it may be that none are made.
func (c *coverage) auditedSince(mailbox, key string) int64 {
	first, ok := c.audited[key]
	if ok {
		return first
	}
	first = never
	for _, name := range append([]string{strings.ToLower(mailbox), key}, c.who.others[key]...) {
		for a, err := range c.in.Store.Touched(name) {
			if err != nil {
				break
			}
			switch a.Inference {
			case logs.Bind, logs.SyncFolder, logs.ServiceBind:
				first = min(first, orAlways(a.From))
			}
		}
	}
	c.audited[key] = first
	return first
}

// unaudited adds to holes in what shows what was read that records of a mailbox of the cloud begin with its first: its licence may have come then.
func (c *coverage) unaudited(holes []hole, channel, mailbox string, from, to int64) []hole {
	if mailbox == "" || !slices.Contains(cloudAll, channel) || !c.hasCloud() {
		return holes
	}
	key := c.who.key(mailbox)
	first := c.auditedSince(mailbox, key)
	since := sum(first, -auditMargin)
	if since <= from || first == never || first == always {
		return holes
	}
	open := []hole{{from, min(since-1, to), "disabled", false, "no record of mail access in this mailbox, by anybody, before " + inWords(first) + ": it may not have been audited"}}
	for _, t := range c.trails {
		if t.format != mailAccess {
			continue
		}
		for _, s := range t.stated {
			if s.whom == key && s.detail {
				open = subtract(open, s.Span)
			}
		}
	}
	return joined(holes, open)
}

func (c *coverage) hasCloud() bool {
	return slices.ContainsFunc(c.places, func(p *place) bool { return p.systems[cloud] })
}

// placeOf returns the key of the place that a site or share names, "" if it names none.
func (c *coverage) placeOf(name string) string {
	key := c.hostKey(name)
	if slices.ContainsFunc(c.places, func(p *place) bool { return p.key == key }) {
		return key
	}
	return ""
}

// hostKey returns the key of the place that the name of a host, a share or a site tells, or that key if there were one.
func (c *coverage) hostKey(name string) string {
	key := c.in.hostOf(name)
	if p := c.aliases[key]; p != nil {
		return p.key
	}
	return key
}

// hostOf returns the label of the host in the name of a host, a share or a site: fs1 of \\fs1.example.org\board. Of another name of a host
// it is that of the host.
func (in *Input) hostOf(name string) string { return hostLabel(in.Hosts.Of(hostIn(name))) }

// hostIn returns the host in the name of a host, a share or a site, as it is written.
func hostIn(name string) string {
	host := strings.TrimLeft(name, `\/`)
	if _, rest, ok := strings.Cut(host, "://"); ok {
		host = rest
	}
	if i := strings.IndexAny(host, `/\`); i >= 0 {
		host = host[:i]
	}
	if a := address(host); a.IsValid() {
		return a.String()
	}
	host, _, _ = strings.Cut(host, ":")
	return host
}

// serves reports whether a place offers a way in, by the systems that run there.
func (p *place) serves(channel string) bool {
	return p.systems[exchangeServer] && slices.Contains(exchangeAll, channel) ||
		p.systems[mailServer] && slices.Contains(mailboxAccess, channel) ||
		p.systems[cloud] && slices.Contains(cloudAll, channel) ||
		p.systems[webServer] && slices.Contains(webFiles, channel) ||
		p.systems[shellServer] && channel == "ssh"
}

// look answers a question for all times.
func (c *coverage) look(q question) *view {
	v := &view{}
	for _, p := range c.places {
		if q.place != "" && p.key != q.place {
			continue
		}
		byRule := make(map[string][]hole)
		var rules []string
		for _, t := range p.trails {
			if !slices.Contains(t.rule.channels(q.level), q.channel) {
				continue
			}
			holes := t.holes(q.level, q.whom)
			if t.rule.system == cloud && q.whom == stranger {
				holes = t.strange(holes, q.level)
			}
			v.trails = append(v.trails, t)
			key := t.format
			if !t.rule.sites {
				key += "\x00" + t.site
			}
			if known, ok := byRule[key]; ok { // another site of the same kind
				holes = flatten(append(slices.Clone(known), holes...))
			} else {
				rules = append(rules, key)
			}
			byRule[key] = holes
		}
		var holes []hole
		switch {
		case len(rules) > 0:
			v.assessed = true
			holes = byRule[rules[0]]
			for _, r := range rules[1:] {
				holes = intersect(holes, byRule[r])
			}
		case p.serves(q.channel) && !p.isOff(c, q.channel):
			holes = []hole{{always, never, "missing_file", false, "no log of " + p.title() + " was given that shows " + q.channel}}
		default:
			continue
		}
		v.holes = append(v.holes, holes...)
	}
	v.holes = flatten(v.holes)
	return v
}

func (p *place) isOff(c *coverage, channel string) bool {
	name := p.called()
	_, off := c.isOff(channel, name)
	return name != "" && off
}

// strange adds that nothing is known of accounts and mailboxes that the records do not name.
func (t *trail) strange(holes []hole, l level) []hole {
	h := hole{always, never, "narrowed", false, "records of " + t.name + " name too few accounts to be of everybody, and not this one: it may be an extract"}
	if l == detail {
		h.reason, h.why = "disabled", "no record of mail access in this mailbox, by anybody: it may not be audited"
	}
	var stated []tally.Span
	for _, s := range t.stated {
		// That a log is complete does not say that each mailbox was audited: whoever knows that names the mailbox.
		if s.whom == "" && l == presence && s.presence {
			stated = append(stated, s.Span)
		}
	}
	open := []hole{h}
	for _, s := range stated {
		open = subtract(open, s)
	}
	return flatten(append(slices.Clone(holes), open...))
}

// channels returns the ways into what the system of an object has, other than those that are proven to be off: those that a
// log tells of, and those that belong to the same system. It is never empty for want of a log: a way that no log is of is
// then called after the kind of object.
func (c *coverage) channels(kind, in string) []string {
	set := make(map[string]bool)
	add := func(list ...string) {
		for _, ch := range list {
			set[ch] = true
		}
	}
	var all [windowsHost + 1]bool
	seen := make(map[string]bool) // channels of which a log tells who came in
	for _, p := range c.places {
		for s, is := range p.systems {
			all[s] = all[s] || is
		}
		for _, t := range p.trails {
			for _, ch := range t.rule.presence {
				seen[ch] = true
			}
		}
	}
	switch kind {
	case "mailbox", "message", "folder":
		if all[exchangeServer] {
			add(exchangeAll...)
		}
		if all[mailServer] {
			add(mailboxAccess...)
		}
		if all[cloud] {
			add("m365")
		}
		if len(set) == 0 {
			add("mail")
		}
	default:
		if low := strings.ToLower(in); all[cloud] && (strings.Contains(low, ".sharepoint.com") || !all[webServer] && !all[windowsHost] && !all[shellServer]) {
			add("m365")
			break
		}
		for _, ch := range [...]string{"web", "nextcloud", "smb", "ssh"} {
			if seen[ch] {
				add(ch)
			}
		}
		for i := range c.off { // what the facts name is a way in, if only for others
			switch ch := c.off[i].channel; ch {
			case "web", "dav", "smb", "ssh", "sftp", "ftp", "nextcloud":
				add(ch)
			}
		}
		if all[cloud] {
			add("m365")
		}
		if len(set) == 0 {
			add(cmp.Or(kind, "file"))
		}
	}
	var out []string
	for _, ch := range slices.Sorted(maps.Keys(set)) {
		if _, off := c.isOff(ch, in); !off {
			out = append(out, ch)
		}
	}
	return out
}

// frontEnd reports whether a log of Exchange's front end, which tells for whom what stands before it asks, covers a channel.
func (c *coverage) frontEnd(channel string, from, to int64) bool {
	for _, t := range c.trails {
		if strings.HasPrefix(t.format, "exchange.httpproxy.") && slices.Contains(t.rule.presence, channel) && len(between(t.cached(), from, to)) == 0 {
			return true
		}
	}
	return false
}

// hostLabel returns what a host is known by: its name up to the first dot, in lower case, or its address.
func hostLabel(host string) string {
	host = strings.ToLower(strings.TrimSuffix(strings.TrimSpace(host), "."))
	if address(host).IsValid() {
		return host
	}
	label, _, _ := strings.Cut(host, ".")
	return label
}

// address returns the address that a host is named by, if it is one, with or without a port.
func address(host string) netip.Addr {
	if a, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return a
	}
	if ap, err := netip.ParseAddrPort(host); err == nil {
		return ap.Addr()
	}
	return netip.Addr{}
}

func (p *place) title() string { return cmp.Or(p.name, p.key, "an unnamed host") }

// full names a log for people: "iis.w3svc1 of EX1".
func (t *trail) full() string {
	if t.place.key == "" || t.place.key == cloudPlace {
		return t.name
	}
	return t.name + " of " + t.place.title()
}
