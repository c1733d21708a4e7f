// Package webrequest says what a request to a web server means, whichever log it stands in: who used which way in, who
// tried to and failed, and what is only the server looking after itself.
//
// It claims no more than the line proves. A request that was answered for a named account is an access through a
// channel, not the reading of a message.
package webrequest

import (
	"bytes"
	"slices"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/fold"
)

// Request is what a line says of a request. Absent parts are nil. All slices are views.
type Request struct {
	Method, Path, Query []byte
	Status              []byte // HTTP status
	Substatus, Win32    []byte // of IIS
	Account             []byte
	Client              []byte // address, possibly with port
	UserAgent           []byte
	Bytes               []byte // of the answer, decimal
	Session             []byte
	// Host is the site that was asked for.
	Host []byte
	// Decoded says that Path has no escapes of a URL; IIS logs it so.
	Decoded bool
	// Escaped says that nginx or Apache wrote its texts, with \xC3\xA9 for what is no printable ASCII.
	Escaped bool
	// Buffer holds text that is made of parts of the request: observations have views of it, and it is used again by the next
	// Observe. Without one, such text is allocated.
	Buffer *[]byte
	// Taken is how long the request took, in milliseconds, decimal.
	Taken []byte
	// Server is the machine that answered.
	Server []byte
	// Type is what a request of MAPI over HTTP is: Connect, Execute, Disconnect.
	Type []byte
	// Exchange says that the server is known to be an Exchange server, Backend that the client is its front end.
	Exchange, Backend bool
}

// The channels of Exchange Server and the paths of their virtual directories, in lower case.
var channels = [...]struct{ prefix, channel string }{
	{"/owa", "owa"},
	{"/ews", "ews"},
	{"/ecp", "ecp"},
	{"/microsoft-server-activesync", "eas"},
	{"/mapi", "mapi"},
	{"/rpc", "rpc"},
	{"/powershell", "powershell"},
	{"/autodiscover", "autodiscover"},
	{"/oab", "oab"},
}

// Channel returns the way in that a path belongs to; "web" for any path that is none of Exchange.
func Channel(path []byte) string {
	for i := range channels {
		c := &channels[i]
		if fold.HasPrefix(path, c.prefix) && (len(path) == len(c.prefix) || path[len(c.prefix)] == '/' ||
			path[len(c.prefix)] == '?' || c.channel == "rpc" && fold.HasPrefix(path, "/rpcwithcert")) {
			return c.channel
		}
	}
	return "web"
}

// PathMarks returns texts, in lower case, of which one stands in the path or the query of every request that means something
// although [Plain] says that it need not, or one of [AgentMarks] in its user agent.
func PathMarks() []string {
	return slices.Concat([]string{"/owa/auth.owa", "/owa/auth/logon.aspx", "/wp-login.php", "/xmlrpc.php", "_task=login", "/autodiscover.json", "powershell", "/inboxrules.svc/"}, fileMarks, mailMarks, shellMarks)
}

// PathPairs returns pairs of texts, of one of which both stand in the method, path, query and status of a request that means something and
// has none of the marks.
func PathPairs() [][2]string { return slices.Concat(filePairs(), shellPairs[:]) }

// AgentMarks returns the like for user agents.
func AgentMarks() []string { return []string{"amprobe", "_probe/local"} }

// Plain reports whether requests of a client, as it stands in a log, mean nothing where they were made by nobody in
// particular, and have none of the marks. So it is with the addresses of others.
func Plain(client []byte) bool {
	if len(client) == 0 || client[0] == ':' || bytes.HasPrefix(client, []byte("127.")) {
		return false
	}
	for _, c := range client {
		if (c < '0' || c > '9') && c != '.' && c != ':' && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// Observe appends what the request means to obs and returns the longer slice.
func Observe(r *Request, obs []logs.Observation) []logs.Observation {
	client := event.Address(r.Client)
	channel := Channel(r.Path)
	o := logs.Observation{IP: client, Channel: channel, Session: r.Session, Bytes: -1, Count: -1}
	if r.Buffer != nil {
		*r.Buffer = (*r.Buffer)[:0]
	}
	r.Account = r.unlogged(r.Account)
	// What only attackers ask for comes first: they may call themselves a health check.
	if len(r.Status) == 3 && suspect(r.Path) {
		return shell(r, o, obs)
	}
	if channel != "web" {
		if obs, forged := forged(r, o, obs); forged {
			return obs
		}
	}

	if own := Monitoring(r.Account, r.UserAgent) && (len(r.Account) > 0 || near(client)); own || machine(r.Account) && (channel == "web" || near(client)) {
		if own || r.Exchange || channel != "web" {
			o.Kind, o.OK, o.Account = logs.Heartbeat, len(r.Status) == 3 && r.Status[0] == '2', r.Account
			return append(obs, o)
		}
		return obs
	}
	if len(r.Account) == 0 && loopback(client) && (r.Exchange || channel != "web") {
		o.Kind, o.OK = logs.Heartbeat, len(r.Status) == 3 && r.Status[0] == '2'
		return append(obs, o)
	}
	if len(r.Status) != 3 {
		return obs
	}
	if archive := !r.Exchange && len(r.Account) == 0 && keeps(r.Path); channel == "web" || archive {
		n, web := len(obs), o
		web.Channel = "web" // Exchange keeps no archives and documents in its own folders: attackers put them there
		if obs = file(r, web, obs); len(obs) > n {
			return obs
		}
	}
	post := string(r.Method) == "POST"
	switch {
	case string(r.Status) == "401":
		if refused(r) {
			o.Kind, o.Account = logs.Login, r.Account
			return append(obs, o)
		}
		if post && channel == "web" && len(r.Account) == 0 {
			return form(r, o, obs)
		}
		return obs
	case channel == "owa" && post && fold.Equal(r.Path, "/owa/auth.owa"):
		// A wrong password is answered with the same 302: only the account in the line tells them apart.
		if string(r.Status) == "302" && len(r.Account) > 0 && !logonFailure(r.Win32) {
			o.Kind, o.OK, o.Account, o.Agent = logs.Login, true, r.Account, r.UserAgent
			o.Inference, o.Before = logs.SignedIn, Milliseconds(r.Taken)
			return append(obs, o)
		}
		return obs
	case channel == "owa" && len(r.Account) == 0 && fold.Equal(r.Path, "/owa/auth/logon.aspx") && string(Param(r.Query, "reason")) == "2":
		// The page that says: the user name or password you entered isn't correct.
		o.Kind = logs.Login
		return append(obs, o)
	case post && channel == "web" && len(r.Account) == 0:
		return form(r, o, obs)
	case len(r.Account) > 0 && (r.Status[0] == '2' || r.Status[0] == '3'):
		if channel != "web" {
			return mail(r, o, obs)
		}
		// Somebody was here; what for, is not said.
		o.Kind, o.OK, o.Account, o.Agent = logs.Access, true, r.Account, r.UserAgent
		o.Bytes, o.Before = number(r.Bytes), Milliseconds(r.Taken)
		return append(obs, o)
	}
	return obs
}

// form reads the answer to a login form of a well-known web application.
func form(r *Request, o logs.Observation, obs []logs.Observation) []logs.Observation {
	path := r.Path
	o.Kind = logs.Login
	switch {
	case fold.HasSuffix(path, "/wp-login.php"):
		if action := Param(r.Query, "action"); action != nil && string(action) != "login" {
			return obs
		}
		switch string(r.Status) {
		case "302": // to the dashboard
			o.OK, o.Inference, o.Agent = true, logs.SignedIn, r.UserAgent
			return append(obs, o)
		case "200", // the form again
			"401", "403", "406", "429": // turned away before WordPress saw it
			return append(obs, o)
		}
	case fold.HasSuffix(path, "/xmlrpc.php"):
		// Every call of WordPress's remote interface brings a password, and a wrong one is answered with 200 as well.
		// Jetpack, WordPress.com's own service, signs its calls instead.
		if string(Param(r.Query, "for")) == "jetpack" {
			return obs
		}
		switch string(r.Status) {
		case "200":
			o.Unknown, o.Inference, o.Agent = true, logs.SignedIn, r.UserAgent
			return append(obs, o)
		case "401", "403", "406", "429":
			return append(obs, o)
		}
	case string(Param(r.Query, "_task")) == "login": // Roundcube
		switch string(r.Status) {
		case "302":
			o.OK, o.Inference, o.Agent = true, logs.SignedIn, r.UserAgent
			return append(obs, o)
		case "401":
			return append(obs, o)
		}
	}
	return obs
}

// refused reports whether a 401 is a refused password and not the challenge that begins every negotiation.
func refused(r *Request) bool {
	if logonFailure(r.Win32) {
		return true
	}
	if r.Substatus == nil {
		// Apache and nginx write the account only where a password came with the request.
		return len(r.Account) > 0
	}
	if string(r.Substatus) != "1" {
		return false
	}
	switch string(r.Win32) {
	case "2148074254": // SEC_E_NO_CREDENTIALS: the first leg of NTLM or Kerberos
		return false
	case "0", "":
		return len(r.Account) > 0
	}
	return true
}

// logonFailure reports whether a Windows error code says that an account or its password was refused
// ([MS-ERREF] 2.1 and 2.2).
func logonFailure(code []byte) bool {
	switch string(code) {
	case "1326", // ERROR_LOGON_FAILURE
		"1327",       // ERROR_ACCOUNT_RESTRICTION
		"1328",       // ERROR_INVALID_LOGON_HOURS
		"1330",       // ERROR_PASSWORD_EXPIRED
		"1331",       // ERROR_ACCOUNT_DISABLED
		"1909",       // ERROR_ACCOUNT_LOCKED_OUT
		"2148074252": // SEC_E_LOGON_DENIED
		return true
	}
	return false
}

// Monitoring reports whether an account and a user agent, either of which may be nil, are those of Exchange's own health
// checks.
//
// Anybody can give himself their user agent: it counts only where there is no account, and for health mailboxes.
func Monitoring(account, agent []byte) bool {
	if len(account) > 0 {
		return named(account, "healthmailbox")
	}
	return bytes.Contains(agent, []byte("AMProbe")) || bytes.Contains(agent, []byte("_Probe/Local"))
}

// named reports whether an account name without its domain begins with prefix, which is in lower case.
func named(account []byte, prefix string) bool {
	if i := bytes.LastIndexByte(account, '\\'); i >= 0 {
		account = account[i+1:]
	}
	return fold.HasPrefix(account, prefix)
}

// machine reports whether an account is a computer's.
func machine(account []byte) bool {
	return len(account) > 1 && account[len(account)-1] == '$'
}

func loopback(ip []byte) bool {
	return string(ip) == "::1" || bytes.HasPrefix(ip, []byte("127."))
}

// near reports whether an address is of the same machine or network: that of a health check, which anybody can call himself.
func near(ip []byte) bool {
	for _, p := range [...]string{"127.", "10.", "192.168.", "169.254.", "fe80:", "fc", "fd"} {
		if fold.HasPrefix(ip, p) {
			return true
		}
	}
	if len(ip) > 6 && string(ip[:4]) == "172." && ip[6] == '.' {
		return "16" <= string(ip[4:6]) && string(ip[4:6]) <= "31"
	}
	return len(ip) == 0 || string(ip) == "::1"
}

// Param returns the value of a parameter of a query, as it stands there; nil if it has none. Exchange separates the
// parameters it adds to logged queries with ';' as well as '&'.
func Param(query []byte, name string) []byte {
	for rest := query; ; {
		i := bytes.Index(rest, []byte(name))
		if i < 0 {
			return nil
		}
		from := len(query) - len(rest) + i
		end := from + len(name)
		if end < len(query) && query[end] == '=' && (from == 0 || query[from-1] == '&' || query[from-1] == ';' || query[from-1] == '?') {
			value := query[end+1:]
			if j := delimiter(value); j >= 0 {
				value = value[:j]
			}
			return value
		}
		rest = query[end:]
	}
}

func delimiter(p []byte) int {
	for i, c := range p {
		if c == '&' || c == ';' {
			return i
		}
	}
	return -1
}

// number reads a decimal number, -1 if p is none.
func number(p []byte) int64 {
	if len(p) == 0 || len(p) > 18 {
		return -1
	}
	n := int64(0)
	for _, c := range p {
		if c < '0' || c > '9' {
			return -1
		}
		n = n*10 + int64(c-'0')
	}
	return n
}
