package remoteaccess

import (
	"bytes"
	"time"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
)

// Observe implements [logs.Parser].
func (p *parser) Observe(e *event.Event, obs []logs.Observation) []logs.Observation {
	v := e.Values
	o := logs.Observation{Kind: logs.Login, Bytes: -1, Count: -1}
	switch kind(e.Shape.Tag) {
	case anydeskTrace:
		o.Channel, o.Account, o.IP, o.Action = "anydesk", v[tClient].Data, v[tIP].Data, v[tMethod].Data
		switch string(v[tEvent].Data) {
		case "authenticated":
			o.OK = true
		case "refused":
		case "connected", "request": // which says neither whether it was let in nor, of connected, who called whom
			o.Unknown, o.Count, o.Action = true, 0, v[tEvent].Data
		case "file-transfer":
			return append(obs, transferred(o, v[tEvent].Data, v[tPath].Data, "folder"))
		default:
			return obs
		}
	case anydeskConnections:
		if string(v[cDirection].Data) != "Incoming" {
			return obs
		}
		o.Channel, o.Account, o.Action = "anydesk", v[cClient].Data, v[cMethod].Data
		o.OK = !bytes.EqualFold(v[cMethod].Data, []byte("REJECTED"))
	case teamviewerLog:
		o.Channel, o.Account, o.Action = "teamviewer", v[lClient].Data, v[lMethod].Data
		switch string(v[lEvent].Data) {
		case "authenticated":
			o.OK = true
		case "refused":
		case "handshake":
			o.Unknown, o.Count, o.Action = true, 0, v[lEvent].Data
		case "file-transfer":
			return append(obs, transferred(o, v[lEvent].Data, v[lPath].Data, "file"))
		default:
			return obs
		}
	case teamviewerConnections:
		o.Channel, o.OK, o.Action, o.Session = "teamviewer", true, v[nMode].Data, v[nSession].Data
		o.After = lasted(e.Time, v[nEnd].Data)
		if string(v[nDirection].Data) == "outgoing" {
			o.Kind, o.Account, o.Object, o.ObjectKind, o.Inference = logs.Access, v[nUser].Data, v[nClient].Data, "host", logs.SignedIn
			break
		}
		o.Account, o.Target = v[nClient].Data, v[nUser].Data
	default:
		return obs
	}
	if o.OK {
		o.Inference = logs.SignedIn
	}
	return append(obs, o)
}

// transferred returns the observation that files of this computer were made ready to be sent to the other side. That they arrived, the logs do not say;
// and what these lines look like is what practitioners know.
func transferred(o logs.Observation, action, path []byte, object string) logs.Observation {
	o.Kind, o.OK, o.Action = logs.Access, true, action
	o.Object, o.ObjectKind = path, object
	o.Inference, o.Exposure = logs.FileReadGranted, logs.Content
	return o
}

// longest is how long a connection is believed to have lasted.
const longest = 31 * 24 * time.Hour

// lasted returns how long a connection that began at start lasted, by the text of its end: 0 if that cannot be read, or is no later.
func lasted(start int64, end []byte) time.Duration {
	s, ok := dayFirst(end)
	if !ok || start == event.UnknownTime {
		return 0
	}
	if n := s.in(time.UTC); n > start {
		return min(time.Duration(n-start), longest)
	}
	return 0
}
