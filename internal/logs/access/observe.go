package access

import (
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/webrequest"
)

// Observe implements logs.Parser.
func (p *parser) Observe(e *event.Event, obs []logs.Observation) []logs.Observation {
	if len(e.Values) == numErrorFields {
		return observeError(e, obs)
	}
	v := e.Values
	r := webrequest.Request{
		Method: v[fMethod].Data, Path: v[fStem].Data, Query: v[fQuery].Data, Status: v[fStatus].Data,
		Account: v[fUser].Data, Client: v[fClient].Data, UserAgent: v[fAgent].Data, Bytes: v[fBytes].Data,
		Host: v[fHost].Data, Escaped: true, Buffer: &p.text,
	}
	return webrequest.Observe(&r, obs)
}

// Answer implements logs.Answerer.
func (p *parser) Answer(e *event.Event) (client []byte, a event.Answer) {
	v := e.Values
	if len(v) == numErrorFields || len(v[fUser].Data) > 0 {
		return nil, a
	}
	return v[fClient].Data, webrequest.Answered(v[fMethod].Data, v[fStem].Data, v[fQuery].Data, v[fStatus].Data, v[fBytes].Data)
}
