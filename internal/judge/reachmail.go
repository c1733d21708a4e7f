package judge

import (
	"cmp"
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

// box is a mailbox, and all that is known of what was reached in it.
type box struct {
	key, name, server string
	listed            bool   // in the inventory
	byMessages        bool   // only its list of messages names it
	settledBy         string // what tells whether it is a mailbox of the list by another name; "" where that is known
	rows              []int32
	ways              []*way
	index             map[wayKey]int
	items             map[string]*touch // by messageKey
	folders           map[string]*folderTouch
	channels          map[string]*channelState
	principals        map[string]bool // accounts whose sessions were in it
	judged            map[string]bool // those of which it was asked what else they may have done in it
	reached           bool            // a capability reaches it
	held              bool            // its account's own, of which it was asked through which ways in
	from, to          int64
	by                []string
	byWays            map[uint64][]string // sessions by the ways of signatures, once they are told
	bytes             int64
	knownFolders      map[string]bool
	hashes            map[uint64]bool // of the messages that the inventory lists, once it was asked
}

// touch is what is known to have been done to one message.
type touch struct {
	id       string
	levels   levels
	ways     uint64 // by index into box.ways
	from, to int64
	refs     []tally.Ref
	by       []string
	owner    bool // by a session that is not the attacker's
	service  bool // by the mail service
	listed   bool // in the inventory
}

// folderTouch is what is known of a folder itself.
type folderTouch struct {
	id, name, in string
	levels       levels
	rule         string
	times        int64
	from, to     int64
	refs         []tally.Ref
	by           []string
}

// channelState is what is known of one way in.
type channelState struct {
	levels levels
	why    string
	by     []string // logs that would have shown it
}

func (c *channelState) raise(d degree, why string) {
	if c.levels[logs.Content] < d {
		c.why = why
	}
	c.levels.raise(logs.Content, d)
}

// show raises an exposure of the channel.
func (c *channelState) show(x logs.Exposure, d degree, why string) {
	if x > logs.NoExposure && c.levels[x] < d {
		if c.why == "" || c.levels[logs.Content] == not {
			c.why = why
		}
		c.levels.raise(x, d)
	}
}

func (c *channelState) shown(by []string) {
	for _, s := range by {
		c.by = addTo(c.by, s, mostWords)
	}
}

// maxWays is how many ways are told apart: an item knows them by the bits of a word.
const maxWays = 64

// way returns the way of that key. Where there would be too many, those that confirm nothing are one.
func (b *box) way(k wayKey) *way {
	if i, ok := b.index[k]; ok {
		return b.ways[i]
	}
	if len(b.ways) >= maxWays-1 {
		k = wayKey{rule: ruleCoarse, grasp: graspCoarse, degree: may, exposure: logs.Content}
		if i, ok := b.index[k]; ok {
			b.ways[i].size, b.ways[i].items = -1, -1
			return b.ways[i]
		}
	}
	w := &way{wayKey: k, from: never, to: always, size: -1, items: -1}
	b.index[k] = len(b.ways)
	b.ways = append(b.ways, w)
	return w
}

// through returns what is known of a way in.
func (b *box) through(channel string) *channelState {
	c := b.channels[channel]
	if c == nil {
		c = &channelState{}
		b.channels[channel] = c
	}
	return c
}

// touch notes that a session that matters was in the mailbox.
func (b *box) touch(a *tally.Act, s *session) {
	b.from, b.to = min(b.from, orNever(a.From)), max(b.to, orAlways(a.To))
	if s == nil {
		return
	}
	b.by = addTo(b.by, s.ID, mostBy)
	if b.principals == nil {
		b.principals = make(map[string]bool)
	}
	b.principals[s.principal] = true
}

// ruleOf returns the rule under which an act stands in a verdict on items: whose doing it was decides.
func ruleOf(a *tally.Act, s *session, d degree) (rule string, open bool) {
	switch {
	case s != nil && s.attribution != ofAttacker:
		return ruleAttribution, true
	case !a.OK:
		return ruleSuccessUnknown, true
	}
	return a.Inference, d != was
}

// named takes an act on one message.
func (b *box) named(a *tally.Act, s *session, rd reading, d degree) {
	key := messageKey(a.Object)
	t := b.items[key]
	if t == nil {
		t = &touch{id: strings.TrimSpace(a.Object), from: never, to: always}
		b.items[key] = t
	}
	rule, open := ruleOf(a, s, d)
	x := max(a.Exposure, logs.Metadata)
	w := b.way(wayKey{rule: rule, of: a.Inference, grasp: graspNamed, degree: d, exposure: x, open: open})
	w.bound(-1, 1)
	w.record(a, s)
	w.self = max(w.self, d)
	w.span(orAlways(a.From), orNever(a.To))
	t.levels.raise(x, d)
	t.levels.raise(rd.besides, may)
	if i, ok := b.index[w.wayKey]; ok {
		t.ways |= 1 << i
	}
	t.from, t.to = min(t.from, orNever(a.From)), max(t.to, orAlways(a.To))
	t.refs = keepRefs(t.refs, a.Refs)
	if s != nil {
		t.by = addTo(t.by, s.ID, mostBy)
	}
	if x == logs.Content && a.Bytes > 0 && d == was {
		b.bytes = addBytes(b.bytes, a.Bytes)
	}
}

// whole takes an act on all that a folder, or the mailbox, held.
func (b *box) whole(a *tally.Act, s *session, d degree, r *reacher) {
	folder := a.Folder
	if a.ObjectKind == "folder" {
		folder = a.Object
	}
	if a.Inference == logs.ExportAll {
		folder = ""
	}
	rule, open := ruleOf(a, s, d)
	x := max(a.Exposure, logs.Metadata)
	if folder != "" {
		b.folder(a, s, x, d)
	}
	if b.hasFolder(folder, r) {
		w := b.way(wayKey{rule: rule, of: a.Inference, grasp: graspWhole, degree: d, exposure: x, open: open})
		w.bound(-1, -1)
		w.self = max(w.self, d)
		w.record(a, s)
		w.span(orAlways(a.From), orNever(a.To))
		if w.folders == nil {
			w.folders = make(map[string][]tally.Span)
		}
		w.folders[folder] = append(w.folders[folder], instants(a)...)
		if len(w.folders[folder]) > 4096 {
			w.settleFolders()
		}
	} else {
		// Which messages lay in it is not known.
		b.coarse(a, s, x, d, may, r)
	}
	if a.Inference == logs.SyncFolder {
		w := b.way(wayKey{rule: ruleSyncMailbox, of: a.Inference, grasp: graspCoarse, degree: may, exposure: logs.Content, open: open})
		w.bound(-1, -1)
		w.record(a, s)
		w.self = may
		w.span(orAlways(a.From), r.endOf(s))
	}
	b.channel(a, s, x, d, r)
}

// channel notes what an act shows of its way in.
func (b *box) channel(a *tally.Act, s *session, x logs.Exposure, d degree, r *reacher) {
	c := &r.contexts[a.Context]
	why := strings.TrimSuffix(r.says(a.Inference), ".")
	if c.Channel != "" {
		b.through(c.Channel).show(x, d, why)
	}
	if strings.HasPrefix(c.Format, "m365") && slices.Contains(cloudAll, c.Channel) { // its log is of all of them
		b.through("m365").show(x, d, why)
	}
}

// instants returns the times at which an act certainly took place: from before until after each of its records that are kept.
func instants(a *tally.Act) []tally.Span {
	if len(a.Refs) == 0 || a.From == event.UnknownTime {
		return nil
	}
	before := max(0, a.Refs[0].Time-a.From)
	after := max(0, a.To-a.Refs[len(a.Refs)-1].Time)
	var out []tally.Span
	for _, ref := range a.Refs {
		if ref.Time == event.UnknownTime || ref.Time-before < a.From || ref.Time+after > a.To {
			continue
		}
		out = append(out, tally.Span{From: ref.Time - before, To: ref.Time + after})
	}
	return out
}

// endOf returns until when a client that synchronised may have gone on: as long as what its session came in by was held.
func (r *reacher) endOf(s *session) int64 {
	if s == nil {
		return r.to
	}
	end := r.heldUntil(s.principal)
	if s.to != event.UnknownTime {
		end = max(end, sum(s.to, s.doubt))
	}
	return end
}

// heldUntil returns until when a principal may have been used: the end of the window, unless all that was held of it ended before.
func (r *reacher) heldUntil(principal string) int64 {
	end := int64(always)
	for _, k := range r.powersOf(principal) {
		if k.power != logs.HostPower && k.power != logs.Rule {
			end = max(end, orNever(k.to))
		}
	}
	if end == always {
		return r.to
	}
	return min(end, r.to)
}

// coarse takes an act that reached some items: self is the degree of the mailbox, d of each item.
func (b *box) coarse(a *tally.Act, s *session, x logs.Exposure, self, d degree, r *reacher) {
	rule, open := ruleOf(a, s, self)
	if rule == a.Inference {
		rule = ruleCoarse
	}
	w := b.way(wayKey{rule: rule, of: a.Inference, grasp: graspCoarse, degree: d, exposure: x, open: open})
	size, items := int64(-1), int64(-1)
	if (a.Inference == logs.MailFetched || a.Inference == logs.MailTraffic) && (s == nil || !s.open) {
		if a.Bytes >= 0 {
			size = a.Bytes
			if a.Inference == logs.MailTraffic {
				size = a.Bytes * mostCompression
			}
		}
		if a.Count >= 0 && a.Inference == logs.MailFetched {
			items = a.Count
		}
	}
	w.bound(size, items)
	w.record(a, s)
	w.self = max(w.self, self)
	from := orAlways(a.From)
	if closedCount(a.Inference) {
		// The record stands at the end of a session, and tells of all of it.
		from = always
		if s != nil && s.from != event.UnknownTime && s.from < a.From {
			from = sum(s.from, -s.doubt)
		}
	}
	w.span(from, orNever(a.To))
	if x == logs.Content && self == was && a.Bytes > 0 {
		b.bytes = addBytes(b.bytes, a.Bytes)
	}
	b.channel(a, s, x, max(self, d), r)
	if size >= 0 {
		// What was too large to be handed out may have been listed, and IMAP hands out parts: the text of a message without what
		// is attached to it (mail-forensics 4.1: bodies are counted by the part).
		part := logs.Partial
		if r.contexts[a.Context].Channel == "pop3" {
			part = logs.Metadata
		}
		b.way(wayKey{rule: rule, of: a.Inference, grasp: graspCoarse, degree: d, exposure: part, open: open}).widen(w, a, s)
	}
}

// mostCompression is how many times as large as what went over the line a message may have been, where the line may have been
// compressed (mail-forensics 6.2).
const mostCompression = 20

// closedCount reports whether records by the rule stand at the end of a session and sum up what it handed out.
func closedCount(rule string) bool {
	return rule == logs.MailFetched || rule == logs.MailTraffic || rule == logs.MailHeaders
}

// folder notes that a folder of the mailbox was touched.
func (b *box) folder(a *tally.Act, s *session, x logs.Exposure, d degree) {
	id, name := a.Folder, ""
	if a.ObjectKind == "folder" {
		id, name = a.Object, a.Target
	}
	if id == "" {
		return
	}
	if b.folders == nil {
		b.folders = make(map[string]*folderTouch)
	}
	f := b.folders[id]
	if f == nil {
		f = &folderTouch{id: id, name: name, in: b.key, from: never, to: always}
		b.folders[id] = f
	}
	f.touch(a, s, x, d)
}

func (f *folderTouch) touch(a *tally.Act, s *session, x logs.Exposure, d degree) {
	if d == was && f.levels[x] != was || f.rule == "" {
		f.rule, _ = ruleOf(a, s, d)
	}
	f.levels.raise(x, d)
	f.times += max(a.Times, 1)
	f.from, f.to = min(f.from, orNever(a.From)), max(f.to, orAlways(a.To))
	f.refs = keepRefs(f.refs, a.Refs)
	if s != nil {
		f.by = addTo(f.by, s.ID, mostBy)
	}
}

// hasFolder reports whether the inventory knows what lay in a folder; "" is the whole mailbox.
func (b *box) hasFolder(id string, r *reacher) bool {
	if b.knownFolders == nil {
		b.knownFolders = make(map[string]bool)
		for _, i := range b.rows {
			if f := r.in.Inventory.Messages[i].FolderID; f != "" {
				b.knownFolders[f] = true
			}
		}
		b.knownFolders[""] = len(b.rows) > 0
	}
	return b.knownFolders[id]
}

// lists reports whether the inventory lists a message in the mailbox.
func (b *box) lists(id string, r *reacher) bool {
	if b.hashes == nil {
		b.hashes = make(map[uint64]bool, len(b.rows))
		for _, i := range b.rows {
			b.hashes[hashKey(r.in.Inventory.Messages[i].ID)] = true
		}
	}
	return b.hashes[hashKey(id)]
}

// others takes what a session that does not matter did to a message.
func (b *box) others(a *tally.Act, service bool) {
	key := messageKey(a.Object)
	t := b.items[key]
	if t == nil {
		t = &touch{id: strings.TrimSpace(a.Object), from: never, to: always}
		b.items[key] = t
	}
	if t.levels == (levels{}) {
		t.refs = keepRefs(t.refs, a.Refs)
	}
	if service {
		t.service = true
	} else {
		t.owner = true
	}
}

// messageKey returns one form of a message's identifier: without angle brackets, in lower case.
func messageKey(id string) string {
	id = strings.TrimSpace(id)
	if n := len(id); n > 2 && id[0] == '<' && id[n-1] == '>' {
		id = id[1 : n-1]
	}
	return strings.ToLower(id)
}

// hashKey is a hash of messageKey, without making it.
func hashKey(id string) uint64 {
	id = strings.TrimSpace(id)
	if n := len(id); n > 2 && id[0] == '<' && id[n-1] == '>' {
		id = id[1 : n-1]
	}
	h := uint64(14695981039346656037)
	for i := range len(id) {
		c := id[i]
		if c >= 0x80 {
			return hashSlow(id)
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h
}

func hashSlow(id string) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range []byte(strings.ToLower(id)) {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h
}

// isStandard reports whether an identifier has the form of an Internet message id. One that was shortened can be compared with
// none that is written otherwise.
func isStandard(id string) bool { return strings.IndexByte(id, '@') > 0 && !tally.Shortened(id) }

// copies are lines of the inventory that are one message: they have one identifier.
type copies struct {
	key  string // messageKey
	rows []int32
}

// each calls f with every message that the inventory lists in the mailbox, in the order of its list. Lines without an identifier are
// a message each.
func (b *box) each(messages []Message, f func(copies)) {
	type hashed struct {
		hash uint64
		row  int32
	}
	list := make([]hashed, 0, len(b.rows))
	for _, i := range b.rows {
		list = append(list, hashed{hashKey(messages[i].ID), i})
	}
	slices.SortFunc(list, func(a, b hashed) int { return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.row, b.row)) })
	// next is, for each line, the next one of the same message; first says which are the first.
	next := make(map[int32][]int32)
	later := make(map[int32]bool)
	for i := 0; i < len(list); {
		j := i + 1
		for j < len(list) && list[j].hash == list[i].hash {
			j++
		}
		if j > i+1 && messages[list[i].row].ID != "" {
			byKey := make(map[string]int32)
			for _, h := range list[i:j] {
				k := messageKey(messages[h.row].ID)
				first, ok := byKey[k]
				if !ok {
					byKey[k], first = h.row, h.row
				} else {
					later[h.row] = true
				}
				next[first] = append(next[first], h.row)
			}
		}
		i = j
	}
	var one [1]int32
	for _, i := range b.rows {
		if later[i] {
			continue
		}
		c := copies{rows: next[i]}
		if c.rows == nil {
			one[0] = i
			c.rows = one[:]
		}
		if id := messages[i].ID; id != "" {
			c.key = id
		}
		f(c)
	}
}

// beingOf returns what the inventory says of a line.
func beingOf(m *Message) being {
	e := being{from: always, to: never, size: m.Size, folder: m.FolderID, standard: isStandard(m.ID)}
	if m.Received != event.UnknownTime {
		e.from, e.known = m.Received, true
	}
	if m.Removed != event.UnknownTime {
		e.to = m.Removed
	}
	return e
}
