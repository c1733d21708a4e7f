package detect

import "fmt"

// Level says how much a finding matters, in the words of the Sigma specification (Rules, "Level").
type Level uint8

// The levels, lowest first.
const (
	Informational Level = iota
	Low
	Medium
	High
	Critical
)

var levelNames = [...]string{"informational", "low", "medium", "high", "critical"}

// Levels lists the names of all levels, lowest first.
func Levels() []string { return levelNames[:] }

func (l Level) String() string { return levelNames[l] }

// ParseLevel returns the level called name.
func ParseLevel(name string) (Level, error) {
	for i, n := range levelNames {
		if n == name {
			return Level(i), nil
		}
	}
	return 0, fmt.Errorf("no level %q: use informational, low, medium, high or critical", name)
}
