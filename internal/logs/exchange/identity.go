package exchange

import (
	"bytes"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
)

// Identities implements [logs.Identifier]: HttpProxy routes a request by the SID of who signed in (AnchorMailbox Sid~…, mail-forensics 1.2), the log of
// cmdlets has the SID of who ran them. The GUID of a mailbox stands in neither beside the name of its owner: whoever opens it signs in by his own.
// HttpProxy names the server that it passed a request on to, too (TargetServer).
func (p *parser) Identities(e *event.Event, list []logs.Identity) []logs.Identity {
	s := p.look(e.Shape)
	account := e.Role(event.Account).Data
	if len(account) == 0 {
		return list
	}
	slot := -1
	switch s.see {
	case seeRequest:
		slot = s.anchor
	case seeCmdlet:
		slot = s.executing
	}
	if slot < 0 {
		return list
	}
	id := e.Values[slot].Data
	if s.see == seeRequest {
		if t := s.target; t >= 0 && len(e.Values[t].Data) > 0 && s.served(e) {
			list = append(list, logs.Identity{Name: e.Values[t].Data, ID: exchangeServer})
		}
		rest, ok := cutPrefixFold(id, "sid~")
		if !ok {
			return list
		}
		id = rest
	}
	if machine(account) || len(id) < len(accountSID) || !bytes.EqualFold(id[:4], []byte("S-1-")) {
		return list
	}
	return append(list, logs.Identity{Name: account, ID: id})
}

var exchangeServer = []byte(logs.ExchangeServer)

// served reports whether a request was answered by the server that it was passed on to: a client that exploits CVE-2021-26855 names any.
func (s *slots) served(e *event.Event) bool {
	if s.status < 0 || s.anchor < 0 {
		return false
	}
	status := e.Values[s.status].Data
	_, named := cutPrefixFold(e.Values[s.anchor].Data, "serverinfo~")
	return !named && len(status) == 3 && (status[0] == '2' || status[0] == '3')
}

// accountSID is shorter than the SID of any account.
const accountSID = "S-1-5-21-"
