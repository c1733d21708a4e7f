package remoteaccess

import (
	"bytes"
	"time"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs/timestamp"
)

// stamp is a reading of a clock: days since 1970 and nanoseconds since midnight.
type stamp struct{ day, clock int64 }

// in returns the time at which a clock of that zone read so, in nanoseconds since 1970.
func (s stamp) in(zone *time.Location) int64 {
	if s == (stamp{}) {
		return event.UnknownTime
	}
	return timestamp.In(s.day*int64(24*time.Hour)+s.clock, zone)
}

// traceTime reads the level and time that begin a line of AnyDesk's trace, "   info 2024-02-16 20:29:04.298  back 4668 6440 …", and returns what follows.
func traceTime(l []byte) (rest []byte, when stamp, ok bool) {
	p := bytes.TrimLeft(l, " ")
	n := 0
	for n < len(p) && n < 12 && 'a' <= p[n]|0x20 && p[n]|0x20 <= 'z' {
		n++
	}
	if n < 3 || n >= len(p) || p[n] != ' ' {
		return nil, when, false
	}
	p = bytes.TrimLeft(p[n:], " ")
	if len(p) < 24 || p[4] != '-' || p[10] != ' ' || p[19] != '.' {
		return nil, when, false
	}
	day, ok1 := timestamp.DashDate(p[:10])
	end := bytes.IndexByte(p[11:], ' ')
	if !ok1 || end < 0 {
		return nil, when, false
	}
	clock, ok2 := timestamp.Clock(p[11 : 11+end])
	return bytes.TrimLeft(p[11+end:], " "), stamp{day, clock}, ok2
}

// connectionTime reads the beginning of a line of connection_trace.txt: "Incoming    2024-02-16, 20:29    User …".
func connectionTime(l []byte) (rest []byte, when stamp, ok bool) {
	i := bytes.IndexByte(l, ' ')
	if i < 0 || string(l[:i]) != "Incoming" && string(l[:i]) != "Outgoing" {
		return nil, when, false
	}
	p := bytes.TrimLeft(l[i:], " ")
	if len(p) < 17 || p[10] != ',' || p[11] != ' ' || p[14] != ':' {
		return nil, when, false
	}
	day, ok1 := timestamp.DashDate(p[:10])
	var clock [8]byte
	copy(clock[copy(clock[:], p[12:17]):], ":00")
	n := 17
	if len(p) >= 20 && p[17] == ':' {
		n += copy(clock[5:], p[17:20])
	}
	ns, ok2 := timestamp.Clock(clock[:])
	return bytes.TrimLeft(p[n:], " "), stamp{day, ns}, ok1 && ok2 && (n == len(p) || p[n] == ' ')
}

// logTime reads the time that begins a line of TeamViewer's log, "2024/02/16 06:05:19.349  2136       3688  0   text", and returns what follows.
func logTime(l []byte) (rest []byte, when stamp, ok bool) {
	if len(l) < 24 || l[4] != '/' || l[7] != '/' || l[10] != ' ' || l[19] != '.' || l[23] != ' ' {
		return nil, when, false
	}
	day, ok1 := timestamp.DashDate(l[:10])
	clock, ok2 := timestamp.Clock(l[11:23])
	return bytes.TrimLeft(l[23:], " "), stamp{day, clock}, ok1 && ok2
}

// dayFirst reads "16-02-2024 14:16:32".
func dayFirst(p []byte) (when stamp, ok bool) {
	if len(p) != 19 || p[2] != '-' || p[5] != '-' || p[10] != ' ' {
		return when, false
	}
	var d [10]byte
	copy(d[:], p[6:10])
	d[4], d[7] = '-', '-'
	copy(d[5:], p[3:5])
	copy(d[8:], p[:2])
	day, ok1 := timestamp.DashDate(d[:])
	clock, ok2 := timestamp.Clock(p[11:])
	return stamp{day, clock}, ok1 && ok2
}
