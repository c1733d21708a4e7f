package judge

import "github.com/barid-dfir/barid/internal/casefile"

// attribution is whose a session is. Greater is worse.
type attribution uint8

const (
	ofService attribution = iota
	ofOwner
	unattributed
	suspected
	ofAttacker
)

var attributionNames = [...]string{"service", "owner", "unattributed", "suspected", "attacker"}

func (a attribution) String() string { return attributionNames[a] }

// session is one continuous use of an identity.
type session struct {
	casefile.Session
	attribution attribution
	principal   string // the account, as people.key writes it
	from, to    int64
	open        bool // its end is not in the logs, though logs of the kind tell ends
	parts       []part
}

// part is a visit of a context.
type part struct {
	context int
	visit   int
}

// sessions are all sessions that are the attacker's, suspected, or of accounts that an attacker used or tried.
type sessions struct {
	all []session
}

// attribute finds the sessions and says whose they are.
func attribute(in *Input, who *people, cover *coverage) (*sessions, error) { return &sessions{}, nil }

// of returns the session that what a context did at a time belongs to, nil if it is of no interest: the account is nobody's
// that an attacker used or tried, and nothing ties it to one.
func (s *sessions) of(context int, at int64) *session { return nil }

// list returns them as they stand in a case.
func (s *sessions) list() []casefile.Session { return nil }
