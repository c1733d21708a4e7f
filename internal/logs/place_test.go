package logs_test

import (
	"math"
	"testing"

	"github.com/barid-dfir/barid/internal/logs"
)

func TestPlaces(t *testing.T) {
	f := func(latitude, longitude, country, network string, known, ok bool) {
		t.Helper()
		text := logs.AppendPlace(nil, []byte(latitude), []byte(longitude), []byte(country), []byte(network))
		p, got := logs.ParsePlace(string(text))
		if got != ok || got && p.Known() != known {
			t.Errorf("%s: %+v, %t", text, p, got)
		}
	}
	f("48.85", "2.35", "FR", "3215", true, true)
	f("48.85", "2.35", "", "", true, true)
	f("", "", "fr", "", false, true)
	f("0", "0", "FR", "", false, true)
	f("0.0", "0.0", "", "", false, false)
	f("91", "2", "", "", false, false)
	f("NaN", "2", "", "", false, false)
	f("Inf", "2", "", "", false, false)
	f("48;1", "2.35", "", "", false, false)
	f("", "", "", "", false, false)
	for _, text := range []string{"", ";", ";;;;", "a;b;c;d;e", "server.example.org", "48,2"} {
		if p, ok := logs.ParsePlace(text); ok {
			t.Errorf("%q is %+v", text, p)
		}
	}
}

func TestDistances(t *testing.T) {
	f := func(a, b logs.Place, want float64) {
		t.Helper()
		if d := a.Kilometres(b); math.Abs(d-want) > want/100+1 {
			t.Errorf("%v to %v: %.0f km, want %.0f", a, b, d, want)
		}
		if math.Abs(a.Kilometres(b)-b.Kilometres(a)) > 1e-6 {
			t.Error("not the same both ways")
		}
	}
	paris, beirut, auckland := logs.Place{Latitude: 48.8566, Longitude: 2.3522}, logs.Place{Latitude: 33.8938, Longitude: 35.5018}, logs.Place{Latitude: -36.85, Longitude: 174.76}
	f(paris, beirut, 3188)
	f(paris, paris, 0)
	f(paris, auckland, 18540)
	f(logs.Place{Longitude: 179.5}, logs.Place{Longitude: -179.5}, 111)
	if d := paris.Kilometres(logs.Place{Latitude: math.NaN()}); !math.IsNaN(d) {
		t.Error(d)
	}
}
