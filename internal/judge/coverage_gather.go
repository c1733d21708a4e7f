package judge

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

// wideExport is how many accounts the records of a cloud must name to count as those of everybody.
const wideExport = 10

// origin is one host in one source.
type origin struct {
	source int32
	host   string
}

// gatherer puts streams together to trails.
type gatherer struct {
	c       *coverage
	streams []tally.Stream
	// original is, by source, that of which it is a copy.
	original []int32
	hosts    map[string]string // label to the name that a log gives
	several  map[string]bool   // labels of hosts with different full names: mail.paris.example and mail.lyon.example
	// exchange are the hosts of which logs of Exchange tell by name, frontEnd the raw hosts whose IIS logs hold requests to it.
	exchange map[string]bool
	frontEnd map[string]bool
	parts    map[origin][]*tally.Stream // what a source holds of a host
	whole    map[origin]*tally.Stream   // all of that as one, once it was asked for
	places   map[string]*place
	trails   map[trailKey]*trail
	trailOf  map[streamID]*trail // of each stream
	order    []trailKey
	address  map[int32]string // the address that most events of a source are of
	targets  map[string]bool  // labels of servers that other logs of Exchange name
	visited  visitTimes
	machine  map[origin]string // the folder of one of several servers of the same name
	nameless nameless
}

type trailKey struct{ place, format, site string }

func (c *coverage) assemble() error {
	same := original(c.in.Sources)
	g := &gatherer{
		c: c, streams: withoutCopies(c.in.Store.Streams(), same), original: same, hosts: make(map[string]string), several: make(map[string]bool), targets: make(map[string]bool), exchange: make(map[string]bool), frontEnd: make(map[string]bool),
		parts: make(map[origin][]*tally.Stream), whole: make(map[origin]*tally.Stream), places: make(map[string]*place), trails: make(map[trailKey]*trail), trailOf: make(map[streamID]*trail), address: make(map[int32]string),
	}
	if err := g.learn(); err != nil {
		return err
	}
	for i := range g.streams {
		g.take(&g.streams[i])
	}
	g.siblings()
	g.unaudited()
	if f := c.in.Facts; f != nil {
		c.stateOff(f)
		g.state(f)
	}
	g.named()
	for _, k := range slices.Sorted(maps.Keys(g.places)) {
		c.places = append(c.places, g.places[k])
	}
	slices.SortFunc(g.order, func(a, b trailKey) int {
		return cmp.Or(cmp.Compare(a.place, b.place), cmp.Compare(a.format, b.format), cmp.Compare(a.site, b.site))
	})
	for _, k := range g.order {
		t := g.trails[k]
		t.place.trails = append(t.place.trails, t)
		c.trails = append(c.trails, t)
		t.shelve()
	}
	for _, p := range c.places {
		lists := make([][]tally.Span, len(p.trails))
		for i, t := range p.trails {
			lists[i] = t.spans
		}
		p.spans = unite(lists)
	}
	if err := c.readDown(g); err != nil {
		return err
	}
	if err := c.fileAuditing(); err != nil {
		return err
	}
	for _, t := range c.trails {
		t.measure()
	}
	c.notYetRecorded(g)
	for _, p := range c.places {
		p.dominant()
	}
	c.trails = slices.DeleteFunc(c.trails, func(t *trail) bool { return !slices.Contains(t.place.trails, t) })
	if err := c.readGaps(g); err != nil {
		return err
	}
	c.zoneless(g)
	c.setBack()
	return c.joints(g)
}

// mostLate is how much later than what they tell of records of Microsoft 365 may appear, in nanoseconds (mail-forensics 3.3, freshness).
const mostLate = 24 * 3600 * 1e9

// notYetRecorded takes, of what the audit log of Microsoft 365 holds of a workload, the last day of the export for as far as there are records of that
// workload: more may have come when it had been made.
func (c *coverage) notYetRecorded(g *gatherer) {
	last := make(map[string]int64)
	for i := range g.streams {
		if s := &g.streams[i]; s.From != event.UnknownTime && strings.HasPrefix(s.Format, "m365.ual:") {
			if to, ok := last[s.Format]; !ok || to < s.To {
				last[s.Format] = s.To
			}
		}
	}
	for _, t := range c.trails {
		if t.rule.within != "m365.ual" || len(t.whole) == 0 {
			continue
		}
		to, ok := last[t.format]
		if t.format == mailAccess {
			if exchange, has := last["m365.ual:Exchange"]; has && (!ok || to < exchange) {
				to, ok = exchange, true
			}
		}
		end := t.whole[len(t.whole)-1].To
		if !ok || to >= end {
			continue
		}
		why := "records come up to a day late, and none of the kind is later than " + inWords(to)
		t.gaps = append(t.gaps, gap{hole: hole{max(to, sum(end, -mostLate)) + 1, end, "after_coverage", false, why}, presence: true, detail: true})
	}
}

// zoneDoubt is by how much a time may be off whose zone nobody knows, in nanoseconds: zones lie between UTC-12 and UTC+14.
const zoneDoubt = 14 * 3600 * 1e9

// yearDoubt is the same of a log of which nobody knows the year.
const yearDoubt = 366 * 24 * 3600 * 1e9

// zoneless takes the times of logs that do not say their zone, where the facts do not either, as far as they are known. Those of
// one host agree with one another: where nothing else but an inventory has times, only that is held against them.
func (c *coverage) zoneless(g *gatherer) {
	streams := c.in.Store.Streams()
	alone := !c.in.Facts.hasTimes()
	for i := range streams {
		alone = alone && streams[i].ZoneAssumed && streams[i].Host == streams[0].Host
	}
	for i := range streams {
		s := &streams[i]
		doubt, why := int64(zoneDoubt), "its times have no zone: facts (timezones) can say which"
		switch {
		case s.YearAssumed:
			doubt, why = yearDoubt, "its times have no year: facts (years) can say which"
		case !s.ZoneAssumed:
			continue
		}
		c.mayBeOff(s, doubt)
		if alone && !s.YearAssumed {
			c.doubt = zoneDoubt
		} else if t := g.trailOf[streamID{s.Source, s.Host, s.Format}]; t != nil {
			t.skew, t.skewWhy = doubt, why
		}
	}
}

// setBack takes the times of logs that run backwards as far as they are known: the clock was wrong until it was set back, or is since, by as much as
// the log shows, and a pause of it before.
func (c *coverage) setBack() {
	for _, t := range c.trails {
		for i := range t.files {
			if f := &t.files[i]; f.Backwards > mostBack(f.Format) && !t.rule.unordered {
				c.mayBeOff(&f.Stream, sum(f.Backwards, longPause))
			}
		}
	}
}

// mayBeOff notes that the times of a log of a host may be off by so many nanoseconds.
func (c *coverage) mayBeOff(s *tally.Stream, doubt int64) { c.isOffBy(s.Host, s.Format, doubt) }

// isOffBy is mayBeOff, of the log that a stream with that format is a part of.
func (c *coverage) isOffBy(host, format string, doubt int64) {
	if c.skewed == nil {
		c.skewed = make(map[logAt]int64)
	}
	format, _, _ = strings.Cut(format, ":")
	c.skewed[logAt{host, format}] = max(doubt, c.skewed[logAt{host, format}])
}

// named makes known the servers that other logs, and the list of mailboxes, name: of one that no log is of, all logs are missing.
func (g *gatherer) named() {
	for _, l := range slices.Sorted(maps.Keys(g.targets)) {
		known := false
		for _, p := range g.places {
			known = known || p.called() == l
		}
		if !known {
			g.place(l, g.hosts[l]).systems[exchangeServer] = true
		}
	}
	g.listed()
}

// listed does so of those of the list. Each is one of the kind that logs are of, and of Exchange where they are of both.
func (g *gatherer) listed() {
	inv := g.c.in.Inventory
	if inv == nil {
		return
	}
	kind := otherSystem
	unnamed := g.places[""]
	for _, p := range g.places {
		switch {
		case p.systems[exchangeServer]:
			kind = exchangeServer
		case p.systems[mailServer] && kind == otherSystem:
			kind = mailServer
		}
		if p != unnamed && p.systems[mailServer] {
			unnamed = nil
		}
	}
	if kind == otherSystem {
		return
	}
	names := make(map[string]string) // by label
	for i := range inv.Mailboxes {
		if name := g.c.in.Hosts.Of(inv.Mailboxes[i].Server); name != "" && !cloudServer(name) {
			if l := hostLabel(name); names[l] == "" {
				names[l] = name
			}
		}
	}
	if kind == mailServer && len(names) == 1 && unnamed != nil {
		return // the only log of mail does not say whose it is
	}
	for l, name := range names {
		if p := g.place(l, name); !p.systems[exchangeServer] && !p.systems[mailServer] {
			p.systems[kind] = true
		}
	}
}

// learn finds what names there are before any log is assigned to a place.
func (g *gatherer) learn() error {
	full := make(map[string]string) // the full name of a label
	events := make(map[origin]int64)
	for i := range g.streams {
		s := &g.streams[i]
		k := origin{s.Source, s.Host}
		g.parts[k] = append(g.parts[k], s)
		events[k] += s.Events
		if strings.HasPrefix(s.Format, "iis.") && len(s.Beats) > 0 { // what looks after Exchange knocks at both its sites
			g.frontEnd[s.Host] = true
		}
		if name := g.c.in.Hosts.Of(s.Host); name != "" && !address(name).IsValid() {
			l := hostLabel(name)
			if low := hostName(name); low != l {
				g.several[l] = g.several[l] || full[l] != "" && full[l] != low
				full[l] = low
			}
			if g.hosts[l] == "" || len(name) < len(g.hosts[l]) || len(name) == len(g.hosts[l]) && name < g.hosts[l] {
				g.hosts[l] = name
			}
			if strings.HasPrefix(s.Format, "exchange.") {
				g.exchange[l] = true
			}
		}
	}
	for _, k := range sortedOrigins(events) {
		if _, own := ownAddress(k.host); !own {
			continue
		}
		if best, ok := g.address[k.source]; !ok || events[k] > events[origin{k.source, best}] {
			g.address[k.source] = k.host
		}
	}
	for source, a := range g.address {
		g.address[source] = withoutPort(a)
	}
	if inv := g.c.in.Inventory; inv != nil {
		for i := range inv.Mailboxes {
			if s := g.c.in.Hosts.Of(inv.Mailboxes[i].Server); s != "" && !cloudServer(s) {
				l := hostLabel(s)
				g.exchange[l] = true
				if g.hosts[l] == "" {
					g.hosts[l] = s
				}
			}
		}
	}
	if err := g.passedOn(); err != nil {
		return err
	}
	for _, ctx := range g.c.in.Store.Contexts() {
		g.noteFrontEnd(ctx.Format, ctx.Host, ctx.Channel)
		if rule := coversOf(ctx.Format); rule != nil && rule.system == cloud && ctx.Standing != logs.Service && ctx.Account != "" {
			g.c.named[g.c.who.key(ctx.Account)] = true
		}
	}
	for _, l := range g.c.in.Store.Joints().Logs { // a front end of Exchange adds identifiers
		if strings.HasPrefix(l.Format, iisLog) {
			g.frontEnd[l.Host] = true
		}
	}
	g.c.wide = len(g.c.named) >= wideExport
	failed, err := g.c.in.attempts()
	if err != nil {
		return err
	}
	for l := range failed.logs {
		g.noteFrontEnd(l.format, l.host, l.channel)
	}
	g.addresses()
	g.machines()
	return nil
}

// passedOn learns the servers that a log of Exchange says that it passed requests on to.
func (g *gatherer) passedOn() error {
	all, err := g.c.in.Store.Identities()
	if err != nil {
		return err
	}
	for _, i := range all.List {
		name := g.c.in.Hosts.Of(i.Name)
		if i.ID != logs.ExchangeServer || address(name).IsValid() || cloudServer(name) {
			continue
		}
		if l := hostLabel(name); l != "" && l != "localhost" {
			g.exchange[l], g.targets[l] = true, true
			if g.hosts[l] == "" {
				g.hosts[l] = name
			}
		}
	}
	return nil
}

// all returns what a source holds of a host as one stream.
func (g *gatherer) all(k origin) *tally.Stream {
	if w := g.whole[k]; w != nil {
		return w
	}
	w := &tally.Stream{Source: k.source, Host: k.host, From: event.UnknownTime, To: event.UnknownTime}
	g.whole[k] = w
	for _, s := range g.parts[k] {
		w.Events = max(w.Events, s.Events)
		w.Active = append(w.Active, s.Active...)
		if s.From != event.UnknownTime {
			if w.From == event.UnknownTime || s.From < w.From {
				w.From = s.From
			}
			w.To = max(w.To, s.To)
			if len(s.Active) == 0 {
				w.Active = append(w.Active, tally.Span{From: s.From, To: s.From}, tally.Span{From: s.To, To: s.To})
			}
		}
		w.Cut = w.Cut || s.Cut
		if len(w.Unread) == 0 {
			w.Unread = s.Unread // of the source
		}
		if s.Backwards > w.Backwards {
			w.Backwards, w.BackwardsAt = s.Backwards, s.BackwardsAt
		}
	}
	w.Active = mergeSpans(w.Active, 0)
	return w
}

func sortedOrigins[V any](m map[origin]V) []origin {
	list := slices.Collect(maps.Keys(m))
	slices.SortFunc(list, func(a, b origin) int {
		return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.host, b.host))
	})
	return list
}

func (g *gatherer) noteFrontEnd(format, host, channel string) {
	if strings.HasPrefix(format, "iis.") && slices.Contains(exchangeWeb, channel) {
		g.frontEnd[host] = true
	}
}

func (g *gatherer) place(key, name string) *place {
	p := g.places[key]
	if p == nil {
		p = &place{key: key, name: name}
		g.places[key] = p
	}
	return p
}

// original returns, for each source, the one of those with the same bytes whose path is shortest: a copy in another folder is no log of
// another site, which misses everything else.
func original(sources []casefile.Source) []int32 {
	first := make(map[string]int32, len(sources))
	for i := range sources {
		s := &sources[i]
		k, ok := first[s.SHA256]
		if !ok || cmp.Or(cmp.Compare(len(s.Path), len(sources[k].Path)), strings.Compare(s.Path, sources[k].Path)) < 0 {
			first[s.SHA256] = int32(i)
		}
	}
	out := make([]int32, len(sources))
	for i := range sources {
		out[i] = int32(i)
		if h := sources[i].SHA256; h != "" {
			out[i] = first[h]
		}
	}
	return out
}

// withoutCopies leaves out the streams of all but one of the files that are the same byte by byte.
func withoutCopies(streams []tally.Stream, original []int32) []tally.Stream {
	of := func(s *tally.Stream) int32 {
		if s.Source < 0 || int(s.Source) >= len(original) {
			return s.Source
		}
		return original[s.Source]
	}
	told := make(map[int32]int32) // by which of the copies
	for i := range streams {
		s := &streams[i]
		if by, ok := told[of(s)]; !ok || s.Source < by {
			told[of(s)] = s.Source
		}
	}
	return slices.DeleteFunc(slices.Clone(streams), func(s tally.Stream) bool { return told[of(&s)] != s.Source })
}

// path returns the path of a source, "" for one that is not in the case.
func (g *gatherer) path(source int32) string {
	if source < 0 || int(source) >= len(g.c.in.Sources) {
		return ""
	}
	return g.c.in.Sources[g.original[source]].Path
}

// locate returns the place that a stream is of.
func (g *gatherer) locate(s *tally.Stream, rule *covers) *place {
	key, name := g.whose(s, rule)
	if m, ok := g.machine[origin{s.Source, s.Host}]; ok && key != cloudPlace {
		key, name = ofMachine(key, name, m)
	}
	return g.place(key, name)
}

// whose returns by what key and by what name the place of a stream goes, as far as names and addresses tell.
func (g *gatherer) whose(s *tally.Stream, rule *covers) (key, name string) {
	if rule.system == cloud {
		return cloudPlace, "Microsoft 365"
	}
	if name := g.c.in.Hosts.Of(s.Host); name != "" && !address(name).IsValid() {
		l := hostLabel(name)
		if low := hostName(name); g.several[l] && low != l {
			return l + "\x00" + low, name
		}
		return l, g.hosts[l]
	}
	if l := longestElement(asFolders(g.path(s.Source)), g.hosts); l != "" {
		return l, g.hosts[l]
	}
	if rule.system == exchangeServer && g.isOnly(s.Source) {
		for l := range g.exchange {
			return l, g.hosts[l]
		}
	}
	a := g.address[s.Source]
	return a, a
}

// take adds a stream to the trail that it is a part of.
func (g *gatherer) take(s *tally.Stream) {
	rule := coversOf(s.Format)
	if rule == nil {
		return
	}
	path := g.path(s.Source)
	name := parseName(path)
	format, title, site := s.Format, s.Format, ""
	backEnd := strings.HasSuffix(format, logs.BackEndStream)
	if strings.HasPrefix(format, "iis.") {
		title = strings.TrimSuffix(title, logs.BackEndStream)
		number := iisSite(path)
		if number != "" {
			title = "iis.w3svc" + number
		}
		if g.isFrontEnd(s) {
			if format = "iis.exchange"; number == "2" || backEnd {
				format = "iis.backend"
			}
			rule = coversOf(format)
		} else if backEnd {
			format = strings.TrimSuffix(format, logs.BackEndStream)
		}
	}
	switch plain := strings.TrimSuffix(format, logs.BackEndStream); plain {
	case "exchange.imap4", "exchange.pop3":
		if backEnd || strings.Contains(name.stem, plain[len("exchange."):]+"be") {
			format = plain + ".backend"
			title = format
			rule = coversOf(format)
		}
	}
	if rule.within == "syslog" && elsewhere(name.stem) {
		return
	}
	if rule.sites || rule.within == "syslog" {
		site = name.dir + "/" + name.stem
	}
	if backEnd {
		site += logs.BackEndStream
	}
	p := g.locate(s, rule)
	p.systems[rule.system] = true
	if key := g.c.in.hostOf(s.Host); key != "" && rule.system != cloud {
		if other, ok := g.c.aliases[key]; ok && other != p {
			g.c.aliases[key] = nil
		} else {
			g.c.aliases[key] = p
		}
	}
	k := trailKey{p.key, format, site}
	t := g.trails[k]
	if t == nil {
		t = &trail{place: p, format: format, name: title, rule: rule, site: site, from: always}
		g.trails[k] = t
		g.order = append(g.order, k)
	}
	if rule.within != "" {
		t.matched += s.Events
	}
	if from := max(s.From, always+auditMargin) - auditMargin; s.Format == mailAccess && s.From != event.UnknownTime && (t.from == always || from < t.from) {
		t.from, t.fromWhy = from, "no record of mail access, of anybody, before "+inWords(s.From)
	}
	t.files = append(t.files, g.file(s, path, name, rule))
	g.trailOf[streamID{s.Source, s.Host, s.Format}] = t
}

// isFrontEnd reports whether requests to Exchange stand in the same source of an IIS log.
func (g *gatherer) isFrontEnd(s *tally.Stream) bool {
	if g.frontEnd[s.Host] {
		return true
	}
	a := address(s.Host)
	return a.IsValid() && g.address[s.Source] != "" && g.frontEnd[g.address[s.Source]]
}

// elsewhere reports whether a file is one that mail and logins are not written to by the rules that systems come with, or errors
// only: what it holds of them is a few lines.
func elsewhere(stem string) bool {
	for _, head := range [...]string{"messages", "kern", "daemon", "mail.err", "mail.warn", "error"} {
		if strings.HasPrefix(stem, head) {
			return true
		}
	}
	return false
}

// file makes a file of a trail. Of a log that is a part of a larger one, it was alive when that was.
func (g *gatherer) file(s *tally.Stream, path string, name fileName, rule *covers) file {
	f := file{Stream: *s, path: path, name: name}
	if rule.within != "" {
		w := g.all(origin{s.Source, s.Host})
		f.Events, f.From, f.To, f.Active = w.Events, w.From, w.To, w.Active
		f.Backwards, f.BackwardsAt = w.Backwards, w.BackwardsAt
	}
	if i := int(s.Source); i >= 0 && i < len(g.c.in.Sources) {
		f.torn = g.c.in.Sources[i].Unparsed > 0 && len(s.Records) == 0
	}
	return f
}

// siblings adds to the trails of parts of a log the other files of the log, in which there is nothing of that part.
func (g *gatherer) siblings() {
	type shelf struct{ host, site string }
	files := make(map[shelf][]*tally.Stream)
	logs := make(map[origin]string) // the whole that a part belongs to
	for i := range g.streams {
		s := &g.streams[i]
		if rule := coversOf(s.Format); rule != nil && rule.within != "" {
			logs[origin{s.Source, s.Host}] = rule.within
		} else if s.Format == "syslog" || s.Format == "m365.ual" {
			logs[origin{s.Source, s.Host}] = s.Format
		}
	}
	for k, log := range logs {
		name := parseName(g.path(k.source))
		at := shelf{k.host, log + "!" + name.dir + "/" + name.stem}
		files[at] = append(files[at], g.all(k))
	}
	for _, k := range g.order {
		t := g.trails[k]
		if t.rule.within == "" {
			continue
		}
		has := make(map[int32]bool)
		shelves := make(map[shelf]bool)
		for i := range t.files {
			f := &t.files[i]
			has[f.Source] = true
			shelves[shelf{f.Host, t.rule.within + "!" + f.name.dir + "/" + f.name.stem}] = true
		}
		var more []*tally.Stream
		for at := range shelves {
			for _, w := range files[at] {
				if !has[w.Source] {
					more = append(more, w)
				}
			}
		}
		slices.SortFunc(more, func(a, b *tally.Stream) int {
			return cmp.Or(cmp.Compare(a.Source, b.Source), strings.Compare(a.Host, b.Host))
		})
		for _, w := range more {
			path := g.path(w.Source)
			t.files = append(t.files, g.file(w, path, parseName(path), t.rule))
		}
	}
}

// unaudited makes the trail of mail access where the audit log of a cloud has no such record.
func (g *gatherer) unaudited() {
	k := trailKey{cloudPlace, mailAccess, ""}
	if g.trails[k] != nil {
		return
	}
	rule := coversOf(mailAccess)
	var files []file
	for i := range g.streams {
		if s := &g.streams[i]; s.Format == "m365.ual" {
			path := g.path(s.Source)
			files = append(files, g.file(s, path, parseName(path), rule))
		}
	}
	if len(files) == 0 {
		return
	}
	g.trails[k] = &trail{place: g.place(cloudPlace, "Microsoft 365"), format: mailAccess, name: mailAccess, rule: rule, files: files,
		from: never, fromWhy: "no record of mail access, of anybody: it was not exported, or not licensed, or not audited"}
	g.order = append(g.order, k)
}

// dominant drops, of several logs that hold the same kind of lines, those that hold only a few of them: what is in mail.log is
// in syslog too, but in daemon.log there are a handful.
func (p *place) dominant() {
	best := make(map[string]float64)
	rate := func(t *trail) float64 {
		var seconds int64 = 1
		for _, s := range t.whole {
			seconds += apart(s.From, s.To) / 1e9
		}
		return float64(t.matched) / float64(seconds)
	}
	for _, t := range p.trails {
		if t.rule.within == "syslog" {
			best[t.format] = max(best[t.format], rate(t))
		}
	}
	p.trails = slices.DeleteFunc(p.trails, func(t *trail) bool { return t.rule.within == "syslog" && rate(t) < best[t.format]/4 })
}

// fileAuditing finds when the auditing of files on shares begins: it is off unless somebody switched it on.
func (c *coverage) fileAuditing() error {
	first := make(map[string]int64) // by host
	for i, ctx := range c.in.Store.Contexts() {
		if ctx.Channel != "smb" || !strings.HasPrefix(ctx.Format, "windows.") {
			continue
		}
		key := hostLabel(ctx.Host)
		for a, err := range c.in.Store.Acts(i) {
			if err != nil {
				return err
			}
			if a.From == event.UnknownTime || a.Inference != logs.FileReadGranted && a.Inference != logs.FileOpened {
				continue
			}
			if at, ok := first[key]; !ok || a.From < at {
				first[key] = a.From
			}
		}
	}
	for _, t := range c.trails {
		if !slices.Contains(t.rule.detail, "smb") {
			continue
		}
		t.from, t.fromWhy = never, "no record of access to files on shares: auditing of it may be off"
		if at, ok := first[t.place.key]; ok {
			t.from, t.fromWhy = at, "no record of access to files on shares before "+inWords(at)
		}
	}
	return nil
}

// readDown finds when hosts were down by their own word: from the record of going down to the next of coming up, as far as no
// log of the host has an event in between.
func (c *coverage) readDown(g *gatherer) error {
	contexts := c.in.Store.Contexts()
	open := make(map[*place]int64)
	for a, err := range c.in.Store.Gaps() {
		if err != nil {
			return err
		}
		if a.Kind != logs.Heartbeat || a.From == event.UnknownTime || a.Context < 0 || a.Context >= len(contexts) {
			continue
		}
		p := g.places[c.hostKey(contexts[a.Context].Host)]
		if p == nil || p.key == "" {
			continue
		}
		switch a.Inference {
		case logs.Down:
			open[p] = a.To
		case logs.Up:
			from, ok := open[p]
			if !ok || a.From <= from {
				continue
			}
			delete(open, p)
			i, _ := slices.BinarySearchFunc(p.spans, from, func(s tally.Span, at int64) int { return cmp.Compare(s.To, at) })
			for ; i < len(p.spans) && p.spans[i].From < a.From; i++ {
				from = max(from, min(p.spans[i].To, a.From))
			}
			if from < a.From {
				p.down = append(p.down, tally.Span{From: from, To: a.From})
			}
		}
	}
	for _, p := range c.places {
		p.down = mergeSpans(p.down, 0)
	}
	return nil
}
