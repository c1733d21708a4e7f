package webrequest

import (
	"bytes"
	"encoding/base64"
	"net/url"

	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/fold"
)

// forged appends what a request means that makes the front end of Exchange pass on another one as itself, and reports whether it is one:
// ProxyShell (CVE-2021-34473), ProxyNotShell (CVE-2022-41040), OWASSRF (CVE-2022-41080), ProxyToken (CVE-2021-33766).
func forged(r *Request, o logs.Observation, obs []logs.Observation) ([]logs.Observation, bool) {
	o.Kind, o.Account, o.Agent, o.Before = logs.Access, r.Account, r.UserAgent, Milliseconds(r.Taken)
	o.Bytes = number(r.Bytes)
	o.Object, o.ObjectKind = r.Server, "host"
	status := string(r.Status)
	o.OK, o.Unknown = status == "200" || status == "301" || status == "302", len(status) == 0
	switch o.Channel {
	case "autodiscover":
		rest := r.Path[len("/autodiscover"):]
		list := backends[:1] // what was found later goes without the file
		if i := fold.Index(rest, "/autodiscover.json"); i >= 0 {
			rest, list = rest[i+len("/autodiscover.json"):], backends[:]
		}
		var room [1024]byte
		query := unescape(room[:0], r.Query)
		for i := range list {
			b := &list[i]
			if !b.in(rest) && !b.in(query) {
				continue
			}
			o.Action, o.Inference, o.Exposure = b.action, b.inference, b.exposure
			if b.inference == logs.ProxyShellMailbox && o.OK && o.Bytes >= 0 && o.Bytes < Fault {
				o.OK, o.Unknown = false, true
			}
			o.Target = impersonated(r.Query)
			return append(obs, o), true
		}
	case "owa":
		rest := r.Path[len("/owa"):]
		if i := fold.Index(rest, "/powershell"); i > 0 && (bytes.IndexByte(rest[:i], '@') >= 0 || fold.Index(rest[:i], "%40") >= 0) {
			o.Action, o.Inference = []byte("powershell"), logs.ProxyShellPowerShell
			o.OK = status == "200"
			return append(obs, o), true
		}
	case "ecp":
		// On the back end, CVE-2021-27065 through CVE-2021-26855 is the server's own account that writes a file.
		if machine(r.Account) && status == "200" && fold.Index(r.Path, "/ddiservice.svc/setobject") >= 0 && ResetsDirectory(r.Query) {
			o.Action = r.Path[1:]
			return Written(o, obs), true
		}
		// 241 is the answer of ProxyLogon.ecp alone, which nobody but the server asks for: a request that it was made to pass on (CVE-2021-26855).
		if len(r.Account) == 0 && status == "241" {
			o.OK, o.Action, o.Inference = true, r.Path[1:], logs.ProxyLogonSession
			return append(obs, o), true
		}
		// Without a login: whoever it was made for did not make it.
		if len(r.Account) == 0 && fold.HasSuffix(r.Path, "/inboxrules.svc/newobject") && (o.OK || status == "500") {
			o.Object = nil
			if namedMailbox(r, &o); o.Object == nil {
				return obs, false
			}
			return append(obs, inboxRule(r, o)), true
		}
	}
	return obs, false
}

// ResetsDirectory reports whether a request to the control panel's DDIService.svc resets a virtual directory, by which a file is written where
// its caller chose: the test of Microsoft's Test-ProxyLogon.
func ResetsDirectory(query []byte) bool {
	i := fold.Index(query, "schema=reset")
	return i >= 0 && fold.Index(query[i:], "virtualdirectory") >= 0
}

// Written appends that a file was written on a host by CVE-2021-27065, and that whoever did it may run code there from then on. o says who
// and how; its object is the host.
func Written(o logs.Observation, obs []logs.Observation) []logs.Observation {
	o.Kind, o.OK, o.Unknown, o.Inference, o.Exposure = logs.Access, true, false, logs.ProxyLogonWritten, logs.NoExposure
	obs = append(obs, o)
	o.Kind, o.Inference, o.Power, o.Bytes = logs.Capability, logs.ShellWritten, logs.HostPower, -1
	return append(obs, o)
}

// unescape appends p with its percent-encoded bytes decoded, up to the capacity of dst.
func unescape(dst, p []byte) []byte {
	for i := 0; i < len(p) && len(dst) < cap(dst); i++ {
		c := p[i]
		if c == '%' && i+2 < len(p) {
			if high, low := hexDigit(p[i+1]), hexDigit(p[i+2]); high >= 0 && low >= 0 {
				c = byte(high<<4 | low)
				i += 2
			}
		}
		dst = append(dst, c)
	}
	return dst
}

func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

// Fault is how many bytes an answer of Exchange Web Services has at least that is not merely an error: smaller ones are attempts, as
// practitioners know.
const Fault = 2000

// backend is a part of the back end of Exchange that a request can be passed on to.
type backend struct {
	path      string // in lower case, after a slash
	action    []byte
	inference string
	exposure  logs.Exposure
}

// backends are what of the back end is asked for. The first that is found is meant.
var backends = [...]backend{
	{"powershell", []byte("powershell"), logs.ProxyShellPowerShell, logs.NoExposure},
	{"ews/", []byte("ews"), logs.ProxyShellMailbox, logs.Content},
	{"mapi/nspi", []byte("mapi/nspi"), logs.AddressBookRead, logs.Metadata},
	{"mapi/emsmdb", []byte("mapi/emsmdb"), logs.ProxyLogonSID, logs.Metadata},
	{"ecp/", []byte("ecp"), logs.ProxyLogonDirectory, logs.Metadata},
	{"x-rps-cat", []byte("powershell"), logs.ProxyShellPowerShell, logs.NoExposure},
	{"autodiscover/autodiscover.xml", []byte("autodiscover"), logs.ProxyLogonProbe, logs.Metadata},
}

// in reports whether p asks for the path.
func (b *backend) in(p []byte) bool {
	for rest := p; ; {
		i := fold.Index(rest, b.path)
		if i < 0 {
			return false
		}
		at := len(p) - len(rest) + i
		if b.path[0] == 'x' || at > 0 && p[at-1] == '/' || at >= 3 && fold.Equal(p[at-3:at], "%2f") {
			return true
		}
		rest = rest[i+1:]
	}
}

// impersonated returns whom a request to PowerShell says that it comes from, by the access token X-Rps-CAT in its query; nil if nobody.
func impersonated(query []byte) []byte {
	text := Param(query, "X-Rps-CAT")
	if text == nil {
		return nil
	}
	text = bytes.TrimPrefix(text, []byte("CAT="))
	if bytes.IndexByte(text, '%') >= 0 {
		if s, err := url.PathUnescape(string(text)); err == nil {
			text = []byte(s)
		}
	}
	text = bytes.TrimRight(text, "=")
	token := make([]byte, base64.RawStdEncoding.DecodedLen(len(text)))
	n, _ := base64.RawStdEncoding.Decode(token, text) // what comes before a fault counts
	return logonName(token[:n])
}

// logonName returns the name in a common access token: V and two bytes, then T, C, A, L, U, G, each with its value, which but for that of C
// is a text behind its length. In a token that somebody has copied as text, bytes are lost: then it is what stands where the name begins. A token without a name has the SID
// of the account (U).
func logonName(token []byte) []byte {
	token = bytes.ReplaceAll(token, []byte("\uFFFD"), []byte{0})
	if len(token) < 4 || token[0] != 'V' {
		return nil
	}
	var sid []byte
	for p := token[3:]; len(p) > 1; {
		kind, size := p[0], int(p[1])
		if kind == 'C' {
			p = p[2:]
			continue
		}
		if kind == 'L' && (len(p) < 2+size || bytes.ContainsFunc(p[2:2+size], func(r rune) bool { return r < ' ' })) {
			n := 1
			for n < len(p) && (nameByte(p[n]) || p[n] == '@') {
				n++
			}
			return p[1:n]
		}
		if kind == 'E' || kind == 'G' || len(p) < 2+size {
			return sid
		}
		value := p[2 : 2+size]
		if kind == 'U' {
			sid = value
		}
		if kind == 'L' && size > 0 {
			return value
		}
		p = p[2+size:]
	}
	return sid
}

func nameByte(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '.' || c == '-' || c == '_'
}
