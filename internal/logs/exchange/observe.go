package exchange

import (
	"bytes"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/webrequest"
)

// slots are where Observe finds things in a Shape; -1 if nowhere.
type slots struct {
	see observer

	method, path, query, status, bytes, action, code   int
	command, context, data, target, object, directions int
	count, source                                      int
}

func slotsOf(s *event.Shape) slots {
	first := func(names ...string) int {
		for _, n := range names {
			if i := s.Slot(n); i >= 0 {
				return i
			}
		}
		return -1
	}
	at := slots{
		method: first("Method"), path: first("UrlStem"), query: first("UrlQuery"),
		status: first("HttpStatus", "HttpStatusCode"), bytes: first("ResponseBytes", "ResponseSize", "rpsize", "total-bytes"),
		action: first("ProtocolAction", "SoapAction", "RequestType", "Cmdlet", "Operation", "event-id"), code: first("ErrorCode"),
		command: first("command", "CMD"), context: first("context", "EX", "ExecutionResult", "ResultStatus"), data: first("data"),
		target: first("ImpersonatedUser"), object: first("ActAsUser", "MailboxId", "message-id"),
		directions: first("directionality"), count: first("recipient-count"), source: first("source"),
	}
	for i := range kinds {
		if k := &kinds[i]; s.Format == k.name || k.web && bytes.HasPrefix([]byte(s.Format), []byte(k.name+".")) {
			at.see = k.see
		}
	}
	return at
}

// Observe implements logs.Parser.
func (p *parser) Observe(e *event.Event, obs []logs.Observation) []logs.Observation {
	if e.Shape != p.seen {
		p.seen, p.slots = e.Shape, slotsOf(e.Shape)
	}
	s := &p.slots
	at := func(slot int) []byte {
		if slot < 0 {
			return nil
		}
		return e.Values[slot].Data
	}
	account, client := e.Role(event.Account).Data, e.Role(event.Client).Data
	o := logs.Observation{Account: account, IP: event.Address(client), Session: e.Role(event.Session).Data, Bytes: -1, Count: -1}
	switch s.see {
	case seeRequest:
		r := webrequest.Request{
			Method: at(s.method), Path: at(s.path), Query: at(s.query), Status: at(s.status), Bytes: at(s.bytes),
			// A 401 here is the back end's; anonymous ones are not logged.
			Substatus: []byte{},
			Account:   account, Client: client, UserAgent: e.Role(event.UserAgent).Data, Exchange: true,
		}
		n := len(obs)
		obs = webrequest.Observe(&r, obs)
		for i := n; i < len(obs); i++ {
			if obs[i].Action == nil {
				obs[i].Action = at(s.action)
			}
		}
		return obs
	case seeEws, seeMapi:
		if s.see == seeEws {
			o.Channel = "ews"
		} else {
			o.Channel = "mapi"
		}
		o.Action, o.Bytes = at(s.action), number(at(s.bytes))
		if len(account) == 0 {
			return obs
		}
		if webrequest.Monitoring(account, e.Role(event.UserAgent).Data) {
			o.Kind, o.OK = logs.Heartbeat, true
			return append(obs, o)
		}
		o.Kind = logs.Access
		status := at(s.status)
		o.OK = (len(status) == 0 || status[0] == '2') && len(at(s.code)) == 0
		for _, slot := range [...]int{s.target, s.object} {
			if o.Object == nil && len(at(slot)) > 0 {
				o.Object, o.ObjectKind = at(slot), "mailbox"
			}
		}
		return append(obs, o)
	case seeImap, seePop:
		o.Channel = "imap"
		if s.see == seePop || popPort(e.Role(event.Host).Data) {
			o.Channel = "pop3"
		}
		return mailClient(o, at(s.command), at(s.context), at(s.bytes), obs)
	case seeSMTP:
		// The reply 535 tells of the attempt that a line before it explained; it is not counted again. Who logged in is not in
		// the line of a success.
		if bytes.HasPrefix(at(s.data), []byte("535 ")) {
			o.Kind, o.Channel, o.Count = logs.Login, "smtp", 0
			return append(obs, o)
		}
		failed := bytes.Contains(at(s.context), logonDenied) || bytes.Contains(at(s.data), logonDenied)
		if failed || bytes.HasPrefix(at(s.data), []byte("235 ")) {
			o.Kind, o.OK, o.Channel = logs.Login, !failed, "smtp"
			return append(obs, o)
		}
	case seeTracking:
		if string(at(s.action)) == "RECEIVE" && string(at(s.directions)) == "Originating" {
			o.Kind, o.OK, o.Channel, o.Action = logs.Send, true, "smtp", at(s.action)
			if string(at(s.source)) == "STOREDRIVER" {
				o.Channel = "mapi"
			}
			o.Object, o.ObjectKind = at(s.object), "message"
			o.Bytes, o.Count = number(at(s.bytes)), number(at(s.count))
			return append(obs, o)
		}
	case seeEcp, seeCmdlet, seeAudit:
		return cmdlet(o, s.see, e, at, obs)
	}
	return obs
}

// mailClient reads a line of IMAP or POP. context begins with R=OK, or with the error in quotes.
func mailClient(o logs.Observation, command, context, size []byte, obs []logs.Observation) []logs.Observation {
	if i := bytes.IndexByte(command, ' '); i > 0 {
		command = command[:i]
	}
	switch string(command) {
	case "authenticate", "login", "auth", "pass", "apop":
		failed := bytes.Contains(context, []byte("AuthFailed")) || bytes.Contains(context, []byte("LogonDenied")) ||
			bytes.Contains(context, []byte(" failed")) || bytes.HasPrefix(context, []byte(`R="-ERR`))
		ok := bytes.HasPrefix(context, []byte("R=OK")) && !failed && !bytes.Contains(context, []byte("Failed"))
		if !ok && !failed {
			return obs
		}
		if webrequest.Monitoring(o.Account, nil) {
			o.Kind, o.OK = logs.Heartbeat, ok
			return append(obs, o)
		}
		o.Kind, o.OK, o.Action = logs.Login, ok, command
		return append(obs, o)
	case "fetch", "uid", "retr", "top", "select", "examine":
		if len(o.Account) == 0 || !bytes.HasPrefix(context, []byte("R=OK")) && len(context) > 0 || webrequest.Monitoring(o.Account, nil) {
			return obs
		}
		o.Kind, o.OK, o.Action, o.Bytes = logs.Access, true, command, number(size)
		o.Object, o.ObjectKind = o.Account, "mailbox"
		return append(obs, o)
	}
	return obs
}

// powers are the cmdlets that give or take a power, and whether they hold it in their parameters only.
var powers = [...]struct {
	cmdlet    string
	parameter string // only with this one; "" for any
}{
	{"New-InboxRule", ""}, {"Set-InboxRule", ""}, {"Set-Mailbox", "Forwarding"}, {"Set-Mailbox", "GrantSendOnBehalfTo"},
	{"Add-MailboxPermission", ""}, {"Add-RecipientPermission", ""}, {"Add-ADPermission", ""}, {"Add-MailboxFolderPermission", ""},
	{"New-ManagementRoleAssignment", ""}, {"Add-RoleGroupMember", ""}, {"New-TransportRule", ""}, {"Set-TransportRule", ""},
	{"New-JournalRule", ""}, {"New-MailboxExportRequest", ""}, {"Set-CASMailbox", ""},
}

// cmdlet reads a line about a command.
func cmdlet(o logs.Observation, see observer, e *event.Event, at func(int) []byte, obs []logs.Observation) []logs.Observation {
	s := slotsOfCommand(e.Shape, see)
	name, arguments := at(s.name), at(s.arguments)
	if see == seeEcp {
		// Cmdlet.Parameter=value.Parameter=value
		arguments = name
		if i := bytes.IndexByte(name, '.'); i > 0 {
			name = name[:i]
		}
	}
	for i := range powers {
		p := &powers[i]
		if !bytes.EqualFold(name, []byte(p.cmdlet)) || p.parameter != "" && !bytes.Contains(arguments, []byte(p.parameter)) {
			continue
		}
		result := at(s.result)
		switch see {
		case seeEcp:
			o.OK, o.Channel = len(result) == 0, "ecp"
		case seeCmdlet:
			o.OK, o.Channel = string(result) == "Success", "powershell"
		case seeAudit:
			o.OK, o.Channel = len(result) == 0 || bytes.EqualFold(result, []byte("true")) || string(result) == "Succeeded", "powershell"
		}
		o.Kind, o.Action = logs.Capability, name
		return append(obs, o)
	}
	return obs
}

type commandSlots struct{ name, arguments, result int }

func slotsOfCommand(s *event.Shape, see observer) commandSlots {
	switch see {
	case seeEcp:
		return commandSlots{s.Slot("CMD"), -1, s.Slot("EX")}
	case seeCmdlet:
		return commandSlots{s.Slot("Cmdlet"), s.Slot("Parameters"), s.Slot("ExecutionResult")}
	}
	return commandSlots{s.Slot("Operation"), s.Slot("Data"), s.Slot("ResultStatus")}
}

// number reads a decimal number, -1 if p is none.
func number(p []byte) int64 {
	if !isNumber(p) || len(p) > 18 {
		return -1
	}
	n := int64(0)
	for _, c := range p {
		n = n*10 + int64(c-'0')
	}
	return n
}
