package judge

import (
	"slices"
	"testing"

	"github.com/barid-dfir/barid/internal/logs"
)

// The first reason is the one by which the main verdict is what it is.
func TestGravest(t *testing.T) {
	b := &box{ways: []*way{
		{wayKey: wayKey{rule: "LISTED", exposure: logs.Metadata}},
		{wayKey: wayKey{rule: "MAY_CONTENT", exposure: logs.Content}},
		{wayKey: wayKey{rule: "WAS_LISTED", exposure: logs.Metadata}},
		{wayKey: wayKey{rule: "WAS_CONTENT", exposure: logs.Content}},
		{wayKey: wayKey{rule: "MAY_PARTIAL", exposure: logs.Partial}},
		{wayKey: wayKey{rule: "WAS_PARTIAL", exposure: logs.Partial}},
	}}
	var got []string
	for _, i := range gravest(b, signature{ways: 1<<len(b.ways) - 1, sure: 1<<2 | 1<<3 | 1<<5}) {
		got = append(got, b.ways[i].rule)
	}
	if want := []string{"WAS_CONTENT", "WAS_PARTIAL", "MAY_CONTENT", "MAY_PARTIAL", "WAS_LISTED", "LISTED"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
