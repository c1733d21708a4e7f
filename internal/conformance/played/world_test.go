package played_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// world is a place with mail or files, what happens there, and what of it the logs keep.
type world struct {
	rng *rand.Rand
	// begin is when the logs begin; the attack happens between from and to, which the facts give as its window.
	begin, from, to time.Time
	evicted         time.Time // zero: nobody says
	boxes           []*box
	logs            map[string]*log
	attacker        attacker
	truth           map[item]bool // content that the attacker got
	seen            map[item]bool // metadata that the attacker got
	facts           []string      // more lines of the facts
	lost            []string      // what was taken from the logs, in words
	// exact says that the logs of this kind of world name every item, so that complete ones leave nothing open.
	exact bool
}

// box is a mailbox, or a person's files.
type box struct {
	account string
	home    string // address that its owner uses
	agent   string
	items   []item
}

type item struct {
	in, id, folder string
	size           int
	received       time.Time
}

type attacker struct {
	ip, second string // the second address is not in the facts
	agent      string
}

// log is a log of one host, cut into files by day.
type log struct {
	name  func(day time.Time) string // path of the file of a day
	head  string
	lines []entry
	// silence is the shortest pause that the log would show to be one: it has lines at least three times as often.
	silence time.Duration
}

type entry struct {
	at   time.Time
	text string
}

func (w *world) log(key string) *log { return w.logs[key] }

func (l *log) add(at time.Time, format string, args ...any) {
	l.lines = append(l.lines, entry{at, fmt.Sprintf(format, args...)})
}

func (l *log) every(from, to time.Time, step time.Duration, text func(t time.Time) string) {
	for t := from; t.Before(to); t = t.Add(step) {
		l.lines = append(l.lines, entry{t, text(t)})
	}
}

func newWorld(seed uint64) *world {
	w := &world{rng: rand.New(rand.NewPCG(seed, 4)), logs: map[string]*log{}, truth: map[item]bool{}, seen: map[item]bool{}}
	w.from = time.Date(2024, 3, 4, 0, 0, 0, 0, time.UTC)
	w.begin = w.from.AddDate(0, 0, -34)
	w.to = w.from.AddDate(0, 0, 2+w.rng.IntN(3))
	w.attacker = attacker{ip: "203.0.113.9", second: "203.0.113.77", agent: "AttackAgent/1.0"}
	if w.rng.IntN(3) > 0 {
		w.evicted = w.to.Add(-time.Duration(1+w.rng.IntN(10)) * time.Hour)
	}
	for i := range 2 + w.rng.IntN(4) {
		b := &box{account: fmt.Sprintf("user%d", i), home: fmt.Sprintf("198.51.100.%d", 10+i), agent: fmt.Sprintf("HomeAgent/%d.0", i)}
		for j := range 3 + w.rng.IntN(20) {
			b.items = append(b.items, item{in: b.account, id: fmt.Sprintf("<m%d-%d@example.org>", i, j), folder: []string{"F-INBOX", "F-SENT", "F-ARCHIVE"}[w.rng.IntN(3)],
				size: 1000 + w.rng.IntN(400_000), received: w.from.AddDate(0, 0, -1-w.rng.IntN(100))})
		}
		w.boxes = append(w.boxes, b)
	}
	return w
}

// end is when the attacker is gone.
func (w *world) end() time.Time {
	if w.evicted.IsZero() {
		return w.to
	}
	return w.evicted
}

// moment returns a time at which the attacker is there, with at least so much left before he is gone.
func (w *world) moment(left time.Duration) time.Time {
	span := w.end().Sub(w.from) - left
	return w.from.Add(time.Duration(w.rng.Int64N(int64(span)))).Truncate(time.Second)
}

func (w *world) some(items []item) []item {
	n := 1 + w.rng.IntN(len(items))
	var out []item
	for _, i := range w.rng.Perm(len(items))[:n] {
		out = append(out, items[i])
	}
	return out
}

// lose takes something from the logs that a person who looks at them could see to be missing.
func (w *world) lose() {
	keys := make([]string, 0, len(w.logs))
	for k := range w.logs {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	key := keys[w.rng.IntN(len(keys))]
	l := w.logs[key]
	day := w.from.AddDate(0, 0, w.rng.IntN(int(w.to.Sub(w.from).Hours()/24)))
	keep := func(reason string, gone func(e entry) bool) {
		l.lines = slices.DeleteFunc(l.lines, gone)
		w.lost = append(w.lost, key+": "+reason)
	}
	switch w.rng.IntN(5) {
	case 0: // a file is not there
		keep("no file of "+day.Format(time.DateOnly), func(e entry) bool { return e.at.Truncate(24 * time.Hour).Equal(day) })
	case 1: // rotated away: nothing before a day
		keep("nothing before "+day.Format(time.DateOnly), func(e entry) bool { return e.at.Before(day) })
	case 2: // the copy was made too early
		end := day.Add(time.Duration(w.rng.IntN(24)) * time.Hour)
		keep("nothing from "+end.Format(time.RFC3339), func(e entry) bool { return !e.at.Before(end) })
	case 3: // lines taken out
		from := day.Add(time.Duration(w.rng.IntN(23*60)) * time.Minute)
		to := from.Add(l.silence + time.Duration(w.rng.IntN(300))*time.Minute)
		keep("nothing from "+from.Format(time.RFC3339)+" to "+to.Format(time.RFC3339), func(e entry) bool { return !e.at.Before(from) && e.at.Before(to) })
	case 4: // the log as a whole
		keep("all of it", func(entry) bool { return true })
	}
}

// write writes the logs, the facts and the inventory, and returns the paths.
func (w *world) write(tb testing.TB, dir string) {
	tb.Helper()
	check := func(err error) {
		if err != nil {
			tb.Fatal(err)
		}
	}
	for _, l := range w.logs {
		slices.SortStableFunc(l.lines, func(a, b entry) int { return a.at.Compare(b.at) })
		for i := 0; i < len(l.lines); {
			day := l.lines[i].at.Truncate(24 * time.Hour)
			var text strings.Builder
			text.WriteString(l.head)
			last := day
			for ; i < len(l.lines) && l.lines[i].at.Truncate(24*time.Hour).Equal(day); i++ {
				text.WriteString(l.lines[i].text + "\n")
				last = l.lines[i].at
			}
			name := filepath.Join(dir, "evidence", l.name(day))
			check(os.MkdirAll(filepath.Dir(name), 0o700))
			check(os.WriteFile(name, []byte(text.String()), 0o600))
			check(os.Chtimes(name, last, last))
		}
	}
	check(os.MkdirAll(filepath.Join(dir, "evidence"), 0o700))
	var f strings.Builder
	fmt.Fprintf(&f, "window: {from: %s, to: %s}\nattacker: {ips: [%s]}\n", w.from.Format(time.RFC3339), w.to.Format(time.RFC3339), w.attacker.ip)
	if !w.evicted.IsZero() {
		fmt.Fprintf(&f, "evicted: %s\n", w.evicted.Format(time.RFC3339))
	}
	for _, line := range w.facts {
		f.WriteString(line + "\n")
	}
	if isFile(w.boxes[0].items[0]) {
		f.WriteString("inventory: {files: files.csv}\n")
	} else {
		f.WriteString("inventory: {mailboxes: mailboxes.csv, messages: messages.csv}\n")
	}
	f.WriteString("timezones: {\"*\": UTC}\n")
	check(os.WriteFile(filepath.Join(dir, "facts.yaml"), []byte(f.String()), 0o600))
	var boxes, messages, files strings.Builder
	boxes.WriteString("mailbox,owner,server,database\n")
	messages.WriteString("mailbox,message_id,folder_id,folder,size,received,removed\n")
	files.WriteString("path,size,from,to,label\n")
	for _, b := range w.boxes {
		fmt.Fprintf(&boxes, "%s,,,\n", b.account)
		for _, m := range b.items {
			if strings.HasPrefix(m.id, "/") {
				fmt.Fprintf(&files, "%s,%d,,,\n", m.id, m.size)
				continue
			}
			fmt.Fprintf(&messages, "%s,%s,%s,%s,%d,%s,\n", m.in, m.id, m.folder, m.folder, m.size, m.received.Format(time.RFC3339))
		}
	}
	check(os.WriteFile(filepath.Join(dir, "mailboxes.csv"), []byte(boxes.String()), 0o600))
	check(os.WriteFile(filepath.Join(dir, "messages.csv"), []byte(messages.String()), 0o600))
	check(os.WriteFile(filepath.Join(dir, "files.csv"), []byte(files.String()), 0o600))
}
