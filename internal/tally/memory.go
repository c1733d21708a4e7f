package tally

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"iter"
	"maps"
	"math"
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
)

// Memory is a Store that is held in memory, and the plainest statement of what a Store is: tests judge by it, and the
// one that spills is compared with it. Add everything, then read.
type Memory struct {
	streams    []Stream
	contexts   []Context
	visits     [][]Visit
	acts       [][]*Act
	powers     []*Act
	gaps       []*Act
	tries      []*Try
	raw        []observed
	joints     []seenJoint
	handed     []handed
	maxIDs     int // 0 for as many as a Collection keeps
	done       bool
	identities *identitySet
}

type observed struct {
	act     Act
	context Context
}

// Place is where an event was seen.
type Place struct {
	Host, Format string
	Ref
}

// Add takes an observation. It copies what it keeps.
func (m *Memory) Add(at Place, o *logs.Observation) {
	if !counts(o) {
		return
	}
	m.done = false
	m.raw = append(m.raw, observed{ActOf(at, o), ContextOf(at, o)})
}

type seenJoint struct {
	log  JointLog
	hash uint64
	at   int64 // seconds
}

// AddJoint takes an identifier.
func (m *Memory) AddJoint(at Place, j logs.Joint) {
	if at.Time != event.UnknownTime {
		m.joints = append(m.joints, seenJoint{JointLog{at.Source, at.Host, at.Format, j.Channel, j.Sure}, jointHash(&j.ID), second(at.Time)})
	}
}

// AddStream takes a stream.
func (m *Memory) AddStream(s Stream) { m.streams = append(m.streams, s) }

// ContextOf returns the Context of an observation.
func ContextOf(at Place, o *logs.Observation) Context {
	c := Context{Host: Text(at.Host), Format: at.Format, Channel: Text(o.Channel), Account: Text(strings.ToLower(string(o.Account))), IP: Text(string(plainIP(nil, o.IP)))}
	if failedLogin(o) {
		return c
	}
	c.Standing, c.Agent = o.Standing, string(cutAgent(o.Agent))
	c.Session, c.Device, c.App = Text(string(o.Session)), Text(string(o.Device)), Text(string(o.App))
	return c
}

// plainIP returns the one form of an address that may be written in several: 2001:db8::1 for 2001:DB8:0::1, 192.0.2.1 for
// ::ffff:192.0.2.1. What it makes is in buf, if that is large enough; other texts are returned as they are.
func plainIP(buf, p []byte) []byte {
	if bytes.IndexByte(p, ':') < 0 || len(p) > 64 {
		return p
	}
	plain := true
	for i, c := range p {
		plain = plain && (c < 'A' || c > 'Z') && c != '%' && (c != '0' || p[max(0, i-1)] != ':')
	}
	if plain && !bytes.Contains(p, []byte(":ffff:")) {
		return p
	}
	a, err := netip.ParseAddr(string(p))
	if err != nil {
		return p
	}
	return a.Unmap().WithZone("").AppendTo(buf[:0])
}

// failedLogin reports whether an observation becomes a Try.
func failedLogin(o *logs.Observation) bool { return o.Kind == logs.Login && !o.OK && !o.Unknown }

// counts reports whether an observation is kept. A heartbeat is only minutes of a Stream, unless it tells of a host's going down
// or coming up; a failed login that another record counts is told by that.
func counts(o *logs.Observation) bool {
	switch o.Kind {
	case logs.Heartbeat:
		return o.Inference == logs.Down || o.Inference == logs.Up
	case logs.Login:
		return o.OK || o.Count != 0
	}
	return true
}

// ActOf returns the Act that is made of one observation, of no Context yet.
func ActOf(at Place, o *logs.Observation) Act {
	a := Act{
		Kind: o.Kind, OK: o.OK, Unknown: o.Unknown, Action: Text(string(o.Action)), Inference: Text(o.Inference), Power: o.Power, Exposure: o.Exposure,
		ObjectKind: Text(o.ObjectKind), Object: Text(string(o.Object)), In: Text(strings.ToLower(string(o.In))), Folder: Text(string(o.Folder)), Target: Text(string(o.Target)),
		Times: 1, Count: amount(o.Count), Bytes: amount(o.Bytes), Most: amount(o.Bytes), Refs: []Ref{at.Ref},
	}
	if failedLogin(o) {
		a = Act{Kind: logs.Login, Times: 1, Count: a.Count, Bytes: -1, Most: -1, Refs: a.Refs}
	}
	a.From, a.To = reach(at.Time, o)
	return a
}

// reach returns the earliest and the latest time at which what an event of time t tells of may have happened.
func reach(t int64, o *logs.Observation) (from, to int64) {
	if t == event.UnknownTime {
		return t, t
	}
	from, to = t-max(0, int64(o.Before)), t+max(0, int64(o.After))
	if from > t || from == event.UnknownTime {
		from = event.UnknownTime + 1
	}
	if to < t {
		to = math.MaxInt64
	}
	return from, to
}

// maxAgent and maxText are the lengths, in bytes, beyond which a text is cut.
const (
	maxAgent = 256
	maxText  = 1 << 10
)

// Text returns a text as it stands in a Store: of one that is longer than 1 KiB the beginning, "…" and the first 16 digits of its
// SHA-256, so that texts that differ still do. It is for comparing texts from elsewhere with those of a Store.
func Text(s string) string {
	if len(s) <= maxText {
		return s
	}
	return string(appendLong(nil, []byte(s)))
}

// Shortened reports whether a text is what [Text] makes of a longer one: nothing but its beginning can be compared.
func Shortened(s string) bool {
	const hash = 2 * 8
	i := len(s) - hash - len("…")
	if i <= maxText-utf8.UTFMax || i > maxText || s[i:i+len("…")] != "…" {
		return false
	}
	for _, c := range s[i+len("…"):] {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// appendLong appends a text that is too long.
func appendLong(dst, s []byte) []byte {
	sum := sha256.Sum256(s)
	return fmt.Appendf(append(dst, atCharacter(s, maxText)...), "…%x", sum[:8])
}

func cutAgent(s []byte) []byte { return atCharacter(s, maxAgent) }

// atCharacter returns at most n bytes of s, without the beginning of a character at the end.
func atCharacter(s []byte, n int) []byte {
	if len(s) <= n {
		return s
	}
	for i := n; i > n-utf8.UTFMax; i-- {
		if utf8.RuneStart(s[i]) {
			return s[:i]
		}
	}
	return s[:n]
}

// KeptRefs is how many references an Act keeps: the first ones, and the last.
const KeptRefs = 4

// CompareRefs puts references in order of time, then of place.
func CompareRefs(a, b Ref) int {
	return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.Record, b.Record))
}

// Merge adds b, of the same Context and the same in all but times and amounts, to a. The result does not depend on the
// order in which acts are merged.
func (a *Act) Merge(b *Act) {
	a.From, a.To = min(a.From, b.From), max(a.To, b.To)
	a.Times = addKnown(a.Times, b.Times)
	a.Count, a.Bytes = addKnown(a.Count, b.Count), addKnown(a.Bytes, b.Bytes)
	a.Most = max(a.Most, b.Most)
	a.Refs = append(a.Refs, b.Refs...)
	slices.SortFunc(a.Refs, CompareRefs)
	a.Refs = slices.Compact(a.Refs)
	if n := len(a.Refs); n > KeptRefs {
		a.Refs[KeptRefs-1] = a.Refs[n-1]
		a.Refs = a.Refs[:KeptRefs]
	}
}

func addKnown(a, b int64) int64 {
	if a < 0 || b < 0 {
		return max(a, b)
	}
	return min(a+b, maxAmount)
}

// maxAmount is the most that is counted: whoever writes numbers as large as that into a log must not make them negative.
const maxAmount = 1 << 61

// amount returns how much a record says, -1 if it does not.
func amount(n int64) int64 { return min(max(-1, n), maxAmount) }

// CompareActs puts acts of one Context in order: of what they are, then of time.
func CompareActs(a, b *Act) int {
	return cmp.Or(a.compareKind(b), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
}

func (a *Act) compareKind(b *Act) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), compareBool(a.OK, b.OK), compareBool(a.Unknown, b.Unknown), strings.Compare(a.In, b.In),
		strings.Compare(a.ObjectKind, b.ObjectKind), strings.Compare(a.Folder, b.Folder), strings.Compare(a.Object, b.Object),
		strings.Compare(a.Inference, b.Inference), strings.Compare(a.Action, b.Action), cmp.Compare(a.Power, b.Power),
		cmp.Compare(a.Exposure, b.Exposure), strings.Compare(a.Target, b.Target))
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// CompareContexts puts contexts in order.
func CompareContexts(a, b Context) int {
	return cmp.Or(strings.Compare(a.Account, b.Account), strings.Compare(a.IP, b.IP), strings.Compare(a.Session, b.Session), strings.Compare(a.Device, b.Device),
		strings.Compare(a.App, b.App), strings.Compare(a.Agent, b.Agent), strings.Compare(a.Host, b.Host), strings.Compare(a.Format, b.Format),
		strings.Compare(a.Channel, b.Channel), cmp.Compare(a.Standing, b.Standing))
}

// build puts everything in order.
func (m *Memory) build() {
	if m.done {
		return
	}
	m.done = true
	m.contexts, m.visits, m.acts, m.powers, m.gaps, m.tries = nil, nil, nil, nil, nil, nil
	raw := slices.Clone(m.raw)
	slices.SortStableFunc(raw, func(a, b observed) int {
		return cmp.Or(CompareContexts(a.context, b.context), CompareActs(&a.act, &b.act), CompareRefs(a.act.Refs[0], b.act.Refs[0]))
	})
	for i := 0; i < len(raw); {
		j := i
		for j < len(raw) && raw[j].context == raw[i].context {
			j++
		}
		m.add(raw[i].context, raw[i:j])
		i = j
	}
	byTime := func(a, b *Act) int {
		return cmp.Or(cmp.Compare(a.From, b.From), CompareActs(a, b), CompareContexts(m.contexts[a.Context], m.contexts[b.Context]))
	}
	slices.SortStableFunc(m.powers, byTime)
	slices.SortStableFunc(m.gaps, byTime)
	slices.SortStableFunc(m.tries, func(a, b *Try) int {
		return cmp.Or(strings.Compare(a.IP, b.IP), cmp.Compare(a.From, b.From), strings.Compare(a.Account, b.Account), strings.Compare(a.Host, b.Host),
			strings.Compare(a.Format, b.Format), strings.Compare(a.Channel, b.Channel))
	})
	slices.SortStableFunc(m.streams, compareStreams)
}

func (m *Memory) add(c Context, list []observed) {
	var did []*Act
	for i := range list {
		a := list[i].act
		a.Refs = slices.Clone(a.Refs)
		if n := len(did); n > 0 && did[n-1].compareKind(&a) == 0 && Adjacent(did[n-1].To, a.From) {
			did[n-1].Merge(&a)
			continue
		}
		did = append(did, &a)
	}
	var stays []Visit
	var kept []*Act
	for _, a := range did {
		if a.Kind == logs.Login && !a.OK && !a.Unknown {
			m.tries = append(m.tries, &Try{Host: c.Host, Format: c.Format, Channel: c.Channel, IP: c.IP, Account: c.Account,
				From: a.From, To: a.To, Times: max(a.Times, a.Count), First: a.Refs[0]})
			continue
		}
		a.Context = len(m.contexts)
		kept = append(kept, a)
		switch a.Kind {
		case logs.Capability, logs.Containment:
			m.powers = append(m.powers, a)
		case logs.Gap, logs.Heartbeat:
			m.gaps = append(m.gaps, a)
			continue
		}
		if a.OK || a.Unknown {
			stays = append(stays, Visit{From: a.From, To: a.To, Acts: a.Times, First: a.Refs[0]})
		}
	}
	if len(kept) == 0 {
		return
	}
	m.contexts = append(m.contexts, c)
	m.acts = append(m.acts, kept)
	m.visits = append(m.visits, joinVisits(stays))
}

// Adjacent reports whether what begins at from belongs to the same Visit as what ended at to and began no later.
func Adjacent(to, from int64) bool {
	if to == event.UnknownTime || from == event.UnknownTime {
		return to == from
	}
	return from <= to || uint64(from-to) <= Idle
}

// Streams implements [Store].
func (m *Memory) Streams() []Stream { m.build(); return m.streams }

// Contexts implements [Store].
func (m *Memory) Contexts() []Context { m.build(); return m.contexts }

// Visits implements [Store].
func (m *Memory) Visits(context int) []Visit { m.build(); return m.visits[context] }

// Began implements [Store].
func (m *Memory) Began(context int) int64 { return began(m.Visits(context)) }

// began returns when the first of visits began of which the time is known.
func began(visits []Visit) int64 {
	for i := range visits {
		if visits[i].From != event.UnknownTime {
			return visits[i].From
		}
	}
	return event.UnknownTime
}

// Acts implements [Store].
func (m *Memory) Acts(context int) iter.Seq2[*Act, error] { m.build(); return each(m.acts[context]) }

// Powers implements [Store].
func (m *Memory) Powers() iter.Seq2[*Act, error] { m.build(); return each(m.powers) }

// Gaps implements [Store].
func (m *Memory) Gaps() iter.Seq2[*Act, error] { m.build(); return each(m.gaps) }

// Tries implements [Store].
func (m *Memory) Tries() iter.Seq2[*Try, error] { m.build(); return each(m.tries) }

// Joints implements [Store].
func (m *Memory) Joints() Joints {
	seen := make(map[uint64]map[JointLog]int64)
	for _, x := range m.joints {
		if seen[x.hash] == nil {
			seen[x.hash] = make(map[JointLog]int64)
		}
		if at, ok := seen[x.hash][x.log]; !ok || x.at < at {
			seen[x.hash][x.log] = x.at
		}
	}
	hashes := slices.Sorted(maps.Keys(seen))
	out := Joints{Part: 1}
	if most := cmp.Or(m.maxIDs, maxJoints); len(hashes) > most {
		out.Part = jointPart(hashes[most])
		hashes = hashes[:most]
	}
	used := make(map[JointLog]bool)
	for _, h := range hashes {
		for l := range seen[h] {
			used[l] = true
		}
	}
	out.Logs = slices.SortedFunc(maps.Keys(used), compareJointLogs)
	counts := make(map[string]int64)
	all := make(map[string]*Joint)
	for _, h := range hashes {
		j := &Joint{}
		for i, l := range out.Logs {
			if at, ok := seen[h][l]; ok {
				j.Seen = append(j.Seen, Sight{int32(i), at * 1e9})
			}
		}
		k := fmt.Sprint(j.Seen)
		counts[k]++
		all[k] = j
	}
	list := slices.SortedFunc(maps.Values(all), func(a, b *Joint) int {
		return cmp.Or(cmp.Compare(a.first(), b.first()), slices.CompareFunc(a.Seen, b.Seen, func(a, b Sight) int { return cmp.Or(cmp.Compare(a.Log, b.Log), cmp.Compare(a.At, b.At)) }))
	})
	for _, j := range list {
		j.Count = counts[fmt.Sprint(j.Seen)]
	}
	out.All = each(list)
	return out
}

func (j *Joint) first() int64 {
	at := int64(math.MaxInt64)
	for _, s := range j.Seen {
		at = min(at, s.At)
	}
	return at
}

// Touched implements [Store].
func (m *Memory) Touched(in string) iter.Seq2[*Act, error] {
	m.build()
	return func(yield func(*Act, error) bool) {
		for _, list := range m.acts {
			for _, a := range list {
				if a.Touches(in) && !yield(a, nil) {
					return
				}
			}
		}
	}
}

// Touches reports whether the act is on what lies in in, or on that itself. Nothing lies in "".
func (a *Act) Touches(in string) bool {
	return in != "" && (a.In == in || a.In == "" && strings.EqualFold(a.Object, in))
}

func each[T any](list []*T) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		for _, x := range list {
			if !yield(x, nil) {
				return
			}
		}
	}
}
