package m365

import (
	"bytes"
	"time"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
)

// aggregation is how long records of messages being opened in one context are gathered into one (Microsoft Learn, "Use MailItemsAccessed to investigate
// compromised accounts").
const aggregation = 2 * time.Minute

// mailItems observes a record MailItemsAccessed: messages that were opened (Bind), or folders that were synchronised (Sync).
func (o *observer) mailItems(e *event.Event, x logs.Observation, obs []logs.Observation) []logs.Observation {
	x.Kind, x.Channel, x.Exposure = logs.Access, client(e), logs.Content
	x.In = o.mailbox(e, x.Account)
	x.Standing = standing(e, x.Account)
	own := isOwn(e, &x)
	if own {
		x.Standing = logs.Service
	}
	access := get(e, "OperationProperties.MailAccessType").Data
	if len(access) == 0 {
		access = get(e, "MailAccessType").Data
	}
	folders := o.list(get(e, "Folders"))
	if bytes.EqualFold(access, []byte("Sync")) {
		obs = o.synced(e, x, folders, obs)
	} else {
		x.Inference, x.Before = logs.Bind, aggregation
		if x.Standing == logs.Service {
			x.Inference = logs.ServiceBind
		}
		obs = o.bound(e, x, folders, obs)
	}
	if !is(e, "OperationProperties.IsThrottled", "true") && !is(e, "IsThrottled", "true") {
		return obs
	}
	return append(obs, logs.Observation{
		Kind: logs.Gap, OK: true, Account: x.Account, Standing: x.Standing, IP: x.IP, Agent: x.Agent, Channel: x.Channel, Session: x.Session, App: x.App,
		Action: x.Action, Inference: logs.GapThrottled, Target: x.In, Bytes: -1, Count: -1, After: day,
	})
}

// bound observes each message of the folders. What the record counts and does not name is the mailbox's.
func (o *observer) bound(e *event.Event, x logs.Observation, folders event.Value, obs []logs.Observation) []logs.Observation {
	named := int64(0)
	x.ObjectKind = "message"
	each(folders, func(folder event.Value) {
		if _, why := o.outer.Scan(folder.Data); why != "" {
			return
		}
		x.Folder = o.text(member(&o.outer, "Id"))
		each(member(&o.outer, "FolderItems"), func(item event.Value) {
			if _, why := o.item.Scan(item.Data); why != "" {
				return
			}
			if x.Object = o.messageID("InternetMessageId", "Id", "ImmutableId"); len(x.Object) == 0 {
				return
			}
			x.Bytes = integer(member(&o.item, "SizeInBytes"))
			obs = append(obs, x)
			named++
		})
	})
	if all := integer(get(e, "OperationCount")); all > named || named == 0 {
		x.Object, x.ObjectKind, x.In, x.Folder, x.Bytes, x.Count = x.In, "mailbox", nil, nil, -1, -1
		if all > named {
			x.Count = all - named
		}
		obs = append(obs, x)
	}
	return obs
}

// synced observes each folder that was synchronised. A record names it in a list as Bind does, or as the parent of an item.
func (o *observer) synced(e *event.Event, x logs.Observation, folders event.Value, obs []logs.Observation) []logs.Observation {
	x.ObjectKind, x.Inference = "folder", logs.SyncFolder
	n := len(obs)
	each(folders, func(folder event.Value) {
		if _, why := o.outer.Scan(folder.Data); why != "" {
			return
		}
		if x.Object = o.text(member(&o.outer, "Id")); len(x.Object) == 0 {
			return
		}
		if x.Target = o.text(member(&o.outer, "Name")); len(x.Target) == 0 {
			x.Target = o.text(member(&o.outer, "Path"))
		}
		obs = append(obs, x)
	})
	if len(obs) > n {
		return obs
	}
	if o.scanItem(e) {
		x.Object, x.Target = o.text(member(&o.item, "ParentFolder.Id")), o.text(member(&o.item, "ParentFolder.Name"))
	} else {
		x.Object, x.Target = o.first(e, "Item.ParentFolder.Id"), o.first(e, "Item.ParentFolder.Name", "Item.ParentFolder.Path")
	}
	if len(x.Object) == 0 { // some folder
		x.Object, x.ObjectKind, x.In, x.Inference = x.In, "mailbox", nil, logs.MailboxRead
	}
	return append(obs, x)
}

// each calls f for every object of a list.
func each(list event.Value, f func(object event.Value)) {
	if list.Kind != event.JSON {
		return
	}
	if !list.IsList() {
		f(list)
		return
	}
	for i := 0; ; {
		v, next, ok := list.Elem(i)
		if !ok {
			return
		}
		if i = next; v.Kind == event.JSON {
			f(v)
		}
	}
}

// messageID returns the first of the names of o.item that has a text.
func (o *observer) messageID(names ...string) []byte {
	for _, n := range names {
		if v := member(&o.item, n); len(v.Data) > 0 {
			if t := o.text(v); len(t) > 0 {
				return t
			}
		}
	}
	return nil
}

// scanItem scans the field Item where an export wrote it as a string, and reports whether it did.
func (o *observer) scanItem(e *event.Event) bool {
	v := get(e, "Item")
	if len(v.Data) == 0 {
		return false
	}
	v = o.list(v)
	_, why := o.item.Scan(v.Data)
	return why == ""
}

// mailbox returns whose mailbox it is: what the record says, or the account's.
func (o *observer) mailbox(e *event.Event, account []byte) []byte {
	if owner := o.first(e, "MailboxOwnerUPN"); len(owner) > 0 {
		return owner
	}
	if guid := o.first(e, "MailboxGuid"); len(guid) > 0 {
		return guid
	}
	return account
}

// attachments observes a record AttachmentAccess: each attachment, by its message.
func (o *observer) attachments(e *event.Event, x logs.Observation, obs []logs.Observation) []logs.Observation {
	x.Kind, x.Channel, x.Exposure, x.Inference = logs.Access, client(e), logs.Content, logs.AttachmentRead
	x.In, x.Standing = o.mailbox(e, x.Account), standing(e, x.Account)
	if isOwn(e, &x) {
		x.Standing = logs.Service
	}
	x.ObjectKind, x.Before = "message", aggregation
	n := len(obs)
	each(o.list(get(e, "Messages")), func(message event.Value) {
		if _, why := o.outer.Scan(message.Data); why != "" {
			return
		}
		for _, name := range [...]string{"InternetMessageId", "Id"} {
			if x.Object = o.text(member(&o.outer, name)); len(x.Object) > 0 {
				break
			}
		}
		if len(x.Object) == 0 {
			return
		}
		before := len(obs)
		each(member(&o.outer, "MessageItems"), func(item event.Value) {
			if _, why := o.item.Scan(item.Data); why == "" {
				x.Bytes = integer(member(&o.item, "SizeInBytes"))
				obs = append(obs, x)
			}
		})
		if x.Bytes = -1; len(obs) == before {
			obs = append(obs, x)
		}
	})
	if len(obs) == n {
		x.Object, x.ObjectKind, x.In = x.In, "mailbox", nil
		x.Count = integer(get(e, "OperationCount"))
		obs = append(obs, x)
	}
	return obs
}

// touched observes messages that were created, changed, moved or deleted, and those of mailbox auditing that were opened.
func (o *observer) touched(e *event.Event, m means, x logs.Observation, obs []logs.Observation) []logs.Observation {
	x.Kind, x.Channel, x.Exposure, x.Inference = logs.Access, client(e), logs.Metadata, logs.MessageTouched
	x.In, x.Standing = o.mailbox(e, x.Account), standing(e, x.Account)
	switch m {
	case meansFolderBind:
		x.Inference, x.ObjectKind = logs.FolderBind, "folder"
		x.Object, x.Target = o.first(e, "Folder.Id", "Item.ParentFolder.Id"), o.first(e, "Folder.Path", "Item.ParentFolder.Path")
		if len(x.Object) == 0 {
			x.Object, x.ObjectKind, x.In = x.In, "mailbox", nil
		}
		return append(obs, x)
	case meansMessageBind:
		x.Inference, x.Exposure = logs.MessageBind, logs.Content
	}
	x.ObjectKind = "message"
	n := len(obs)
	folder := o.first(e, "Folder.Id")
	each(o.list(get(e, "AffectedItems")), func(item event.Value) {
		if _, why := o.item.Scan(item.Data); why != "" {
			return
		}
		if x.Object = o.messageID("InternetMessageId", "Id"); len(x.Object) == 0 {
			return
		}
		if x.Folder = o.text(member(&o.item, "ParentFolder.Id")); len(x.Folder) == 0 {
			x.Folder = folder
		}
		obs = append(obs, x)
	})
	if len(obs) > n {
		return obs
	}
	o.single(e, &x, folder)
	return append(obs, x)
}

// single sets the object of x to the field Item, or to the mailbox where it names none.
func (o *observer) single(e *event.Event, x *logs.Observation, folder []byte) {
	x.ObjectKind = "message"
	if o.scanItem(e) {
		x.Object, x.Folder = o.messageID("InternetMessageId", "Id"), o.text(member(&o.item, "ParentFolder.Id"))
		x.Bytes = integer(member(&o.item, "SizeInBytes"))
	} else {
		x.Object, x.Folder = o.first(e, "Item.InternetMessageId", "Item.Id"), o.first(e, "Item.ParentFolder.Id")
		x.Bytes = integer(get(e, "Item.SizeInBytes"))
	}
	if len(x.Folder) == 0 {
		x.Folder = folder
	}
	if len(x.Object) == 0 || string(x.Object) == "Unknown" {
		x.Object, x.ObjectKind, x.In, x.Folder = x.In, "mailbox", nil, nil
	}
}

// sent observes a message that was sent, with whose name as the Target where it is not the account's own.
func (o *observer) sent(e *event.Event, x logs.Observation, obs []logs.Observation) []logs.Observation {
	x.Kind, x.Channel, x.Exposure, x.Inference = logs.Send, client(e), logs.Content, logs.MessageSent
	x.In, x.Standing = o.mailbox(e, x.Account), standing(e, x.Account)
	x.Target = o.first(e, "SendAsUserSmtp", "SendonBehalfOfUserSmtp", "SendOnBehalfOfUserSmtp")
	o.single(e, &x, nil)
	return append(obs, x)
}

// searched observes searches and what was taken out of eDiscovery: every mailbox that was searched, or one without a name for all.
func (o *observer) searched(e *event.Event, m means, x logs.Observation, obs []logs.Observation) []logs.Observation {
	x.Kind, x.ObjectKind = logs.Access, "mailbox"
	switch m {
	case meansSearch:
		x.Inference, x.Exposure = logs.Searched, logs.Metadata
		if string(x.Action) != "SearchQueryInitiatedExchange" {
			x.Object, x.ObjectKind = o.first(e, "SiteUrl", "Site_Url", "ObjectId"), "folder"
			return append(obs, x)
		}
		x.Object = o.mailbox(e, x.Account)
		return append(obs, x)
	case meansExport:
		if string(x.Action) == "New-ComplianceSearchAction" && e.Shape.Slot("Parameters.Export") < 0 && !bytes.Contains(o.first(e, "Parameters", "CmdletParameters"), []byte("Export")) {
			return obs
		}
		x.Inference, x.Exposure = logs.SearchExported, logs.Content
	case meansExportDownloaded:
		x.Inference, x.Exposure = logs.SearchDownloaded, logs.Content
	}
	n := len(obs)
	for rest := o.first(e, "ExchangeLocations", "Parameters.ExchangeLocation"); len(rest) > 0; {
		i := bytes.IndexAny(rest, ";,")
		if i < 0 {
			i = len(rest)
		}
		if one := bytes.Trim(rest[:i], " \"[]"); bytes.IndexByte(one, '@') > 0 {
			x.Object = one
			obs = append(obs, x)
		}
		rest = rest[min(i+1, len(rest)):]
	}
	if len(obs) == n {
		obs = append(obs, x)
	}
	return obs
}

// isOwn reports whether Exchange Online made a record for its own processing, such as indexing: a client REST of its own, without session or
// token, in the owner's name, from an address of Exchange Online. Each of these alone is nothing: applications of anybody's read
// through the same client, and anybody can rent an address of Microsoft's.
func isOwn(e *event.Event, x *logs.Observation) bool {
	if x.Standing != logs.Owner && x.Standing != logs.AnyStanding || len(x.Session) > 0 || !bytes.HasPrefix(x.Agent, []byte("Client=REST;Client=RESTSystem;")) {
		return false
	}
	if len(get(e, "AppAccessContext.UniqueTokenId").Data) > 0 || bytes.HasSuffix(get(e, "AppId").Data, []byte("-0000-0000-c000-000000000000")) {
		return false
	}
	return isExchangeOnline(x.IP)
}

// isExchangeOnline reports whether an address is of Exchange Online: 2603:10x6::/32, for any x (Microsoft Learn, "Microsoft 365 URLs and IP
// address ranges"; 2603:10a6::/32 measured).
func isExchangeOnline(ip []byte) bool {
	rest, ok := bytes.CutPrefix(ip, []byte("2603:10"))
	return ok && len(rest) > 3 && hexDigits[rest[0]] < 16 && rest[1] == '6' && rest[2] == ':'
}

// client returns by which protocol a mailbox was used, by the client's description of itself.
func client(e *event.Event) string {
	info := get(e, "ClientInfoString").Data
	rest, ok := bytes.CutPrefix(info, []byte("Client="))
	if !ok {
		return "m365"
	}
	for _, c := range [...]struct{ prefix, channel string }{
		{"OWA", "owa"}, {"REST", "graph"}, {"WebServices", "ews"}, {"POP3", "pop3"}, {"IMAP4", "imap"},
		{"ActiveSync", "eas"}, {"MSExchangeRPC", "mapi"}, {"OutlookService", "graph"}, {"Outlook", "mapi"}, {"Hub Transport", "smtp"},
	} {
		if bytes.HasPrefix(rest, []byte(c.prefix)) {
			return c.channel
		}
	}
	return "m365"
}
