package sigma

import (
	"bytes"
	"math"
	"strconv"
	"time"
)

// numeral is a number as rules compare it: exact where it is whole and fits 64 bits, else the nearest float64.
type numeral struct {
	float     float64
	whole     bool // magnitude, negative or not, is the number
	negative  bool
	magnitude uint64
}

func wholeNumber(magnitude uint64, negative bool) numeral {
	n := numeral{float: float64(magnitude), whole: true, negative: negative && magnitude != 0, magnitude: magnitude}
	if n.negative {
		n.float = -n.float
	}
	return n
}

// compare returns -1 if a is less than b, 1 if it is more, else 0.
func (a numeral) compare(b numeral) int {
	if !a.whole || !b.whole {
		switch {
		case a.float < b.float:
			return -1
		case a.float > b.float:
			return 1
		}
		return 0
	}
	less := a.magnitude < b.magnitude
	switch {
	case a.negative != b.negative:
		less = a.negative
	case a.magnitude == b.magnitude:
		return 0
	case a.negative:
		less = !less
	}
	if less {
		return -1
	}
	return 1
}

func (t *test) matchesNumber(raw []byte) bool {
	var x numeral
	var ok bool
	if t.part == wholeTime {
		x, ok = parseNumber(raw)
	} else {
		x, ok = t.part.of(raw)
	}
	if !ok {
		return false
	}
	switch c := x.compare(t.number); t.compare {
	case "lt":
		return c < 0
	case "lte":
		return c <= 0
	case "gt":
		return c > 0
	case "gte":
		return c >= 0
	default:
		return c == 0
	}
}

// parseNumber reads a decimal number, or an integer like 0x1f.
func parseNumber(p []byte) (numeral, bool) {
	p = bytes.TrimSpace(p)
	if len(p) > 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X') && len(p) <= 18 {
		n := uint64(0)
		for _, c := range p[2:] {
			switch {
			case '0' <= c && c <= '9':
				n = n<<4 | uint64(c-'0')
			case 'a' <= c|0x20 && c|0x20 <= 'f':
				n = n<<4 | uint64(c|0x20-'a'+10)
			default:
				return numeral{}, false
			}
		}
		return wholeNumber(n, false), true
	}
	// ParseFloat allocates for what is no number, and takes more than numbers.
	digits, dot, exponent, sign := 0, false, false, false
	magnitude, fits := uint64(0), true
	for i, c := range p {
		switch {
		case '0' <= c && c <= '9':
			digits++
			d := uint64(c - '0')
			if magnitude > (math.MaxUint64-d)/10 {
				fits = false
			}
			magnitude = 10*magnitude + d
		case (c == '-' || c == '+') && i == 0:
			sign = c == '-'
		case (c == '-' || c == '+') && p[i-1]|0x20 == 'e':
		case c == '.' && !dot && !exponent:
			dot = true
		case c|0x20 == 'e' && digits > 0 && !exponent && i+1 < len(p) && p[len(p)-1] >= '0' && p[len(p)-1] <= '9':
			exponent = true
		default:
			return numeral{}, false
		}
	}
	if digits == 0 || len(p) > 64 {
		return numeral{}, false
	}
	if !dot && !exponent && fits {
		return wholeNumber(magnitude, sign), true
	}
	x, err := strconv.ParseFloat(unsafeString(p), 64)
	if err != nil {
		return numeral{}, false
	}
	if abs := math.Abs(x); abs < 1<<53 && abs == math.Trunc(abs) {
		return wholeNumber(uint64(abs), x < 0), true
	}
	return numeral{float: x}, true
}

// timePart is a part of a time.
type timePart uint8

const (
	wholeTime timePart = iota
	minutePart
	hourPart
	dayPart
	weekPart
	monthPart
	yearPart
)

func timePartOf(name string) timePart {
	switch name {
	case "minute":
		return minutePart
	case "hour":
		return hourPart
	case "day":
		return dayPart
	case "week":
		return weekPart
	case "month":
		return monthPart
	case "year":
		return yearPart
	}
	return wholeTime
}

// of returns the part of the time that p begins with, as it is written there: 2006-01-02 15:04, with T or a space.
func (t timePart) of(p []byte) (numeral, bool) {
	p = bytes.TrimSpace(p)
	num := func(from, to int) int {
		if len(p) < to {
			return -1
		}
		n := 0
		for _, c := range p[from:to] {
			if c < '0' || c > '9' {
				return -1
			}
			n = 10*n + int(c-'0')
		}
		return n
	}
	small := func(n int) (numeral, bool) { return wholeNumber(uint64(n), false), true }
	year, month, day := num(0, 4), num(5, 7), num(8, 10)
	if year < 0 || month < 1 || month > 12 || day < 1 || day > 31 || p[4] != '-' || p[7] != '-' {
		return numeral{}, false
	}
	switch t {
	case yearPart:
		return small(year)
	case monthPart:
		return small(month)
	case dayPart:
		return small(day)
	case weekPart:
		_, week := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).ISOWeek()
		return small(week)
	}
	hour, minute := num(11, 13), num(14, 16)
	if hour < 0 || hour > 23 || minute < 0 || minute > 59 || p[10] != 'T' && p[10] != 't' && p[10] != ' ' || p[13] != ':' {
		return numeral{}, false
	}
	if t == hourPart {
		return small(hour)
	}
	return small(minute)
}
