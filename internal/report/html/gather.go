package html

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/casefile"
)

// gathered is what the page shows of the verdicts of a case, and counts of the rest. It does not grow with messages and files, and by a
// name with each mailbox.
type gathered struct {
	all           int64
	mailboxes     []*group // the gravest
	mailboxesLeft int
	ruledOut      []string // mailboxes of which nothing was reached, the first of them
	ruledOutAll   int64
	kinds         []kindList
	settle        []settling
	settleAll     int
}

// settling is a log that would settle n verdicts.
type settling struct {
	log string
	n   int64
}

// kindList is the gravest verdicts on a kind of object that lies in nothing.
type kindList struct {
	kind string
	list []*casefile.Reached
	left int64
}

// group is an object that contains others, and those that will be shown of it.
type group struct {
	r     *casefile.Reached // nil if there is no verdict on it as a whole
	id    string
	items []*casefile.Reached // the gravest, in order
	more  map[string]int64    // of the others, by verdict
}

// boxKey is what decides which mailboxes are shown.
type boxKey struct {
	id    string
	worth int8
	own   bool // there is a verdict on it as a whole
	items bool
	lower int64
}

// maxSettling bounds how many different logs are told apart.
const maxSettling = 20_000

// gather goes twice through the verdicts: to see which are the gravest, and to take those.
func gather(reached iter.Seq2[*casefile.Reached, error]) (*gathered, error) {
	g := &gathered{}
	at := make(map[string]int)
	var boxes []boxKey
	settle := make(map[string]int)
	others := make(map[string]*kindList)
	for r, err := range reached {
		if err != nil {
			return nil, err
		}
		g.all++
		g.seeSettle(r, settle)
		switch kind := r.CountedAs(); kind {
		case "mailbox", "message", "folder":
			id := r.Object.In
			if kind == "mailbox" {
				id = r.Object.ID
			}
			key := strings.ToLower(id)
			i, ok := at[key]
			if !ok {
				i = len(boxes)
				at[key] = i
				boxes = append(boxes, boxKey{id: id})
			}
			b := &boxes[i]
			switch {
			case kind != "mailbox":
				b.items = true
				if !b.own {
					b.worth = max(b.worth, int8(worth(r)))
				}
			case !b.own:
				b.own, b.worth, b.lower = true, int8(worth(r)), r.Lower
			}
		default:
			if !slices.Contains(kinds[:], kind) {
				kind = ""
			}
			k := others[kind]
			if k == nil {
				k = &kindList{kind: kind}
				others[kind] = k
			}
			var left *casefile.Reached
			if k.list, left = insert(k.list, r, maxBoxes); left != nil {
				k.left++
			}
		}
	}
	for _, kind := range append(slices.Clone(kinds[3:]), "") {
		if k := others[kind]; k != nil {
			g.kinds = append(g.kinds, *k)
		}
	}
	slices.SortStableFunc(g.settle, func(a, b settling) int { return cmp.Or(cmp.Compare(b.n, a.n), strings.Compare(a.log, b.log)) })
	return g, g.take(reached, boxes)
}

// take chooses mailboxes, and takes what lies in them.
func (g *gathered) take(reached iter.Seq2[*casefile.Reached, error], boxes []boxKey) error {
	slices.SortStableFunc(boxes, func(a, b boxKey) int {
		return cmp.Or(cmp.Compare(b.worth, a.worth), cmp.Compare(b.lower, a.lower), strings.Compare(a.id, b.id))
	})
	chosen := make(map[string]*group)
	for _, b := range boxes {
		switch {
		case b.worth == 0 && !b.items: // ruled out, and nothing to say of what is in it
			if g.ruledOutAll++; len(g.ruledOut) < maxRuledOut {
				g.ruledOut = append(g.ruledOut, b.id)
			}
		case len(g.mailboxes) == maxBoxes:
			g.mailboxesLeft++
		default:
			m := &group{id: b.id, more: make(map[string]int64)}
			g.mailboxes = append(g.mailboxes, m)
			chosen[strings.ToLower(b.id)] = m
		}
	}
	if len(chosen) == 0 {
		return nil
	}
	for r, err := range reached {
		if err != nil {
			return err
		}
		switch r.Object.Kind {
		case "mailbox":
			if m := chosen[strings.ToLower(r.Object.ID)]; m != nil && m.r == nil {
				m.r = clone(r)
			}
		case "message", "folder":
			if m := chosen[strings.ToLower(r.Object.In)]; m != nil {
				var left *casefile.Reached
				if m.items, left = insert(m.items, r, maxItems); left != nil {
					m.more[verdictClass(left.Verdict)]++
				}
			}
		}
	}
	return nil
}

func compareReached(a, b *casefile.Reached) int {
	return cmp.Or(cmp.Compare(worth(b), worth(a)), strings.Compare(a.Object.Kind, b.Object.Kind), strings.Compare(a.Object.ID, b.Object.ID))
}

// insert puts a copy of r in its place among the gravest, and returns what there is no room for.
func insert(list []*casefile.Reached, r *casefile.Reached, most int) (longer []*casefile.Reached, left *casefile.Reached) {
	if len(list) == most && compareReached(r, list[most-1]) >= 0 {
		return list, r
	}
	i, _ := slices.BinarySearchFunc(list, r, compareReached)
	for i < len(list) && compareReached(list[i], r) == 0 {
		i++
	}
	list = slices.Insert(list, i, clone(r))
	if len(list) > most {
		left = list[most]
		list = list[:most]
	}
	return list, left
}

// clone returns a copy that stays valid when the next verdict is read.
func clone(r *casefile.Reached) *casefile.Reached {
	c := *r
	c.By, c.Channels, c.Why = slices.Clone(r.By), slices.Clone(r.Channels), slices.Clone(r.Why)
	for i := range c.Why {
		c.Why[i].Evidence = slices.Clone(c.Why[i].Evidence)
	}
	return &c
}

func (g *gathered) seeSettle(r *casefile.Reached, seen map[string]int) {
	if r.Settle == "" {
		return
	}
	for log := range strings.SplitSeq(r.Settle, "; ") {
		at, ok := seen[log]
		if !ok {
			g.settleAll++
			if len(g.settle) == maxSettling {
				continue
			}
			at = len(g.settle)
			seen[log] = at
			g.settle = append(g.settle, settling{log: log})
		}
		g.settle[at].n++
	}
}
