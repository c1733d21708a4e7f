package detect

import (
	"encoding/binary"
	"math/big"
	"testing"

	"github.com/barid-dfir/barid/sigma"
)

// A finding names nobody that only the hits at its beginning are about.
func TestACorrelationConcernsWhatAllItsHitsShare(t *testing.T) {
	c := &sigma.Correlation{ID: "c", Title: "C", Level: "high", Type: sigma.EventCount, GroupBy: []string{"rip"}}
	r := &Rules{correlations: map[*sigma.Correlation]*Rule{c: {ID: "c"}}}
	f := func(hits int64, accounts []string, want string) {
		t.Helper()
		m := &sigma.CorrelationMatch{Correlation: c, Group: []string{"203.0.113.9"}, Hits: hits, Value: big.NewRat(hits, 1)}
		for _, a := range accounts {
			var note []byte
			for _, s := range []string{"mx1", "203.0.113.9", a} {
				note = append(binary.AppendUvarint(note, uint64(len(s))), s...)
			}
			m.Sample = append(m.Sample, sigma.Hit{Note: note})
		}
		found := r.Correlation(m, func(int) string { return "mail.log" })
		if got := found.Host + "," + found.Client + "," + found.Account; got != want {
			t.Errorf("%d hits, of which %q are named: it concerns %q, want %q", hits, accounts, got, want)
		}
	}
	f(2, []string{"ana", "ana"}, "mx1,203.0.113.9,ana")
	f(2, []string{"ana", "bob"}, "mx1,203.0.113.9,")
	f(3, []string{"ana", "ana"}, ",203.0.113.9,")
}
