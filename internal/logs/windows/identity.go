package windows

import (
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
)

// identified are the fields of events of the Security log that name an account, each with the one that holds its SID.
var identified = [...]struct{ name, sid string }{
	{"TargetUserName", "TargetUserSid"}, {"SubjectUserName", "SubjectUserSid"}, {"TargetUserName", "TargetSid"},
}

// Identities implements [logs.Identifier]. The accounts of machines and of Windows itself have none that matter.
func (o *observer) Identities(e *event.Event, list []logs.Identity) []logs.Identity {
	switch meaning(e.Shape.Tag) {
	case meansLogon, meansLogoff, meansExplicit, meansTicket, meansShare, meansShareFile, meansFile, meansProcess:
	case meansCmdlet, meansCmdletFailed:
		return o.callers(e, list)
	default:
		return list
	}
	o.identity = o.identity[:0]
	for _, f := range identified {
		name, sid := e.Shape.Slot(f.name), e.Shape.Slot(f.sid)
		if name < 0 || sid < 0 {
			continue
		}
		if n := o.identityText(e.Value(name)); !own(n) {
			list = append(list, logs.Identity{Name: n, ID: o.identityText(e.Value(sid))})
		}
	}
	return list
}

// callers appends who gave a command to Exchange: the third of the unnamed data, and the fourth.
func (o *observer) callers(e *event.Event, list []logs.Identity) []logs.Identity {
	o.identity = o.identity[:0]
	n := 0
	var name []byte
	for _, slot := range e.Shape.Slots("Data") {
		v := e.Value(slot)
		for i := 0; n < 4; n++ {
			elem, next, ok := v.Elem(i)
			if !ok {
				break
			}
			i = next
			switch n {
			case 2:
				name = o.identityText(elem)
			case 3:
				list = append(list, logs.Identity{Name: name, ID: o.identityText(elem)})
			}
		}
	}
	return list
}

// identityText returns a value as text that is valid until the next event.
func (o *observer) identityText(v event.Value) []byte {
	n := len(o.identity)
	o.identity = v.AppendText(o.identity)
	return o.identity[n:len(o.identity):len(o.identity)]
}
