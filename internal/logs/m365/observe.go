package m365

import (
	"bytes"
	"strconv"
	"time"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/json"
)

// observer reads what stands in lists inside of values. Its memory is used again with the next event.
type observer struct {
	buf         []byte // texts without their escapes
	outer, item json.Record
}

// text returns the text of a value: a view of it, or of o.buf where it has escapes.
func (o *observer) text(v event.Value) []byte {
	switch v.Kind {
	case event.UTF8, event.Number:
		return v.Data
	case event.Escape:
		n := len(o.buf)
		o.buf = v.AppendText(o.buf)
		return o.buf[n:len(o.buf):len(o.buf)]
	}
	return nil
}

// first returns the text of the first of the fields that has any.
func (o *observer) first(e *event.Event, names ...string) []byte {
	for _, n := range names {
		if v := get(e, n); len(v.Data) > 0 {
			if t := o.text(v); len(t) > 0 {
				return t
			}
		}
	}
	return nil
}

// list returns a list or object as JSON, which an export may have written as a string.
func (o *observer) list(v event.Value) event.Value {
	if v.Kind != event.Escape && v.Kind != event.UTF8 {
		return v
	}
	return event.JSONValue(bytes.TrimSpace(o.text(v)))
}

// member returns a value of a scanned object by its dotted name, of at most two parts.
func member(r *json.Record, name string) event.Value {
	outer, inner, nested := bytes.Cut([]byte(name), []byte("."))
	n, inside := 0, false
	for i := range r.Keys {
		k := &r.Keys[i]
		if k.Open {
			inside = nested && k.Depth == 0 && string(k.Name) == string(outer)
			continue
		}
		v := r.Values[n]
		n++
		switch {
		case k.Depth == 0 && !nested && string(k.Name) == name, k.Depth == 1 && inside && string(k.Name) == string(inner):
			return v
		}
	}
	return event.Value{}
}

// Observe implements [logs.Parser].
func (p *ualParser) Observe(e *event.Event, obs []logs.Observation) []logs.Observation {
	o := &p.observer
	o.buf = o.buf[:0]
	obs = o.truncated(e, obs)
	m := means(e.Shape.Tag)
	if m == meansNothing {
		return obs
	}
	x := logs.Observation{
		OK:      succeeded(e),
		Account: o.text(e.Role(event.Account)),
		IP:      address(e),
		Agent:   o.first(e, "ClientInfoString", "UserAgent", "ExtendedProperties.UserAgent"),
		Channel: "m365",
		Session: session(e),
		App:     application(e),
		Action:  o.text(get(e, "Operation")),
		Bytes:   -1,
		Count:   -1,
	}
	switch m {
	case meansLogin:
		x.Kind, x.OK, x.Inference = logs.Login, true, logs.SignedIn
		x.Device = o.first(e, "DeviceProperties.Id")
		return append(obs, x)
	case meansLoginFailed:
		// Whatever ResultStatus says. Most "failures" are interruptions: another factor is asked for, a session has ended.
		switch string(get(e, "ErrorNumber").Data) {
		case "50126", "50053":
		case "":
			switch string(get(e, "LogonError").Data) {
			case "InvalidUserNameOrPassword", "IdsLocked":
			default:
				return obs
			}
		default:
			return obs
		}
		x.Kind, x.OK = logs.Login, false
		return append(obs, x)
	case meansMailItems:
		return o.mailItems(e, x, obs)
	case meansAttachment:
		return o.attachments(e, x, obs)
	case meansFolderBind, meansMessageBind, meansTouch:
		return o.touched(e, m, x, obs)
	case meansSend:
		return o.sent(e, x, obs)
	case meansSearch, meansExport, meansExportDownloaded:
		return o.searched(e, m, x, obs)
	case meansFileOpened, meansFileDownloaded, meansFilePart, meansFilePreviewed, meansFileTouched, meansFileListed, meansLinkMade, meansLinkUsed, meansLinkRemoved:
		return o.file(e, m, x, obs)
	case meansAuditing:
		return o.auditing(e, x, obs)
	}
	return o.power(e, m, x, obs)
}

// The most rows that Search-UnifiedAuditLog returns: in a call, and in a session (Microsoft Learn, "Search-UnifiedAuditLog").
const (
	callLimit    = "5000"
	afterCall    = "5001"
	sessionLimit = "50000"
)

// The ends of what a search found, as the ObjectKind of a Gap whose Object is how many rows it found.
const (
	firstRow = "first row"
	lastRow  = "last row"
)

// truncated says of the row at which a call or a session of Search-UnifiedAuditLog ends, whatever more there was, that the export may be cut off
// there; and of the row after the first limit, by an observation that is not OK, that it went on. Count is the place of the row, Bytes how many there were to be.
// Of the first and the last row of what a search found it says that they are there: one without the other is a part of it.
func (o *observer) truncated(e *event.Event, obs []logs.Observation) []logs.Observation {
	index := get(e, "ResultIndex")
	if len(index.Data) == 0 || len(index.Data) > 10 {
		return obs
	}
	count := get(e, "ResultCount")
	x := logs.Observation{Kind: logs.Gap, Channel: "m365", Inference: logs.GapTruncatedExport, Count: -1, Bytes: -1}
	first, last := string(index.Data) == "1", bytes.Equal(index.Data, count.Data)
	if first != last && len(count.Data) <= 10 && integer(count) > 1 {
		if x.Object, x.ObjectKind = count.Data, firstRow; last {
			x.ObjectKind = lastRow
		}
		obs = append(obs, x)
		x.Object, x.ObjectKind = nil, ""
	}
	switch string(index.Data) {
	case callLimit, sessionLimit:
		x.OK = true
	case afterCall:
	default:
		return obs
	}
	x.Count, x.Bytes = integer(index), integer(count)
	return append(obs, x)
}

// standing returns in what capacity a mailbox was used (Management Activity API schema, enum LogonType: 0 owner, 1 administrator, 2 delegate,
// 3 transport, 4 the service, 6 an administrator of a partner).
func standing(e *event.Event, account []byte) logs.Standing {
	if isService(account) {
		return logs.Service
	}
	v := get(e, "LogonType")
	if len(v.Data) == 0 {
		v = get(e, "Logon_Type") // Sentinel
	}
	switch string(v.Data) {
	case "0", "Owner":
		return logs.Owner
	case "1", "Admin", "6", "DelegatedAdmin":
		return logs.Admin
	case "2", "Delegated", "Delegate":
		return logs.Delegate
	case "3", "Transport", "4", "SystemService":
		return logs.Service
	}
	return logs.AnyStanding
}

// isService reports whether the account is Exchange Online itself or Microsoft's own provisioning.
func isService(account []byte) bool {
	return bytes.HasPrefix(account, []byte(`NT AUTHORITY\`)) || bytes.HasPrefix(account, []byte(`NT SERVICE\`)) || string(account) == "S-1-5-18" ||
		bytes.Contains(account, []byte("-ApplicationAccount@"))
}

// zeroID is what stands where there is no identifier.
const zeroID = "00000000-0000-0000-0000-000000000000"

// session returns the identifier of the session, which the sign-in and what follows it in other services share.
func session(e *event.Event) []byte {
	for _, n := range [...]string{"SessionId", "AppAccessContext.AADSessionId", "DeviceProperties.SessionId"} {
		if v := get(e, n); len(v.Data) > 0 && v.Kind == event.UTF8 && string(v.Data) != zeroID {
			return v.Data
		}
	}
	return nil
}

// application returns the identifier of the application that acts. Exchange, SharePoint, Graph and their like are what is acted on: every client of
// theirs has that identifier, so it is none.
func application(e *event.Event) []byte {
	for _, n := range [...]string{"ClientAppId", "AppAccessContext.ClientAppId", "AppId", "ApplicationId", "appId", "properties.appId"} {
		if v := get(e, n); len(v.Data) > 0 && v.Kind == event.UTF8 && !isResource(v.Data) {
			return v.Data
		}
	}
	return nil
}

func isResource(id []byte) bool {
	return string(id) == zeroID || bytes.HasSuffix(id, []byte("-0000-0ff1-ce00-000000000000")) || bytes.HasSuffix(id, []byte("-0000-0000-c000-000000000000"))
}

func succeeded(e *event.Event) bool {
	return string(get(e, "status").Data) != "failure"
}

func get(e *event.Event, name string) event.Value {
	if slot := e.Shape.Slot(name); slot >= 0 {
		return e.Value(slot)
	}
	return event.Value{}
}

func is(e *event.Event, name, want string) bool {
	v := get(e, name).Data
	return len(v) == len(want) && bytes.EqualFold(v, []byte(want))
}

// address returns the remote address of the event, from the first of its fields that has one.
func address(e *event.Event) []byte {
	if v := e.Role(event.Client); len(v.Data) > 0 && v.Kind == event.UTF8 {
		return event.Address(v.Data)
	}
	for _, n := range [...]string{"ClientIP", "ClientIPAddress", "Client_IPAddress", "ActorIpAddress"} {
		if v := get(e, n); len(v.Data) > 0 && v.Kind == event.UTF8 {
			return event.Address(v.Data)
		}
	}
	return nil
}

// integer returns a whole number that is not negative, written 12 or 12.0; -1 for anything else.
func integer(v event.Value) int64 {
	if v.Kind != event.Number && v.Kind != event.UTF8 {
		return -1
	}
	p := bytes.TrimSuffix(v.Data, []byte(".0"))
	n, err := strconv.ParseInt(string(p), 10, 64)
	if err != nil || n < 0 {
		return -1
	}
	return n
}

// day is how long records of messages being opened are left out once a mailbox is throttled (Microsoft Learn, "Use MailItemsAccessed to
// investigate compromised accounts").
const day = 24 * time.Hour
