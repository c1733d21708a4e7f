package json

import (
	"bytes"
	"math"

	"github.com/barid-dfir/barid/internal/event"
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
		if t, n := ISO(p); n > 0 && n == len(p) {
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

// ISO reads a date and time as ISO 8601 and RFC 3339 write them at the start of p: 2006-01-02T15:04:05.999+02:00, with T
// or a blank, with up to nine digits after a point or a comma, without a zone in UTC. It returns nanoseconds since 1970 UTC
// and the length read; 0 if there is none.
func ISO(p []byte) (ns int64, n int) {
	ns, n, _ = isoLocal(p)
	return ns, n
}

// isoLocal is ISO; it reports whether there was a zone.
func isoLocal(p []byte) (ns int64, n int, zone bool) {
	if len(p) < 19 || p[4] != '-' || p[7] != '-' || p[10] != 'T' && p[10] != ' ' && p[10] != 't' || p[13] != ':' || p[16] != ':' {
		return 0, 0, false
	}
	year, ok1 := digits(p[0:4])
	month, ok2 := digits(p[5:7])
	day, ok3 := digits(p[8:10])
	hour, ok4 := digits(p[11:13])
	minute, ok5 := digits(p[14:16])
	second, ok6 := digits(p[17:19])
	if !(ok1 && ok2 && ok3 && ok4 && ok5 && ok6) || year < 1678 || year > 2261 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 24 || minute > 59 || second > 60 {
		return 0, 0, false
	}
	ns = (days(year, month, day)*86400 + int64(hour*3600+minute*60+second)) * 1e9
	n = 19
	if n+1 < len(p) && (p[n] == '.' || p[n] == ',') && isDigit(p[n+1]) {
		unit := int64(1e8)
		for n++; n < len(p) && isDigit(p[n]); n++ {
			ns += int64(p[n]-'0') * unit
			unit /= 10
		}
	}
	if n < len(p) && (p[n] == 'Z' || p[n] == 'z') {
		return ns, n + 1, true
	}
	if n+2 < len(p) && (p[n] == '+' || p[n] == '-') {
		h, ok := digits(p[n+1 : n+3])
		if !ok || h > 24 {
			return ns, n, false
		}
		end, m := n+3, 0
		if i := end; i < len(p) {
			if p[i] == ':' {
				i++
			}
			if i+2 <= len(p) {
				if v, ok := digits(p[i : i+2]); ok && v < 60 {
					m, end = v, i+2
				}
			}
		}
		off := int64(h*3600+m*60) * 1e9
		if p[n] == '-' {
			off = -off
		}
		return ns - off, end, true
	}
	return ns, n, false
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func digits(p []byte) (int, bool) {
	v := 0
	for _, c := range p {
		if !isDigit(c) {
			return 0, false
		}
		v = v*10 + int(c-'0')
	}
	return v, true
}

// days returns the days from 1970-01-01 to a date of the Gregorian calendar.
func days(y, m, d int) int64 {
	if m <= 2 {
		y--
		m += 12
	}
	return int64(365*y+y/4-y/100+y/400+(153*(m-3)+2)/5+d-1) - 719468
}
