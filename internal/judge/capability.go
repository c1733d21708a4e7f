package judge

import (
	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/logs"
)

// capability is a power that an attacker held, or may have held, for a time.
type capability struct {
	power     logs.Power
	principal string // the account, host or application, as people.key writes it
	// earliest is when it may first have been held, from when that is proven, to when it ended or the window does:
	// nanoseconds since 1970 UTC.
	earliest, from, to int64
	ends               string
	certain            bool // that an attacker held it: otherwise it is suspected, as after guessing that no log shows to have failed
	// reach says what it gave access to.
	reach []scope
	// channels are the ways in that it opens; nil for all of the system of what it reaches.
	channels []string
	rule     string // inference
	why      []string
	evidence []casefile.Proof
}

// scope is what a capability reaches.
type scope struct {
	kind string // mailbox, file, host, everything
	in   string // the mailbox, site or share; the host of all mailboxes on it
	// match is what a forwarding rule lets through, in words; "" for everything.
	match string
}

// capabilities finds them.
func capabilities(in *Input, who *people, s *sessions) ([]capability, error) { return nil, nil }

// listCapabilities returns them as they stand in a case.
func listCapabilities(list []capability) []casefile.Capability { return nil }
