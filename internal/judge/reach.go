package judge

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

// shows is what deciding what was reached asks of coverage.
type shows interface {
	presence(channel, principal string, from, to int64) answer
	presenceAt(host, channel, principal string, from, to int64) answer
	processes(host string, from, to int64) answer
	detail(channel, in string, from, to int64) answer
	channels(kind, in string) []string
}

// reacher decides what was reached.
type reacher struct {
	in       *Input
	who      *people
	cover    shows
	whose    func(context int, at int64) *session
	sessions []session
	powers   []capability
	byHolder map[string][]*capability // powers by principal, once it was asked
	contexts []tally.Context
	from, to int64 // the window; always and never where it is unknown
	doubt    int64 // by how much all logs together may be off from the inventory, in nanoseconds

	boxes map[string]*box // mailboxes, by people.key
	// inOrder is boxes in order of their keys, until another is made.
	inOrder []*box
	// nobody holds messages in a mailbox that the log does not name.
	nobody   *box
	accounts map[string]string // by session: see accountOf
	files    *fileBox
	hosts    map[string]*attacked
	// stays are when sessions that matter were there, by principal and channel.
	stays map[stay][]tally.Span
	// spelled are the ways in which logs and inventories write an account.
	spelled map[string][]string
	// copiers are the sessions that matter of programs that keep a copy of a mailbox of Microsoft 365.
	copiers map[string]*session
	// forwards are the forwarding rules that an attacker's session made.
	forwards    []*tally.Act
	logged      []string        // hosts that logs are of, once it was asked
	servers     map[string]bool // whether logs are of a server of the inventory
	used        map[string]int64
	byName      map[string]logs.Inference
	byPrincipal map[string][]stay
	made        *connections      // once they were asked for
	fileNames   map[string]string // paths by the numbers of a file server
	contextsOf  map[string][]int  // those of mail by account, as people.key writes it, once it was asked
	j           *Judgement
}

// stay is a key of reacher.stays.
type stay struct{ principal, channel string }

// reach decides what was reached, and adds it to j.
func reach(in *Input, who *people, cover *coverage, s *sessions, powers []capability, j *Judgement) error {
	r := &reacher{in: in, who: who, cover: cover, doubt: cover.doubt, whose: s.of, sessions: s.all, powers: powers, j: j}
	return r.run()
}

func (r *reacher) run() error {
	r.contexts = r.in.Store.Contexts()
	r.from, r.to = orAlways(r.in.From), orNever(r.in.To)
	r.boxes, r.hosts, r.used = make(map[string]*box), make(map[string]*attacked), make(map[string]int64)
	r.files = newFileBox()
	r.copiers = make(map[string]*session)
	r.stays, r.spelled = make(map[stay][]tally.Span), make(map[string][]string)
	r.nobody = newBox("")
	r.inventory()
	r.spell()
	r.stayed()
	if err := r.acts(); err != nil {
		return err
	}
	if err := r.attacks(); err != nil {
		return err
	}
	r.held()
	if err := r.doubts(); err != nil {
		return err
	}
	if err := r.requests(); err != nil {
		return err
	}
	r.unseenSyncs()
	if err := r.touched(); err != nil {
		return err
	}
	if err := r.delivered(); err != nil {
		return err
	}
	return r.tell()
}

// inventory lays out a box for each mailbox that the inventory has.
func (r *reacher) inventory() {
	inv := r.in.Inventory
	if inv == nil {
		return
	}
	for i := range inv.Mailboxes {
		m := &inv.Mailboxes[i]
		if b := r.box(m.Name); b != nil {
			b.listed, b.server = true, strings.ToLower(strings.TrimSpace(m.Server))
			if b.name == "" {
				b.name = m.Owner
			}
		}
	}
	var last *box
	lastName := ""
	for i := range inv.Messages {
		m := &inv.Messages[i]
		if last == nil || m.Mailbox != lastName {
			last, lastName = r.box(m.Mailbox), m.Mailbox
		}
		if last != nil {
			last.byMessages = last.byMessages || !last.listed
			last.listed = true
			last.rows = append(last.rows, int32(i))
		}
	}
}

func newBox(key string) *box {
	return &box{key: key, index: make(map[wayKey]int), items: make(map[string]*touch), channels: make(map[string]*channelState), from: never, to: always}
}

// box returns the box of a mailbox, nil if the name is none that mail lies in.
func (r *reacher) box(name string) *box {
	key := r.who.key(name)
	if key == "" || strings.HasSuffix(key, "$") {
		return nil
	}
	b := r.boxes[key]
	if b == nil {
		b = newBox(key)
		r.boxes[key], r.inOrder = b, nil
	}
	low := strings.ToLower(strings.TrimSpace(name))
	if i, ok := slices.BinarySearch(r.spelled[key], low); !ok {
		r.spelled[key] = slices.Insert(r.spelled[key], i, low)
	}
	return b
}

// spell learns how the accounts that matter are written in the logs.
func (r *reacher) spell() {
	last, key := "", ""
	for i := range r.contexts {
		a := r.contexts[i].Account
		if a == "" {
			continue
		}
		if a != last {
			last, key = a, r.who.key(a)
			if n, ok := slices.BinarySearch(r.spelled[key], a); !ok {
				r.spelled[key] = slices.Insert(r.spelled[key], n, a)
			}
		}
	}
}

// accountOf returns the one account that logs name with a session; "" if there is none, or several.
func (r *reacher) accountOf(session string) string {
	if r.accounts == nil {
		r.accounts = make(map[string]string)
		last, key := "", ""
		for i := range r.contexts {
			c := &r.contexts[i]
			if c.Account == "" || c.Session == "" {
				continue
			}
			if c.Account != last {
				last, key = c.Account, r.who.key(c.Account)
			}
			of := key
			if other, ok := r.accounts[c.Session]; ok && other != key {
				of = ""
			}
			r.accounts[c.Session] = of
		}
	}
	return r.accounts[session]
}

// holds reports whether an attacker may have held the principal's password or a token of it at some time from from to to.
func (r *reacher) holds(principal string, from, to int64) bool {
	return principal != "" && slices.ContainsFunc(r.powersOf(principal), func(k *capability) bool {
		return k.isCredential() && orAlways(k.earliest) <= orNever(to) && orNever(k.to) >= orAlways(from)
	})
}

// powersOf returns the powers of a principal.
func (r *reacher) powersOf(principal string) []*capability {
	if r.byHolder == nil {
		r.byHolder = make(map[string][]*capability)
		for i := range r.powers {
			k := &r.powers[i]
			r.byHolder[k.principal] = append(r.byHolder[k.principal], k)
		}
	}
	return r.byHolder[principal]
}

// isCredential reports whether a power is what an account logs in with.
func (k *capability) isCredential() bool { return k.power == logs.Password || k.power == logs.Token }

// matters reports whether what happened in a session may have been the attacker's doing.
func (r *reacher) matters(s *session, from, to int64) bool {
	if s == nil {
		return false
	}
	return s.attribution >= suspected || s.attribution == unattributed && r.holds(s.principal, from, to)
}

// stayed learns when the sessions that matter were there.
func (r *reacher) stayed() {
	for i := range r.sessions {
		s := &r.sessions[i]
		if s.attribution < unattributed {
			continue
		}
		for _, p := range s.parts {
			if p.context >= len(r.contexts) {
				continue
			}
			v := tally.Span{From: p.from, To: p.to}
			by := r.in.skew(p.context)
			if v.From, v.To = sum(v.From, -by), sum(v.To, by); p.from == event.UnknownTime || p.to == event.UnknownTime {
				v.From, v.To = r.from, r.to
			}
			if r.matters(s, v.From, v.To) {
				k := stay{s.principal, r.contexts[p.context].Channel}
				r.stays[k] = append(r.stays[k], tally.Span{From: v.From, To: v.To})
			}
		}
	}
	for k, list := range r.stays {
		r.stays[k] = joinSpans(list)
	}
}

// acts reads what the sessions that matter did.
func (r *reacher) acts() error {
	of := make(map[int]bool)
	for i := range r.sessions {
		if s := &r.sessions[i]; s.attribution >= unattributed {
			for _, p := range s.parts {
				of[p.context] = true
			}
		}
	}
	for _, c := range slices.Sorted(maps.Keys(of)) {
		if c >= len(r.contexts) {
			continue
		}
		for a, err := range r.in.Store.Acts(c) {
			if err != nil {
				return err
			}
			if a.Kind == logs.Login && a.OK && keepsCopy(&r.contexts[c], a.Action) {
				if s := r.whose(c, timeOf(a)); r.matters(s, a.From, a.To) {
					r.copiers[s.ID] = s
				}
			}
			if a.Kind != logs.Access && a.Kind != logs.Send || !a.OK && !a.Unknown {
				continue
			}
			if s := r.whose(c, timeOf(a)); r.matters(s, a.From, a.To) {
				if keepsCopy(&r.contexts[c], "") {
					r.copiers[s.ID] = s
				}
				r.claim(a, &r.contexts[c], s)
			}
		}
	}
	for a, err := range r.in.Store.Powers() {
		if err != nil {
			return err
		}
		if a.Inference == logs.RuleMade && a.OK {
			if s := r.whose(a.Context, timeOf(a)); s != nil && s.attribution == ofAttacker {
				keep := *a
				r.forwards = append(r.forwards, &keep)
			}
		}
	}
	return nil
}

// timeOf returns the time of the first record of an act.
func timeOf(a *tally.Act) int64 {
	if len(a.Refs) > 0 {
		return a.Refs[0].Time
	}
	return a.From
}

// claim takes what a session that matters did.
func (r *reacher) claim(a *tally.Act, c *tally.Context, s *session) {
	if c.Standing == logs.Service {
		return
	}
	rd := readingOf(a.Inference)
	switch {
	case rd.server:
		r.attack(a, s)
	case rd.file || (a.Inference == logs.FolderListed || a.Inference == logs.FolderExported) && strings.HasPrefix(a.Object, "/"), a.ObjectKind == "file":
		r.files.claim(a, s)
	case rd.grasp != graspNothing:
		r.mail(a, c, s, rd)
	default:
		if b := r.boxOf(a, c, s); b != nil {
			b.touch(a, s)
		}
	}
}

// boxOf returns the mailbox that an act is on, nil if the log does not tell.
func (r *reacher) boxOf(a *tally.Act, c *tally.Context, s *session) *box {
	name := a.In
	if a.ObjectKind == "mailbox" {
		name = a.Object
		if name == "" {
			name = a.In
		}
	} else if name == "" {
		name = c.Account
	}
	if name == "" && s != nil {
		if name = s.principal; name == "" {
			name = r.accountOf(c.Session)
		}
	}
	return r.box(name)
}

// mail takes what a session that matters did to mail.
func (r *reacher) mail(a *tally.Act, c *tally.Context, s *session, rd reading) {
	d := was
	if s.attribution != ofAttacker || !a.OK {
		d = may
	}
	exposure := max(a.Exposure, logs.Metadata)
	if rd.weak {
		exposure = max(a.Exposure, rd.besides)
	}
	b := r.boxOf(a, c, s)
	if b == nil {
		if rd.grasp == graspNamed && a.ObjectKind == "message" && a.Object != "" && !isMachine(r.who.key(cmp.Or(c.Account, "somebody"))) {
			r.nobody.named(a, s, rd, d)
		}
		r.unnamed(a, c, s, exposure, d)
		return
	}
	b.touch(a, s)
	b.through(c.Channel)
	if a.Inference == logs.MailboxUsed && r.cover.detail(c.Channel, b.key, orAlways(a.From), orNever(a.To)).covered() {
		return
	}
	if looksLikeGUID(b.key) && !b.listed {
		// Which mailbox has this identifier is not known: most likely it is the account's own. See otherAccounts.
		if own := r.box(c.Account); own != nil && own != b && !r.who.allGUIDs[own.key] {
			own.touch(a, s)
			own.coarse(a, s, exposure, may, may, r)
		}
	}
	if a.Inference == logs.MessageSent && !b.lists(a.Object, r) {
		return // who wrote a message has reached nothing by it
	}
	self := d
	if rd.weak {
		self = may
	}
	switch {
	case rd.grasp == graspNamed && a.ObjectKind == "message" && a.Object != "":
		b.named(a, s, rd, d)
		b.channel(a, s, a.Exposure, d, r)
		b.channel(a, s, rd.besides, min(d, may), r)
	case rd.grasp == graspWhole:
		b.whole(a, s, d, r)
	default:
		if a.ObjectKind == "folder" || a.Folder != "" {
			b.folder(a, s, exposure, self)
		}
		b.coarse(a, s, exposure, self, may, r)
		if rd.besides > exposure {
			b.coarse(a, s, rd.besides, may, may, r)
		}
	}
}

// unnamed takes a record that contents of a mailbox were read which it does not name: any on that host.
func (r *reacher) unnamed(a *tally.Act, c *tally.Context, s *session, x logs.Exposure, d degree) {
	h := r.host(c.Host)
	keep := *a
	h.unnamed = append(h.unnamed, unnamed{&keep, s, x, min(d, may), c.Channel, "the log names no mailbox"})
}

// held opens ways by what was held: capabilities, and sessions without an end.
func (r *reacher) held() {
	for i := range r.powers {
		k := &r.powers[i]
		from, to := max(orAlways(k.earliest), r.from), min(orNever(k.to), r.to)
		if from > to || k.power == logs.NoPower {
			continue
		}
		for _, b := range r.reachOf(k) {
			b.reached = true
			r.open(b, k, from, to)
		}
		if k.power != logs.Rule && reachesFiles(k) {
			r.files.held = true
			r.openFiles(k, from, to)
		}
	}
	// What a session that matters did in a mailbox that no capability of its account is known to reach: it may have done more there.
	for _, b := range r.sorted() {
		for _, p := range slices.Sorted(maps.Keys(b.principals)) {
			if !b.judged[p] {
				r.openDetail(b, p, "", r.cover.channels("mailbox", b.key), r.from, r.to, false)
			}
		}
	}
	for _, b := range r.sorted() {
		if !b.held {
			r.notInScope(b)
		}
	}
	in := r.entered()
	for i := range r.sessions {
		s := &r.sessions[i]
		if s.open && r.matters(s, sum(s.from, -s.doubt), sum(s.to, s.doubt)) {
			r.openSession(s, in)
		}
	}
}

// notInScope asks of a mailbox that no capability is known to reach whether the logs would have shown one: only then nothing reached it.
func (r *reacher) notInScope(b *box) {
	r.noAttacker(b)
	channels := r.cover.channels("mailbox", b.key)
	if len(channels) == 0 {
		r.hole(b, ruleNotAssessed, "", noMailLog, r.from, r.to)
	}
	for _, c := range channels {
		if !isMail(c) {
			continue
		}
		ans := r.cover.presence(c, b.key, r.from, r.to)
		if ans.covered() {
			b.through(c).shown(ans.by)
			continue
		}
		words := noLog(c)
		if ans.assessed {
			words = c + ": " + describeHole(ans.holes[0])
			r.gap(b, ruleNotAssessed, "", c, ans.holes[0], r.from, r.to)
		} else {
			r.hole(b, ruleNotAssessed, "", words, r.from, r.to)
		}
		b.through(c).raise(may, words)
	}
}

// noAttacker opens what lies in a box where nothing is known of an attacker: he may be anybody who came in.
func (r *reacher) noAttacker(b *box) {
	if !r.attacked() {
		r.hole(b, ruleNoAttacker, "", "", r.from, r.to)
	}
}

const noMailLog = "there is no log of imap, pop3 or web mail"

// noLog says that there is no log of a way in.
func noLog(channel string) string {
	if channel == "mail" {
		return noMailLog
	}
	return "there is no log of " + channel
}

// reachOf returns the mailboxes that a capability reaches, in order.
func (r *reacher) reachOf(k *capability) []*box {
	var out []*box
	for _, sc := range k.reach {
		switch sc.kind {
		case "mailbox":
			if sc.in == "" || sc.in == "*" {
				return r.sorted()
			}
			if b := r.box(sc.in); b != nil {
				out = append(out, b)
			}
		case "cloud":
			out = append(out, slices.DeleteFunc(slices.Clone(r.sorted()), r.onPremises)...)
		case "host":
			out = append(out, r.on(sc.in)...)
		case "everything":
			return r.sorted()
		}
	}
	slices.SortFunc(out, func(a, b *box) int { return strings.Compare(a.key, b.key) })
	return slices.Compact(out)
}

// reaches reports whether a capability reaches a mailbox: whether it is among those of reachOf.
func (r *reacher) reaches(k *capability, b *box) bool {
	return slices.ContainsFunc(k.reach, func(sc scope) bool {
		switch sc.kind {
		case "mailbox":
			return sc.in == "" || sc.in == "*" || r.box(sc.in) == b
		case "cloud":
			return !r.onPremises(b)
		case "host":
			return slices.Contains(r.on(sc.in), b)
		}
		return sc.kind == "everything"
	})
}

// reachesFiles reports whether a capability reaches files.
func reachesFiles(k *capability) bool {
	return slices.ContainsFunc(k.reach, func(sc scope) bool { return sc.kind == "file" || sc.kind == "everything" })
}

// sorted returns all boxes in order of their keys. The slice is the reacher's.
func (r *reacher) sorted() []*box {
	if r.inOrder == nil {
		r.inOrder = slices.AppendSeq(make([]*box, 0, len(r.boxes)), maps.Values(r.boxes))
		slices.SortFunc(r.inOrder, func(a, b *box) int { return strings.Compare(a.key, b.key) })
	}
	return slices.Clip(r.inOrder)
}

// entered returns the boxes in which sessions were, by the identifiers of the sessions.
func (r *reacher) entered() map[string][]*box {
	out := make(map[string][]*box)
	for _, b := range r.sorted() {
		for _, id := range b.by {
			out[id] = append(out[id], b)
		}
	}
	return out
}

// mayUse returns the boxes that a session was in, and its account's own, in order. in is what entered returned.
func (r *reacher) mayUse(s *session, in map[string][]*box) []*box {
	var out []*box
	for _, b := range in[s.ID] {
		if slices.Contains(b.by, s.ID) {
			out = append(out, b)
		}
	}
	if own := r.boxes[s.principal]; own != nil && !slices.Contains(out, own) {
		out = append(out, own)
		slices.SortFunc(out, func(a, b *box) int { return strings.Compare(a.key, b.key) })
	}
	return out
}

// on returns the mailboxes on a host: those of which the inventory says so or does not say where they are; where it knows
// nothing of that host, and no other is known, all of them.
func (r *reacher) on(name string) []*box {
	h := r.host(name)
	if !h.searched {
		h.searched = true
		r.accountsOf(h.name)
	}
	all := r.sorted()
	known := slices.ContainsFunc(all, func(b *box) bool { return r.in.Hosts.same(b.server, h.name) })
	if !known {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(b *box) bool { return b.server != "" && !r.in.Hosts.same(b.server, h.name) })
}

// accountsOf makes boxes of the accounts that logs of a host name, where there is no list of mailboxes.
func (r *reacher) accountsOf(name string) {
	if inv := r.in.Inventory; inv != nil && len(inv.Mailboxes) > 0 {
		return
	}
	last := ""
	for i := range r.contexts {
		c := &r.contexts[i]
		if c.Account != "" && c.Account != last && r.in.Hosts.same(c.Host, name) && isMail(c.Channel) && !isMachine(c.Account) {
			r.box(c.Account)
			last = c.Account
		}
	}
}

// sameHost reports whether two names may be of one host: in full, or the first label of the other.
func sameHost(a, b string) bool {
	a, b = strings.ToLower(a), strings.ToLower(b)
	if a == "" || b == "" {
		return false
	}
	if a == b {
		return true
	}
	la, da, _ := strings.Cut(a, ".")
	lb, db, _ := strings.Cut(b, ".")
	return la == lb && (da == "" || db == "")
}

// isMachine reports whether an account is a computer's or the mail system's own.
func isMachine(account string) bool {
	if i := strings.LastIndexByte(account, '\\'); i >= 0 {
		account = account[i+1:]
	}
	account, _, _ = strings.Cut(account, "@")
	return account == "" || strings.HasSuffix(account, "$") || strings.HasPrefix(account, "healthmailbox") || strings.HasPrefix(account, "systemmailbox") ||
		account == "system" || account == "network service" || account == "local service" || account == "s-1-5-18"
}

// isMail reports whether mailboxes are read through a channel.
func isMail(channel string) bool {
	switch channel {
	case "smtp", "submission", "ssh", "smb", "rdp", "windows", "web", "dav", "oab", "powershell", "ftp", "sftp", "lmtp", "sieve", "managesieve":
		return false
	}
	return true
}

// lasts reports whether whoever came in once through a channel may stay without any log's showing it: by a token.
func lasts(channel string) bool {
	return channel == "m365" || channel == "graph" || channel == "sharepoint" || channel == "onedrive"
}

// open opens the ways that a capability gives into a mailbox.
func (r *reacher) open(b *box, k *capability, from, to int64) {
	switch k.power {
	case logs.HostPower:
		r.openHost(b, k, from, to)
		return
	case logs.Rule:
		w := b.way(wayKey{rule: logs.RuleMade, of: k.rule, grasp: graspCoarse, degree: may, exposure: logs.Content, open: !k.certain})
		w.arriving, w.self = true, may
		w.bound(-1, -1)
		w.times++
		w.span(from, to)
		w.words = addTo(w.words, strings.Join(k.why, "; "), mostWords)
		return
	}
	b.held = b.held || k.channels == nil && k.principal == b.key
	channels := k.channels
	if channels == nil {
		channels = r.cover.channels("mailbox", b.key)
		if len(channels) == 0 {
			r.hole(b, ruleNotAssessed, "", noMailLog, from, to)
		}
	}
	for _, c := range channels {
		if !isMail(c) {
			continue
		}
		state := b.through(c)
		if k.power == logs.Grant || k.rule == ruleHybrid {
			continue // an application needs no login: what it read is all that shows
		}
		ans := r.cover.presence(c, k.principal, from, to)
		if !ans.assessed {
			words := noLog(c)
			r.hole(b, ruleNotAssessed, c, words, from, to)
			r.unseenRule(b, c, from, to)
			state.raise(may, words)
			continue
		}
		state.shown(ans.by)
		for _, h := range ans.holes {
			r.gap(b, ruleNoPresence, h.reason, c, h, max(h.from, from), min(stayedUntil(c, h.to, to), to))
			r.unseenRule(b, c, max(h.from, from), to)
			state.raise(may, "no log shows who came in: "+describeHole(h))
		}
	}
	r.openDetail(b, k.principal, k.rule, channels, from, to, k.power == logs.Grant || k.rule == ruleHybrid || k.power == logs.Token && !r.signedIn(k.principal))
}

// signedIn reports whether a login of the attacker as the principal is proven: his tokens come from it, and from no earlier time than
// logs of logins show.
func (r *reacher) signedIn(principal string) bool {
	return slices.ContainsFunc(r.powersOf(principal), func(k *capability) bool { return k.power == logs.Password && k.certain })
}

// longestStay is how long a connection may last that no log shows to begin, in nanoseconds.
const longestStay = 24 * 3600 * 1e9

// stayedUntil returns until when somebody may have stayed who came in through a channel before a time without any log's showing it,
// and was let in until end: a client of a cloud goes on with its token, one of IMAP or POP3 with its connection.
func stayedUntil(channel string, at, end int64) int64 {
	switch {
	case lasts(channel):
		return end
	case channel == "imap" || channel == "pop3":
		return sum(at, longestStay)
	}
	return at
}

// openDetail opens the ways into a mailbox that are left open because no log shows what a principal who was there read: silently says
// that he may have been there without any log's showing it.
func (r *reacher) openDetail(b *box, principal, rule string, channels []string, from, to int64, silently bool) {
	if b.judged == nil {
		b.judged = make(map[string]bool)
	}
	b.judged[principal] = true
	seen := make(map[string]bool)
	check := func(c string, s tally.Span) {
		s.From, s.To = max(s.From, from), min(s.To, to)
		if s.From > s.To {
			return
		}
		ans := r.cover.detail(c, b.key, s.From, s.To)
		state := b.through(c)
		if !ans.assessed {
			r.hole(b, ruleNoDetail, "", c+": no log tells what was read", s.From, s.To)
			r.unseenRule(b, c, s.From, to)
			state.raise(may, "no log tells what was read")
			return
		}
		state.shown(ans.by)
		for _, h := range ans.holes {
			name := ruleNoDetail
			if h.reason == logs.GapThrottled {
				name = ruleThrottled
			}
			until := min(h.to, s.To)
			if lasts(c) && name != ruleThrottled { // a folder may have been synchronised then, and what came in after that: SYNC_MAILBOX
				until = to
			}
			r.gap(b, name, h.reason, c, h, max(h.from, s.From), until)
			if name != ruleThrottled { // what is done to rules is recorded then
				r.unseenRule(b, c, max(h.from, s.From), to)
			}
			state.raise(may, "no log tells what was read: "+describeHole(h))
		}
	}
	for _, c := range channels {
		if !isMail(c) {
			continue
		}
		seen[c] = true
		list := r.stays[stay{principal, c}]
		if lasts(c) {
			// Who came in while no log showed it may be there from then on.
			first := int64(never)
			if len(list) > 0 {
				first = list[0].From
			}
			if ans := r.cover.presence(c, principal, from, to); !ans.assessed {
				first = from
			} else if len(ans.holes) > 0 {
				first = min(first, ans.holes[0].from)
			}
			if silently {
				first = from
			}
			if first != never {
				check(c, tally.Span{From: first, To: to})
			}
			continue
		}
		for _, s := range list {
			check(c, s)
		}
	}
	// A session that matters may have come in through what is not known as a way into the mailbox.
	for _, k := range r.staysOf(principal) {
		if !seen[k.channel] && isMail(k.channel) {
			for _, s := range r.stays[k] {
				check(k.channel, s)
			}
		}
	}
}

// staysOf returns the keys of the stays of a principal in order.
func (r *reacher) staysOf(principal string) []stay {
	if r.byPrincipal == nil {
		r.byPrincipal = make(map[string][]stay)
		for k := range r.stays {
			r.byPrincipal[k.principal] = append(r.byPrincipal[k.principal], k)
		}
		for _, list := range r.byPrincipal {
			slices.SortFunc(list, func(a, b stay) int { return strings.Compare(a.channel, b.channel) })
		}
	}
	return r.byPrincipal[principal]
}

// openSession opens what a session without an end may have read: the account's own mailbox, and those it was in.
func (r *reacher) openSession(s *session, in map[string][]*box) {
	for _, b := range r.mayUse(s, in) {
		if s.from == event.UnknownTime {
			s.from = r.from
		}
		w := b.way(wayKey{rule: ruleOpenSession, grasp: graspCoarse, degree: may, exposure: logs.Content, open: s.attribution != ofAttacker})
		w.bound(-1, -1)
		w.times++
		w.self = may
		w.span(sum(s.from, -s.doubt), max(r.to, sum(s.to, s.doubt)))
		w.by = addTo(w.by, s.ID, mostBy)
		b.by = addTo(b.by, s.ID, mostBy)
		for _, c := range s.Channels {
			if isMail(c) {
				b.through(c).raise(may, "session "+s.ID+" has no end in the logs")
			}
		}
	}
}

// hole opens a way that nothing shuts: a time in which no log would have shown that the box was read.
func (r *reacher) hole(b *box, rule, of, words string, from, to int64) {
	w := b.way(wayKey{rule: rule, of: of, grasp: graspCoarse, degree: may, exposure: logs.Content})
	w.bound(-1, -1)
	w.times++
	w.self = may
	w.span(sum(from, -r.doubt), sum(to, r.doubt))
	w.words = addTo(w.words, words, mostWords)
}

// gap is hole, for a gap in the logs of a channel.
func (r *reacher) gap(b *box, rule, of, channel string, h hole, from, to int64) {
	r.hole(b, rule, of, "", from, to)
	w := b.way(wayKey{rule: rule, of: of, grasp: graspCoarse, degree: may, exposure: logs.Content})
	w.gaps = addGap(w.gaps, channel, h)
}

// unseenRule takes that somebody who was in a mailbox unseen since a time may have made a rule, which sends on what comes in as long as
// nobody takes it away: until the eviction, or until what let him in ended if that is later.
func (r *reacher) unseenRule(b *box, channel string, since, to int64) {
	switch channel {
	case "m365", "graph", "owa", "ecp", "ews", "mapi", "rpc", "rest", "powershell":
	default:
		return
	}
	w := b.way(wayKey{rule: ruleUnseenRule, grasp: graspCoarse, degree: may, exposure: logs.Content})
	w.arriving, w.self = true, may
	w.bound(-1, -1)
	w.times++
	end := r.to
	if f := r.in.Facts; f != nil && f.Evicted != nil {
		end = min(end, max(to, f.Evicted.UnixNano()))
	}
	w.span(sum(since, -r.doubt), sum(end, r.doubt))
}

// touched reads what others did in the mailboxes that an attacker held, and what rules forwarded from them.
func (r *reacher) touched() error {
	for _, b := range r.sorted() {
		if !b.reached && len(b.by) == 0 {
			continue
		}
		for _, name := range r.spelled[b.key] {
			for a, err := range r.in.Store.Touched(name) {
				if err != nil {
					return err
				}
				if !a.OK || a.Kind != logs.Access && a.Kind != logs.Send {
					continue
				}
				switch a.Inference {
				case logs.Forwarded:
					r.forwarded(b, a)
					continue
				case logs.Delivered: // it lies there: see delivered
					continue
				}
				if a.ObjectKind == "message" && a.Object != "" && !readingOf(a.Inference).server {
					b.others(a, r.contexts[a.Context].Standing == logs.Service || a.Inference == logs.ServiceBind)
				}
			}
		}
	}
	return nil
}
