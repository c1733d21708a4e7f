package html

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/barid-dfir/barid/internal/lang"
)

func TestTicksAreReadableFromSecondsToCenturies(t *testing.T) {
	begin := at("2021-02-26 23:59:58")
	for d := time.Second; d < 200*365*24*time.Hour; d += d/10*7 + time.Second {
		for _, style := range []chartStyle{wide, narrow} {
			c := english(t).draw("x", "", "", []row{{label: "a", first: begin, last: begin.Add(d)}}, style)
			if len(c.Ticks) == 0 || len(c.Ticks) > 40 {
				t.Errorf("%v on %d pixels: %d ticks", d, style.width, len(c.Ticks))
			}
			last, days := -1e9, 0
			for _, k := range c.Ticks {
				x, err := strconv.ParseFloat(k.X, 64)
				if err != nil || x < 0 || x > float64(style.width) {
					t.Errorf("%v: tick at %s", d, k.X)
				}
				// At 12 pixels, eight digits take about 55.
				if x-last < 48 {
					t.Errorf("%v on %d pixels: %s is %v after the tick before", d, style.width, k.Label, x-last)
				}
				last = x
				if k.Day != "" {
					days++
				}
			}
			if days == 0 && !strings.HasPrefix(c.Ticks[0].Label, "1") && !strings.HasPrefix(c.Ticks[0].Label, "2") {
				t.Errorf("%v on %d pixels: no day and no year", d, style.width)
			}
		}
	}
}

func TestAStrayFindingYearsAgoDoesNotHideAnHour(t *testing.T) {
	hour := at("2021-03-03 06:00:00")
	rows := []row{
		{label: "attack", first: hour, last: hour.Add(time.Hour)},
		{label: "stray", first: at("2014-01-01 00:00:00"), last: at("2014-01-01 00:00:00")},
		{label: "wrong clock", first: at("2031-01-01 00:00:00"), last: at("2031-01-01 00:00:00")},
	}
	for _, style := range []chartStyle{wide, narrow} {
		c := english(t).draw("x", "", "", rows, style)
		if len(c.Breaks) != 2 {
			t.Errorf("%d stretches folded", len(c.Breaks))
		}
		x1, _ := strconv.ParseFloat(c.Lanes[0].X1, 64)
		x2, _ := strconv.ParseFloat(c.Lanes[0].X2, 64)
		if x2-x1 < float64(style.width)/8 {
			t.Errorf("the hour takes %v of %d pixels", x2-x1, style.width)
		}
	}
}

func TestEveryMarkLiesInTheChart(t *testing.T) {
	for _, last := range []string{"2021-03-03 06:00:00", "2021-03-03 05:00:00", "2200-01-01 00:00:00", "1700-01-01 00:00:00"} {
		first := at("2021-03-03 06:00:00")
		c := english(t).draw("x", "", "", []row{{first: first, last: at(last), items: []item{{level: "high", first: first, last: at(last)}}}, {first: first, last: first}}, narrow)
		for _, l := range c.Lanes {
			for _, s := range []string{l.X1, l.X2} {
				x, err := strconv.ParseFloat(s, 64)
				if err != nil || x < 0 || x > float64(c.Width) {
					t.Errorf("%s: %s", last, s)
				}
			}
		}
	}
}

func english(tb testing.TB) *say { return language(tb, "en") }

func language(tb testing.TB, tag string) *say {
	tb.Helper()
	l, err := lang.Find(tag)
	if err != nil {
		tb.Fatal(err)
	}
	return newSay(l)
}

func TestTechniquesAreLinkedByTheirForm(t *testing.T) {
	f := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	s := english(t)
	f(span(at("2021-03-03 06:49:46"), at("2021-03-03 07:12:03")), "2021-03-03 06:49:46 – 07:12:03")
	f(string(s.span(time.Time{}, time.Time{})), "time unknown")
	f(s.technique("T1505.003").URL, "https://attack.mitre.org/techniques/T1505/003/")
	f(string(s.technique("T1505.003").Name), "<bdi>Server Software Component</bdi>: <bdi>Web Shell</bdi>")
	f(s.technique("T1190/../x").URL, "")
	f(s.technique("1190").URL, "")
}

func TestALabelThatIsCutEndsItsIsolates(t *testing.T) {
	for text, want := range map[string]string{"abcdef": "abcdef", "abcdefg": "abcde…", "ab\u2066cdefg\u2069": "ab\u2066cd…\u2069", "\u2066a\u2069cdefg": "\u2066a\u2069cd…"} {
		if got := shorten(text, 6); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
