package tally

import (
	"iter"

	"github.com/barid-dfir/barid/internal/logs"
)

// Ref is where a record stands: what proves something.
type Ref struct {
	Source int32 // ordinal
	Time   int64 // nanoseconds since 1970 UTC, or event.UnknownTime
	Line   int64 // from 1; 0 in a binary log
	Record int64
	Offset int64
}

// Context is who acted and through what, as a log tells it. Observations that agree in all of it are of one Context.
//
// An Agent is cut at 256 bytes, at a character. Every other text of a Context or an Act that is longer than 1 KiB is as [Text]
// returns it. Of a failed login only Host, Format, Channel, Account and IP are kept.
type Context struct {
	Host     string // that the log is about; "" if it does not say
	Format   string // event.Shape.Format: which log tells of it
	Channel  string
	Account  string // in lower case
	Standing logs.Standing
	IP       string
	Agent    string
	Session  string
	Device   string
	App      string
}

// Visit is one stay of a Context: acts with at most [Idle] between one and the next.
type Visit struct {
	From, To int64 // nanoseconds since 1970 UTC
	Acts     int64 // successful ones, logins and accesses and sends
	First    Ref
}

// Idle is how long the pause between acts of one Visit may be, in nanoseconds (mail-forensics 6.4: half an hour).
const Idle = 30 * 60 * 1e9

// Act is what a Context did to one object in one way within a Visit: observations that differ in their times and amounts only.
type Act struct {
	Context    int // index into Store.Contexts
	Kind       logs.Kind
	OK         bool
	Unknown    bool
	Action     string
	Inference  string
	Power      logs.Power
	Exposure   logs.Exposure
	ObjectKind string
	Object     string // as the log writes it
	In         string // in lower case where it is an account
	Folder     string
	Target     string
	// From and To enclose every time at which it may have happened: nanoseconds since 1970 UTC, or event.UnknownTime.
	From, To int64
	// Times is how many observations there were.
	Times int64
	// Count and Bytes are sums over those that say how much, Most the most bytes of one; -1 where none says it.
	Count, Bytes, Most int64
	// Refs are the first few and the last of them, in order of time.
	Refs []Ref
}

// Try is failed logins of an account from an address within a Visit.
type Try struct {
	Host, Format, Channel string
	IP, Account           string
	From, To              int64
	Times                 int64
	First                 Ref
}

// Store is all that the evidence of a case taught, findings apart, in a form that is judged in no time. It is read only,
// and may be used by one goroutine at a time.
type Store interface {
	// Streams returns what was read, in the order of sources, hosts and formats.
	Streams() []Stream
	// Contexts returns every Context that did something, in a fixed order. Those that only failed are told by Tries.
	Contexts() []Context
	// Visits returns the visits of a Context in order of time. They are not to be changed.
	Visits(context int) []Visit
	// Began returns when the first of the visits of a Context began of which the time is known, event.UnknownTime if there is none.
	Began(context int) int64
	// Acts returns the acts of a Context, in a fixed order.
	Acts(context int) iter.Seq2[*Act, error]
	// Powers returns every act of kind Capability or Containment, in order of time.
	Powers() iter.Seq2[*Act, error]
	// Gaps returns every act of kind Gap, in order of time, and every heartbeat whose inference is logs.Down or logs.Up.
	Gaps() iter.Seq2[*Act, error]
	// Touched returns the acts of every Context on what lies in a mailbox, share or site (Act.In), or on that itself.
	Touched(in string) iter.Seq2[*Act, error]
	// Tries returns failed logins in order of address, then time. Each is valid until the next.
	Tries() iter.Seq2[*Try, error]
	// Identities returns which identifiers logs give names.
	Identities() (Identities, error)
	// Joints returns what logs tell of under the same identifiers.
	Joints() Joints
	// Answers returns what web servers handed out to nobody in particular.
	Answers() (Answers, error)
}
