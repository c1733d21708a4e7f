package tally

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/barid-dfir/barid/internal/logs"
)

func TestWhatIsLearntDoesNotDependOnTheOrder(t *testing.T) {
	type seen struct {
		at Place
		o  logs.Observation
	}
	var all []seen
	for i := range 200 {
		at := Place{Host: "mx1", Format: "dovecot", Ref: Ref{Source: int32(i % 3), Time: int64(i%50) * int64(7*time.Minute), Line: int64(i), Offset: int64(i * 80)}}
		o := logs.Observation{Kind: logs.Access, OK: true, Account: fmt.Appendf(nil, "Ana%d", i%2), IP: []byte("203.0.113.9"), Channel: "imap", Object: []byte("ana"), ObjectKind: "mailbox", Bytes: int64(i), Count: 1}
		if i%5 == 0 {
			o.Kind, o.OK = logs.Login, i%2 == 0
		}
		all = append(all, seen{at, o})
	}
	build := func() *Memory {
		m := &Memory{}
		for i := range all {
			m.Add(all[i].at, &all[i].o)
		}
		m.build()
		m.raw = nil
		return m
	}
	want := build()
	for range 20 {
		rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		if got := build(); !reflect.DeepEqual(got, want) {
			t.Fatal("another order gives another store")
		}
	}
}

func TestShortened(t *testing.T) {
	f := func(s string, want bool) {
		t.Helper()
		if got := Shortened(Text(s)); got != want {
			t.Errorf("%.20q of %d bytes: %v, want %v", s, len(s), got, want)
		}
	}
	f("", false)
	f(strings.Repeat("a", maxText), false)
	f(strings.Repeat("a", maxText+1), true)
	f(strings.Repeat("ab€", maxText), true)
	f(strings.Repeat("…", maxText), true)
	f(strings.Repeat("\x80", maxText+9), true)
}

func TestAddressesHaveOneForm(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		o := logs.Observation{Kind: logs.Login, OK: true, IP: []byte(in), Account: []byte("ana")}
		at := Place{Host: "mx1", Format: "dovecot"}
		if got := ContextOf(at, &o).IP; got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
		same := o
		same.IP = []byte(want)
		if a, b := appendContextKey(nil, nil, "dovecot", &o), appendContextKey(nil, nil, "dovecot", &same); string(a) != string(b) {
			t.Errorf("%s: the keys differ: %q, %q", in, a, b)
		}
	}
	f("192.0.2.1", "192.0.2.1")
	f("::ffff:192.0.2.1", "192.0.2.1")
	f("::FFFF:c000:201", "192.0.2.1")
	f("2001:DB8:0:0::1", "2001:db8::1")
	f("2001:db8::0001", "2001:db8::1")
	f("0:0:0:0:0:ffff:c000:0201", "192.0.2.1")
	f("2001:db8::1", "2001:db8::1")
	f("mail:1", "mail:1")
	f("", "")
}
