package judge

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/logs"
)

// deed is an act in an invented attack.
type deed struct {
	minute  int // after 08:00
	kind    int
	message int
	who     string // address
}

var deedAddresses = []string{"203.0.113.9", "203.0.113.66", "198.51.100.7"}

func (d deed) play(s *scene, n int) {
	at := time.Unix(0, clockOf("08:00")).UTC().Add(time.Duration(d.minute) * time.Minute).Format("01-02 15:04:05")
	id := bySession(fmt.Sprintf("%s-%d", d.who, n))
	if d.kind == 2 || d.kind == 5 || d.kind == 6 { // what stands at the end of a session, half a minute after its login
		s.login(at, box1, d.who, id)
		at = strings.TrimSuffix(at, "00") + "30"
	}
	switch d.kind {
	case 0:
		s.bind(at, box1, d.who, []string{fmt.Sprintf("<m%d@x>", d.message)}, id)
	case 1:
		s.see(logs.Access, at, box1, d.who, over("m365"), of("folder", "F"), inside(box1), exposing(logs.Content), id, func(x *sighting) { x.o.Inference = logs.SyncFolder })
	case 2:
		s.access(logs.MailFetched, at, box1, d.who, amount(int64(d.message), int64(d.message)*1000), id)
	case 3:
		s.access(logs.MailboxListed, at, box1, d.who, exposing(logs.Metadata), id)
	case 4:
		s.access(logs.MessageShown, at, box1, d.who, of("message", fmt.Sprintf("INBOX/%d", d.message)), inside(box1), id)
	case 5:
		s.access(logs.MailTraffic, at, box1, d.who, amount(-1, 2500), id)
	case 6:
		s.access(logs.MailNotFetched, at, box1, d.who, amount(0, 0), exposing(logs.NoExposure), id)
	}
}

func drawDeeds(t *rapid.T) []deed {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) deed {
		return deed{rapid.IntRange(0, 600).Draw(t, "minute"), rapid.IntRange(0, 6).Draw(t, "kind"), rapid.IntRange(1, 4).Draw(t, "message"), rapid.SampledFrom(deedAddresses).Draw(t, "who")}
	}), 0, 8).Draw(t, "deeds")
}

// ranked returns the rank of each entry's content and metadata.
func ranked(j *Judgement) map[string][2]int {
	rank := map[string]int{casefile.RuledOut: 0, casefile.Possible: 1, casefile.Confirmed: 2}
	out := make(map[string][2]int)
	for i := range j.Reached {
		e := &j.Reached[i]
		out[e.Object.Kind+" "+e.Object.ID] = [2]int{max(rank[e.Levels.Content], rank[e.Levels.Partial]), rank[e.Levels.Metadata]}
	}
	return out
}

func judgeDeeds(t testing.TB, inv *Inventory, list []deed, cover *shown, left func(deed) bool) *Judgement {
	s := &scene{inventory: inv}
	for i, d := range list {
		if left(d) {
			d.play(s, i)
		}
	}
	return s.reach(t, cover, []capability{held(box1, "03-20 00:00")}, byIP)
}

func TestWhatIsLostNeverRulesOut(t *testing.T) {
	inv := mail(box1, "<m1@x>|1000", "<m2@x>|2000|G", "<m3@x>|50000", "<m4@x>", "<m5@x>|10|F|03-10 12:00", "<m6@x>|10|F|03-01 00:00|03-10 10:00")
	everything := func(deed) bool { return true }
	rapid.Check(t, func(rt *rapid.T) {
		list := drawDeeds(rt)
		cover := func() *shown { return &shown{ways: []string{"imap", "m365"}} }
		full := ranked(judgeDeeds(t, inv, list, cover(), everything))

		from := rapid.IntRange(0, 600).Draw(rt, "from")
		to := from + rapid.IntRange(0, 300).Draw(rt, "long")
		lost := hole{from: clockOf("08:00") + int64(from-3)*int64(time.Minute), to: clockOf("08:00") + int64(to+1)*int64(time.Minute), reason: "missing_file"}
		less := cover()
		less.missing, less.coarse = []hole{lost}, []hole{lost}
		after := ranked(judgeDeeds(t, inv, list, less, func(d deed) bool { return d.minute < from || d.minute > to }))
		for id, was := range full {
			now, told := after[id]
			if !told {
				continue // named by the log that was lost only; whichever it was is open below
			}
			for i := range was {
				if was[i] > 0 && now[i] == 0 {
					rt.Errorf("%s: %v before, %v when the log from %d to %d is lost: %+v", id, was, now, from, to, list)
				}
			}
		}
		if full["mailbox "+box1][0] > 0 && after["mailbox "+box1][0] == 0 {
			rt.Errorf("the mailbox is ruled out when a log is lost")
		}
	})
}

func TestMoreEvidenceNeverLowers(t *testing.T) {
	inv := mail(box1, "<m1@x>|1000", "<m2@x>|2000|G", "<m3@x>|50000", "<m4@x>", "<m5@x>|10|F|03-10 12:00", "<m6@x>|10|F|03-01 00:00|03-10 10:00")
	rapid.Check(t, func(rt *rapid.T) {
		list := drawDeeds(rt)
		cover := &shown{ways: []string{"imap", "m365"}}
		n := rapid.IntRange(0, len(list)).Draw(rt, "first")
		some := ranked(judgeDeeds(t, inv, list[:n], cover, func(deed) bool { return true }))
		all := ranked(judgeDeeds(t, inv, list, cover, func(deed) bool { return true }))
		for id, was := range some {
			now, told := all[id]
			for i := range was {
				if !told && was[i] > 0 || now[i] < was[i] {
					rt.Errorf("%s: %v of %d acts, %v of all: %+v", id, was, n, now, list)
				}
			}
		}
	})
}
