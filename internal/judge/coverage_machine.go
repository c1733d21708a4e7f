package judge

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

// Servers that logs call by one name, or by none, must not stand in for one another: what one log misses the other does not have. Two logs of one
// kind are of one server if one is a copy of the other, or holds all that the other does; they are not if each has events that the other lacks
// while it was written to.

// filing is the files of one log that lie together.
type filing struct {
	root, stem string // the folder, of IIS the one in which the folders of its sites lie
	class      string // what kind of log it is: only those of one are compared
	kinds      map[string]*written
	machine    int // from 1; 0 for one that nothing tells apart from others
}

// written is what a shelf holds of a kind of log.
type written struct {
	sources map[int32]tally.Span
	spans   []tally.Span // when there were events
	usual   int64        // the longest pause that is none
}

const (
	exactly   = int64(1e9)  // logs may round their times to the second
	leastLess = 3           // visits that a log lacks
	edge      = 10 * minute // a pause that any log may have
)

// machines finds the servers that logs call by one name. It is asked once names and addresses are known.
func (g *gatherer) machines() {
	g.machine = make(map[origin]string)
	shelves := make(map[string]map[string]*filing) // by place, then by class, folder and name
	members := make(map[*filing][]origin)
	for i := range g.streams {
		s := &g.streams[i]
		rule := coversOf(s.Format)
		if whole := s.Format == "syslog"; rule == nil && !whole || s.From == event.UnknownTime {
			continue
		} else if whole {
			rule = coversOf("syslog.*")
		}
		file := g.path(s.Source)
		name := parseName(file)
		class, root, stem := "", name.dir, name.stem
		switch {
		case rule.within == "syslog" && !elsewhere(stem):
			class = "syslog"
		case s.Format == "dovecot.events":
			class = s.Format
		case strings.HasPrefix(s.Format, "iis.") && g.isFrontEnd(s):
			rule = coversOf("iis.exchange")
			number := iisSite(file)
			if class = "iis" + number; number == "" && strings.HasSuffix(s.Format, logs.BackEndStream) {
				class += logs.BackEndStream
			}
			if i := strings.LastIndexAny(root, `/\!`); iisSite(root[i+1:]) != "" {
				root = root[:max(i, 0)]
			}
		default:
			continue
		}
		place, _ := g.whose(s, rule)
		if shelves[place] == nil {
			shelves[place] = make(map[string]*filing)
		}
		k := class + "\x00" + root + "\x00" + stem
		h := shelves[place][k]
		if h == nil {
			h = &filing{root: root, stem: stem, class: class, kinds: make(map[string]*written)}
			shelves[place][k] = h
		}
		if o := (origin{s.Source, s.Host}); !slices.Contains(members[h], o) {
			members[h] = append(members[h], o)
		}
		w := h.kinds[s.Format]
		if w == nil {
			w = &written{sources: make(map[int32]tally.Span)}
			h.kinds[s.Format] = w
		}
		w.sources[s.Source] = tally.Span{From: s.From, To: s.To}
		w.spans = append(w.spans, s.Active...)
	}
	for _, place := range slices.Sorted(maps.Keys(shelves)) {
		var list []*filing
		for _, k := range slices.Sorted(maps.Keys(shelves[place])) {
			list = append(list, shelves[place][k])
		}
		slices.SortStableFunc(list, func(a, b *filing) int {
			return cmp.Or(strings.Compare(a.root, b.root), strings.Compare(a.stem, b.stem))
		})
		if len(list) < 2 || !g.tellApart(list) {
			continue
		}
		for _, h := range list {
			first := list[slices.IndexFunc(list, func(o *filing) bool { return o.machine == h.machine })]
			name := first.root
			if slices.ContainsFunc(list, func(o *filing) bool { return o.machine != h.machine && o.root == name }) {
				name += "/" + first.stem
			}
			for _, o := range members[h] {
				g.machine[o] = name
			}
		}
	}
}

// tellApart numbers the servers that shelves of one name are of, and reports whether there are several.
func (g *gatherer) tellApart(list []*filing) bool {
	for _, h := range list {
		for _, w := range h.kinds {
			w.spans = mergeSpans(w.spans, 0)
			w.usual = usualPause(w.spans)
		}
	}
	differs := make(map[[2]*filing]bool)
	apart := make(map[*filing]bool)
	for i, a := range list {
		for _, b := range list[:i] {
			if a.class == b.class && g.differ(a, b) {
				differs[[2]*filing{a, b}], differs[[2]*filing{b, a}] = true, true
				apart[a], apart[b] = true, true
			}
		}
	}
	if len(apart) == 0 {
		return false
	}
	// Those that differ first; the others go to the server in whose folder they lie, or in the nearest.
	machines := 0
	for _, sure := range [...]bool{true, false} {
		for _, h := range list {
			if apart[h] != sure {
				continue
			}
			best, near := 0, -1
			for m := 1; m <= machines; m++ {
				length, fits := 0, true
				for _, o := range list {
					if o.machine == m {
						fits = fits && !differs[[2]*filing{h, o}]
						length = max(length, commonFolders(h.root, o.root))
					}
				}
				if fits && length > near {
					best, near = m, length
				}
			}
			if best == 0 {
				machines++
				best = machines
			}
			h.machine = best
		}
	}
	return machines > 1
}

// differ reports whether two logs of one kind are of two servers.
func (g *gatherer) differ(a, b *filing) bool {
	for _, f := range slices.Sorted(maps.Keys(a.kinds)) {
		x, y := a.kinds[f], b.kinds[f]
		if y == nil || !x.overlap(y) || f == "syslog" && a.stem != b.stem { // each file of a server has other lines
			continue
		}
		if x.lacks(y) && y.lacks(x) {
			return true
		}
		if a.stem != b.stem {
			continue
		}
		if g.visited == nil {
			g.visited = g.visits()
		}
		if g.visited.lacksVisits(f, x, y) || g.visited.lacksVisits(f, y, x) {
			return true
		}
	}
	return false
}

// lacks reports whether a log misses an event of another, though it was written to before and after.
func (w *written) lacks(other *written) bool {
	for _, s := range other.spans {
		if w.misses(s.From) || s.To != s.From && w.misses(s.To) {
			return true
		}
	}
	return false
}

// misses reports whether a log was written to shortly before and shortly after a time, and not then.
func (w *written) misses(at int64) bool {
	i, _ := slices.BinarySearchFunc(w.spans, at, func(s tally.Span, at int64) int { return cmp.Compare(s.To, at-exactly) })
	return i > 0 && i < len(w.spans) && w.spans[i].From > at+exactly && apart(w.spans[i-1].To, w.spans[i].From) <= w.usual
}

// usualPause returns what pause between events is nothing special: six times the middle one.
func usualPause(spans []tally.Span) int64 {
	var pauses []int64
	for i := 1; i < len(spans); i++ {
		pauses = append(pauses, apart(spans[i-1].To, spans[i].From))
	}
	if len(pauses) == 0 {
		return edge
	}
	slices.Sort(pauses)
	return max(edge, min(6*min(pauses[len(pauses)/2], rarePause), rarePause))
}

// visitTimes are the times at which visits of a source begin, by the format of the log.
type visitTimes map[string]map[int32][]int64

// visits gathers them: of a visit that two sources tell of, the first record is that of the source with the smaller number.
func (g *gatherer) visits() visitTimes {
	out := make(visitTimes)
	contexts := g.c.in.Store.Contexts()
	for i := range contexts {
		f := contexts[i].Format
		if f != "dovecot.events" && !strings.HasPrefix(f, "syslog.") && !strings.HasPrefix(f, "iis.") {
			continue
		}
		if out[f] == nil {
			out[f] = make(map[int32][]int64)
		}
		for _, v := range g.c.in.Store.Visits(i) {
			if v.From != event.UnknownTime {
				out[f][v.First.Source] = append(out[f][v.First.Source], v.First.Time)
			}
		}
	}
	return out
}

// lacksVisits reports whether a log misses visits that another tells of, though it was written to at the time.
func (v visitTimes) lacksVisits(format string, w, other *written) bool {
	format, _, _ = strings.Cut(format, ":")
	n := 0
	for source := range other.sources {
		before := false // a visit that both tell of counts as the other's
		for o := range w.sources {
			before = before || o < source
		}
		if !before {
			continue
		}
		for _, at := range v[format][source] {
			k, _ := slices.BinarySearchFunc(w.spans, at, func(s tally.Span, at int64) int { return cmp.Compare(s.To, at) })
			if k == len(w.spans) || w.spans[k].From > at-exactly || w.spans[k].To < at+exactly {
				continue
			}
			for o, s := range w.sources {
				if o < source && s.From <= at-shortPause && s.To >= at+shortPause {
					n++
					break
				}
			}
			if n >= leastLess {
				return true
			}
		}
	}
	return false
}

// overlap reports whether two logs were written to at the same time.
func (w *written) overlap(o *written) bool {
	n, m := len(w.spans), len(o.spans)
	return n > 0 && m > 0 && w.spans[0].From <= o.spans[m-1].To && o.spans[0].From <= w.spans[n-1].To
}

// commonFolders returns how many folders two paths begin with in common.
func commonFolders(a, b string) int {
	x, y := strings.Split(asFolders(a), "/"), strings.Split(asFolders(b), "/")
	n := 0
	for n < len(x) && n < len(y) && x[n] == y[n] {
		n++
	}
	return n
}

// ofMachine returns the key and the name of the place of one of several servers of the same name.
func ofMachine(key, name, folder string) (string, string) {
	own := path.Base(asFolders(folder))
	if name != "" {
		own = name + " (" + own + ")"
	}
	return key + "\x00" + folder, own
}
