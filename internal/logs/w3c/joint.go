package w3c

import (
	"bytes"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/webrequest"
)

// cafeReqID is what Exchange's front end adds to the query of every request that it handles; the value is the RequestId of its line
// in HttpProxy (mail-forensics 1.2).
var cafeReqID = []byte("cafeReqId=")

// Joint implements logs.Joiner. A line with status 401 and without an account need not be in HttpProxy, which drops those
// of requests without a name.
func (p *parser) Joint(e *event.Event) (j logs.Joint, ok bool) {
	p.look(e.Shape)
	s := &p.slots
	if s.query < 0 || s.port >= 0 && logs.IsBackEnd(e.Values[s.port].Data) {
		return j, false
	}
	query := e.Values[s.query].Data
	i := bytes.Index(query, cafeReqID)
	if i < 0 {
		return j, false
	}
	// What the client wrote stands before what the server adds.
	for query = query[i+len(cafeReqID):]; ; query = query[i+len(cafeReqID):] {
		if i = bytes.Index(query, cafeReqID); i < 0 {
			break
		}
	}
	if i = bytes.IndexByte(query, ';'); i >= 0 {
		query = query[:i]
	}
	if j.ID, ok = logs.GUID(query); !ok {
		return j, false
	}
	if s.stem >= 0 {
		j.Channel = webrequest.Channel(e.Values[s.stem].Data)
	}
	refused := s.status < 0 || string(e.Values[s.status].Data) == "401"
	j.Sure = !refused || s.account >= 0 && len(e.Values[s.account].Data) > 0
	return j, true
}
