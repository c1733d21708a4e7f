package access

import "testing"

// A time in the minute of the one before is the same as one that is read afresh.
func TestTimesOfAMinute(t *testing.T) {
	p := &parser{}
	f := func(stamp string, want bool) {
		t.Helper()
		fresh := &parser{}
		if ok := p.read([]byte(stamp)); ok != want || fresh.read([]byte(stamp)) != want {
			t.Errorf("%s: %t", stamp, ok)
		} else if ok && p.when != fresh.when {
			t.Errorf("%s: %d, afresh %d", stamp, p.when, fresh.when)
		}
	}
	f("10/Oct/2000:13:55:36 -0700", true)
	f("10/Oct/2000:13:55:37 -0700", true)
	f("10/Oct/2000:13:55:09 -0700", true)
	f("10/Oct/2000:13:55:60 -0700", true) // a leap second
	f("10/Oct/2000:13:55:59 -0700", true)
	f("10/Oct/2000:13:55:61 -0700", false)
	f("10/Oct/2000:13:55:5x -0700", false)
	f("10/Oct/2000:13:55:12 -0800", true)
	f("10/Oct/2000:13:56:12 -0800", true)
}
