package exchange

import (
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
)

// longQuery is a length, in bytes, at which IIS may not have written the query of a request, which Exchange has added the identifier
// to: instead of one that is longer than 4,096 bytes it writes "...".
const longQuery = 3000

// Joint implements logs.Joiner. A line of HttpProxy has the identifier that its front end adds to the query in the log of IIS
// (mail-forensics 1.2); the EWS and MAPI logs of the back end repeat it for what came through a front end, of this server or another.
func (p *parser) Joint(e *event.Event) (j logs.Joint, ok bool) {
	s := p.look(e.Shape)
	if s.request < 0 {
		return j, false
	}
	switch s.see {
	case seeRequest:
		j.Sure = (s.query < 0 || len(e.Values[s.query].Data) < longQuery) && (s.path < 0 || len(e.Values[s.path].Data) < longQuery)
	case seeEws, seeMapi:
	default:
		return j, false
	}
	j.ID, ok = logs.GUID(e.Values[s.request].Data)
	return j, ok
}
