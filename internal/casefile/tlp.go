package casefile

import (
	"fmt"
	"strings"
)

// TLP is a marking of the Traffic Light Protocol 2.0 (FIRST, August 2022): how far what carries it may go. The larger, the less far.
type TLP int

// The markings.
const (
	TLPClear       TLP = iota // anybody
	TLPGreen                  // the recipient's community
	TLPAmber                  // the recipient's organisation and its clients
	TLPAmberStrict            // the recipient's organisation
	TLPRed                    // those it is addressed to
)

// DefaultTLP is the marking of a case whose facts name none: who said nothing has not allowed it to leave the house.
const DefaultTLP = TLPAmberStrict

var tlpNames = [...]string{"clear", "green", "amber", "amber+strict", "red"}

// ParseTLP reads a marking: amber+strict or TLP:AMBER+STRICT. The error says which there are.
func ParseTLP(s string) (TLP, error) {
	name := strings.TrimPrefix(strings.ToLower(strings.TrimSpace(s)), "tlp:")
	for i, n := range tlpNames {
		if n == name {
			return TLP(i), nil
		}
	}
	if name == "white" {
		return TLPRed, fmt.Errorf("%q is of TLP 1.0: write clear", s)
	}
	return TLPRed, fmt.Errorf("%q is no marking of TLP 2.0: use one of %s", s, strings.Join(tlpNames[:], ", "))
}

// Name returns the marking as facts, tags and STIX write it: "amber+strict".
func (t TLP) Name() string { return tlpNames[min(max(t, TLPClear), TLPRed)] }

// String returns the marking as it is printed on what it marks: "TLP:AMBER+STRICT".
func (t TLP) String() string { return "TLP:" + strings.ToUpper(t.Name()) }

// Marking returns how far the case may go: DefaultTLP where it does not say, and TLPRed where what it says is no marking.
func (c *Case) Marking() TLP {
	if c.TLP == "" {
		return DefaultTLP
	}
	t, _ := ParseTLP(c.TLP) // TLPRed with an error
	return t
}

// MayGo returns an error where the case is marked above what its recipient may have.
func (c *Case) MayGo(recipient TLP) error {
	if m := c.Marking(); m > recipient {
		return fmt.Errorf("the case is %s, and the recipient may have %s at most: nothing was written. If that is wrong, say so with tlp: in the facts, and decide the case anew with barid judge", m, recipient)
	}
	return nil
}
