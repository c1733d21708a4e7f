package tally

import (
	"fmt"
	"math/rand/v2"
	"reflect"
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
