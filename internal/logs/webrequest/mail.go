package webrequest

import (
	"bytes"
	"time"

	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/fold"
)

// mail appends what a request to a way into Exchange means that was answered for an account.
//
// The mailbox is the account's own unless the path names another (explicit logon). A request of which the log does not say what it asked
// for is two observations: that the mailbox was used, and that it may have been read.
func mail(r *Request, o logs.Observation, obs []logs.Observation) []logs.Observation {
	o.Kind, o.OK, o.Account, o.Agent = logs.Access, true, r.Account, r.UserAgent
	o.Object, o.ObjectKind, o.Inference = r.Account, "mailbox", logs.MailboxUsed
	o.Bytes, o.Before = number(r.Bytes), Milliseconds(r.Taken)
	if r.Backend {
		o.IP = nil // that of the front end
	}
	done := r.Status[0] == '2'
	switch o.Channel {
	case "owa":
		namedMailbox(r, &o)
		action, does := owa(r)
		if o.Action = action; !done {
			does = uses
		}
		return does.observe(o, obs)
	case "ews":
		if o.Action = soapAction(Param(r.Query, "SoapAction")); len(o.Action) == 0 || !done {
			return append(obs, o) // what was asked for stands in the log of EWS
		}
		return MailAction(o, obs)
	case "eas":
		return activeSync(r, o, done, obs)
	case "mapi":
		return mapi(r, o, done, obs)
	case "rpc":
		if o.Action = r.Method; done && fold.HasPrefix(r.Method, "rpc_out") {
			return mayRead.observe(o, obs)
		}
		return append(obs, o)
	case "ecp":
		namedMailbox(r, &o)
		o.Action = Param(r.Query, "action")
		return ecp(r, o, obs)
	case "oab":
		if done && fold.HasSuffix(r.Path, ".lzx") {
			o.Inference, o.Exposure = logs.AddressBookRead, logs.Metadata
			o.Object, o.ObjectKind = r.Server, "host"
		}
		return append(obs, o)
	case "powershell":
		o.Object, o.ObjectKind, o.Inference = nil, "", "" // of no mailbox
		return append(obs, o)
	}
	return append(obs, o)
}

// Milliseconds reads how long a request took, for [logs.Observation.Before]: the log tells its end. It is 0 where p is no number, and a day at most.
func Milliseconds(p []byte) time.Duration {
	n := number(p)
	if n < 0 {
		return 0
	}
	return time.Duration(min(n, 24*60*60*1000)) * time.Millisecond
}

// class is what an action lays open.
type class uint8

const (
	mayRead   class = iota // nothing is known of the action: it may read
	uses                   // none of the mailbox's contents
	lists                  // folders, subjects, people
	mayList                // lists, and may show contents
	reads                  // contents of messages
	attaches               // attachments
	previews               // a picture of an attachment
	touches                // changes, moves or deletes messages
	sends                  // sends a message
	sendsPart              // sends a message that holds one of the mailbox
	rules                  // makes or changes a rule; what it does is not said
)

// observe appends an observation, or two, for an action of the class. o is of kind Access, and OK or Unknown.
func (c class) observe(o logs.Observation, obs []logs.Observation) []logs.Observation {
	o.Inference, o.Exposure = logs.MailboxUsed, logs.NoExposure
	switch c {
	case mayRead, mayList:
		if c == mayList {
			o.Inference, o.Exposure = logs.MailboxListed, logs.Metadata
		}
		read := o
		read.OK, read.Unknown = false, true
		read.Inference, read.Exposure = logs.MailboxRead, logs.Content
		o.Bytes = -1
		return append(obs, o, read)
	case lists:
		o.Inference, o.Exposure = logs.MailboxListed, logs.Metadata
	case reads:
		o.Inference, o.Exposure = logs.MailboxRead, logs.Content
	case attaches:
		o.Inference, o.Exposure = logs.AttachmentRead, logs.Content
	case previews:
		o.Inference, o.Exposure = logs.AttachmentRead, logs.Partial
	case touches:
		o.Inference, o.Exposure = logs.MessageTouched, logs.Metadata
	case rules:
		return append(obs, o, madeRule(o))
	case sends, sendsPart:
		if c == sendsPart {
			part := o
			part.Inference, part.Exposure = logs.MailboxRead, logs.Content
			obs = append(obs, part)
		}
		// The log does not name what was sent: nothing of the mailbox is known to be in it.
		o.Kind, o.Inference, o.Bytes = logs.Send, logs.MessageSent, -1
	}
	return append(obs, o)
}

// MailAction appends what o, an access to a mailbox that is OK or Unknown, means by its Action: an operation of Exchange Web Services or of
// Outlook on the web.
func MailAction(o logs.Observation, obs []logs.Observation) []logs.Observation {
	return classOf(o.Action).observe(o, obs)
}

// soapAction returns the name of an operation without its namespace: GetItem of m:GetItem.
func soapAction(p []byte) []byte {
	if i := bytes.LastIndexAny(p, ":/"); i >= 0 {
		p = p[i+1:]
	}
	if len(p) > 3 && (fold.HasPrefix(p, "m%3a") || fold.HasPrefix(p, "t%3a")) {
		p = p[4:]
	}
	return p
}

// classOf returns the class of an operation (Exchange Web Services reference, "EWS operations in Exchange"; the operations of Outlook on the
// web have the same names where they do the same).
func classOf(action []byte) class {
	switch string(action) {
	case "GetItem", "GetConversationItems", "GetConversationNodes", "GetModernConversationItems", "GetThreadedConversationItems", "ExportItems", "SyncFolderItems",
		"GetItems", "GetMessage", "GetCalendarEvent", "GetMimeContent":
		return reads
	case "GetAttachment", "GetFileAttachment", "GetAllAttachmentsAsZip", "GetWacAttachmentInfo", "GetAttachments", "SaveAttachment":
		return attaches
	case "GetAttachmentThumbnail", "GetAttachmentPreview":
		return previews
	case "FindItem", "FindConversation", "FindFolder", "GetFolder", "SyncFolderHierarchy", "SyncConversation", "FindPeople", "ResolveNames", "ExpandDL",
		"GetPersona", "GetPeopleICommunicateWith", "GetUserAvailability", "GetUserAvailabilityRequest", "GetCalendarView", "GetCalendarFolders", "GetReminders",
		"FindMessageTrackingReport", "GetMessageTrackingReport", "GetInboxRules", "GetDelegate", "GetSearchableMailboxes", "GetSearchSuggestions",
		"GetFavoriteFolders", "FindAvailableMeetingTimes", "GetUnifiedGroupsSettings", "sessiondata":
		return lists
	case "SearchMailboxes", "PerformInstantSearch", "ExecuteSearch", "PerformSearch":
		return mayList
	case "CreateItem", "UpdateItem", "DeleteItem", "MoveItem", "CopyItem", "ArchiveItem", "UploadItems", "MarkAsJunk", "MarkAllItemsAsRead",
		"ApplyConversationAction", "EmptyFolder", "CreateFolder", "UpdateFolder", "DeleteFolder", "MoveFolder", "CopyFolder", "CreateFolderPath",
		"CreateManagedFolder", "CreateAttachment", "CreateAttachmentFromLocalFile", "DeleteAttachment", "ApplyBulkItemAction", "ApplyMessageAction", "PostUnifiedItem",
		"CreateCalendarEvent", "UpdateCalendarEvent", "DeleteCalendarEvent", "RespondToCalendarEvent":
		return touches
	case "SendItem", "SendReadReceipt":
		return sends
	case "NewInboxRule", "SetInboxRule", "UpdateInboxRules":
		return rules
	case "GetServerTimeZones", "GetTimeZone", "GetTimeZoneOffsets", "GetOwaUserConfiguration", "GetUserConfiguration", "UpdateUserConfiguration",
		"CreateUserConfiguration", "DeleteUserConfiguration", "UpdateViewStateConfiguration", "GetMailTips", "Subscribe", "Unsubscribe", "GetEvents",
		"GetStreamingEvents", "GetUserOofSettings", "SetUserOofSettings", "GetUserOofSettingsRequest", "SetUserOofSettingsRequest", "GetUserPhoto",
		"GetPersonaPhoto", "ConvertId", "GetServiceConfiguration", "LogDatapoint", "StartSearchSession", "EndSearchSession", "EndInstantSearchSession",
		"GetClientExtension", "GetAppManifests", "GetAppMarketplaceUrl", "InstallApp", "UninstallApp", "DisableApp", "GetRoomLists", "GetRooms",
		"GetPasswordExpirationDate", "SubscribeToNotification", "UnsubscribeToNotification", "SubscribeInternalCalendar", "GetBposNavBarData",
		"GetHierarchyNotification", "SetMailboxRegionalConfiguration", "GetMailboxRegionalConfiguration", "GetImItemList", "GetImItems",
		"GetUserRetentionPolicyTags", "GetWeatherForecast", "FindWeatherLocations", "GetExtensibilityContext", "keepalive", "ping":
		return uses
	}
	return mayRead
}

// owa returns what a request to Outlook on the web asked for.
func owa(r *Request) ([]byte, class) {
	path := r.Path
	if i := bytes.LastIndexByte(path, '/'); i >= 0 {
		path = path[i+1:]
	}
	if len(path) == 0 {
		// The pages of Exchange 2010 and of the light version: ae is what they show.
		switch ae := Param(r.Query, "ae"); string(ae) {
		case "":
			return Param(r.Query, "action"), uses
		case "Item":
			return ae, reads
		case "Folder", "StartPage", "Options", "AddressBook":
			return ae, lists
		default:
			return ae, mayRead
		}
	}
	switch {
	case fold.Equal(path, "service.svc"):
		action := Param(r.Query, "action")
		if len(action) == 0 {
			return path, mayRead
		}
		return action, classOf(action)
	case fold.HasSuffix(r.Path[:len(r.Path)-len(path)], "/service.svc/s/"):
		return path, classOf(path)
	case fold.Equal(path, "attachment.ashx"), fold.Equal(path, "webreadyview.aspx"), fold.Equal(path, "webreadyviewbody.aspx"):
		return path, attaches
	case fold.Equal(path, "sessiondata.ashx"):
		return path, lists
	case fold.Equal(path, "ev.owa"), fold.Equal(path, "ev.owa2"):
		if string(Param(r.Query, "ns")) == "PendingRequest" {
			return path, uses
		}
		return path, mayRead
	}
	for _, known := range [...]string{"userspecificresourceinjector.ashx", "plt1.ashx", "keepalive.owa", "ping.owa", "lang.owa", "logoff.owa", "auth.owa",
		"languageselection.aspx", "logon.aspx", "logoff.aspx", "errorfe.aspx", "default.aspx", "preload.aspx", "manifestdownload.ashx", "appcache.ashx"} {
		if fold.Equal(path, known) {
			return path, uses
		}
	}
	for _, program := range [...]string{".svc", ".ashx", ".aspx", ".asmx", ".owa", ".owa2"} {
		if fold.HasSuffix(path, program) {
			return path, mayRead
		}
	}
	return nil, uses // a script, a style, a picture
}

// namedMailbox sets the mailbox to the one that the path names: /owa/other@example.org/.
func namedMailbox(r *Request, o *logs.Observation) {
	rest := r.Path[min(len(r.Path), len("/owa/")):]
	i := bytes.IndexByte(rest, '/')
	if i < 0 {
		i = len(rest)
	}
	name := rest[:i]
	switch at := bytes.IndexByte(name, '@'); {
	case at > 0:
		o.Object = name
	case at < 0 && bytes.Contains(name, []byte("%40")):
		o.Object = bytes.Replace(name, []byte("%40"), []byte("@"), 1)
	}
}

// ecp reads a request to the control panel. A rule made there is told by its log; here it is not known what the rule does, nor whether it
// was made.
func ecp(r *Request, o logs.Observation, obs []logs.Observation) []logs.Observation {
	obs = append(obs, o)
	for _, end := range [...]string{"/inboxrules.svc/newobject", "/inboxrules.svc/setobject"} {
		if fold.HasSuffix(r.Path, end) {
			return append(obs, inboxRule(r, o))
		}
	}
	return obs
}

func inboxRule(r *Request, o logs.Observation) logs.Observation {
	o.Action = r.Path[bytes.LastIndexByte(r.Path, '/')+1:]
	return madeRule(o)
}

// madeRule says that a request may have made a rule in the mailbox that o is an access to.
func madeRule(o logs.Observation) logs.Observation {
	o.Kind, o.OK, o.Unknown = logs.Capability, false, true
	o.Power, o.Inference, o.Exposure, o.Bytes = logs.Rule, logs.RuleMade, logs.NoExposure, -1
	o.In, o.Object, o.ObjectKind = o.Object, nil, "rule"
	return o
}

// mapi reads a request of Outlook: what it fetched is inside. The mailbox is the one whose identifier stands in the query.
func mapi(r *Request, o logs.Observation, done bool, obs []logs.Observation) []logs.Observation {
	o.Action = r.Type
	if bytes.Contains(r.Path, []byte("nspi")) {
		if done {
			o.Inference, o.Exposure = logs.AddressBookRead, logs.Metadata
			o.Object, o.ObjectKind = r.Server, "host"
		}
		return append(obs, o)
	}
	if !done || len(r.Type) > 0 && string(r.Type) != "Execute" {
		return append(obs, o)
	}
	id := Param(r.Query, "MailboxId")
	if id == nil {
		id = Param(r.Query, "mailboxId")
	}
	n := len(obs)
	obs = mayRead.observe(o, obs)
	if len(id) > 0 {
		// It may be the account's own: then both names are of one mailbox.
		other := obs[n+1]
		other.Object = id
		obs = append(obs, other)
	}
	return obs
}
