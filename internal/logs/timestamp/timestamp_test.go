package timestamp

import (
	"testing"
	"time"
)

func TestRFC3339(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Skip(err)
	}
	f := func(in, want string) {
		t.Helper()
		ns, ok := RFC3339([]byte(in), paris)
		got := "none"
		if ok {
			got = time.Unix(0, ns).UTC().Format(time.RFC3339Nano)
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
	f("2021-03-03T06:49:46.210Z", "2021-03-03T06:49:46.21Z")
	f("2021-03-03 06:49:46.210+02:00", "2021-03-03T04:49:46.21Z")
	f("2021-03-03T06:49:46-0730", "2021-03-03T14:19:46Z")
	f("2021-03-03T06:49:46", "2021-03-03T05:49:46Z")
	f("2021-07-03 06:49:46,5", "2021-07-03T04:49:46.5Z")
	f("1969-12-31T23:59:59.999999999Z", "1969-12-31T23:59:59.999999999Z")
	f("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z")
	f("2021-02-29T06:49:46Z", "none")
	f("2021-03-03T24:00:00Z", "none")
	f("2021-03-03T06:49:46.Z", "none")
	f("2021-03-03T06:49:46.1234567890Z", "2021-03-03T06:49:46.123456789Z")
	f("2021-03-03T06:49", "none")
	f("0001-01-01T00:00:00Z", "none")
}

func TestDayAgreesWithTime(t *testing.T) {
	for d := time.Date(1678, 1, 1, 0, 0, 0, 0, time.UTC); d.Year() < 2262; d = d.AddDate(0, 0, 1) {
		got, ok := Day(d.Year(), int(d.Month()), d.Day())
		if want := d.Unix() / 86400; !ok || got != want && !(d.Unix() < 0 && got == (d.Unix()-86399)/86400) {
			t.Fatalf("%s: got %d, %v", d.Format(time.DateOnly), got, ok)
		}
	}
}

func FuzzRFC3339(f *testing.F) {
	f.Add("2021-03-03T06:49:46.210Z")
	f.Add("2021-03-03 06:49:46+02:00")
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := RFC3339([]byte(s), time.UTC)
		if want, err := time.Parse(time.RFC3339Nano, s); err == nil && ok && got != want.UnixNano() {
			t.Errorf("%q: got %d, want %d", s, got, want.UnixNano())
		}
	})
}
