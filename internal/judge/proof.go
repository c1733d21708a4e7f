package judge

import (
	"cmp"
	"math"
	"strings"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/tally"
)

// proof says where a record stands.
func (in *Input) proof(r tally.Ref) casefile.Proof {
	p := casefile.Proof{Time: moment(r.Time), Line: r.Line, Record: r.Record, Offset: r.Offset}
	if r.Source >= 0 && int(r.Source) < len(in.Sources) {
		p.Source = in.Sources[r.Source].Path
	}
	return p
}

// proofs says where records stand.
func (in *Input) proofs(refs []tally.Ref) []casefile.Proof {
	out := make([]casefile.Proof, 0, len(refs))
	for _, r := range refs {
		out = append(out, in.proof(r))
	}
	return out
}

// compareProofs puts proofs in order of time, then of place.
func compareProofs(a, b casefile.Proof) int {
	at := func(p casefile.Proof) int64 {
		if p.Time == nil {
			return math.MinInt64
		}
		return p.Time.UnixNano()
	}
	return cmp.Or(cmp.Compare(at(a), at(b)), strings.Compare(a.Source, b.Source), cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.Record, b.Record))
}
