package event

import "slices"

// LogSource says what kind of log an event or a rule belongs to, in the words of the Sigma specification
// (Rules, "Log Source"). An empty field says nothing.
type LogSource struct {
	Product  string `json:"product,omitempty"`
	Category string `json:"category,omitempty"`
	Service  string `json:"service,omitempty"`
}

// Covers reports whether an event of log source s is one that a rule for log source rule asks for.
func (s LogSource) Covers(rule LogSource) bool {
	return (rule.Product == "" || rule.Product == s.Product) &&
		(rule.Category == "" || rule.Category == s.Category) &&
		(rule.Service == "" || rule.Service == s.Service)
}

// Role is a part that a field plays in an event whatever its name.
type Role uint8

// The roles.
const (
	Host      Role = iota // the machine that the event is about
	Client                // the remote address, possibly with a port
	Account               // who acts, or tries to
	Session               // the identifier of one continuous use of an account
	UserAgent             // the client program
	NumRoles
)

// Recovered is the name of a field, always true, of events that were found where their log says that there is none.
const Recovered = "_recovered"

// Field is a named place in a Shape.
type Field struct {
	// Name is the field's own name in its log: what a dump shows.
	Name string
	// Aliases are other names under which rules find it, such as Image for NewProcessName.
	Aliases []string
	// Const is the value of the field in every event of the Shape; its Kind is None for a variable field.
	Const Value
	// Before and After are what stands right before and after the value in Event.Raw, wherever it stands there; "" where that
	// is not always the same.
	Before, After string
}

// Shape is all that is fixed about an event before a value is read. It never changes after [NewShape]; programs
// compiled against it are keyed by its address.
type Shape struct {
	// Format names the kind of log, such as "windows.evtx" or "iis.w3c".
	Format string
	// Sources are the log sources the event belongs to; the first is the one to show.
	Sources []LogSource
	// Tag is for the log reader that made the Shape, to recognise what it made.
	Tag uint32
	// EmptyIsNull says that the log writes a field without a value as an empty text, so that rules take one for null too.
	EmptyIsNull bool

	fields   []Field
	variable int
	roles    [NumRoles]int16
	slots    map[string][]int
}

// NewShape makes a Shape of fields. Variable fields come first; constant ones (Const set) follow them.
// It panics where they are mixed, which is a mistake in the caller, never in evidence.
func NewShape(format string, sources []LogSource, fields []Field) *Shape {
	s := &Shape{Format: format, Sources: sources, fields: fields, slots: make(map[string][]int, len(fields))}
	for i := range s.roles {
		s.roles[i] = -1
	}
	s.variable = len(fields)
	cloned := false
	for i, f := range fields {
		switch {
		case f.Const.Kind != None && s.variable == len(fields):
			s.variable = i
		case f.Const.Kind == None && s.variable != len(fields):
			panic("event: variable field " + f.Name + " after a constant one")
		}
		s.slots[f.Name] = append(s.slots[f.Name], i)
		aliases := f.Aliases[:0:0]
		for _, a := range f.Aliases {
			if !slices.Contains(s.slots[a], i) { // nor given twice
				s.slots[a] = append(s.slots[a], i)
				aliases = append(aliases, a)
			}
		}
		if len(aliases) < len(f.Aliases) {
			if !cloned {
				s.fields, cloned = slices.Clone(fields), true
			}
			s.fields[i].Aliases = aliases
		}
	}
	return s
}

// With returns a Shape whose events have the same values in the same slots, with other log sources and, for every field,
// the aliases that the function returns.
func (s *Shape) With(sources []LogSource, aliases func(Field) []string) *Shape {
	fields := slices.Clone(s.fields)
	for i := range fields {
		fields[i].Aliases = aliases(s.fields[i])
	}
	t := NewShape(s.Format, sources, fields)
	t.Tag, t.EmptyIsNull, t.roles = s.Tag, s.EmptyIsNull, s.roles
	return t
}

// SetRole gives the field called name the part r. A name the Shape lacks is ignored. For use right after NewShape.
func (s *Shape) SetRole(r Role, name string) {
	if slots := s.slots[name]; len(slots) > 0 {
		s.roles[r] = int16(slots[0])
	}
}

// Fields returns the fields; slot i of an event is Fields()[i]. It is not to be changed.
func (s *Shape) Fields() []Field { return s.fields }

// Variable returns the number of variable fields: the length of Event.Values.
func (s *Shape) Variable() int { return s.variable }

// Slots returns the slots that answer to name, as own name or alias; none if the Shape lacks the field.
// Where there are several, a rule matches if any of them does. It is not to be changed.
func (s *Shape) Slots(name string) []int { return s.slots[name] }

// Slot returns the first slot that answers to name, or -1.
func (s *Shape) Slot(name string) int {
	if slots := s.slots[name]; len(slots) > 0 {
		return slots[0]
	}
	return -1
}
