package syslog

import (
	"bytes"
	"time"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs/timestamp"
)

// header is what stands before the message of a line. Its slices are views of the line; nil where the line has no such part.
type header struct {
	priority, host, program, pid, msgid, data []byte
	message                                   []byte

	// The time: the clock's reading since midnight on a day of a month, in the year if it says one (else 0).
	year, month, day int
	clock            int64
	// zoned is set where the line says its zone: offset is then to be taken from the clock.
	zoned  bool
	offset int64
	form   form
	// absolute is set where the line holds the time itself.
	absolute bool
	unix     int64
}

// parse reads the header of a line. It reports false for a line that has no time at its start: none that a syslog wrote.
func (h *header) parse(line []byte) bool {
	rest, ok := h.stamp(line)
	return ok && h.finish(rest)
}

// stamp reads the priority and the time of a line and returns what follows them. It reports false if there is no time.
//
// The forms are those of RFC 3164 (section 4.1) and its relatives (a year before or after the day, ISO time, no
// host, an angle-bracketed facility), RFC 5424 (section 6), the own files of Dovecot, Exim and Roundcube, and TAI64N.
func (h *header) stamp(line []byte) (rest []byte, ok bool) {
	*h = header{}
	p := line
	if len(p) > 2 && p[0] == '<' && isDigit(p[1]) {
		n := 2
		for n < len(p) && n < 4 && isDigit(p[n]) {
			n++
		}
		if n < len(p) && p[n] == '>' {
			h.priority = p[1:n]
			p = p[n+1:]
			if len(p) > 2 && p[0] == '1' && p[1] == ' ' {
				return h.stamp5424(p[2:])
			}
		}
	}
	if len(p) < 15 {
		return nil, false
	}
	n := 0
	switch c := p[0]; {
	case 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z':
		n = h.date3164(p)
	case isDigit(c):
		if n = h.dateISO(p); n > 0 {
			h.form = isoForm
			break
		}
		// The year in front: 2016 Mar 23 15:04:05
		if year, digits := number(p); digits == 4 && p[4] == ' ' {
			if n = h.date3164(p[5:]); n > 0 {
				h.year = year
				n += 5
			}
		}
	case c == '[':
		n = h.dateBracket(p)
		h.form = bracketForm
	case c == '@':
		n = h.dateTAI(p)
	}
	if n == 0 {
		return nil, false
	}
	p = p[n:]
	if len(p) > 0 && p[0] == ':' { // Cisco, Roundcube and some others end the time with a colon
		p = p[1:]
	}
	if len(p) > 0 && p[0] != ' ' {
		return nil, false
	}
	return trimBlanks(p), true
}

// finish reads what follows the time.
func (h *header) finish(p []byte) bool {
	switch h.form {
	case bracketForm:
		h.message = p
		return true
	case ietfForm:
		return h.finish5424(p)
	}
	if len(p) > 2 && p[0] == '<' { // the facility as BSD's syslogd -v writes it
		if i := bytes.IndexByte(p, '>'); i > 0 && i < 24 && i+1 < len(p) && p[i+1] == ' ' {
			p = p[i+2:]
		}
	}
	h.sender(p)
	return true
}

// normalise takes from the message what Solaris puts before it ([ID 800047 auth.info]), and what went through the kernel's log
// and back (kernel: [  970.699396]).
func (h *header) normalise() {
	m := h.message
	rest, kernel := cutAny(m, "kernel:")
	if kernel {
		rest = trimBlanks(rest)
	}
	if has(m, "[ID ") || kernel && len(rest) > 0 && rest[0] == '[' {
		if i := bytes.IndexByte(rest, ']'); i > 0 {
			rest = rest[i+1:]
			if kernel {
				rest = bytes.TrimPrefix(rest, []byte(":"))
			}
			h.message = trimBlanks(rest)
		}
	}
}

// form is how a line is written.
type form uint8

const (
	bsdForm form = iota
	isoForm
	bracketForm
	ietfForm
)

// sender reads what stands between the time and the message: host and program, either of which may be missing.
func (h *header) sender(p []byte) {
	if h.tag(p) {
		return
	}
	i := bytes.IndexByte(p, ' ')
	if i < 0 {
		h.message = p
		return
	}
	rest := trimBlanks(p[i:])
	if h.tag(rest) {
		h.host = p[:i]
		return
	}
	if h.form == isoForm { // Exim's own log has neither
		h.message = p
		return
	}
	h.host, h.message = p[:i], rest
}

// tag reads a program, its pid and the message: "sshd[42]: text". It reports false, and reads nothing, where p does not begin so.
func (h *header) tag(p []byte) bool {
	n := len(p)
	if n > 64 {
		n = 64
	}
	for i := 0; i < n; i++ {
		switch c := p[i]; {
		case tagByte[c]:
		case c == ':':
			if i == 0 || i+1 < len(p) && p[i+1] != ' ' {
				return false
			}
			h.program, h.message = p[:i], trimBlanks(p[i+1:])
			return true
		case c == '[':
			end := i + 1
			for end < len(p) && end-i < 24 && p[end] != ']' && p[end] != ' ' {
				end++
			}
			if end >= len(p) || p[end] != ']' || end == 1 {
				return false
			}
			if i == 0 { // [sshd]: text, or [sshd] text
				h.program = p[1:end]
			} else {
				h.program, h.pid = p[:i], p[i+1:end]
			}
			rest := p[end+1:]
			if len(rest) > 0 && rest[0] == ':' {
				rest = rest[1:]
			} else if len(rest) > 0 && rest[0] != ' ' {
				h.program, h.pid = nil, nil
				return false
			}
			h.message = trimBlanks(rest)
			return true
		case c == '(' || c == '<':
			// imap(ana)<42><session>: text; sshd(pam_unix)[42]: text
			end := bytes.Index(p[i:], []byte(": "))
			if end < 0 || bytes.IndexByte(p[i:i+end], ' ') >= 0 && c != '(' {
				return false
			}
			name := p[:i+end]
			if c == '(' && bytes.IndexByte(name, ')') < 0 {
				return false
			}
			h.program, h.message = name, trimBlanks(p[i+end+1:])
			if open := bytes.IndexByte(name, '['); open > 0 && name[len(name)-1] == ']' {
				h.program, h.pid = name[:open], name[open+1:len(name)-1]
			}
			return true
		default:
			return false
		}
	}
	return false
}

// stamp5424 reads the time that follows the version (RFC 5424, section 6.2).
func (h *header) stamp5424(p []byte) ([]byte, bool) {
	h.form = ietfForm
	n := bytes.IndexByte(p, ' ')
	if n <= 0 {
		return nil, false
	}
	if n == 1 && p[0] == '-' {
		h.absolute, h.unix = true, event.UnknownTime
	} else if h.dateISO(p[:n]) != n {
		return nil, false
	}
	return p[n+1:], true
}

// finish5424 reads host, program, process, message identifier, structured data and message.
func (h *header) finish5424(p []byte) bool {
	var part [4][]byte
	for i := range part {
		n := bytes.IndexByte(p, ' ')
		if n <= 0 {
			return false
		}
		part[i], p = p[:n], p[n+1:]
		if len(part[i]) == 1 && part[i][0] == '-' {
			part[i] = nil
		}
	}
	h.host, h.program, h.pid, h.msgid = part[0], part[1], part[2], part[3]
	if len(p) > 0 && p[0] == '-' {
		p = p[1:]
	} else if n := structured(p); n > 0 {
		h.data, p = p[:n], p[n:]
	} else {
		return false
	}
	h.message = bytes.TrimPrefix(trimBlanks(p), []byte("\xEF\xBB\xBF"))
	return true
}

// structured returns the length of the structured data at the start of p; 0 if it is broken.
func structured(p []byte) int {
	i := 0
	for i < len(p) && p[i] == '[' {
		quoted := false
		for i++; ; i++ {
			if i >= len(p) {
				return 0
			}
			switch {
			case p[i] == '"':
				quoted = !quoted
			case p[i] == '\\' && quoted:
				i++
			case p[i] == ']' && !quoted:
				goto next
			}
		}
	next:
		i++
	}
	return i
}

// date3164 reads "Mar  3 02:11:04", with a year before or after the clock, decimals, or a zone's offset; it returns the length, or 0.
func (h *header) date3164(p []byte) int {
	if h.month = timestamp.Month(p); h.month == 0 || len(p) < 14 || p[3] != ' ' {
		return 0
	}
	i := 4
	for i < len(p) && i < 6 && p[i] == ' ' {
		i++
	}
	day, n := number(p[i:])
	if n < 1 || n > 2 || day < 1 || day > 31 {
		return 0
	}
	h.day = day
	if i += n; i >= len(p) || p[i] != ' ' {
		return 0
	}
	i++
	if year, n := number(p[i:]); n == 4 && i+4 < len(p) && p[i+4] == ' ' {
		h.year = year
		i += 5
	}
	n = clockLen(p[i:])
	if n == 0 {
		return 0
	}
	var ok bool
	if h.clock, ok = timestamp.Clock(p[i : i+n]); !ok {
		return 0
	}
	i += n
	if i+5 < len(p) && p[i] == ' ' && h.year == 0 {
		if year, n := number(p[i+1:]); n == 4 && year >= 1970 && year < 2200 && (i+5 == len(p) || p[i+5] == ' ' || p[i+5] == ':') {
			h.year = year
			i += 5
		}
	}
	return i
}

// dateISO reads "2022-07-20T16:04:05.123+02:00" or "2022-07-20 16:04:05" and returns the length, or 0.
func (h *header) dateISO(p []byte) int {
	if len(p) < 19 || p[4] != '-' || p[7] != '-' || p[10] != 'T' && p[10] != ' ' {
		return 0
	}
	year, n1 := number(p[:4])
	month, n2 := number(p[5:7])
	day, n3 := number(p[8:10])
	if n1 != 4 || n2 != 2 || n3 != 2 {
		return 0
	}
	n := clockLen(p[11:])
	if n == 0 {
		return 0
	}
	clock, ok := timestamp.Clock(p[11 : 11+n])
	if !ok {
		return 0
	}
	if _, ok := timestamp.Day(year, month, day); !ok {
		return 0
	}
	h.year, h.month, h.day, h.clock = year, month, day, clock
	i := 11 + n
	if i < len(p) && p[i] == 'Z' {
		h.zoned = true
		return i + 1
	}
	j := i
	if j < len(p) && p[j] == ' ' {
		j++ // Exim with log_timezone
	}
	for _, n := range [...]int{6, 5} {
		if j+n <= len(p) && (j+n == len(p) || p[j+n] == ' ') {
			if off, ok := timestamp.Offset(p[j : j+n]); ok {
				h.zoned, h.offset = true, off
				return j + n
			}
		}
	}
	return i
}

// dateBracket reads "[17-Feb-2013 11:51:43 +0100]" and returns the length, or 0.
func (h *header) dateBracket(p []byte) int {
	end := bytes.IndexByte(p, ']')
	if end < 21 || end > 40 || p[3] != '-' || p[7] != '-' || p[12] != ' ' {
		return 0
	}
	day, n1 := number(p[1:3])
	year, n2 := number(p[8:12])
	n := clockLen(p[13:])
	if h.month = timestamp.Month(p[4:]); h.month == 0 || n1 != 2 || n2 != 4 || n == 0 {
		return 0
	}
	clock, ok := timestamp.Clock(p[13 : 13+n])
	if !ok {
		return 0
	}
	if _, ok := timestamp.Day(year, h.month, day); !ok {
		return 0
	}
	h.year, h.day, h.clock = year, day, clock
	if off, ok := timestamp.Offset(trimBlanks(p[13+n : end])); ok {
		h.zoned, h.offset = true, off
	}
	return end + 1
}

// dateTAI reads the TAI64N label of multilog, "@400000004c91b044077a9e94" (cr.yp.to, "TAI64, TAI64N, and TAI64NA"), and
// returns the length, or 0.
func (h *header) dateTAI(p []byte) int {
	if len(p) < 25 {
		return 0
	}
	var v [2]uint64
	for i, c := range p[1:25] {
		d := uint64(0)
		switch {
		case isDigit(c):
			d = uint64(c - '0')
		case 'a' <= c && c <= 'f':
			d = uint64(c-'a') + 10
		default:
			return 0
		}
		v[i/16] = v[i/16]<<4 | d
	}
	sec := int64(v[0]) - 1<<62 - 10 // the label counts TAI, and its writer takes that to be 10 s ahead
	if v[0] < 1<<62 || v[0] >= 1<<63 || sec > 9e9 || sec < 0 || v[1] >= 1e9 {
		return 0
	}
	h.absolute, h.unix = true, sec*int64(time.Second)+int64(v[1])
	return 25
}

// clockLen returns the length of the clock's reading at the start of p, decimals included; 0 if there is none.
func clockLen(p []byte) int {
	if len(p) < 8 || p[2] != ':' || p[5] != ':' {
		return 0
	}
	n := 8
	if n+1 < len(p) && (p[n] == '.' || p[n] == ',') && isDigit(p[n+1]) {
		for n++; n < len(p) && n < 18 && isDigit(p[n]); n++ {
		}
	}
	return n
}

var tagByte = func() (t [256]bool) {
	for c := '0'; c <= '9'; c++ {
		t[c] = true
	}
	for c := 'a'; c <= 'z'; c++ {
		t[c], t[c-'a'+'A'] = true, true
	}
	for _, c := range "-_./@+*%$" {
		t[c] = true
	}
	return t
}()

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// number reads the decimal number at the start of p, of at most nine digits, and returns how many digits it has.
func number(p []byte) (v, n int) {
	for n < len(p) && n < 9 && isDigit(p[n]) {
		v = v*10 + int(p[n]-'0')
		n++
	}
	return v, n
}

func trimBlanks(p []byte) []byte {
	for len(p) > 0 && p[0] == ' ' {
		p = p[1:]
	}
	return p
}
