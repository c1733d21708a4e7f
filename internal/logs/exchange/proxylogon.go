package exchange

import (
	"bytes"

	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/webrequest"
)

// relay is a request that a cookie made the front end send on as itself (CVE-2021-26855): host and path stand in AnchorMailbox, as
// ServerInfo~…host:port/path?query#.
type relay struct {
	host, path, query []byte
}

// readRelay reads an AnchorMailbox, and reports whether it is one: an anchor that the server made itself has no path.
func readRelay(anchor []byte) (r relay, ok bool) {
	rest, ok := cutPrefixFold(anchor, "serverinfo~")
	slash := bytes.IndexByte(rest, '/')
	if !ok || slash < 0 {
		return relay{}, false
	}
	r.host, r.path = rest[:slash], rest[slash+1:]
	if i := bytes.IndexByte(r.host, '~'); i >= 0 {
		r.host = r.host[:i] // a version follows
	}
	if i := bytes.LastIndexByte(r.host, ':'); i >= 0 && (i+1 == len(r.host) || isNumber(r.host[i+1:])) {
		r.host = r.host[:i]
	}
	start := len(r.host)
	for start > 0 && hostByte(r.host[start-1]) {
		start--
	}
	r.host = r.host[start:]
	r.path = bytes.TrimSuffix(r.path, []byte("#"))
	if i := bytes.IndexByte(r.path, '?'); i >= 0 {
		r.path, r.query = r.path[:i], r.path[i+1:]
	}
	if i := bytes.IndexByte(r.path, '~'); i >= 0 {
		r.path = r.path[:i]
	}
	return r, true
}

func hostByte(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '.' || c == '-' || c == '_'
}

// observe appends how far the request got: the ladder of ProxyLogon. o says from where it came.
func (r *relay) observe(o logs.Observation, status, server []byte, obs []logs.Observation) []logs.Observation {
	o.Kind, o.Action, o.Inference = logs.Access, r.path, logs.ProxyLogonProbe
	o.Object, o.ObjectKind = r.host, "host"
	if len(r.host) == 0 || bytes.EqualFold(r.host, []byte("localhost")) {
		o.Object = server
	}
	o.OK, o.Unknown = string(status) == "200", len(status) == 0
	begins := func(path string) bool { _, ok := cutPrefixFold(r.path, path); return ok }
	switch {
	case begins("autodiscover/"):
		o.Exposure = logs.Metadata // the name of the server and of a mailbox in the directory
	case begins("mapi/nspi"), begins("oab/"):
		o.Inference, o.Exposure = logs.AddressBookRead, logs.Metadata
	case begins("mapi/emsmdb"):
		o.Inference, o.Exposure = logs.ProxyLogonSID, logs.Metadata
		id := webrequest.Param(r.query, "MailboxId")
		if id == nil {
			id = webrequest.Param(r.query, "mailboxId")
		}
		if len(id) > 0 {
			o.Object, o.ObjectKind = id, "mailbox"
		}
	case begins("ecp/proxylogon.ecp"):
		o.Inference, o.OK = logs.ProxyLogonSession, string(status) == "241"
	case begins("ecp/ddi/ddiservice.svc/setobject") && webrequest.ResetsDirectory(r.query) && o.OK:
		o.Target = webrequest.Param(r.query, "schema")
		return webrequest.Written(o, obs)
	case begins("ecp/ddi/"):
		// The lists of mailboxes, the addresses of virtual directories: the schema says which.
		o.Inference, o.Exposure, o.Target = logs.ProxyLogonDirectory, logs.Metadata, webrequest.Param(r.query, "schema")
	case begins("powershell"):
		o.Inference = logs.ProxyShellPowerShell
	case begins("ews/"), begins("owa/"), begins("rpc/"), begins("microsoft-server-activesync"), begins("api/"):
		o.Inference, o.Exposure = logs.ProxyLogonMailbox, logs.Content
		if o.OK && o.Bytes >= 0 && o.Bytes < webrequest.Fault {
			o.OK, o.Unknown = false, true
		}
	}
	return append(obs, o)
}
