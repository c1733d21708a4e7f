package casefile

import "testing"

func TestTLP(t *testing.T) {
	for i, n := range tlpNames {
		for _, s := range []string{n, TLP(i).String(), " " + TLP(i).String() + "\n"} {
			if got, err := ParseTLP(s); err != nil || got != TLP(i) {
				t.Errorf("%q: %v %v", s, got, err)
			}
		}
	}
	for _, s := range []string{"", "white", "TLP:WHITE", "amber strict", "amber+", "tlp:tlp:red", "reds"} {
		if got, err := ParseTLP(s); err == nil || got != TLPRed {
			t.Errorf("%q: %v", s, got)
		}
	}
	if TLPAmberStrict.String() != "TLP:AMBER+STRICT" || TLP(99).String() != "TLP:RED" || TLP(-1).String() != "TLP:CLEAR" {
		t.Error("names")
	}
}

func TestACaseGoesNoFurtherThanItsMarking(t *testing.T) {
	for _, x := range []struct {
		tlp       string
		recipient TLP
		may       bool
	}{
		{"", TLPAmberStrict, true}, {"", TLPAmber, false}, {"", TLPRed, true},
		{"clear", TLPClear, true}, {"green", TLPClear, false}, {"amber", TLPAmberStrict, true}, {"amber+strict", TLPAmber, false},
		{"red", TLPAmberStrict, false}, {"red", TLPRed, true},
		{"nonsense", TLPAmberStrict, false}, {"nonsense", TLPRed, true},
	} {
		if err := (&Case{TLP: x.tlp}).MayGo(x.recipient); err == nil != x.may {
			t.Errorf("%q to %s: %v", x.tlp, x.recipient, err)
		}
	}
}
