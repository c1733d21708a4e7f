package judge

import "github.com/barid-dfir/barid/internal/casefile"

// coverage knows what the logs would have shown.
type coverage struct{}

// answer is what the logs say to the question whether they would have shown something.
type answer struct {
	// assessed says that there is a log of the kind at all.
	assessed bool
	// holes are the parts of the time asked for in which nothing would have shown it, in order, apart from one another.
	holes []hole
	// by names the streams that would have shown it, for people: "iis.w3c of EX1".
	by []string
}

// covered reports whether all of the time is covered.
func (a answer) covered() bool { return a.assessed && len(a.holes) == 0 }

// hole is a part of a time that no log covers.
type hole struct {
	from, to int64 // nanoseconds since 1970 UTC
	reason   string
	certain  bool
	why      string
}

// newCoverage computes it.
func newCoverage(in *Input, who *people) (*coverage, error) { return &coverage{}, nil }

// presence tells whether the logs would have shown that somebody came in through the channel as the principal, on whatever
// host: from and to are nanoseconds since 1970 UTC.
func (c *coverage) presence(channel, principal string, from, to int64) answer { return answer{} }

// detail tells whether the logs would have shown what was read through the channel in the mailbox, site or share.
func (c *coverage) detail(channel, in string, from, to int64) answer { return answer{} }

// channels returns the ways into what the system of an object has, other than those that are proven to be off: those that a
// log tells of, and those that belong to the same system.
func (c *coverage) channels(kind, in string) []string { return nil }

// list returns it as it stands in a case.
func (c *coverage) list() []casefile.Coverage { return nil }
