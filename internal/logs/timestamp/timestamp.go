// Package timestamp reads the times of log lines without allocating. Times are nanoseconds since 1970 UTC, as in
// event.Event; years 1678 to 2261 fit.
package timestamp

import "time"

// Day returns the number of days from 1970-01-01 to the given day of the Gregorian calendar, and whether there is such a day.
func Day(year, month, day int) (int64, bool) {
	if year < 1678 || year > 2261 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return 0, false
	}
	// Years are counted from March, so that the leap day comes last.
	if month <= 2 {
		year--
		month += 12
	}
	days := 365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 1
	return int64(days) - 719468, true
}

func daysIn(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// DashDate reads a date such as 2006-01-02 and returns its Day.
func DashDate(p []byte) (int64, bool) {
	if len(p) != 10 || p[4] != '-' && p[4] != '/' || p[7] != p[4] {
		return 0, false
	}
	y1, y2, m, d := two(p), two(p[2:]), two(p[5:]), two(p[8:])
	if y1|y2|m|d < 0 {
		return 0, false
	}
	return Day(y1*100+y2, m, d)
}

// Clock reads a time of day such as 15:04:05 or 15:04:05.678, of up to nine decimals, in nanoseconds. A leap second counts as the
// second after it.
func Clock(p []byte) (int64, bool) {
	if len(p) < 8 || p[2] != ':' || p[5] != ':' {
		return 0, false
	}
	h, m, s := two(p), two(p[3:]), two(p[6:])
	if h|m|s < 0 || h > 23 || m > 59 || s > 60 {
		return 0, false
	}
	ns := int64((h*60+m)*60+s) * int64(time.Second)
	if len(p) == 8 {
		return ns, true
	}
	if p[8] != '.' && p[8] != ',' || len(p) == 9 || len(p) > 18 {
		return 0, false
	}
	unit := int64(time.Second)
	for _, c := range p[9:] {
		if c < '0' || c > '9' {
			return 0, false
		}
		unit /= 10
		ns += int64(c-'0') * unit
	}
	return ns, true
}

// RFC3339 reads a time such as 2006-01-02T15:04:05.678Z or 2006-01-02 15:04:05+07:00 (RFC 3339, section 5.6, with a
// blank for the T and offsets without colon allowed; decimals after the ninth are dropped). A time without zone is
// taken to be in zone.
func RFC3339(p []byte, zone *time.Location) (int64, bool) {
	if len(p) < 19 || p[10] != 'T' && p[10] != ' ' && p[10] != 't' {
		return 0, false
	}
	day, ok := DashDate(p[:10])
	if !ok {
		return 0, false
	}
	end := 19
	if end < len(p) && (p[end] == '.' || p[end] == ',') {
		for end++; end < len(p) && '0' <= p[end] && p[end] <= '9'; end++ {
		}
	}
	clock, ok := Clock(p[11:min(end, 29)])
	if !ok {
		return 0, false
	}
	t := day*int64(24*time.Hour) + clock
	switch rest := p[end:]; {
	case len(rest) == 0:
		return In(t, zone), true
	case len(rest) == 1 && (rest[0] == 'Z' || rest[0] == 'z'):
		return t, true
	default:
		offset, ok := Offset(rest)
		return t - offset, ok
	}
}

// Offset reads an offset from UTC such as +0100 or -07:00, in nanoseconds.
func Offset(p []byte) (int64, bool) {
	if len(p) < 5 || p[0] != '+' && p[0] != '-' {
		return 0, false
	}
	h, m := two(p[1:]), -1
	switch {
	case len(p) == 5:
		m = two(p[3:])
	case len(p) == 6 && p[3] == ':':
		m = two(p[4:])
	}
	if h < 0 || m < 0 || h > 23 || m > 59 {
		return 0, false
	}
	ns := int64(h*60+m) * int64(time.Minute)
	if p[0] == '-' {
		ns = -ns
	}
	return ns, true
}

// In returns the time at which the clocks of zone show what t shows in UTC.
func In(t int64, zone *time.Location) int64 {
	if zone == nil || zone == time.UTC {
		return t
	}
	u := time.Unix(0, t).UTC()
	return time.Date(u.Year(), u.Month(), u.Day(), u.Hour(), u.Minute(), u.Second(), u.Nanosecond(), zone).UnixNano()
}

// Month returns the number of a month by the first three letters of its English name, or 0.
func Month(p []byte) int {
	if len(p) < 3 {
		return 0
	}
	switch [3]byte{p[0] | 0x20, p[1] | 0x20, p[2] | 0x20} {
	case [3]byte{'j', 'a', 'n'}:
		return 1
	case [3]byte{'f', 'e', 'b'}:
		return 2
	case [3]byte{'m', 'a', 'r'}:
		return 3
	case [3]byte{'a', 'p', 'r'}:
		return 4
	case [3]byte{'m', 'a', 'y'}:
		return 5
	case [3]byte{'j', 'u', 'n'}:
		return 6
	case [3]byte{'j', 'u', 'l'}:
		return 7
	case [3]byte{'a', 'u', 'g'}:
		return 8
	case [3]byte{'s', 'e', 'p'}:
		return 9
	case [3]byte{'o', 'c', 't'}:
		return 10
	case [3]byte{'n', 'o', 'v'}:
		return 11
	case [3]byte{'d', 'e', 'c'}:
		return 12
	}
	return 0
}

// two returns the number that the two digits at the start of p write, or a negative number.
func two(p []byte) int {
	a, b := int(p[0])-'0', int(p[1])-'0'
	if a < 0 || a > 9 || b < 0 || b > 9 {
		return -1
	}
	return a*10 + b
}
