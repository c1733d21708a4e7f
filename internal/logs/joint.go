package logs

import "github.com/barid-dfir/barid/internal/event"

// Joint is the identifier under which another log of the same host tells of what an event tells of: by it lost lines and clocks that
// disagree are found.
type Joint struct {
	ID [16]byte
	// Channel is the way in, by which the other log is known where there is one for each; "" if the Format of the event says it.
	Channel string
	// Sure says that the other log has it, if that log covers the time and nothing was lost.
	Sure bool
}

// Joiner is a Parser of a log whose events have such an identifier. It does not allocate.
type Joiner interface {
	// Joint returns that of an event made by this Format, if it has one.
	Joint(e *event.Event) (j Joint, ok bool)
}

// GUID reads 32 hexadecimal digits in groups of 8, 4, 4, 4 and 12, with a hyphen between one and the next.
func GUID(text []byte) (id [16]byte, ok bool) {
	if len(text) != 36 {
		return id, false
	}
	n := 0
	for i := 0; i < len(text); {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if text[i] != '-' {
				return id, false
			}
			i++
		}
		high, low := hexDigits[text[i]], hexDigits[text[i+1]]
		if high|low > 15 {
			return id, false
		}
		id[n] = high<<4 | low
		n++
		i += 2
	}
	return id, true
}

// hexDigits are the values of digits, 255 of what is none.
var hexDigits = func() (t [256]byte) {
	for i := range t {
		t[i] = 255
	}
	for i := range byte(10) {
		t['0'+i] = i
	}
	for i := range byte(6) {
		t['a'+i], t['A'+i] = 10+i, 10+i
	}
	return t
}()
