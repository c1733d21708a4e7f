package judge

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/tally"
)

// The limits of what is made of requests that two logs should have (mail-forensics 6.3).
const (
	lostLeast  = 3           // requests, at least
	lostRate   = 1000        // and more than one of so many
	lostMargin = 2 * minute  // from the edges of what the other log covers
	lostApart  = 15 * minute // times that are closer are of one gap
	skewLeast  = int64(60e9) // clocks that differ by more are told apart
	skewSeen   = int64(3)    // by so many requests
	strangers  = int64(100)  // requests of either log, none of which the other has
	proxyLog   = "exchange.httpproxy."
	iisLog     = "iis."
	iisBackEnd = "iis.backend"
)

// streamID is which stream an identifier was seen in.
type streamID struct {
	source       int32
	host, format string
}

// moments are requests at a time of the log that has them.
type moments struct{ at, count int64 }

// joining compares logs that tell of the same requests.
type joining struct {
	part  float64
	pairs map[pairKey]*pair
	// fronts are the logs of IIS at a place that have identifiers.
	fronts map[*place][]*trail
	apart  map[[2]*trail]map[int64]int64 // how often times differ by so much: of the second from the first
	off    map[[2]*trail]int64           // and what they usually differ by
}

// pairKey is a log of HttpProxy, and the place whose IIS it is compared with.
type pairKey struct {
	place *place
	proxy *trail
}

// pair is what IIS and HttpProxy tell of the requests of a channel.
type pair struct {
	joined             []moments // by the clock of IIS
	onlyIIS, onlyProxy []moments
}

// joints compares the logs, and adds to them what they are found to have lost.
func (c *coverage) joints(g *gatherer) error {
	all := c.in.Store.Joints()
	j := &joining{part: all.Part, pairs: make(map[pairKey]*pair), fronts: make(map[*place][]*trail), apart: make(map[[2]*trail]map[int64]int64), off: make(map[[2]*trail]int64)}
	trails := make([]*trail, len(all.Logs))
	for i, l := range all.Logs {
		t := g.trailOf[streamID{l.Source, l.Host, l.Format}]
		trails[i] = t
		if t != nil && t.isFront() && !slices.Contains(j.fronts[t.place], t) {
			j.fronts[t.place] = append(j.fronts[t.place], t)
		}
	}
	for x, err := range all.All {
		if err != nil {
			return err
		}
		j.take(all.Logs, trails, x)
	}
	j.skews()
	for id, t := range g.trailOf {
		if t.skew > 0 {
			c.isOffBy(id.host, id.format, t.skew)
		}
	}
	for _, p := range c.places {
		if len(j.fronts[p]) > 0 {
			j.losses(p)
		}
	}
	return nil
}

// isFront reports whether a log is of requests from clients, as IIS has them.
func (t *trail) isFront() bool { return strings.HasPrefix(t.format, iisLog) && t.format != iisBackEnd }

func (t *trail) isProxy() bool { return strings.HasPrefix(t.format, proxyLog) }

// take takes requests that the same logs tell of.
func (j *joining) take(logs []tally.JointLog, trails []*trail, x *tally.Joint) {
	front, proxy := -1, -1
	sure := false // that the log that has them is not alone
	for i, s := range x.Seen {
		t := trails[s.Log]
		switch {
		case t == nil:
			continue
		case t.isFront():
			front, sure = i, sure || logs[s.Log].Sure
		case t.isProxy():
			proxy, sure = i, sure || logs[s.Log].Sure
		}
		for _, o := range x.Seen[:i] {
			if a := trails[o.Log]; a != nil && a != t && a.place == t.place {
				k, d := [2]*trail{a, t}, s.At-o.At
				if compareTrails(a, t) > 0 {
					k, d = [2]*trail{t, a}, -d
				}
				if j.apart[k] == nil {
					j.apart[k] = make(map[int64]int64)
				}
				j.apart[k][d] += x.Count
			}
		}
	}
	switch {
	case front >= 0 && proxy >= 0:
		f, p := x.Seen[front], trails[x.Seen[proxy].Log]
		if trails[f.Log].place == p.place {
			q := j.pair(p.place, p)
			q.joined = append(q.joined, moments{f.At, x.Count})
		}
	case front >= 0 && sure:
		s := x.Seen[front]
		if p := trails[s.Log].proxyOf(logs[s.Log].Channel); p != nil {
			q := j.pair(p.place, p)
			q.onlyIIS = append(q.onlyIIS, moments{s.At, x.Count})
		}
	case proxy >= 0 && sure:
		s := x.Seen[proxy]
		q := j.pair(trails[s.Log].place, trails[s.Log])
		q.onlyProxy = append(q.onlyProxy, moments{s.At, x.Count})
	}
}

func (j *joining) pair(p *place, proxy *trail) *pair {
	q := j.pairs[pairKey{p, proxy}]
	if q == nil {
		q = &pair{}
		j.pairs[pairKey{p, proxy}] = q
	}
	return q
}

func compareTrails(a, b *trail) int {
	return cmp.Or(strings.Compare(a.place.key, b.place.key), strings.Compare(a.format, b.format), strings.Compare(a.site, b.site))
}

// proxyOf returns the log of HttpProxy at the place of a log of IIS that has the requests of a channel, nil if there is none.
func (t *trail) proxyOf(channel string) *trail {
	for _, o := range t.place.trails {
		if o.isProxy() && slices.Contains(o.rule.presence, channel) {
			return o
		}
	}
	return nil
}

// skews finds clocks that disagree. Which of two is off is not known, so both are.
func (j *joining) skews() {
	for _, k := range slices.SortedFunc(maps.Keys(j.apart), func(a, b [2]*trail) int {
		return cmp.Or(compareTrails(a[0], b[0]), compareTrails(a[1], b[1]))
	}) {
		d, n := median(j.apart[k])
		j.off[k] = d
		if abs := max(d, -d); n >= skewSeen && abs > skewLeast {
			why := fmt.Sprintf("the clocks of %s and %s differ by %s (the middle of %s requests that both have)", k[0].name, k[1].name, time.Duration(abs), thousands(n))
			for _, t := range k {
				if abs > t.skew {
					t.skew, t.skewWhy = abs, why
				}
			}
		}
	}
}

// median returns the middle of numbers, of which each is there so often, and how many there are.
func median(count map[int64]int64) (middle, n int64) {
	for _, c := range count {
		n += c
	}
	left := n / 2
	for _, d := range slices.Sorted(maps.Keys(count)) {
		if middle = d; left < count[d] {
			break
		}
		left -= count[d]
	}
	return middle, n
}

// ahead returns by how much the clock of b is ahead of that of a.
func (j *joining) ahead(b, a *trail) int64 {
	if compareTrails(a, b) > 0 {
		return -j.off[[2]*trail{b, a}]
	}
	return j.off[[2]*trail{a, b}]
}

// losses compares IIS of a place with HttpProxy.
func (j *joining) losses(p *place) {
	fronts := j.fronts[p]
	var proxies []*trail
	for _, t := range p.trails {
		if j.pairs[pairKey{p, t}] != nil {
			proxies = append(proxies, t)
		}
	}
	// All is found before anything is added: what a log lost in one place covers nothing in another.
	known := make(map[*trail][]hole)
	for _, t := range slices.Concat(fronts, proxies) {
		known[t] = t.holes(presence, "")
	}
	covered := func(list []moments, a *trail, by ...*trail) (out []moments) {
		for _, m := range list {
			if !slices.ContainsFunc(by, func(b *trail) bool {
				at := m.at + j.ahead(b, a)
				return len(between(known[b], at-lostMargin, at+lostMargin)) > 0
			}) {
				out = append(out, m)
			}
		}
		return out
	}
	var names []string
	for _, t := range fronts {
		names = append(names, t.name)
	}
	name := strings.Join(slices.Compact(slices.Sorted(slices.Values(names))), ", ")
	lost := make([]pair, len(proxies))
	var both int64
	var alone [2]int64
	for i, t := range proxies {
		q := j.pairs[pairKey{p, t}]
		lost[i] = pair{onlyIIS: covered(q.onlyIIS, fronts[0], t), onlyProxy: covered(q.onlyProxy, t, fronts...)}
		both += total(q.joined)
		alone[0] += total(lost[i].onlyIIS)
		alone[1] += total(lost[i].onlyProxy)
	}
	if both == 0 {
		if min(alone[0], alone[1]) >= strangers {
			for _, t := range fronts {
				t.lose(always, never, false, fmt.Sprintf("no request is both in %s and in HttpProxy, though each has more than %d of the same time: they may be of different servers", t.name, strangers))
			}
		}
		return
	}
	for i, t := range proxies {
		q := j.pairs[pairKey{p, t}]
		j.missing(lost[i].onlyIIS, q.joined, name, t.name, j.ahead(t, fronts[0]), t)
		mine := make([]moments, len(q.joined))
		for i, m := range q.joined {
			mine[i] = moments{m.at + j.ahead(t, fronts[0]), m.count}
		}
		j.missing(lost[i].onlyProxy, mine, t.name, name, j.ahead(fronts[0], t), fronts...)
	}
}

func total(list []moments) (n int64) {
	for _, m := range list {
		n += m.count
	}
	return n
}

// missing adds to logs that requests are missing in them which another has, besides those that both have: times are by the clock of that
// one, and ahead is by how much theirs is ahead of it.
func (j *joining) missing(lost, joined []moments, in, notIn string, ahead int64, by ...*trail) {
	byTime := func(a, b moments) int { return cmp.Compare(a.at, b.at) }
	slices.SortFunc(lost, byTime)
	slices.SortFunc(joined, byTime)
	before := make([]int64, len(joined)+1) // how many both have before each
	for i, m := range joined {
		before[i+1] = before[i] + m.count
	}
	find := func(at int64) int64 {
		i, _ := slices.BinarySearchFunc(joined, at, func(m moments, at int64) int { return cmp.Compare(m.at, at) })
		return before[i]
	}
	many := func(n, both int64) bool { return n >= lostLeast && n > (n+both)/lostRate }
	everywhere := many(total(lost), before[len(joined)])
	for len(lost) > 0 {
		n := 1
		for n < len(lost) && apart(lost[n-1].at, lost[n].at) < lostApart {
			n++
		}
		from, to := floor(lost[0].at, minute), floor(lost[n-1].at, minute)+minute
		gone, both := total(lost[:n]), find(to)-find(from)
		lost = lost[n:]
		if !everywhere && !many(gone, both) {
			continue
		}
		why := fmt.Sprintf("%s of %s requests that %s has are not in %s", thousands(gone), thousands(gone+both), in, notIn)
		if j.part < 1 {
			why += fmt.Sprintf(", of a sample of one request in %s", thousands(int64(1/j.part)))
		}
		for _, t := range by {
			t.lose(from+ahead, to+ahead-1, before[len(joined)] > 0, why)
		}
	}
}

// lose adds that records are missing. Where that is not certain a statement may say otherwise.
func (t *trail) lose(from, to int64, certain bool, why string) {
	t.add(from, to, "missing_records", why, certain, certain)
	t.general = nil
}

// floor returns the last multiple of a step that is not after t.
func floor(t, step int64) int64 {
	if r := t % step; r < 0 {
		return t - r - step
	} else {
		return t - r
	}
}

// thousands writes a number with commas.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// widen adds to holes what a clock that is off may hide beside them.
func (t *trail) widen(holes []hole) []hole {
	if t.skew == 0 {
		return holes
	}
	var more []hole
	for _, h := range holes {
		if h.from > always+t.skew {
			more = append(more, hole{h.from - t.skew, h.from - 1, "clock", true, t.skewWhy})
		}
		if h.to < never-t.skew {
			more = append(more, hole{h.to + 1, h.to + t.skew, "clock", true, t.skewWhy})
		}
	}
	return joined(holes, flatten(more))
}
