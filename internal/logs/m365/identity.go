package m365

import (
	"bytes"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
)

// Identities implements [logs.Identifier]: records of mailboxes have the GUID of the mailbox and the SID of its owner, and who opened it with his
// SID (Management Activity API schema, Exchange mailbox).
func (p *ualParser) Identities(e *event.Event, list []logs.Identity) []logs.Identity {
	switch means(e.Shape.Tag) {
	case meansMailItems, meansAttachment, meansFolderBind, meansMessageBind, meansTouch, meansSend:
	default:
		return list
	}
	o := &p.observer
	o.buf = o.buf[:0]
	if owner := o.first(e, "MailboxOwnerUPN"); len(owner) > 0 {
		list = append(list, logs.Identity{Name: owner, ID: o.first(e, "MailboxGuid")}, logs.Identity{Name: owner, ID: o.first(e, "MailboxOwnerSid")})
	}
	account := o.text(e.Role(event.Account))
	if bytes.IndexByte(account, '@') < 0 || isService(account) {
		return list
	}
	return append(list, logs.Identity{Name: account, ID: o.first(e, "LogonUserSid")})
}
