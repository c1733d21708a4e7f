package mailboxaudit

import (
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
)

// Identities implements [logs.Identifier]: each record has the GUID of the mailbox and the SID of its owner, and who opened it with his SID.
func (p *parser) Identities(e *event.Event, list []logs.Identity) []logs.Identity {
	at := func(slot int) []byte { return e.Values[slot].Data }
	if owner := at(xUPN); len(owner) > 0 {
		list = append(list, logs.Identity{Name: owner, ID: at(xGUID)}, logs.Identity{Name: owner, ID: at(xOwnerSid)})
	}
	if owner := at(xDestUPN); len(owner) > 0 {
		list = append(list, logs.Identity{Name: owner, ID: at(xDestGUID)}, logs.Identity{Name: owner, ID: at(xDestSid)})
	}
	if standing(at(xLogonType)) == logs.Service {
		return list
	}
	return append(list, logs.Identity{Name: account(at), ID: at(xUserSid)})
}
