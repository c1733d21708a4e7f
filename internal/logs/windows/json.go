package windows

import (
	"bytes"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	ljson "github.com/barid-dfir/barid/internal/logs/json"
	"github.com/barid-dfir/barid/internal/logs/logsource"
	"github.com/barid-dfir/barid/internal/logs/timestamp"
)

// JSON returns the Format "windows.json": Windows events as JSON, in lines, arrays or one after the other, in the forms
// of evtx_dump, winlogbeat, Velociraptor, Wazuh, NXLog, Sentinel and the Security-Datasets. Its events have the fields
// of [EVTX]'s, as far as the form carries them. Of a nested form only what is the event's own is read, not what the
// collector says about it a second time.
func JSON() logs.Format { return JSONWith(logsource.Builtin()) }

// JSONWith is [JSON] with a table of log sources of the user.
func JSONWith(t *logsource.Table) logs.Format {
	c := newCatalog(t)
	plans := ljson.NewCache(func(r *ljson.Record, _ []byte) *plan { return newPlan(c, r.Names()) })
	known := newShapes("windows.json", c)
	zoneless := new(sync.Map) // of the *logs.Source that had times without a zone
	return logs.Format{
		Name:   known.format,
		Sniff:  func(s *logs.Source) logs.Certainty { return sniffJSON(c, s) },
		Cutter: func(s *logs.Source) logs.Cutter { return ljson.CutterOf(s) },
		Parser: func() logs.Parser {
			return &jsonParser{catalog: c, shapes: known, plans: plans.Front(), bindings: map[*plan]map[string]*binding{}, zoneless: zoneless}
		},
		Zoneless: func(s *logs.Source) bool { _, ok := zoneless.LoadAndDelete(s); return ok },
	}
}

// sniffed is how many records of a source are looked at to recognise it: other programs' lines may come first.
const sniffed = 16

func sniffJSON(c *catalog, s *logs.Source) logs.Certainty {
	layout, ok := ljson.Sniff(s.Head)
	if !ok {
		return logs.No
	}
	var r ljson.Record
	is := func() bool {
		p := newPlan(c, r.Names())
		return p.id >= 0 && (p.channel >= 0 || p.provider >= 0)
	}
	// The first record may be longer than the head.
	if layout.Header < len(s.Head) {
		r.Scan(s.Head[layout.Header:])
		if is() {
			return logs.Certain
		}
	}
	cutter := ljson.CutterOf(s)
	n, state := cutter.Cut(s.Head, true)
	b := &logs.Block{Source: s, Data: s.Head[:n], First: true, Line: 1, State: state}
	w := ljson.Walk(b, new(event.Batch))
	for range sniffed {
		if !w.Next(&r) {
			break
		}
		if is() {
			return logs.Certain
		}
	}
	return logs.No
}

// plan is what the names of a record tell about its values.
type plan struct {
	values []planned
	// The positions of the values that are needed by themselves; -1 for those that are not there.
	provider, channel, id, eventType, message        int
	time, record, received, localTime, localReceived int
	// embedded is the position of a value that may hold the event's data in a text of its own.
	embedded int
	// flat is set where all fields stand side by side, ordered where they are in the order of the event: collectors that
	// keep them in maps write them in any.
	flat, ordered bool
}

type planned struct {
	use     use
	name    string
	convert conversion
}

type use uint8

const (
	dropped use = iota
	ofData
	ofSystem
)

type conversion uint8

const (
	asIs conversion = iota
	toHex
	toGUID
)

func newPlan(c *catalog, names []string) *plan {
	p := &plan{values: make([]planned, len(names)), provider: -1, channel: -1, id: -1, eventType: -1, message: -1,
		time: -1, record: -1, received: -1, localTime: -1, localReceived: -1, embedded: -1, flat: true}
	paths := make([]string, len(names))
	for i, n := range names {
		paths[i] = strings.Replace(n, "_attributes.", ".#attributes.", 1) // evtx_dump --separate-json-attributes
		if _, ok := c.dataName(paths[i]); ok || strings.HasPrefix(n, "Event.System.") || strings.HasPrefix(n, "winlog.") {
			p.flat = false
		}
		if strings.HasPrefix(n, "Event.System.") || strings.HasPrefix(n, "System.") {
			p.ordered = true
		}
	}
	best := map[string]int{} // system field → position of the path that gives it
	for i, path := range paths {
		name, ok := c.systemPaths[path]
		if !ok {
			continue
		}
		if j, dup := best[name]; !dup || c.systemRank[path] < c.systemRank[paths[j]] {
			best[name] = i
		}
	}
	collected := slices.ContainsFunc(paths, func(path string) bool { return c.collector[path] })
	for i, path := range paths {
		v := &p.values[i]
		if name, ok := c.systemPaths[path]; ok && best[name] == i {
			*v = planned{use: ofSystem, name: name}
			switch c.systemKinds[name] {
			case "hex64":
				v.convert = toHex
			case "guid":
				v.convert = toGUID
			}
		} else if name, ok := c.dataName(path); ok {
			*v = planned{use: ofData, name: name}
		} else if p.flat && !(collected && c.collector[path]) && !(ok && c.systemPaths[path] == path) {
			if _, system := best[path]; !system {
				*v = planned{use: ofData, name: strings.TrimSuffix(path, ".#text")}
			}
		}
		if v.use == ofData {
			if path == "EventData" || strings.HasSuffix(path, "EventData.Data") {
				p.embedded = i
			}
			if v.name == "EventType" {
				p.eventType = i
			}
			if _, ok := c.hex[v.name]; ok {
				v.convert = toHex
			} else if c.guid[v.name] {
				v.convert = toGUID
			}
		}
	}
	if p.flat {
		p.received = c.first(paths, c.received)
		p.localTime = c.first(paths, []string{c.localTime})
		p.localReceived = c.first(paths, []string{c.localReceived})
	}
	at := func(name string) int {
		if i, ok := best[name]; ok {
			return i
		}
		return -1
	}
	p.provider, p.channel, p.id = at("Provider_Name"), at("Channel"), at("EventID")
	p.time, p.record, p.message = at("TimeCreated"), at("EventRecordID"), at("Message")
	if p.time < 0 && p.received < 0 {
		p.received = c.first(paths, c.received) // winlogbeat: its @timestamp is the event's
	}
	return p
}

// first returns the position in paths of the first of names that is there, or -1.
func (c *catalog) first(paths, names []string) int {
	for _, n := range names {
		if i := slices.Index(paths, n); n != "" && i >= 0 {
			return i
		}
	}
	return -1
}

// dataName returns the name of the data field at a path; ok is false if the path is of no data.
func (c *catalog) dataName(path string) (name string, ok bool) {
	for _, prefix := range c.dataPrefixes {
		rest, fits := path, true
		for _, want := range prefix {
			elem, after, more := strings.Cut(rest, ".")
			if !more || want != "*" && elem != want {
				fits = false
				break
			}
			rest = after
		}
		if !fits {
			continue
		}
		rest = strings.TrimSuffix(rest, ".#text")
		if strings.HasPrefix(rest, "#attributes") || strings.Contains(rest, ".#attributes.") || rest == "xml_name" || strings.HasPrefix(rest, "xmlns") {
			return "", false
		}
		if rest == "#text" {
			rest = "Data"
		}
		// Elements in elements go by the innermost name, as those of EVTX do.
		if prefix[len(prefix)-1] == "*" {
			rest = rest[strings.LastIndexByte(rest, '.')+1:]
		}
		if prefix[len(prefix)-1] == "eventdata" && rest != "" { // Wazuh
			rest = strings.ToUpper(rest[:1]) + rest[1:]
		}
		return rest, rest != ""
	}
	return "", false
}

// binding is a Shape and where the values of a record go in it.
type binding struct {
	shape  *event.Shape
	places []place // by position
}

// place is where a value goes.
type place struct {
	slot    int // -1 if it is dropped or constant
	convert conversion
}

type jsonParser struct {
	observer
	catalog  *catalog
	shapes   *shapes
	plans    *ljson.Front[*plan]
	bindings map[*plan]map[string]*binding
	bound    int // bindings in bindings
	zoneless *sync.Map
	assumed  bool // the zone of a time in this block was assumed

	record, element ljson.Record
	key             []byte
}

// maxBindings bounds what a worker keeps.
const maxBindings = 16384

// maxEventType is the longest EventType that can make a difference.
const maxEventType = 16

// Parse implements [logs.Parser].
func (p *jsonParser) Parse(b *logs.Block, out *event.Batch) {
	p.assumed = false
	for w := ljson.Walk(b, out); w.Next(&p.record); {
		r := &p.record
		pl := p.plans.Get(r, nil)
		unpacked := false
		if pl.embedded >= 0 {
			if unpacked = p.unpack(r.Values[pl.embedded], out); unpacked {
				pl = p.plans.Get(r, nil)
			}
		}
		eventType, found := p.eventType(pl)
		bd := p.bind(pl, eventType, unpacked)
		e := out.Add(bd.shape)
		for i, place := range bd.places {
			if place.slot < 0 {
				continue
			}
			v := r.Values[i]
			switch place.convert {
			case toHex:
				v = hexValue(v, out)
			case toGUID:
				v = guidValue(v, out)
			}
			e.Values[place.slot] = v
		}
		if found {
			e.Values[bd.places[pl.eventType].slot] = eventType
		}
		e.Time = p.time(pl, b.Source)
		if pl.record >= 0 {
			e.Record, _ = strconv.ParseInt(string(r.Values[pl.record].Data), 10, 64)
		}
		e.Raw, e.Offset, e.Line = w.Raw, w.Offset, w.Line
	}
	if p.assumed {
		p.zoneless.Store(b.Source, true)
	}
}

// eventType returns the value of the field EventType; found is set if it was found in the message, where NXLog leaves it
// when it puts a kind of its own in the field's place.
func (p *jsonParser) eventType(pl *plan) (v event.Value, found bool) {
	if pl.eventType < 0 {
		return event.Value{}, false
	}
	v = p.record.Values[pl.eventType]
	if !pl.flat || !p.catalog.eventTypes[string(v.Data)] || pl.message < 0 {
		return v, false
	}
	message := p.record.Values[pl.message].Data
	const mark = `EventType: `
	i := bytes.Index(message, []byte(mark))
	if i < 0 {
		return v, false
	}
	word := message[i+len(mark):]
	n := 0
	for n < len(word) && (word[n]|0x20 >= 'a' && word[n]|0x20 <= 'z') {
		n++
	}
	if n == 0 || n > maxEventType {
		return v, false
	}
	return event.Value{Data: word[:n:n], Kind: event.UTF8}, true
}

// bind returns the Shape of the record and the slots of its values.
func (p *jsonParser) bind(pl *plan, eventType event.Value, unpacked bool) *binding {
	r := &p.record
	key := p.key[:0]
	for _, i := range [...]int{pl.provider, pl.channel, pl.id} {
		if i >= 0 {
			v := r.Values[i]
			key = append(key, byte(v.Kind))
			key = strconv.AppendInt(key, int64(len(v.Data)), 10)
			key = append(key, ' ')
			key = append(key, v.Data...)
		}
		key = append(key, 0)
	}
	if len(eventType.Data) <= maxEventType {
		key = append(key, eventType.Data...)
	}
	key = append(key, 0)
	if unpacked {
		key = append(key, 1)
	}
	p.key = key
	if b := p.bindings[pl][string(key)]; b != nil {
		return b
	}
	if p.bound >= maxBindings {
		clear(p.bindings)
		p.bound = 0
	}
	b := p.newBinding(pl, eventType, unpacked)
	if p.bindings[pl] == nil {
		p.bindings[pl] = map[string]*binding{}
	}
	p.bindings[pl][string(key)] = b
	p.bound++
	return b
}

func (p *jsonParser) newBinding(pl *plan, eventType event.Value, unpacked bool) *binding {
	c := p.catalog
	text := func(i int) string {
		if i < 0 {
			return ""
		}
		return p.record.Values[i].String()
	}
	h := head{provider: text(pl.provider), channel: text(pl.channel)}
	h.id = -1
	if id, err := strconv.Atoi(strings.TrimSpace(text(pl.id))); err == nil {
		h.id = id
	}
	collectors := pl.flat && c.eventTypes[string(eventType.Data)]
	service := c.Service(h.channel)
	if !collectors && len(eventType.Data) <= maxEventType && c.NeedsEventType(h.channel, h.id) {
		h.eventType = eventType.String()
	}
	b := &binding{places: make([]place, len(pl.values))}
	var columns []column
	var at []int
	for i, v := range pl.values {
		b.places[i] = place{-1, v.convert}
		if v.use == dropped || i == pl.eventType && collectors || i == pl.embedded && unpacked {
			continue
		}
		if limit := c.hex[v.name]; limit != "" && limit != service && v.use == ofData {
			b.places[i].convert = asIs
		}
		col := column{name: v.name, system: v.use == ofSystem}
		switch i {
		case pl.provider, pl.channel:
			if text(i) != "" {
				col.constant = event.Text(text(i))
			}
		case pl.id:
			if h.id >= 0 {
				col.constant = event.Value{Data: []byte(strconv.Itoa(h.id)), Kind: event.Number}
			}
		}
		columns, at = append(columns, col), append(at, i)
	}
	if !pl.ordered {
		sorted := make([]int, len(at))
		for k := range sorted {
			sorted[k] = k
		}
		slices.SortStableFunc(sorted, func(x, y int) int { return strings.Compare(columns[x].name, columns[y].name) })
		inOrder, where := make([]column, len(at)), make([]int, len(at))
		for k, from := range sorted {
			inOrder[k], where[k] = columns[from], at[from]
		}
		columns, at = inOrder, where
	}
	var slots []int
	b.shape, slots = p.shapes.get(h, columns)
	for k, i := range at {
		if slots[k] < b.shape.Variable() {
			b.places[i].slot = slots[k]
		}
	}
	return b
}

// time returns when the event happened.
func (p *jsonParser) time(pl *plan, s *logs.Source) int64 {
	value := func(i int) event.Value {
		if i < 0 {
			return event.Value{}
		}
		return p.record.Values[i]
	}
	created, received := value(pl.time), value(pl.received)
	if t := ljson.Time(created); t != event.UnknownTime && zoned(created) {
		return t
	}
	at := ljson.Time(received)
	if at != event.UnknownTime && !zoned(received) {
		at, p.assumed = timestamp.In(at, s.Zone), true
	}
	local := created
	if pl.time < 0 {
		local = value(pl.localTime)
	}
	t := ljson.Time(local)
	if t == event.UnknownTime {
		return at
	}
	if zoned(local) {
		return t
	}
	if at != event.UnknownTime {
		// The record was received at the same moment by two clocks, one of them in UTC: their difference is the zone.
		if r := ljson.Time(value(pl.localReceived)); r != event.UnknownTime {
			const quarter = int64(15 * time.Minute)
			offset := at - r
			rounded := (offset + sign(offset)*quarter/2) / quarter * quarter
			if d := offset - rounded; -int64(2*time.Minute) < d && d < int64(2*time.Minute) && -15*int64(time.Hour) < rounded && rounded < 15*int64(time.Hour) {
				return t + rounded
			}
		}
		return at
	}
	p.assumed = true
	return timestamp.In(t, s.Zone)
}

func sign(n int64) int64 {
	if n < 0 {
		return -1
	}
	return 1
}

// zoned reports whether a time says its zone; one that is counted from 1970 does.
func zoned(v event.Value) bool {
	const length = len("2006-01-02T15:04:05")
	if v.Kind != event.UTF8 || len(v.Data) < length || v.Data[4] != '-' {
		return v.Kind != event.None
	}
	return bytes.ContainsAny(v.Data[length:], "Zz+-")
}

// hexValue turns a decimal number into the hexadecimal text that Windows writes.
func hexValue(v event.Value, out *event.Batch) event.Value {
	if v.Kind != event.Number {
		return v
	}
	n, ok := parseInt64(v.Data)
	if !ok {
		return v
	}
	var scratch [18]byte
	return event.Value{Data: out.Copy(strconv.AppendUint(append(scratch[:0], "0x"...), n, 16)), Kind: event.UTF8}
}

// parseInt64 reads a decimal integer of 64 bits, signed or not, as its two's complement.
func parseInt64(p []byte) (uint64, bool) {
	negative := len(p) > 0 && p[0] == '-'
	if negative {
		p = p[1:]
	}
	if len(p) == 0 {
		return 0, false
	}
	n := uint64(0)
	for _, c := range p {
		d := uint64(c - '0')
		if c < '0' || c > '9' || n > (math.MaxUint64-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	if negative {
		return -n, n <= 1<<63
	}
	return n, true
}

// guidValue puts a bare GUID in the braces that Windows writes.
func guidValue(v event.Value, out *event.Batch) event.Value {
	if v.Kind != event.UTF8 || len(v.Data) != 36 || v.Data[8] != '-' || v.Data[13] != '-' || v.Data[18] != '-' || v.Data[23] != '-' {
		return v
	}
	p := out.Bytes(38)
	p[0], p[37] = '{', '}'
	copy(p[1:], v.Data)
	return event.Value{Data: p, Kind: event.UTF8}
}
