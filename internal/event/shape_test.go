package event

import (
	"slices"
	"testing"
)

func TestAnAliasIsKeptOnce(t *testing.T) {
	given := []Field{{Name: "ip", Aliases: []string{"IpAddress", "src_ip", "IpAddress", "ip"}}, {Name: "user", Aliases: []string{"User"}}}
	s := NewShape("x", nil, given)
	if got := s.Fields()[0].Aliases; !slices.Equal(got, []string{"IpAddress", "src_ip"}) {
		t.Errorf("%q", got)
	}
	if len(given[0].Aliases) != 4 {
		t.Error("what was given has changed")
	}
	if got := s.Slots("IpAddress"); !slices.Equal(got, []int{0}) {
		t.Errorf("slots %v", got)
	}
}
