// Package logs reads every kind of log into events: a folder for each kind, and here what they share.
//
// A [Format] is one kind of log. Its [Cutter] divides a stream, in order, into blocks that can be parsed apart from one
// another; whatever flows from line to line (the #Fields header in effect, say) it hands on as the block's state.
// Its [Parser] turns blocks into events, in any order and on any worker. The same bytes give the same events however
// they are cut, and every byte belongs to an event, to a header or to a named [event.Defect].
package logs

import (
	"time"

	"github.com/barid-dfir/barid/internal/event"
)

// MaxBlock is the most bytes that a Cutter is given at once, and so the longest record that can be read.
const MaxBlock = 4 << 20

// BlockSize is the length in bytes at which a Cutter of a text log cuts when it has the choice.
const BlockSize = 512 << 10

// Certainty says how sure a Format is that a source is of its kind.
type Certainty uint8

// The degrees. Between formats that are equally sure, the earlier in the table wins.
const (
	No       Certainty = iota
	Possible           // nothing speaks against it: plain text, say
	Likely             // the lines look like it
	Certain            // it names itself: a magic number, a header
)

// Source is what is known about a stream before it is read. It does not change while its blocks are parsed.
type Source struct {
	// Path names the stream, with '!' between an archive and its entry.
	Path string
	// ModTime is when the file was last written, by the file system or its archive; zero if unknown.
	ModTime time.Time
	// Zone is the time zone of a log that does not say its own; never nil.
	Zone *time.Location
	// ZoneFrom says where Zone was taken from, for people: "facts", "assumed".
	ZoneFrom string
	// Year is the year of the first line of a log that does not say its own, as the facts state it; 0 where they do not.
	Year int
	// Window is from when to when the incident was, as the facts state it; zero where they do not.
	Window [2]time.Time
	// Head is the beginning of the stream, at most 64 KiB, as UTF-8 where the stream is UTF-16.
	Head []byte
}

// Block is a run of whole records.
type Block struct {
	Source *Source
	Data   []byte // valid while the block is parsed and as long as its batch lives
	Offset int64  // of Data in the stream, in bytes
	Line   int64  // number of the first line of Data, from 1
	First  bool   // nothing of the stream came before it
	Last   bool   // nothing comes after it
	State  any    // what the Cutter hands on; not to be changed
}

// Cutter divides one stream.
type Cutter interface {
	// Cut is given what is unread of the stream, from 1 byte to MaxBlock, and returns the length of the next block and its state.
	// 0 asks for more; it is not allowed when atEOF is set or data has the length MaxBlock.
	Cut(data []byte, atEOF bool) (n int, state any)
}

// Parser turns blocks into events. A worker has its own; it serves all sources of the format.
type Parser interface {
	// Parse appends the events and defects of the block to out.
	Parse(b *Block, out *event.Batch)
	// Observe appends to obs what the event, made by this Format, means, and returns the longer slice. It does not allocate
	// for an event that means nothing.
	Observe(e *event.Event, obs []Observation) []Observation
}

// Format is one kind of log, for one run of the program: caches that its parsers share live behind its functions.
type Format struct {
	// Name is the format's name in a case, such as "iis.w3c".
	Name string
	// Sniff says how surely a source is of this kind, by its Head.
	Sniff func(s *Source) Certainty
	// Cutter returns a Cutter for one stream.
	Cutter func(s *Source) Cutter
	// Parser returns a Parser for one worker. Parsers run at the same time as one another.
	Parser func() Parser
	// Identify returns the identifier of an event in a log that may hold a record twice; of equal identifiers only the first
	// in the order of the evidence is used. It is nil for a log that does not repeat itself. A source of such a log is read
	// after those before it, so that which record is the first does not depend on timing.
	Identify func(e *event.Event) (id [16]byte, ok bool)
	// Notes returns what was assumed to read the source, such as a year or a time zone, for people. It is called after the
	// source has been read; it may be nil.
	Notes func(s *Source) []string
	// Zoneless reports whether there are times in the source that do not say their zone, so that Source.Zone was used. It is
	// called once, after the source has been read; nil where all times say it.
	Zoneless func(s *Source) bool
	// YearAssumed reports whether there are times in the source of which the year was taken from Source.Window, or from a name that
	// speaks against it, so that it may be another.
	// It is called once, after the source has been read; nil where all times say it.
	YearAssumed func(s *Source) bool
	// Known returns the events that there can be in the format, for saying of rules whether they can match. It is nil where
	// only the table of log sources says something of them.
	Known func() []Known
	// Refine returns a name that says more than Name about a source, by what its Head and Path say: "exchange.httpproxy.ecp"
	// for a log that the format "exchange" reads. It returns Name where there is no more to say; it may be nil.
	Refine func(s *Source) string
}

// Known is a kind of event that a format has.
type Known struct {
	// Name says for people which events they are.
	Name string
	// Shape has the fields that they may have.
	Shape *event.Shape
	// Open says that they may have fields besides.
	Open bool
	// Except are values that a field does not have in them.
	Except map[string][]string
}
