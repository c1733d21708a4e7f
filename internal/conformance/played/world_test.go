package played_test

import (
	"encoding/json"
	"fmt"
	"maps"
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
	seed uint64
	rng  *rand.Rand
	// begin is when the logs begin; the attack happens between from and to, which the facts give as its window.
	begin, from, to time.Time
	baselineDays    int
	evicted         time.Time // zero: nobody says
	boxes           []*box
	logs            map[string]*log
	attacker        attacker
	truth           map[item]bool   // content that the attacker got
	part            map[item]bool   // of which he got a part
	seen            map[item]bool   // metadata that the attacker got
	used            map[string]bool // accounts that he used
	facts           []string        // more lines of the facts
	lost            []string        // what was taken from the logs, in words
	mistreated      []string        // what was done to the files, in words
	zone            *time.Location  // of logs that do not say
	zoneStated      bool
	// anonymous says that the facts name nobody: the attacker is known by his guessing.
	anonymous bool
	// nat says that others come from the attacker's address, and that the facts say so.
	nat bool
	// natIPs and serviceIPs are addresses that the facts call so.
	natIPs, serviceIPs []string
	// names are other names that logs have for an account.
	names map[string]string
	// secondStated says that somebody stated that the attacker's second address is his.
	secondStated bool
	// journey is an address from which an owner comes in the window for the first time; "" for none.
	journey  string
	traveler *box
	// vague says that the inventory leaves out sizes and times of some messages.
	vague bool
	// numbered are the numbers by which the list knows files; anywhere says that logs do not tell whose a file is.
	numbered map[item]string
	anywhere bool
	// exact says that the logs of this kind of world name every item, so that complete ones leave nothing open.
	exact bool
	// opened says that a log tells of files that they were opened, and not how much of them was handed out.
	opened bool
	// clock is what the clock of the machine showed, nil for the truth.
	clock func(time.Time) time.Time
	// losses are ways to lose logs that only this kind of world has.
	losses []func() string
	// after is done when all has happened and been lost, nil for nothing.
	after func()
}

// box is a mailbox, or a person's files.
type box struct {
	account string
	home    string // address that its owner uses
	agent   string
	items   []item
	// What the list of mailboxes says of it besides its name.
	server, accounts, guid string
}

type item struct {
	in, id, folder    string
	size              int
	received, removed time.Time // removed is zero for what is still there
}

type attacker struct {
	ip, second string // the second address is not in the facts
	agent      string
}

// log is a log of one host, cut into files.
type log struct {
	name  func(from time.Time) string // path of the file that begins then
	per   time.Duration               // of a file; 0: a day
	head  func(from time.Time) string
	lines []entry
	// silence is the shortest pause that the log would show to be one: it has lines at least three times as often.
	silence time.Duration
	// number says that its records have numbers: where a line has the escape of \x01 in quotes. They are given before anything is lost.
	number bool
	// jitter is by how much lines may stand out of order; anyOrder says that nobody expects them in one.
	jitter   time.Duration
	anyOrder bool
	// cuts are files of which the copy was broken off, by when they begin: at which part of them.
	cuts map[time.Time]float64
	// alone reports whether nothing else would tell that there was such a log, so that it cannot be lost as a whole; nil for no.
	alone func() bool
}

type entry struct {
	at   time.Time
	text string
	tag  string // what kind of record, for losses that take only some
}

func (l *log) add(at time.Time, format string, args ...any) {
	l.lines = append(l.lines, entry{at: at, text: fmt.Sprintf(format, args...)})
}

func (l *log) tagged(tag string, at time.Time, text string) {
	l.lines = append(l.lines, entry{at, text, tag})
}

func (l *log) every(from, to time.Time, step time.Duration, text func(t time.Time) string) {
	for t := from; t.Before(to); t = t.Add(step) {
		l.lines = append(l.lines, entry{at: t, text: text(t)})
	}
}

// again adds the last line again and again until to, with the times in it written anew; change changes what else must be, nil for nothing.
func (w *world) again(l *log, to time.Time, step time.Duration, change func(text string) string, layouts ...string) {
	first := l.lines[len(l.lines)-1]
	for t := first.at.Add(step); t.Before(to); t = t.Add(step) {
		text := first.text
		for _, layout := range layouts {
			text = strings.ReplaceAll(text, w.now(first.at).Format(layout), w.now(t).Format(layout))
		}
		if change != nil {
			text = change(text)
		}
		l.lines = append(l.lines, entry{t, text, first.tag})
	}
}

func (l *log) span() time.Duration {
	if l.per == 0 {
		return 24 * time.Hour
	}
	return l.per
}

func newWorld(seed uint64) *world {
	w := &world{seed: seed, rng: rand.New(rand.NewPCG(seed, 4)), logs: map[string]*log{}, truth: map[item]bool{}, part: map[item]bool{}, seen: map[item]bool{}, used: map[string]bool{}, names: map[string]string{}, zone: time.UTC, zoneStated: true}
	w.from = time.Date(2024, 3, 4, 0, 0, 0, 0, time.UTC)
	w.baselineDays = 5
	if w.one(6) {
		w.baselineDays = 30
	}
	w.begin = w.from.AddDate(0, 0, -w.baselineDays-4)
	w.to = w.from.AddDate(0, 0, 2+w.rng.IntN(3))
	w.attacker = attacker{ip: "203.0.113.9", second: "203.0.113.77", agent: "AttackAgent/1.0"}
	if !w.one(3) {
		w.evicted = w.to.Add(-time.Duration(1+w.rng.IntN(10)) * time.Hour)
	}
	people := 2 + w.rng.IntN(4)
	if w.one(4) {
		people += 5
	}
	for i := range people {
		b := &box{account: fmt.Sprintf("user%d", i), home: fmt.Sprintf("198.51.100.%d", 10+i), agent: fmt.Sprintf("HomeAgent/%d.0", i)}
		for j := range 3 + w.rng.IntN(20) {
			m := item{in: b.account, id: fmt.Sprintf("<m%d-%d@example.org>", i, j), folder: []string{"F-INBOX", "F-SENT", "F-ARCHIVE"}[w.rng.IntN(3)],
				size: 1000 + w.rng.IntN(400_000), received: w.from.AddDate(0, 0, -1-w.rng.IntN(100))}
			if w.one(5) { // came in during the attack
				m.received = w.from.Add(time.Duration(w.rng.Int64N(int64(w.to.Sub(w.from))))).Truncate(time.Second)
			}
			if w.one(8) {
				m.removed = later(w.from, m.received).Add(time.Duration(w.rng.Int64N(int64(72 * time.Hour)))).Truncate(time.Second)
			}
			b.items = append(b.items, m)
		}
		w.boxes = append(w.boxes, b)
	}
	w.anonymous = w.one(6)
	w.nat = !w.anonymous && w.one(6)
	w.secondStated = !w.anonymous && w.one(4)
	if w.one(3) {
		w.journey, w.traveler = "192.0.2.200", w.boxes[w.rng.IntN(len(w.boxes))]
		if w.nat && w.one(2) {
			w.journey = w.attacker.ip
		} else if w.one(2) {
			w.state("ip: "+w.journey, "owner")
		}
	}
	if w.secondStated {
		w.state("ip: "+w.attacker.second, "attacker")
	}
	if w.nat {
		w.natIPs = append(w.natIPs, w.attacker.ip)
	}
	w.vague = w.one(5)
	return w
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// keys are the names of the logs.
func (w *world) keys() []string { return slices.Sorted(maps.Keys(w.logs)) }

// one is true once in n times.
func (w *world) one(n int) bool { return w.rng.IntN(n) == 0 }

// state adds a statement to the facts.
func (w *world) state(about, is string) {
	const head = "statements:"
	line := "- {author: A. Person, time: 2024-03-20T10:00:00Z, reason: asked, " + about + ", is: " + is + "}"
	for i, f := range w.facts {
		if strings.HasPrefix(f, head) {
			w.facts[i] = f + "\n" + line
			return
		}
	}
	w.facts = append(w.facts, head+"\n"+line)
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

// there returns the items of a box that were there at some time from from to to.
func (b *box) there(from, to time.Time) []item {
	var out []item
	for _, m := range b.items {
		if m.received.Before(to) && (m.removed.IsZero() || m.removed.After(from)) {
			out = append(out, m)
		}
	}
	return out
}

// some returns some of the items, in no order.
func (w *world) some(items []item) []item {
	if len(items) == 0 {
		return nil
	}
	n := 1 + w.rng.IntN(len(items))
	var out []item
	for _, i := range w.rng.Perm(len(items))[:n] {
		out = append(out, items[i])
	}
	return out
}

// got notes what the attacker got by using an account.
func (w *world) got(account string, read, listed []item) {
	w.used[account] = true
	for _, m := range read {
		w.truth[m] = true
	}
	for _, m := range listed {
		w.seen[m] = true
	}
}

// owners lets everybody use his own mailbox twice a day.
func (w *world) owners(use func(at time.Time, b *box, ip string)) {
	for _, b := range w.boxes {
		for day := w.begin; day.Before(w.to); day = day.AddDate(0, 0, 1) {
			for _, hour := range []int{8, 16} {
				at := day.Add(time.Duration(hour)*time.Hour + time.Duration(w.rng.IntN(3000))*time.Second)
				ip := b.home
				if b == w.traveler && !day.Before(w.from) {
					ip = w.journey
				}
				if at.Before(w.to) {
					use(at, b, ip)
				}
			}
		}
	}
}

// attacks lets the attacker use some mailboxes, from his known address or, if he has used it from there as well, from
// another; and guess at others' passwords. Where the facts name nobody he has guessed what he uses.
func (w *world) attacks(use func(at time.Time, b *box, ip string), fail func(at time.Time, b *box)) {
	victims := 1
	if w.one(2) {
		victims += w.rng.IntN(len(w.boxes))
	}
	for _, i := range w.rng.Perm(len(w.boxes))[:victims] {
		var times []time.Time
		for range 1 + w.rng.IntN(3) {
			times = append(times, w.moment(30*time.Minute))
		}
		slices.SortFunc(times, time.Time.Compare)
		for n, at := range times {
			ip := w.attacker.ip
			if n > 0 && w.one(2) {
				ip = w.attacker.second
				w.exact = w.exact && w.secondStated
			}
			if n == 0 && w.anonymous {
				for k := range 25 {
					fail(at.Add(-time.Duration(200-7*k)*time.Second), w.boxes[i])
				}
			}
			if w.boxes[i] == w.traveler {
				w.exact = false // whose it was nobody knows
			}
			use(at, w.boxes[i], ip)
		}
	}
	if w.nat || w.anonymous {
		w.exact = false
	}
	if w.one(2) {
		at := w.moment(time.Hour)
		for i, b := range w.boxes {
			for n := range 3 {
				fail(at.Add(time.Duration(30*i+7*n)*time.Second), b)
			}
		}
	}
}

// now is what the machine's clock shows.
func (w *world) now(at time.Time) time.Time {
	if w.clock == nil {
		return at
	}
	return w.clock(at)
}

// lose takes something from the logs that a person who looks at them could see to be missing.
func (w *world) lose() {
	if len(w.losses) > 0 && w.one(4) {
		w.lost = append(w.lost, w.losses[w.rng.IntN(len(w.losses))]())
		return
	}
	keys := w.keys()
	key := keys[w.rng.IntN(len(keys))]
	l := w.logs[key]
	day := w.from.AddDate(0, 0, w.rng.IntN(int(w.to.Sub(w.from).Hours()/24)))
	day = day.Add(time.Duration(w.rng.IntN(24)) * time.Hour).Truncate(l.span())
	keep := func(reason string, gone func(e entry) bool) {
		l.lines = slices.DeleteFunc(l.lines, gone)
		w.lost = append(w.lost, key+": "+reason)
	}
	switch w.rng.IntN(6) {
	case 0: // a file is not there
		keep("no file of "+day.Format(time.RFC3339), func(e entry) bool { return w.now(e.at).Truncate(l.span()).Equal(day) })
	case 1: // rotated away: nothing before a day
		keep("nothing before "+day.Format(time.RFC3339), func(e entry) bool { return e.at.Before(day) })
	case 2: // the copy was made too early
		end := day.Add(time.Duration(w.rng.IntN(24*60)) * time.Minute)
		keep("nothing from "+end.Format(time.RFC3339), func(e entry) bool { return !e.at.Before(end) })
	case 3: // lines taken out
		from := day.Add(time.Duration(w.rng.IntN(23*60)) * time.Minute)
		to := from.Add(l.silence + time.Duration(w.rng.IntN(300))*time.Minute)
		keep("nothing from "+from.Format(time.RFC3339)+" to "+to.Format(time.RFC3339), func(e entry) bool { return !e.at.Before(from) && e.at.Before(to) })
	case 4: // the log as a whole
		if l.alone != nil && l.alone() {
			return
		}
		keep("all of it", func(entry) bool { return true })
	case 5: // a copy was broken off
		if l.cuts == nil {
			l.cuts = map[time.Time]float64{}
		}
		l.cuts[day] = w.rng.Float64()
		w.lost = append(w.lost, key+": the file of "+day.Format(time.RFC3339)+" is cut off")
	}
}

// count gives the records of logs that have them their numbers.
func (w *world) count() {
	for _, l := range w.logs {
		slices.SortStableFunc(l.lines, func(a, b entry) int { return a.at.Compare(b.at) })
		for i := range l.lines {
			if l.number {
				l.lines[i].text = strings.Replace(l.lines[i].text, "\"\\u0001\"", fmt.Sprint(1000+i), 1)
			}
		}
	}
}

// write writes files, the facts and the inventory.
func (w *world) write(tb testing.TB, dir string, files []file) {
	tb.Helper()
	check := func(err error) {
		if err != nil {
			tb.Fatal(err)
		}
	}
	check(os.MkdirAll(filepath.Join(dir, "evidence"), 0o700))
	for _, f := range files {
		name := filepath.Join(dir, "evidence", f.name)
		check(os.MkdirAll(filepath.Dir(name), 0o700))
		check(os.WriteFile(name, f.data, 0o600))
		check(os.Chtimes(name, f.written, f.written))
	}
	var f strings.Builder
	fmt.Fprintf(&f, "window: {from: %s, to: %s}\nbaseline_days: %d\n", w.from.Format(time.RFC3339), w.to.Format(time.RFC3339), w.baselineDays)
	if !w.anonymous {
		fmt.Fprintf(&f, "attacker: {ips: [%s]}\n", w.attacker.ip)
	}
	if !w.evicted.IsZero() {
		fmt.Fprintf(&f, "evicted: %s\n", w.evicted.Format(time.RFC3339))
	}
	for _, line := range w.facts {
		f.WriteString(line + "\n")
	}
	if len(w.natIPs)+len(w.serviceIPs) > 0 {
		fmt.Fprintf(&f, "ours: {nat: [%s], service_ips: [%s]}\n", strings.Join(w.natIPs, ", "), strings.Join(w.serviceIPs, ", "))
	}
	if isFile(w.boxes[0].items[0]) {
		f.WriteString("inventory: {files: files.csv}\n")
	} else {
		f.WriteString("inventory: {mailboxes: mailboxes.csv, messages: messages.csv}\n")
	}
	if w.zoneStated {
		fmt.Fprintf(&f, "timezones: {\"*\": %s}\n", w.zone)
	}
	check(os.WriteFile(filepath.Join(dir, "facts.yaml"), []byte(f.String()), 0o600))
	var boxes, messages, list strings.Builder
	boxes.WriteString("mailbox,owner,server,database,accounts,exchange_guid\n")
	messages.WriteString("mailbox,message_id,folder_id,folder,size,received,removed\n")
	list.WriteString("path,size,from,to,label,id\n")
	// What a list says may be less than is true, never else.
	draw := rand.New(rand.NewPCG(1, 2))
	say := func(s string) string {
		if w.vague && draw.IntN(3) == 0 {
			return ""
		}
		return s
	}
	for _, b := range w.boxes {
		fmt.Fprintf(&boxes, "%s,,%s,,%s,%s\n", b.account, b.server, b.accounts, b.guid)
		for _, m := range b.items {
			if isFile(m) {
				fmt.Fprintf(&list, "%s,%s,,,,%s\n", m.id, say(fmt.Sprint(m.size)), w.numbered[m])
				continue
			}
			removed := ""
			if !m.removed.IsZero() {
				removed = m.removed.Format(time.RFC3339)
			}
			fmt.Fprintf(&messages, "%s,%s,%s,%s,%s,%s,%s\n", m.in, m.id, m.folder, m.folder, say(fmt.Sprint(m.size)), say(m.received.Format(time.RFC3339)), removed)
		}
	}
	check(os.WriteFile(filepath.Join(dir, "mailboxes.csv"), []byte(boxes.String()), 0o600))
	check(os.WriteFile(filepath.Join(dir, "messages.csv"), []byte(messages.String()), 0o600))
	check(os.WriteFile(filepath.Join(dir, "files.csv"), []byte(list.String()), 0o600))
}

func isFile(m item) bool { return !strings.HasPrefix(m.id, "<") }

// rename gives an item another container, in the truth as well.
func (w *world) rename(m *item, in string) {
	old := *m
	m.in = in
	for _, set := range []map[item]bool{w.truth, w.part, w.seen} {
		if set[old] {
			delete(set, old)
			set[*m] = true
		}
	}
}

func encode(v any) string {
	p, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(p)
}

// addresses makes lists name mailboxes by their addresses.
func (w *world) addresses() {
	w.after = func() {
		used := map[string]bool{}
		for a := range w.used {
			used[a+"@example.org"] = true
		}
		w.used = used
		for name, a := range w.names {
			w.names[name] = a + "@example.org"
		}
		for _, b := range w.boxes {
			b.account += "@example.org"
			for j := range b.items {
				w.rename(&b.items[j], b.account)
			}
		}
	}
}
