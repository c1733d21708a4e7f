package mailboxaudit

import (
	"bytes"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/webrequest"
)

// Observe implements logs.Parser. Who opens a message is in the log only if it is not the owner, whom Exchange Server does not audit for that
// ("Mailbox audit logging in Exchange Server").
func (p *parser) Observe(e *event.Event, obs []logs.Observation) []logs.Observation {
	v := e.Values
	at := func(slot int) []byte { return v[slot].Data }
	p.text = p.text[:0]
	o := logs.Observation{
		Account: account(at), Standing: standing(at(xLogonType)), IP: event.Address(at(xIP)), Agent: at(xClient), Channel: channel(at(xClient)),
		Action: at(xOperation), In: mailbox(at), Folder: at(xFolder), Bytes: -1, Count: -1,
	}
	if webrequest.Monitoring(o.In, nil) || webrequest.Monitoring(o.Account, nil) {
		return obs
	}
	switch string(at(xResult)) {
	case "Succeeded":
		o.OK = true
	case "PartiallySucceeded", "":
		o.Unknown = true
	}
	switch string(o.Action) {
	case "FolderBind":
		o.Kind, o.Inference, o.Exposure = logs.Access, logs.FolderBind, logs.Metadata
		o.Object, o.ObjectKind, o.Folder, o.Target = at(xFolder), "folder", nil, at(xFolderPath)
		if len(o.Object) == 0 {
			o.Object = at(xFolderPath)
		}
		return append(obs, o)
	case "MessageBind", "MailItemsAccessed":
		o.Kind, o.Inference, o.Exposure = logs.Access, logs.MessageBind, logs.Content
	case "Send", "SendAs", "SendOnBehalf":
		o.Kind, o.Inference, o.Exposure = logs.Send, logs.MessageSent, logs.Content
	case "Create", "Update", "Copy", "Move", "MoveToDeletedItems", "SoftDelete", "HardDelete", "ApplyRecord":
		o.Kind, o.Inference, o.Exposure = logs.Access, logs.MessageTouched, logs.Metadata
	case "MailboxLogin":
		o.Kind, o.Inference, o.Folder = logs.Login, logs.SignedIn, nil
		return append(obs, o)
	case "UpdateInboxRules":
		o.Kind, o.Inference, o.Power, o.Folder = logs.Capability, logs.RuleMade, logs.Rule, nil
		return append(obs, o)
	case "AddFolderPermissions", "UpdateFolderPermissions", "ModifyFolderPermissions", "UpdateCalendarDelegation":
		o.Kind, o.Inference, o.Power = logs.Capability, logs.DelegationGiven, logs.Delegation
		return append(obs, o)
	case "RemoveFolderPermissions":
		o.Kind, o.Inference, o.Power = logs.Containment, logs.PowerRemoved, logs.Delegation
		return append(obs, o)
	default:
		return obs
	}
	return p.items(e, o, obs)
}

// items appends o for every item that the record names, or for the mailbox if it names none.
func (p *parser) items(e *event.Event, o logs.Observation, obs []logs.Observation) []logs.Observation {
	n := len(obs)
	o.ObjectKind = "message"
	for rest := e.Values[xItems].Data; ; {
		it, after, ok := nextItem(rest)
		if !ok {
			break
		}
		rest = after
		if o.Object = p.plain(it.message); len(o.Object) == 0 {
			o.Object = p.plain(it.id)
		}
		if len(o.Object) > 0 {
			obs = append(obs, o)
		}
	}
	// The cmdlet joins the identifiers of several items.
	if len(obs) == n {
		for id := range bytes.FieldsFuncSeq(e.Values[xMessageIDs].Data, func(c rune) bool { return c == ',' || c == ';' || c <= ' ' }) {
			if o.Object = id; bytes.IndexByte(id, '@') > 0 {
				obs = append(obs, o)
			}
		}
	}
	if len(obs) > n {
		return obs
	}
	if o.Object = e.Values[xMessageID].Data; len(o.Object) == 0 {
		o.Object = e.Values[xItem].Data
	}
	if len(o.Object) == 0 {
		o.Object, o.ObjectKind, o.In, o.Folder = o.In, "mailbox", nil, nil
	}
	return append(obs, o)
}

// plain returns a value with its character references read.
func (p *parser) plain(v []byte) []byte {
	if bytes.IndexByte(v, '&') < 0 {
		return v
	}
	from := len(p.text)
	p.text = appendText(p.text, v)
	return p.text[from:len(p.text):len(p.text)]
}

// mailbox returns the name of the mailbox: its owner's address, or whatever else the record calls it.
func mailbox(at func(int) []byte) []byte {
	for _, slot := range [...]int{xUPN, xOwnerName, xOwner, xGUID} {
		if name := at(slot); len(name) > 0 {
			return name
		}
	}
	return nil
}

// account returns who did it. A legacy name, /o=…/cn=Recipients/cn=ana, is its last part.
func account(at func(int) []byte) []byte {
	sid := at(xUserSid)
	if string(at(xLogonType)) == "Owner" || len(sid) > 0 && bytes.Equal(sid, at(xOwnerSid)) {
		if upn := at(xUPN); len(upn) > 0 {
			return upn
		}
	}
	dn := at(xUserDN)
	if i := bytes.LastIndexByte(dn, '='); i >= 0 {
		dn = dn[i+1:]
	}
	switch name := at(xUserName); {
	case len(dn) > 0:
		return dn
	case len(name) > 0:
		return name
	}
	return sid
}

func standing(logonType []byte) logs.Standing {
	switch string(logonType) {
	case "Owner":
		return logs.Owner
	case "Delegate":
		return logs.Delegate
	case "Admin", "DelegatedAdmin":
		return logs.Admin
	case "Transport", "SystemService":
		return logs.Service
	}
	return logs.AnyStanding
}

// channel returns the way in that a client string names: Client=OWA;Action=ViaProxy.
func channel(client []byte) string {
	client = bytes.TrimPrefix(client, []byte("Client="))
	for _, c := range [...]struct{ client, channel string }{
		{"OWA", "owa"}, {"MSExchangeRPC", "mapi"}, {"MapiHttp", "mapi"}, {"WebServices", "ews"}, {"ActiveSync", "eas"}, {"IMAP4", "imap"}, {"POP3", "pop3"},
		{"REST", "graph"}, {"Management", "powershell"}, {"Hub Transport", "smtp"}, {"HUB", "smtp"},
	} {
		if bytes.HasPrefix(client, []byte(c.client)) {
			return c.channel
		}
	}
	return "mapi"
}
