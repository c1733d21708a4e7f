package windows

import (
	"encoding/binary"
	"slices"
	"strconv"
	"sync"

	"github.com/barid-dfir/barid/internal/event"
)

// head is what a Shape fixes about its events besides their fields.
type head struct {
	provider, channel string
	id                int
	// eventType is the value of the field EventType where the category depends on it, "" otherwise.
	eventType string
}

// column is a field of a record that has no place in a Shape yet.
type column struct {
	name     string
	system   bool        // of <System>, under our name for it
	constant event.Value // Kind None for a variable field
}

// shapes makes the Shapes of a format: the same one for the same fields, whoever asks first.
type shapes struct {
	format  string
	catalog *catalog

	mu         sync.Mutex
	young, old map[string]*event.Shape
}

// shapesHalf bounds each of the two generations of Shapes that are kept. Real logs have some hundreds.
const shapesHalf = 4096

func newShapes(format string, c *catalog) *shapes {
	return &shapes{format: format, catalog: c, young: map[string]*event.Shape{}}
}

// get returns the Shape of an event and, for every column, its slot.
func (s *shapes) get(h head, columns []column) (*event.Shape, []int) {
	fields, slots := s.fields(h, columns)
	var key []byte
	add := func(s []byte) { key = append(binary.AppendUvarint(key, uint64(len(s))), s...) }
	for _, part := range [...]string{h.provider, h.channel, strconv.Itoa(h.id), h.eventType} {
		add([]byte(part))
	}
	for _, f := range fields {
		add([]byte(f.Name))
		key = append(key, byte(f.Const.Kind))
		if f.Const.Kind != event.None {
			add(f.Const.Data)
		}
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	shape := s.young[string(key)]
	if shape != nil {
		return shape, slots
	}
	shape = s.old[string(key)]
	if shape == nil {
		shape = event.NewShape(s.format, s.catalog.Sources(h.channel, h.id, h.eventType), fields)
		shape.EmptyIsNull = true // an element without content is both
		shape.Tag = uint32(meaningOf(h))
		setRoles(shape, meaning(shape.Tag))
	}
	if len(s.young) >= shapesHalf {
		s.old, s.young = s.young, map[string]*event.Shape{}
	}
	s.young[string(key)] = shape
	return shape, slots
}

// fields orders the columns for a Shape: what the event says, what <System> says, what is constant.
func (s *shapes) fields(h head, columns []column) ([]event.Field, []int) {
	c := s.catalog
	n := c.Naming(h.channel, h.id)
	order := make([]int, len(columns))
	for i := range order {
		order[i] = i
	}
	rank := func(i int) int {
		switch {
		case columns[i].constant.Kind != event.None:
			return 2
		case columns[i].system:
			return 1
		}
		return 0
	}
	slices.SortStableFunc(order, func(a, b int) int { return rank(a) - rank(b) })

	// What the event says has the short name before what <System> says: UserData/Channel of a cleared log is the cleared one.
	taken := map[string]bool{}
	names := make([]string, len(columns))
	first := map[string]string{} // of a repeated field: its plain name
	for _, system := range [...]bool{false, true} {
		for _, i := range order {
			if columns[i].system != system {
				continue
			}
			name := columns[i].name
			if !system {
				name = n.Own(name)
			}
			plain := name
			if taken[name] && system {
				name = "System." + name
			}
			for k := 1; taken[name]; k++ {
				name = plain + "_" + strconv.Itoa(k)
				if !system {
					first[name] = plain
				}
			}
			taken[name] = true
			names[i] = name
		}
	}
	fields := make([]event.Field, len(columns))
	slots := make([]int, len(columns))
	for slot, i := range order {
		col := &columns[i]
		f := event.Field{Name: names[i], Const: col.constant}
		var aliases []string
		if col.system {
			if names[i] == col.name {
				aliases = slices.Concat(c.systemAliases[col.name], n.Aliases(col.name))
			}
		} else {
			aliases = n.Aliases(col.name)
			if plain := first[names[i]]; plain != "" {
				f.Aliases = append(f.Aliases, plain)
			}
		}
		for _, a := range aliases {
			if !taken[a] && !slices.Contains(f.Aliases, a) {
				f.Aliases = append(f.Aliases, a)
			}
		}
		fields[slot], slots[i] = f, slot
	}
	return fields, slots
}

// setRoles names the parts that fields play. Session is a LogonId: unique on its host from start to start.
func setRoles(s *event.Shape, m meaning) {
	role := func(r event.Role, names ...string) {
		for _, n := range names {
			if s.Slot(n) >= 0 {
				s.SetRole(r, n)
				return
			}
		}
	}
	role(event.Host, "Computer", "System.Computer")
	// SourceIp of Sysmon 3 is not here: it is the remote end only of the connections that come in.
	role(event.Client, "IpAddress", "ClientAddress", "ClientIPAddress")
	switch m {
	case meansLogon, meansLogonFailed, meansValidation, meansKerberosFailed, meansTicket, meansExplicit, meansLogoff:
		role(event.Account, "TargetUserName")
		role(event.Session, "TargetLogonId")
	case meansReconnected, meansDisconnected:
		role(event.Account, "AccountName")
		role(event.Session, "LogonID")
	case meansSession:
		role(event.Client, "Address")
		role(event.Account, "User")
		role(event.Session, "SessionID")
	case meansConnection:
		role(event.Client, "Param3")
		role(event.Account, "Param1")
	default:
		role(event.Account, "SubjectUserName", "User", "TargetUserName", "SourceUser")
		role(event.Session, "SubjectLogonId", "LogonId", "TargetLogonId")
	}
}
