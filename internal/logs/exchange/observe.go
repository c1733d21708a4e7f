package exchange

import (
	"bytes"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/cmdlet"
	"github.com/barid-dfir/barid/internal/logs/webrequest"
)

// slots are where Observe finds things in a Shape; -1 if nowhere.
type slots struct {
	see observer

	method, path, query, status, bytes, action, code, anchor int
	command, arguments, context, data, result                int
	object, targets, directions, count, source, reference    int
	related                                                  int
	taken, info, clientRequest, request, executing           int
	target                                                   int
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
		method: first("Method"), path: first("UrlStem"), query: first("UrlQuery"), anchor: first("AnchorMailbox"),
		status: first("HttpStatus", "HttpStatusCode"), bytes: first("ResponseBytes", "ResponseSize", "rpsize", "total-bytes"),
		action: first("ProtocolAction", "SoapAction", "RequestType", "Cmdlet", "Operation", "event-id"), code: first("ErrorCode"),
		command: first("command", "CMD"), arguments: first("parameters", "Parameters"), context: first("context", "EX"),
		data: first("data", "Data"), result: first("ExecutionResult", "ResultStatus"),
		object: first("message-id"), targets: first("recipient-address"), directions: first("directionality"),
		count: first("recipient-count"), source: first("source"), reference: first("reference"), related: first("related-recipient-address"),
		taken: first("TotalRequestTime", "duration"), info: first("GenericInfo"), clientRequest: first("ClientRequestId"), request: first("RequestId"),
		executing: first("ExecutingUserSid"), target: first("TargetServer"),
	}
	for i := range kinds {
		if k := &kinds[i]; s.Format == k.name || k.web && bytes.HasPrefix([]byte(s.Format), []byte(k.name+".")) {
			at.see = k.see
		}
	}
	switch at.see {
	case seeEws, seeMapi:
		// Whose mailbox it is, if not that of who signed in.
		at.targets, at.object = first("ImpersonatedUser"), first("ActAsUser", "ActAsUserEmail")
		at.reference = first("MailboxId")
	}
	return at
}

// look returns where things are in a Shape.
func (p *parser) look(s *event.Shape) *slots {
	if s != p.seen {
		p.seen, p.slots = s, slotsOf(s)
	}
	return &p.slots
}

// Observe implements logs.Parser.
func (p *parser) Observe(e *event.Event, obs []logs.Observation) []logs.Observation {
	s := p.look(e.Shape)
	at := func(slot int) []byte {
		if slot < 0 {
			return nil
		}
		return e.Values[slot].Data
	}
	if s.see == seeNothing {
		return obs
	}
	o := logs.Observation{
		Account: e.Role(event.Account).Data, IP: event.Address(e.Role(event.Client).Data), Session: e.Role(event.Session).Data,
		Agent: e.Role(event.UserAgent).Data, Bytes: -1, Count: -1,
	}
	switch s.see {
	case seeRequest:
		return request(o, s, e, at, obs)
	case seeEws:
		return webService(o, s, at, obs)
	case seeMapi:
		return outlook(o, s, at, obs)
	case seeImap, seePop:
		o.Channel, o.Before = "imap", webrequest.Milliseconds(at(s.taken))
		if s.see == seePop || popPort(e.Role(event.Host).Data) {
			o.Channel = "pop3"
		}
		if logs.IsBackEnd(e.Role(event.Host).Data) {
			o.IP = nil // that of the front end
		}
		return mailClient(o, at(s.command), at(s.arguments), at(s.context), at(s.bytes), obs)
	case seeSMTP:
		return submission(o, at(s.data), at(s.context), obs)
	case seeTracking:
		return tracked(o, s, at, obs)
	case seeEcp, seeCmdlet, seeAudit:
		return call(o, s, e, at, obs)
	}
	return obs
}

// request reads a line of HttpProxy. Its time is the end of the request.
func request(o logs.Observation, s *slots, e *event.Event, at func(int) []byte, obs []logs.Observation) []logs.Observation {
	o.Before = webrequest.Milliseconds(at(s.taken))
	server := e.Role(event.Host).Data
	anchor := at(s.anchor)
	if r, ok := readRelay(anchor); ok {
		o.Channel, o.Bytes = webrequest.Channel(at(s.path)), number(at(s.bytes))
		return r.observe(o, at(s.status), server, obs)
	}
	r := webrequest.Request{
		Method: at(s.method), Path: at(s.path), Query: at(s.query), Status: at(s.status), Bytes: at(s.bytes), Taken: at(s.taken),
		// A 401 here is the back end's; anonymous ones are not logged.
		Substatus: []byte{},
		Account:   o.Account, Client: e.Role(event.Client).Data, UserAgent: o.Agent, Server: server, Exchange: true,
	}
	switch webrequest.Channel(r.Path) {
	case "mapi":
		// R:{…}:5;RT:Execute;CI:{…}:9
		r.Type = piece(at(s.clientRequest), "RT:")
		r.Session = bytes.Trim(piece(at(s.clientRequest), "CI:"), "{}")
	case "powershell":
		r.Session = piece(at(s.info), "SessionId=")
	}
	n := len(obs)
	obs = webrequest.Observe(&r, obs)
	for i := n; i < len(obs); i++ {
		if obs[i].Action == nil {
			obs[i].Action = at(s.action)
		}
	}
	if len(obs) == n || obs[n].Kind != logs.Access {
		return obs
	}
	switch obs[n].Channel {
	case "powershell":
		// Get-Mailbox:Command: what its parameters were, stands in the log of cmdlets.
		if name, ok := bytes.CutSuffix(at(s.action), []byte(":Command")); ok && obs[n].Inference == "" {
			o.Channel, o.Unknown, o.Session = "powershell", true, r.Session
			return called(o, server, &cmdlet.Call{Name: name}, obs)
		}
	case "ews":
		// Which mailbox the client said that it wants: a hint.
		if other, ok := cutPrefixFold(anchor, "smtp~"); ok && obs[n].OK && !sameMailbox(other, o.Account) {
			hint := obs[n]
			hint.OK, hint.Unknown, hint.Object, hint.Bytes = false, true, other, -1
			hint.Inference, hint.Exposure = logs.CrossMailbox, logs.Content
			obs = append(obs, hint)
		}
	}
	return obs
}

// piece returns what follows name in p, up to the next colon or semicolon.
func piece(p []byte, name string) []byte {
	for rest := p; ; {
		i := bytes.Index(rest, []byte(name))
		if i < 0 {
			return nil
		}
		whole := i == 0 && len(rest) == len(p) || i > 0 && rest[i-1] == ';'
		rest = rest[i+len(name):]
		if whole {
			if end := bytes.IndexAny(rest, ":;"); end >= 0 {
				return rest[:end]
			}
			return rest
		}
	}
}

// sameMailbox reports whether an address and an account as logs write them have the same name in front.
func sameMailbox(address, account []byte) bool {
	if i := bytes.LastIndexByte(account, '\\'); i >= 0 {
		account = account[i+1:]
	}
	if bytes.IndexByte(account, '@') < 0 {
		if i := bytes.IndexByte(address, '@'); i >= 0 {
			address = address[:i]
		}
	}
	return bytes.EqualFold(address, account)
}

func cutPrefixFold(p []byte, lower string) ([]byte, bool) {
	if len(p) < len(lower) || !bytes.EqualFold(p[:len(lower)], []byte(lower)) {
		return nil, false
	}
	return p[len(lower):], true
}

// machine reports whether an account is a computer's.
func machine(account []byte) bool { return len(account) > 1 && account[len(account)-1] == '$' }

// ofServer reports whether an account is a server's own: its computer's, or the system's, as far as that has the same name in all languages.
func ofServer(account []byte) bool {
	if machine(account) || string(account) == "S-1-5-18" {
		return true
	}
	for _, authority := range [...]string{`nt authority\`, `autorite nt\`, `nt-autorit`} {
		if _, ok := cutPrefixFold(account, authority); ok {
			return true
		}
	}
	return false
}

// webService reads a line of the log of Exchange Web Services.
//
// Of an answer that is an error, or too small for anything else, it is not said that something was read. What a server's own account asks for
// without saying for whom is of no known mailbox: through CVE-2021-26855, others ask so.
func webService(o logs.Observation, s *slots, at func(int) []byte, obs []logs.Observation) []logs.Observation {
	if len(o.Account) == 0 {
		return obs
	}
	o.Channel, o.Action, o.Before = "ews", at(s.action), webrequest.Milliseconds(at(s.taken))
	if webrequest.Monitoring(o.Account, nil) {
		o.Kind, o.OK = logs.Heartbeat, true
		return append(obs, o)
	}
	o.Kind, o.ObjectKind, o.Bytes = logs.Access, "mailbox", number(at(s.bytes))
	o.Object = at(s.targets)
	if len(o.Object) == 0 {
		o.Object = at(s.object)
	}
	if len(o.Object) == 0 && !ofServer(o.Account) {
		o.Object = o.Account
	}
	status, code := at(s.status), at(s.code)
	small := o.Bytes >= 0 && o.Bytes < webrequest.Fault
	switch {
	case len(status) > 0 && status[0] != '2', len(code) > 0 && small:
		o.Inference = logs.MailboxUsed
		return append(obs, o)
	case len(code) > 0:
		o.Unknown = true // of several items, one was not there
	default:
		o.OK = true
	}
	n := len(obs)
	obs = webrequest.MailAction(o, obs)
	for i := n; i < len(obs); i++ {
		if small && obs[i].OK && obs[i].Exposure == logs.Content {
			obs[i].OK, obs[i].Unknown = false, true
		}
	}
	return obs
}

// outlook reads a line of the log of MAPI over HTTP. What was fetched is not in it.
func outlook(o logs.Observation, s *slots, at func(int) []byte, obs []logs.Observation) []logs.Observation {
	if len(o.Account) == 0 {
		return obs
	}
	o.Channel, o.Action, o.Before = "mapi", at(s.action), webrequest.Milliseconds(at(s.taken))
	if webrequest.Monitoring(o.Account, nil) {
		o.Kind, o.OK = logs.Heartbeat, true
		return append(obs, o)
	}
	o.Kind, o.Inference, o.ObjectKind, o.Bytes = logs.Access, logs.MailboxUsed, "mailbox", number(at(s.bytes))
	status := at(s.status)
	o.OK = (len(status) == 0 || status[0] == '2') && (len(at(s.code)) == 0 || string(at(s.code)) == "0")
	o.Object = at(s.object)
	if len(o.Object) == 0 {
		o.Object = o.Account
	}
	obs = append(obs, o)
	if !o.OK || len(o.Action) > 0 && string(o.Action) != "Execute" {
		return obs
	}
	obs[len(obs)-1].Bytes = -1
	o.OK, o.Unknown, o.Inference, o.Exposure = false, true, logs.MailboxRead, logs.Content
	obs = append(obs, o)
	if id := at(s.reference); len(id) > 0 && len(at(s.object)) == 0 {
		o.Object = id
		obs = append(obs, o)
	}
	return obs
}

// submission reads a line of the protocol log of SMTP.
func submission(o logs.Observation, data, context []byte, obs []logs.Observation) []logs.Observation {
	// The reply 535 tells of the attempt that a line before it explained; it is not counted again. Who logged in is not in
	// the line of a success.
	if bytes.HasPrefix(data, []byte("535 ")) {
		o.Kind, o.Channel, o.Count = logs.Login, "smtp", 0
		return append(obs, o)
	}
	failed := bytes.Contains(context, logonDenied) || bytes.Contains(data, logonDenied)
	switch {
	case failed || bytes.HasPrefix(data, []byte("235 ")):
		o.Kind, o.OK, o.Channel = logs.Login, !failed, "smtp"
	case string(context) == "authenticated" && len(data) > 0 && !machine(data):
		// The line after: who it was.
		o.Kind, o.OK, o.Channel, o.Account, o.Count = logs.Login, true, "smtp", data, 0
		if webrequest.Monitoring(data, nil) {
			o.Kind = logs.Heartbeat
		}
	default:
		return obs
	}
	if o.OK && o.Kind == logs.Login {
		o.Inference = logs.SignedIn
	}
	return append(obs, o)
}

// tracked reads a line of message tracking ("Message tracking" in the documentation of Exchange Server: event types and sources).
func tracked(o logs.Observation, s *slots, at func(int) []byte, obs []logs.Observation) []logs.Observation {
	event, source := string(at(s.action)), string(at(s.source))
	o.OK, o.Channel, o.Action = true, "smtp", at(s.action)
	o.Object, o.ObjectKind, o.In = at(s.object), "message", o.Account
	o.Bytes, o.Exposure = number(at(s.bytes)), logs.Content
	switch {
	case source == "MAILBOXRULE" && (event == "RECEIVE" || event == "SUBMIT"):
		// A rule of the mailbox sends it on: nobody does it. The copy has an identifier of its own, and refers to what it is a copy of.
		if ref := at(s.reference); len(ref) > 0 {
			o.Object = ref
		}
		o.Kind, o.Inference, o.Target = logs.Access, logs.Forwarded, at(s.targets)
		o.Account, o.IP = nil, nil
		return append(obs, o)
	case event == "REDIRECT":
		// The mailbox that it came to has another as its forwarding address.
		o.Kind, o.Inference, o.Target, o.In = logs.Access, logs.Forwarded, at(s.targets), at(s.related)
		o.Account, o.IP = nil, nil
		return append(obs, o)
	case event == "RECEIVE" && string(at(s.directions)) == "Originating":
		if webrequest.Monitoring(o.Account, nil) {
			return obs
		}
		if source == "STOREDRIVER" {
			o.Channel = "mapi"
		}
		o.Kind, o.Inference, o.Count = logs.Send, logs.MessageSent, number(at(s.count))
		return append(obs, o)
	}
	return obs
}

// mailClient reads a line of IMAP or POP. context begins with R=OK, or with the error in quotes.
func mailClient(o logs.Observation, command, arguments, context, size []byte, obs []logs.Observation) []logs.Observation {
	rest := arguments
	if i := bytes.IndexByte(command, ' '); i > 0 {
		command, rest = command[:i], command[i+1:]
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
		if o.Kind, o.OK, o.Action = logs.Login, ok, command; ok {
			o.Inference = logs.SignedIn
		}
		return append(obs, o)
	}
	if len(o.Account) == 0 || !bytes.HasPrefix(context, []byte("R=OK")) && len(context) > 0 || webrequest.Monitoring(o.Account, nil) {
		return obs
	}
	if string(command) == "uid" {
		verb := rest
		if i := bytes.IndexByte(verb, ' '); i > 0 {
			verb, rest = verb[:i], verb[i+1:]
		}
		if !bytes.EqualFold(verb, []byte("fetch")) {
			command = verb
		}
	}
	switch string(command) {
	case "fetch", "uid":
		if o.Inference, o.Exposure = logs.MailboxRead, logs.Content; !fetchesBody(rest) {
			o.Inference, o.Exposure = logs.MailboxListed, logs.Metadata
		}
	case "retr":
		o.Inference, o.Exposure = logs.MailboxRead, logs.Content
	case "top":
		o.Inference, o.Exposure = logs.MailboxRead, logs.Partial
	case "select", "examine", "list", "lsub", "xlist", "status", "search", "SEARCH", "sort", "thread", "stat", "uidl":
		o.Inference, o.Exposure = logs.MailboxListed, logs.Metadata
	case "store", "STORE", "copy", "COPY", "move", "MOVE", "append", "expunge", "EXPUNGE", "dele":
		o.Inference, o.Exposure = logs.MessageTouched, logs.Metadata
	default:
		return obs
	}
	o.Kind, o.Action, o.Bytes = logs.Access, command, number(size)
	o.OK = len(context) > 0
	o.Unknown = !o.OK // nor need the arguments be whole, in a line that was cut off before the answer
	o.Object, o.ObjectKind = o.Account, "mailbox"
	return append(obs, o)
}

// headers are the data items of FETCH that hold nothing of a body (RFC 9051, 6.4.5).
var headersOnly = [...]string{"FLAGS", "UID", "ENVELOPE", "INTERNALDATE", "RFC822.SIZE", "RFC822.HEADER", "BODYSTRUCTURE", "ALL", "FAST"}

// fetchesBody reports whether what a FETCH asks for may be of a body: whether there is anything but what is known to be none.
func fetchesBody(arguments []byte) bool {
	// The messages, then the items: 1:* (UID BODY.PEEK[HEADER.FIELDS (DATE)])
	i := bytes.IndexByte(arguments, ' ')
	if i < 0 {
		return true
	}
	items := bytes.Trim(arguments[i+1:], " ()")
	if len(items) == 0 {
		return true
	}
	for len(items) > 0 {
		end := bytes.IndexByte(items, ' ')
		if part := bytes.IndexByte(items, '['); part >= 0 && (end < 0 || part < end) {
			if !bytes.HasPrefix(bytes.ToUpper(items[part+1:min(len(items), part+7)]), []byte("HEADER")) {
				return true
			}
			if end = bytes.IndexByte(items, ']'); end < 0 {
				return false
			}
			items = bytes.TrimLeft(items[end+1:], " ()")
			continue
		}
		item := items
		if items = nil; end >= 0 {
			items, item = bytes.TrimLeft(item[end+1:], " ("), item[:end]
		}
		known := false
		for _, h := range headersOnly {
			known = known || bytes.EqualFold(item, []byte(h))
		}
		if !known {
			return true
		}
	}
	return false
}

// call reads a line about a cmdlet.
func call(o logs.Observation, s *slots, e *event.Event, at func(int) []byte, obs []logs.Observation) []logs.Observation {
	var c cmdlet.Call
	o.Channel = "powershell"
	switch s.see {
	case seeEcp:
		// Cmdlet.Parameter=value.Parameter=value, where the cmdlet may stand behind others: Pipeline.1|Get-X.
		o.Channel = "ecp"
		c.Name, c.Parameters, c.Syntax = at(s.command), at(s.command), cmdlet.Dotted
		if i := bytes.IndexByte(c.Name, '.'); i > 0 {
			c.Name = c.Name[:i]
		}
		o.OK = len(at(s.context)) == 0
	case seeCmdlet:
		c.Name, c.Parameters = at(s.action), at(s.arguments)
		o.OK = string(at(s.result)) == "Success"
		o.Agent, o.App = nil, o.Agent
		if info := at(s.info); len(o.Account) == 0 {
			o.Account = piece(info, "PSSenderInfo=")
		}
	case seeAudit:
		c.Name, c.Parameters, c.Syntax = at(s.action), at(s.data), cmdlet.Pairs
		if i := bytes.Index(c.Parameters, []byte(`"Parameters":`)); i >= 0 {
			c.Parameters = c.Parameters[i:]
		}
		result := at(s.result)
		o.OK = len(result) == 0 || bytes.EqualFold(result, []byte("true")) || string(result) == "Succeeded"
	}
	if webrequest.Monitoring(o.Account, nil) {
		return obs
	}
	return called(o, e.Role(event.Host).Data, &c, obs)
}

// called appends what a cmdlet on a server does. What it writes into a page is on that server.
func called(o logs.Observation, server []byte, c *cmdlet.Call, obs []logs.Observation) []logs.Observation {
	n := len(obs)
	obs = cmdlet.Observe(c, o, obs)
	for i := n; i < len(obs); i++ {
		if obs[i].ObjectKind == "host" && obs[i].Object == nil {
			obs[i].Object = server
		}
	}
	return obs
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
