package json

import (
	"bytes"
	"math"
	"time"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs/timestamp"
)

// Time reads a time as JSON logs write it: RFC 3339 and its relatives (a blank for the T, no zone: UTC), seconds, milli-,
// micro- or nanoseconds since 1970 as a number or a string, and the /Date(ms)/ of older Microsoft services.
// It returns nanoseconds since 1970 UTC, or event.UnknownTime.
func Time(v event.Value) int64 {
	p := v.Data
	switch v.Kind {
	case event.Number:
		return epoch(p)
	case event.Escape: // only the slashes of /Date(…)\/ are ever escaped
		p = bytes.TrimPrefix(bytes.TrimPrefix(p, []byte{'\\'}), []byte("/Date("))
		if i := bytes.IndexByte(p, ')'); i > 0 {
			return epoch(p[:i])
		}
		return event.UnknownTime
	case event.UTF8:
		if t, ok := timestamp.RFC3339(p, time.UTC); ok {
			return t
		}
		if bytes.HasPrefix(p, []byte("/Date(")) {
			p = p[len("/Date("):]
			if i := bytes.IndexByte(p, ')'); i > 0 {
				return epoch(p[:i])
			}
		}
		return epoch(p)
	}
	return event.UnknownTime
}

// epoch reads a decimal number of seconds, or of a smaller unit where it is too large for that.
func epoch(p []byte) int64 {
	whole, frac, i := int64(0), int64(0), 0
	for ; i < len(p) && isDigit(p[i]); i++ {
		if i > 18 {
			return event.UnknownTime
		}
		whole = whole*10 + int64(p[i]-'0')
	}
	if i < 9 { // before 1973: a counter, not a time
		return event.UnknownTime
	}
	if i < len(p) && p[i] == '.' {
		i++
		unit := int64(1e8)
		for ; i < len(p) && isDigit(p[i]); i++ {
			frac += int64(p[i]-'0') * unit
			unit /= 10
		}
	}
	if i != len(p) {
		return event.UnknownTime
	}
	switch {
	case whole < 1e11:
		if whole >= math.MaxInt64/1_000_000_000 {
			return event.UnknownTime
		}
		return whole*1e9 + frac
	case whole < 1e14:
		return whole * 1e6
	case whole < 1e17:
		return whole * 1e3
	}
	return whole
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
