package windows

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"github.com/barid-dfir/barid/evtx"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/logsource"
	"github.com/barid-dfir/barid/internal/logs/timestamp"
)

// EVTX returns the Format "windows.evtx": Windows event log files, whole, cut off, without their header, or single chunks.
//
// The values of its events are those of Windows binary XML, undecoded. A record that was found where its chunk says that
// there is none has the constant field "_recovered".
func EVTX() logs.Format { return EVTXWith(logsource.Builtin()) }

// EVTXWith is [EVTX] with a table of log sources of the user.
func EVTXWith(t *logsource.Table) logs.Format {
	c := newCatalog(t)
	templates := evtx.NewTemplates()
	known := newShapes("windows.evtx", c)
	return logs.Format{
		Name:   known.format,
		Sniff:  sniffEVTX,
		Cutter: func(*logs.Source) logs.Cutter { return &evtxCutter{size: logs.BlockSize} },
		Known:  known.known,
		Parser: func() logs.Parser {
			return &evtxParser{catalog: c, shapes: known, decoder: evtx.NewDecoder(templates), layouts: map[*evtx.Layout]*layoutPlan{}, columns: map[string]knownColumn{}}
		},
	}
}

const (
	fileMagic  = evtx.FileMagic
	chunkMagic = "ElfChnk\x00"
)

func sniffEVTX(s *logs.Source) logs.Certainty {
	if bytes.HasPrefix(s.Head, []byte(fileMagic)) || bytes.HasPrefix(s.Head, []byte(chunkMagic)) || headless(s.Head) {
		return logs.Certain
	}
	return logs.No
}

// headless reports whether a stream is a log whose file header was overwritten: its first chunk is in its place.
func headless(data []byte) bool {
	return len(data) >= evtx.FileHeaderSize+len(chunkMagic) && string(data[evtx.FileHeaderSize:evtx.FileHeaderSize+len(chunkMagic)]) == chunkMagic
}

// evtxState is the state of a block.
type evtxState struct {
	header int // length of the file header that the block begins with, 0 if none
	// counted is how many chunks from the beginning of the block the file header knows of.
	counted int
}

// evtxCutter cuts between chunks. The file header goes with the first of them.
type evtxCutter struct {
	size  int
	begun bool
	left  int // chunks that the file header knows of and that have not come yet
}

// SetBlockSize sets about how long blocks are.
func (c *evtxCutter) SetBlockSize(n int) { c.size = n }

// Cut implements [logs.Cutter].
func (c *evtxCutter) Cut(data []byte, atEOF bool) (n int, state any) {
	header := 0
	if !c.begun {
		// A stream that begins with a chunk is one that was cut out of a log.
		if len(data) < len(chunkMagic) && !atEOF {
			return 0, nil
		}
		if !bytes.HasPrefix(data, []byte(chunkMagic)) {
			header = evtx.FileHeaderSize
		}
	}
	n = header + max(1, c.size/evtx.ChunkSize)*evtx.ChunkSize
	if n > len(data) {
		if !atEOF && len(data) < logs.MaxBlock {
			return 0, nil
		}
		n = len(data)
	}
	if header > 0 {
		header = min(header, n)
		// A log that was not closed counts the chunks it had when it was opened; it never has fewer.
		if h, err := evtx.ParseFileHeader(data[:header]); err == nil && h.ChecksumOK {
			c.left = int(h.Chunks)
		}
	}
	c.begun = true
	s := &evtxState{header: header, counted: c.left}
	c.left = max(0, c.left-(n-header+evtx.ChunkSize-1)/evtx.ChunkSize)
	return n, s
}

type evtxParser struct {
	observer
	catalog *catalog
	shapes  *shapes
	decoder *evtx.Decoder
	layouts map[*evtx.Layout]*layoutPlan
	columns map[string]knownColumn // by path
	bound   int
	key     []byte
}

// layoutPlan is what a Layout tells about its records.
type layoutPlan struct {
	provider, channel, id, eventType source
	time                             source
	last                             *evtxBinding // the one that was used last
	bindings                         map[string]*evtxBinding
}

// source is where a value of a record comes from.
type source struct {
	slot     int // in Record.Values; -1: constant
	constant evtx.Value
}

func (s *source) value(r *evtx.Record) evtx.Value {
	if s.slot >= 0 {
		return r.Values[s.slot]
	}
	return s.constant
}

// is reports whether the value has the bytes that it had in another record of the Layout.
func (s *source) is(other []byte, r *evtx.Record) bool {
	return s.slot < 0 || bytes.Equal(r.Values[s.slot].Data, other)
}

// evtxBinding is the Shape of records of a Layout from one provider, channel and event id.
type evtxBinding struct {
	provider, channel, id, eventType []byte
	recovered                        bool
	shape                            *event.Shape
	moves                            []move // by slot of the Shape
}

type move struct {
	from     int32       // slot of Record.Values; -1: constant
	constant event.Value // of the Layout, though not of the Shape: so that few Shapes serve many Layouts
	// null is the kind of a value of the null type: of <System> it is absent, what the event says is there without a value.
	null     event.Kind
	composed bool // the value lies in the decoder's memory
}

// kinds holds the kind of every type that a record can claim: those that Windows doesn't define are binary, lest they
// be taken for kinds of other logs.
var kinds = func() (k [256]event.Kind) {
	for t := range k {
		if k[t] = event.Kind(t); t > int(evtx.EvtXMLType) && t < int(evtx.Array) {
			k[t] = event.Kind(evtx.BinaryType)
		}
	}
	return k
}()

// Parse implements [logs.Parser].
func (p *evtxParser) Parse(b *logs.Block, out *event.Batch) {
	s := b.State.(*evtxState)
	data := b.Data
	if s.header > 0 {
		p.fileHeader(b, data[:s.header], out)
	}
	chunk := 0
	for at := s.header; at < len(data); at += evtx.ChunkSize {
		end := min(at+evtx.ChunkSize, len(data))
		p.chunk(data[at:end:end], b.Offset+int64(at), chunk < s.counted, out)
		chunk++
	}
	if b.Last && chunk < s.counted {
		out.Defects = append(out.Defects, event.Defect{Offset: b.Offset + int64(len(data)), Reason: "the log is cut off: its header counts " +
			strconv.Itoa(s.counted-chunk) + " chunks more"})
	}
}

func (p *evtxParser) fileHeader(b *logs.Block, data []byte, out *event.Batch) {
	h, err := evtx.ParseFileHeader(data)
	d := event.Defect{Offset: b.Offset, Length: int64(len(data))}
	switch {
	case err != nil:
		d.Reason = err.Error()
	case !h.ChecksumOK:
		d.Reason, d.Length = "wrong checksum of the file header", 0
	case len(data) < evtx.FileHeaderSize:
		d.Reason, d.Length = "file header cut short", 0
	default:
		return
	}
	out.Defects = append(out.Defects, d)
}

func (p *evtxParser) chunk(data []byte, offset int64, counted bool, out *event.Batch) {
	d := p.decoder
	d.Begin(data)
	for rec := d.Next(); rec != nil; rec = d.Next() {
		plan := p.layouts[rec.Layout]
		if plan == nil {
			plan = p.plan(rec.Layout)
		}
		bd := p.bind(plan, rec)
		e := out.Add(bd.shape)
		for i := range bd.moves {
			m := &bd.moves[i]
			if m.from < 0 {
				e.Values[i] = m.constant
				continue
			}
			v := &rec.Values[m.from]
			switch {
			case len(v.Data) == 0 && v.Type != evtx.StringType && v.Type != evtx.AnsiStringType && v.Type&evtx.Array == 0:
				e.Values[i].Kind = m.null
			case m.composed:
				e.Values[i] = event.Value{Data: out.Copy(v.Data), Kind: kinds[v.Type]}
			default:
				e.Values[i] = event.Value{Data: v.Data, Kind: kinds[v.Type]}
			}
		}
		e.Time = p.time(plan, rec)
		e.Record = int64(rec.ID)
		e.Raw = data[rec.Offset : rec.Offset+rec.Size : rec.Offset+rec.Size]
		e.Offset = offset + int64(rec.Offset)
	}
	for _, f := range d.Defects() {
		out.Defects = append(out.Defects, event.Defect{Offset: offset + int64(f.Offset), Length: int64(f.Length), Reason: f.Reason})
	}
	if counted && d.Free() == len(data) {
		out.Defects = append(out.Defects, event.Defect{Offset: offset, Length: int64(len(data)), Reason: "zeros where the file header counts a chunk"})
	}
}

func (p *evtxParser) time(plan *layoutPlan, rec *evtx.Record) int64 {
	switch v := plan.time.value(rec); v.Type {
	case evtx.FileTimeType:
		if n, ok := v.Uint(); ok && n != 0 {
			return evtx.UnixNano(n)
		}
	case evtx.StringType: // in exported logs, whose records are text
		p.key = v.AppendText(p.key[:0])
		if t, ok := timestamp.RFC3339(p.key, time.UTC); ok {
			return t
		}
	}
	if rec.Written <= evtx.UnixNano(0) {
		return event.UnknownTime
	}
	return rec.Written
}

func (p *evtxParser) plan(l *evtx.Layout) *layoutPlan {
	if p.bound >= maxBindings {
		clear(p.layouts)
		p.bound = 0
	}
	system := func(f evtx.SystemField) (s source) {
		s.slot, s.constant = l.SystemSlot(f)
		return s
	}
	plan := &layoutPlan{provider: system(evtx.ProviderName), channel: system(evtx.Channel), id: system(evtx.EventID),
		time: system(evtx.TimeCreated), eventType: source{slot: -1}, bindings: map[string]*evtxBinding{}}
	for i := range l.Fields {
		if f := &l.Fields[i]; f.Path == "Event/EventData/Data[EventType]" && f.Slot >= 0 {
			plan.eventType.slot = f.Slot
		}
	}
	if l.Shared {
		p.layouts[l] = plan
		p.bound++
	}
	return plan
}

// bind returns the Shape of the record and where its values go.
func (p *evtxParser) bind(plan *layoutPlan, rec *evtx.Record) *evtxBinding {
	if b := plan.last; b != nil && b.recovered == rec.Recovered && plan.id.is(b.id, rec) && plan.channel.is(b.channel, rec) &&
		plan.provider.is(b.provider, rec) && plan.eventType.is(b.eventType, rec) {
		return b
	}
	provider, channel, id := plan.provider.value(rec), plan.channel.value(rec), plan.id.value(rec)
	eventType := plan.eventType.value(rec)
	if len(eventType.Data) > 2*maxEventType {
		eventType.Data = nil
	}
	key := p.key[:0]
	for _, v := range [...]evtx.Value{provider, channel, id, eventType} {
		key = append(key, byte(v.Type))
		key = append(key, byte(len(v.Data)), byte(len(v.Data)>>8))
		key = append(key, v.Data...)
	}
	if rec.Recovered {
		key = append(key, 1)
	}
	p.key = key
	b := plan.bindings[string(key)]
	if b == nil {
		if p.bound >= maxBindings {
			clear(p.layouts)
			clear(plan.bindings)
			p.bound = 0
		}
		b = p.newBinding(rec, provider, channel, id, eventType)
		plan.bindings[string(key)] = b
		p.bound++
	}
	plan.last = b
	return b
}

func (p *evtxParser) newBinding(rec *evtx.Record, provider, channel, id, eventType evtx.Value) *evtxBinding {
	text := func(v evtx.Value) string { return string(v.AppendText(nil)) }
	b := &evtxBinding{provider: bytes.Clone(provider.Data), channel: bytes.Clone(channel.Data), id: bytes.Clone(id.Data),
		eventType: bytes.Clone(eventType.Data), recovered: rec.Recovered}
	h := head{provider: text(provider), channel: text(channel), id: -1}
	if n, err := strconv.Atoi(text(id)); err == nil {
		h.id = n
	}
	if p.catalog.NeedsEventType(h.channel, h.id) {
		h.eventType = text(eventType)
	}
	var columns []column
	var fields []*evtx.Field
	for i := range rec.Layout.Fields {
		f := &rec.Layout.Fields[i]
		col, ok := p.column(f)
		if !ok {
			continue
		}
		if f.Slot < 0 && f.Text == "" && col.system {
			continue
		}
		if col.system {
			fixed := ""
			switch col.name {
			case "Provider_Name":
				fixed = h.provider
			case "Channel":
				fixed = h.channel
			case "EventID":
				if h.id >= 0 {
					col.constant = event.Value{Data: []byte(strconv.Itoa(h.id)), Kind: event.Number}
				}
			}
			if fixed != "" {
				col.constant = event.Text(fixed)
			}
		}
		columns, fields = append(columns, col), append(fields, f)
	}
	if rec.Recovered {
		columns = append(columns, column{name: event.Recovered, system: true, constant: event.Value{Data: []byte("true"), Kind: event.JSON}})
		fields = append(fields, nil)
	}
	var slots []int
	b.shape, slots = p.shapes.get(h, columns)
	b.moves = make([]move, b.shape.Variable())
	for i, slot := range slots {
		if slot >= len(b.moves) {
			continue
		}
		f := fields[i]
		m := move{from: int32(f.Slot), null: event.Null, composed: f.Slot >= rec.Layout.Composed}
		if f.Slot < 0 {
			m.constant = event.Text(f.Text)
		}
		if columns[i].system {
			m.null = event.None
		}
		b.moves[slot] = m
	}
	return b
}

// knownColumn is what evtxColumn has said.
type knownColumn struct {
	column column
	ok     bool
}

// maxColumns bounds what is kept for paths that evidence may invent without end.
const maxColumns = 4096

// column is evtxColumn, which is asked for the same paths again and again.
func (p *evtxParser) column(f *evtx.Field) (col column, ok bool) {
	known, seen := p.columns[f.Path]
	if !seen {
		known.column, known.ok = p.catalog.evtxColumn(f)
		if len(p.columns) >= maxColumns {
			clear(p.columns)
		}
		p.columns[f.Path] = known
	}
	if col = known.column; !col.system {
		col.name = f.Name
	}
	return col, known.ok
}

// evtxColumn returns the column of a field of a record; ok is false for those that say nothing.
func (c *catalog) evtxColumn(f *evtx.Field) (col column, ok bool) {
	path := strings.ReplaceAll(strings.ReplaceAll(f.Path, "@", ".#attributes."), "/", ".")
	if name, system := c.systemPaths[path]; system {
		return column{name: name, system: true}, true
	}
	if f.Path == "Event/RenderingInfo/Message" { // what the collector of forwarded events adds
		return column{name: "Message", system: true}, true
	}
	section, rest, _ := strings.Cut(strings.TrimPrefix(f.Path, "Event/"), "/")
	if section, _, _ = strings.Cut(section, "@"); section == "System" || section == "RenderingInfo" || section == "Event" || rest == "" && section != "EventData" {
		return column{}, false
	}
	if i := strings.LastIndexByte(f.Path, '@'); i >= 0 && strings.HasPrefix(f.Path[i+1:], "xmlns") {
		return column{}, false
	}
	return column{name: f.Name}, true
}
