package judge

import (
	"fmt"
	"slices"
	"time"

	"github.com/barid-dfir/barid/internal/event"
)

const unknownTime = event.UnknownTime

// when is which bound of a time is wanted where only the day is known, or no zone.
type when uint8

const (
	early when = iota
	late
)

// clocks reads the times of a list.
type clocks struct {
	zone    *time.Location // of times that name none
	assumed bool           // nobody said so
	widened bool           // a time was widened for want of a zone
	open    []openTime
	// dayFirst and monthFirst say that times were seen which can only be read so.
	dayFirst, monthFirst [2]bool
}

// openTime is a time that may be read in two ways: 03/02/2021.
type openTime struct {
	row                  int
	which                when
	dayFirst, monthFirst int64
}

// How far a time without a zone may be from what it says in UTC: zones go from UTC-12 to UTC+14.
const (
	zonesEast = 14 * time.Hour
	zonesWest = 12 * time.Hour
)

// read reads a time: RFC 3339, or as a spreadsheet writes it. One that may be read in two ways is unknown until resolve.
func (c *clocks) read(text []byte, row int, w when) (int64, error) {
	p := timeParts{rest: text}
	if !p.read() {
		return unknownTime, fmt.Errorf("%q is no time: write 2021-03-02T06:49:42Z", cutText(string(text)))
	}
	if p.order == yearFirst || p.order == dayFirst {
		return c.moment(&p, p.numbers[1], p.numbers[2], w)
	}
	// Day and month are the first two, in whatever order.
	asDay, errDay := c.moment(&p, p.numbers[2], p.numbers[1], w)
	asMonth, errMonth := c.moment(&p, p.numbers[1], p.numbers[2], w)
	switch {
	case errDay != nil && errMonth != nil:
		return unknownTime, errDay
	case errMonth != nil:
		c.dayFirst[w] = true
		return asDay, nil
	case errDay != nil:
		c.monthFirst[w] = true
		return asMonth, nil
	case asDay == asMonth:
		return asDay, nil
	}
	c.open = append(c.open, openTime{row, w, asDay, asMonth})
	return unknownTime, nil
}

// moment makes a time of the parts.
func (c *clocks) moment(p *timeParts, month, day int, w when) (int64, error) {
	year := p.numbers[0]
	zone := c.zone
	switch {
	case p.zoned && p.offset == 0, zone == nil:
		zone = time.UTC
	case p.zoned:
		zone = time.FixedZone("", p.offset)
	}
	t := time.Date(year, time.Month(month), day, p.hour, p.minute, p.second, p.nanos, zone)
	if month < 1 || month > 12 || day < 1 || day > 31 || t.Day() != day || p.hour > 23 || p.minute > 59 || p.second > 60 {
		return unknownTime, fmt.Errorf("%q is no time", cutText(string(p.text)))
	}
	if year < 1980 || year > 2100 {
		return unknownTime, fmt.Errorf("the year of %q is not believed", cutText(string(p.text)))
	}
	if w == late {
		switch {
		case !p.clock:
			t = t.AddDate(0, 0, 1).Add(-1)
		case !p.seconds:
			t = t.Add(time.Minute - 1)
		}
	}
	if c.assumed && !p.zoned {
		c.widened = true
		if w == early {
			t = t.Add(-zonesEast)
		} else {
			t = t.Add(zonesWest)
		}
	}
	return t.UnixNano(), nil
}

// forget gives up what was left open in a row, which is the last.
func (c *clocks) forget(row int) {
	for n := len(c.open); n > 0 && c.open[n-1].row == row; n-- {
		c.open = c.open[:n-1]
	}
}

// resolve says of every time that was left open what it is: set gets the row, which time it is, the time, and what is
// wrong with it if it stays unknown.
func (c *clocks) resolve(set func(row int, w when, at int64, problem string), note func(format string, args ...any)) {
	said := false
	for _, o := range c.open {
		day, month := slices.Contains(c.dayFirst[:], true), slices.Contains(c.monthFirst[:], true)
		switch {
		case day == month:
			set(o.row, o.which, unknownTime, "a time that may be day/month or month/day is not believed: write 2021-03-02T06:49:42Z")
			continue
		case day:
			set(o.row, o.which, o.dayFirst, "")
		default:
			set(o.row, o.which, o.monthFirst, "")
		}
		if !said {
			said = true
			order := map[bool]string{true: "day/month", false: "month/day"}[day]
			note("times that could be day/month or month/day are read as %s, since others of the list can only be that", order)
		}
	}
	c.open = nil
}

// order is the order of year, month and day in a date.
type order uint8

const (
	yearFirst order = iota
	dayFirst
	dayOrMonthFirst
)

// timeParts is a time taken apart.
type timeParts struct {
	text    []byte
	rest    []byte
	order   order
	numbers [3]int // year, month, day; where day or month come first: year, the first, the second
	hour    int
	minute  int
	second  int
	nanos   int
	clock   bool // it has a time of day
	seconds bool
	zoned   bool
	offset  int // of the zone, in seconds east of UTC
}

func (p *timeParts) read() bool {
	p.text = p.rest
	first, n := p.number()
	if n == 5 && (len(p.rest) == 0 || p.rest[0] == '.' || p.rest[0] == ',') {
		return p.serial(first)
	}
	sep := p.one("-/.")
	second, n2 := p.number()
	if sep == 0 || n2 < 1 || n2 > 2 || p.one(string(sep)) == 0 {
		return false
	}
	third, n3 := p.number()
	switch {
	case n == 4 && n3 >= 1 && n3 <= 2:
		p.numbers = [3]int{first, second, third}
	case n >= 1 && n <= 2 && (n3 == 4 || n3 == 2 && sep == '/'):
		if n3 == 2 {
			third += 2000
			if third >= 2070 {
				third -= 100
			}
		}
		p.order = dayOrMonthFirst
		p.numbers = [3]int{third, first, second}
		if sep == '.' {
			p.order = dayFirst
			p.numbers = [3]int{third, second, first}
		}
	default:
		return false
	}
	p.space()
	if len(p.rest) == 0 {
		return true
	}
	return p.ofDay()
}

// ofDay reads the time of day, and the zone.
func (p *timeParts) ofDay() bool {
	var n int
	if p.hour, n = p.number(); n < 1 || n > 2 || p.one(":") == 0 {
		return false
	}
	if p.minute, n = p.number(); n != 2 {
		return false
	}
	p.clock = true
	if p.one(":") != 0 {
		if p.second, n = p.number(); n != 2 {
			return false
		}
		p.seconds = true
		if p.one(".,") != 0 {
			v, n := p.number()
			if n < 1 || n > 9 {
				return false
			}
			for ; n < 9; n++ {
				v *= 10
			}
			p.nanos = v
		}
	}
	p.space()
	if len(p.rest) >= 2 && (p.rest[1]|0x20) == 'm' && ((p.rest[0]|0x20) == 'a' || (p.rest[0]|0x20) == 'p') {
		if p.hour < 1 || p.hour > 12 {
			return false
		}
		p.hour %= 12
		if (p.rest[0] | 0x20) == 'p' {
			p.hour += 12
		}
		p.rest = p.rest[2:]
		p.space()
	}
	switch s := string(p.rest); {
	case s == "":
		return true
	case s == "Z", s == "z", s == "UTC", s == "GMT":
		p.zoned = true
		return true
	}
	sign := p.one("+-")
	h, n := p.number()
	m := 0
	switch {
	case sign == 0:
		return false
	case n == 4:
		h, m = h/100, h%100
	case n == 2 && p.one(":") != 0:
		if m, n = p.number(); n != 2 {
			return false
		}
	case n != 2:
		return false
	}
	p.zoned, p.offset = true, h*3600+m*60
	if sign == '-' {
		p.offset = -p.offset
	}
	return len(p.rest) == 0 && h <= 14 && m <= 59
}

// serial reads a spreadsheet's own number of a time: days since the end of 1899.
func (p *timeParts) serial(days int) bool {
	part := 0.0
	if p.one(".,") != 0 {
		v, n := p.number()
		if n < 1 || n > 9 {
			return false
		}
		part = float64(v)
		for ; n > 0; n-- {
			part /= 10
		}
		p.clock, p.seconds = true, true
	}
	t := time.Date(1899, 12, 30+days, 0, 0, 0, 0, time.UTC).Add(time.Duration(part*86400+0.5) * time.Second)
	p.numbers = [3]int{t.Year(), int(t.Month()), t.Day()}
	p.hour, p.minute, p.second = t.Clock()
	return len(p.rest) == 0
}

// number reads at most nine digits and returns how many there were.
func (p *timeParts) number() (v, n int) {
	for n < len(p.rest) && n < 9 && '0' <= p.rest[n] && p.rest[n] <= '9' {
		v = v*10 + int(p.rest[n]-'0')
		n++
	}
	p.rest = p.rest[n:]
	return v, n
}

// one takes a byte that is one of set, and returns it; 0 if there is none.
func (p *timeParts) one(set string) byte {
	if len(p.rest) > 0 {
		for i := range len(set) {
			if c := p.rest[0]; c == set[i] {
				p.rest = p.rest[1:]
				return c
			}
		}
	}
	return 0
}

// space takes what may stand between date, time and zone: blanks, a comma, a T, a blank that is not ASCII.
func (p *timeParts) space() {
	for len(p.rest) > 0 && (p.rest[0] == ' ' || p.rest[0] == ',' || p.rest[0] == 'T' || p.rest[0] == 't' || p.rest[0] >= 0x80) {
		p.rest = p.rest[1:]
	}
}
