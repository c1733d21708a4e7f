package disclose

import (
	"cmp"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
)

// Kinds of object that verdicts are about, in the order in which drafts speak of them. Web shells are files that the attacker put there: of
// them it is asked whether he used them.
const (
	kindMailbox    = "mailbox"
	kindMessage    = "message"
	kindFolder     = "folder"
	kindFile       = "file"
	kindHost       = "host"
	kindCredential = "credential"
	kindShell      = casefile.KindShell
)

// Extent is how far the attack got, from the verdicts of a case.
type Extent struct {
	Kinds map[string]*KindExtent
	// Messages encloses how many messages had content, or a part of it, reached. Upper is -1 where nothing bounds it.
	Messages casefile.Bounds
	// Letters counts the mailboxes by the letter that is for their owners, and Nameless those of them of which no owner is known.
	Letters  map[Letter]int64
	Nameless int64
	// Owned says that an owner of a mailbox is known, so that there is an inventory of mailboxes.
	Owned bool
	// Settles are the logs that would settle what is open, those that would settle the most first: at most 8.
	Settles []string
}

// KindExtent counts the objects of one kind by their verdicts.
type KindExtent struct {
	Content, Metadata casefile.VerdictCounts
	// MetadataConfirmed and MetadataPossible are those of which the metadata says more than the content: it was accessed while access to the
	// content is only possible or ruled out, or may have been while that is ruled out.
	MetadataConfirmed, MetadataPossible int64
	// First and Last are of the records that concern those whose content was reached; nil where no time is known.
	First, Last *time.Time
}

// all is how many objects there is a verdict on.
func (k *KindExtent) all() int64 {
	if k == nil {
		return 0
	}
	return k.Content.Confirmed + k.Content.Possible + k.Content.RuledOut
}

// maxSettles is how many distinct logs that would settle something are counted; of a larger number the first that come.
const maxSettles = 10_000

// MeasureExtent goes through the verdicts once, and keeps none of them.
func MeasureExtent(reached iter.Seq2[*casefile.Reached, error]) (*Extent, error) {
	x := &Extent{Kinds: map[string]*KindExtent{}, Letters: map[Letter]int64{}}
	settles := map[string]int64{}
	var inBoxes, alone casefile.Bounds
	for r, err := range reached {
		if err != nil {
			return nil, err
		}
		kind := r.CountedAs()
		k := x.Kinds[kind]
		if k == nil {
			k = &KindExtent{}
			x.Kinds[kind] = k
		}
		content := contentOf(r)
		countVerdict(&k.Content, content)
		if r.Object.SameAs != "" && content == casefile.Confirmed {
			k.Content.PerhapsSame++
		}
		meta := cmp.Or(r.Levels.Metadata, casefile.Possible)
		countVerdict(&k.Metadata, meta)
		switch {
		case meta == casefile.Confirmed && content != casefile.Confirmed:
			k.MetadataConfirmed++
		case meta == casefile.Possible && content == casefile.RuledOut:
			k.MetadataPossible++
		}
		if content == casefile.Confirmed {
			k.First, k.Last = earliest(k.First, r.First), laterOf(k.Last, r.Last)
		}
		switch kind {
		case kindMailbox:
			inBoxes.Add(r.Lower, r.Upper)
			x.Owned = x.Owned || r.Object.Owner != ""
			if letter := LetterFor(r); letter != "" {
				x.Letters[letter]++
				if r.Object.Owner == "" {
					x.Nameless++
				}
			}
		case kindMessage:
			alone.Add(r.Lower, r.Upper)
		}
		if s := r.Settle; s != "" && (settles[s] > 0 || len(settles) < maxSettles) {
			settles[strings.Clone(s)]++
		}
	}
	if x.Messages = inBoxes; x.Kinds[kindMailbox] == nil {
		x.Messages = alone
	}
	for s := range settles {
		x.Settles = append(x.Settles, s)
	}
	slices.SortFunc(x.Settles, func(a, b string) int { return cmp.Or(cmp.Compare(settles[b], settles[a]), strings.Compare(a, b)) })
	x.Settles = x.Settles[:min(len(x.Settles), 8)]
	return x, nil
}

// contentOf is the verdict on the content, or a part of it. What is not known is possible.
func contentOf(r *casefile.Reached) string {
	l := r.Levels
	switch {
	case l.Content == casefile.Confirmed, l.Partial == casefile.Confirmed:
		return casefile.Confirmed
	case l.Content == casefile.RuledOut && l.Partial == casefile.RuledOut:
		return casefile.RuledOut
	}
	return casefile.Possible
}

func countVerdict(n *casefile.VerdictCounts, verdict string) {
	switch verdict {
	case casefile.Confirmed:
		n.Confirmed++
	case casefile.RuledOut:
		n.RuledOut++
	default:
		n.Possible++
	}
}

func laterOf(a, b *time.Time) *time.Time {
	if a == nil || b != nil && b.After(*a) {
		return b
	}
	return a
}
