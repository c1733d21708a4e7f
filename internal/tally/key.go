package tally

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
)

// A key is the texts and kinds of a Context, of an Act, or of both one after the other, as bytes whose order is that of
// CompareContexts and compareKind. A text ends in 0; in it, 0 and 1 are written as 1 1 and 1 2.

const (
	contextTexts = 9 // account, IP, session, device, application, agent, host, format, channel; then a byte for the standing
	actHead      = 3 // bytes: kind, OK, unknown
	placeTexts   = 4 // in, kind of object, folder, object
	actTexts     = 7 // those, inference, action; the target follows two bytes for power and exposure
)

// appendTerm appends a text to a key.
func appendTerm[T string | []byte](dst []byte, s T) []byte {
	from := len(dst)
	dst = append(dst, s...)
	if new := dst[from:]; bytes.IndexByte(new, 0) >= 0 || bytes.IndexByte(new, 1) >= 0 {
		dst = dst[:from]
		for i := range len(s) {
			if s[i] <= 1 {
				dst = append(dst, 1, s[i]+1)
			} else {
				dst = append(dst, s[i])
			}
		}
	}
	return append(dst, 0)
}

// appendText appends a text as [Text] returns it.
func appendText(dst, s []byte) []byte {
	if len(s) > maxText {
		s = appendLong(nil, s)
	}
	return appendTerm(dst, s)
}

// appendLower is appendText in lower case.
func appendLower(dst, s []byte) []byte {
	for _, c := range s {
		if c >= utf8.RuneSelf {
			return appendText(dst, []byte(strings.ToLower(string(s))))
		}
	}
	if len(s) > maxText {
		return appendText(dst, bytes.ToLower(s))
	}
	from := len(dst)
	dst = appendTerm(dst, s)
	for i, c := range dst[from:] {
		if 'A' <= c && c <= 'Z' {
			dst[from+i] = c + 'a' - 'A'
		}
	}
	return dst
}

// appendContextKey appends the key of [ContextOf].
func appendContextKey(dst, host []byte, format string, o *logs.Observation) []byte {
	dst = appendLower(dst, o.Account)
	var ip [64]byte
	dst = appendText(dst, plainIP(ip[:], o.IP))
	failed := failedLogin(o)
	if failed {
		dst = append(dst, 0, 0, 0, 0)
	} else {
		dst = appendText(dst, o.Session)
		dst = appendText(dst, o.Device)
		dst = appendText(dst, o.App)
		dst = appendTerm(dst, cutAgent(o.Agent))
	}
	dst = appendText(dst, host)
	dst = appendTerm(dst, format)
	dst = appendTerm(dst, Text(o.Channel))
	if failed {
		return append(dst, 0)
	}
	return append(dst, byte(o.Standing))
}

// appendActKey appends the key of [ActOf].
func appendActKey(dst []byte, o *logs.Observation) []byte {
	if failedLogin(o) {
		return append(dst, make([]byte, actHead+actTexts+2)...)
	}
	dst = append(dst, byte(o.Kind), bit(o.OK), bit(o.Unknown))
	dst = appendLower(dst, o.In)
	dst = appendTerm(dst, Text(o.ObjectKind))
	dst = appendText(dst, o.Folder)
	dst = appendText(dst, o.Object)
	dst = appendTerm(dst, Text(o.Inference))
	dst = appendText(dst, o.Action)
	dst = append(dst, byte(o.Power), byte(o.Exposure))
	return appendText(dst, o.Target)
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}

var errDamaged = errors.New("the store is damaged")

// term returns the first text of a key, as it is written there, and what follows it; ok is false where there is none.
func term(key []byte) (text, rest []byte, ok bool) {
	i := bytes.IndexByte(key, 0)
	if i < 0 {
		return nil, nil, false
	}
	return key[:i], key[i+1:], true
}

// plain returns a text of a key as it was. It returns s itself where nothing in it was written otherwise.
func plain(s []byte) []byte {
	i := bytes.IndexByte(s, 1)
	if i < 0 {
		return s
	}
	out := append([]byte(nil), s[:i]...)
	for ; i < len(s); i++ {
		c := s[i]
		if c == 1 && i+1 < len(s) {
			i++
			c = s[i] - 1
		}
		out = append(out, c)
	}
	return out
}

// contextLength returns the length of the key of a Context that b begins with, -1 if it does not.
func contextLength(b []byte) int { return keyLength(b, 0, contextTexts, 1, 0) }

// actLength is contextLength for an Act.
func actLength(b []byte) int { return keyLength(b, actHead, actTexts-1, 2, 1) }

// keyLength returns the length of so many bytes, texts, bytes and texts that b begins with, -1 if it does not.
func keyLength(b []byte, head, texts, middle, more int) int {
	n := head
	for i := range texts + more {
		if i == texts {
			n += middle
		}
		if n > len(b) {
			return -1
		}
		j := bytes.IndexByte(b[n:], 0)
		if j < 0 {
			return -1
		}
		n += j + 1
	}
	if more == 0 {
		n += middle
	}
	if n > len(b) {
		return -1
	}
	return n
}

// strings of a store are often the same as those of the record before, or come back.
type interner struct{ known map[string]string }

const maxInterned = 1 << 16

// text returns a text of a key. before is the one it is likely to be.
func (in *interner) text(s []byte, before string) string {
	s = plain(s)
	if string(s) == before {
		return before
	}
	if len(s) == 0 {
		return ""
	}
	if t, ok := in.known[string(s)]; ok {
		return t
	}
	t := string(s)
	if len(in.known) < maxInterned {
		if in.known == nil {
			in.known = make(map[string]string)
		}
		in.known[t] = t
	}
	return t
}

// decodeContext reads the key of a Context. c may hold another one.
func (in *interner) decodeContext(key []byte, c *Context) error {
	for _, p := range [...]*string{&c.Account, &c.IP, &c.Session, &c.Device, &c.App, &c.Agent, &c.Host, &c.Format, &c.Channel} {
		text, rest, ok := term(key)
		if !ok {
			return errDamaged
		}
		key = rest
		if p == &c.Session {
			if text = plain(text); string(text) != *p {
				*p = string(text)
			}
			continue
		}
		*p = in.text(text, *p)
	}
	if len(key) != 1 || key[0] > byte(logs.Service) {
		return errDamaged
	}
	c.Standing = logs.Standing(key[0])
	return nil
}

// decodeAct reads the key of an Act. a may hold another one.
func (in *interner) decodeAct(key []byte, a *Act) error {
	if len(key) < actHead || key[0] > byte(logs.Gap) || key[1] > 1 || key[2] > 1 {
		return errDamaged
	}
	a.Kind, a.OK, a.Unknown = logs.Kind(key[0]), key[1] == 1, key[2] == 1
	key = key[actHead:]
	for _, p := range [...]*string{&a.In, &a.ObjectKind, &a.Folder, &a.Object, &a.Inference, &a.Action, &a.Target} {
		if p == &a.Target {
			if len(key) < 2 || key[0] > byte(logs.Rule) || key[1] > byte(logs.Content) {
				return errDamaged
			}
			a.Power, a.Exposure = logs.Power(key[0]), logs.Exposure(key[1])
			key = key[2:]
		}
		text, rest, ok := term(key)
		if !ok {
			return errDamaged
		}
		key = rest
		if p == &a.Object || p == &a.Folder {
			if text = plain(text); string(text) != *p {
				*p = string(text)
			}
			continue
		}
		*p = in.text(text, *p)
	}
	if len(key) > 0 {
		return errDamaged
	}
	return nil
}

// touchKey appends what an act is looked up by, given its key: what it lies in, or itself where it lies in nothing, folded. The
// first byte tells which. ok is false where it is neither.
func touchKey(dst, act []byte) (key []byte, ok bool) {
	in, rest, _ := term(act[actHead:])
	if len(in) > 0 {
		return append(append(dst, 'i'), plain(in)...), true
	}
	for range placeTexts - 2 {
		_, rest, _ = term(rest)
	}
	object, _, _ := term(rest)
	if len(object) == 0 {
		return dst, false
	}
	return appendFolded(append(dst, 'o'), string(plain(object))), true
}

// appendFolded appends s so that texts are alike of which [strings.EqualFold] says so.
func appendFolded(dst []byte, s string) []byte {
	for _, r := range s {
		if r < utf8.RuneSelf && r != 'k' && r != 's' && r != 'K' && r != 'S' {
			if 'A' <= r && r <= 'Z' {
				r += 'a' - 'A'
			}
			dst = append(dst, byte(r))
			continue
		}
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		dst = utf8.AppendRune(dst, least)
	}
	return dst
}

// appendTime appends a time so that the order of the bytes is that of the times.
func appendTime(dst []byte, t int64) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(t)^1<<63)
}

func readTime(b []byte) int64 { return int64(binary.BigEndian.Uint64(b) ^ 1<<63) }

// amounts is what acts that are otherwise the same add up.
type amounts struct {
	from, to                 int64
	times, count, size, most int64
	refs                     [KeptRefs]Ref
	kept                     int
}

// amountsOf returns the amounts of one observation.
func amountsOf(at Ref, o *logs.Observation) amounts {
	a := amounts{times: 1, count: amount(o.Count), size: -1, most: -1, kept: 1}
	if !failedLogin(o) {
		a.size = amount(o.Bytes)
		a.most = a.size
	}
	a.from, a.to = reach(at.Time, o)
	a.refs[0] = at
	return a
}

// adjacent reports whether both are of one Visit.
func (a *amounts) adjacent(b *amounts) bool {
	if a.from > b.from {
		a, b = b, a
	}
	return Adjacent(a.to, b.from)
}

// add is Act.Merge.
func (a *amounts) add(b *amounts) {
	a.from, a.to = min(a.from, b.from), max(a.to, b.to)
	a.times = addKnown(a.times, b.times)
	a.count, a.size, a.most = addKnown(a.count, b.count), addKnown(a.size, b.size), max(a.most, b.most)
	for i := range b.kept {
		a.ref(&b.refs[i])
	}
}

// ref adds a reference: the first ones are kept, and the last.
func (a *amounts) ref(r *Ref) {
	i := a.kept
	for i > 0 {
		c := CompareRefs(*r, a.refs[i-1])
		if c == 0 {
			return
		}
		if c > 0 {
			break
		}
		i--
	}
	if a.kept < KeptRefs {
		copy(a.refs[i+1:a.kept+1], a.refs[i:a.kept])
		a.refs[i] = *r
		a.kept++
		return
	}
	switch {
	case i == KeptRefs: // the last so far
		a.refs[KeptRefs-1] = *r
	case i < KeptRefs-1: // the last one stays
		copy(a.refs[i+1:KeptRefs-1], a.refs[i:KeptRefs-2])
		a.refs[i] = *r
	}
}

// append appends everything but from.
func (a *amounts) append(dst []byte) []byte {
	if a.from == event.UnknownTime {
		dst = append(dst, 0)
	} else {
		dst = binary.AppendUvarint(dst, uint64(a.to-a.from)+1) // not 0: a time as long as all of int64 is never
	}
	for _, n := range [...]int64{a.times, a.count, a.size} {
		dst = binary.AppendUvarint(dst, uint64(n)+1)
	}
	if a.most == a.size {
		dst = binary.AppendUvarint(dst, 0)
	} else {
		dst = binary.AppendUvarint(dst, uint64(a.most)+2)
	}
	dst = append(dst, byte(a.kept))
	before := Ref{Time: a.from}
	for _, r := range a.refs[:a.kept] {
		dst = appendRef(dst, &r, &before)
		before = r
	}
	return dst
}

// appendRef appends a reference, given one that it is likely to be near to.
func appendRef(dst []byte, r, before *Ref) []byte {
	for _, n := range [...]int64{int64(r.Source) - int64(before.Source), r.Time - before.Time, r.Line - before.Line, (r.Record - r.Line) - (before.Record - before.Line), r.Offset - before.Offset} {
		dst = binary.AppendVarint(dst, n)
	}
	return dst
}

// reader reads numbers. Its zero value after an error reads zeros.
type reader struct {
	b    []byte
	at   int // of b, what comes next
	err  error
	tail []byte // for key
}

// left returns how many bytes are left.
func (r *reader) left() int { return len(r.b) - r.at }

// rest returns what is left.
func (r *reader) rest() []byte { return r.b[r.at:] }

func (r *reader) uvarint() uint64 {
	if r.at < len(r.b) && r.b[r.at] < 0x80 { // most are
		r.at++
		return uint64(r.b[r.at-1])
	}
	return r.longUvarint()
}

func (r *reader) longUvarint() uint64 {
	x, n := binary.Uvarint(r.rest())
	if n <= 0 {
		r.fail()
		return 0
	}
	r.at += n
	return x
}

func (r *reader) varint() int64 {
	x := r.uvarint()
	return int64(x>>1) ^ -int64(x&1)
}

func (r *reader) byte() byte {
	if r.left() == 0 {
		r.fail()
		return 0
	}
	r.at++
	return r.b[r.at-1]
}

// take returns the next n bytes.
func (r *reader) take(n uint64) []byte {
	if n > uint64(r.left()) {
		r.fail()
		return nil
	}
	r.at += int(n)
	return r.b[r.at-int(n) : r.at]
}

func (r *reader) fail() {
	r.b, r.at = nil, 0
	if r.err == nil {
		r.err = errDamaged
	}
}

// known reads a number that is at least least, written with -least added.
func (r *reader) known(least int64) int64 {
	x := r.uvarint()
	if x > math.MaxInt64 {
		r.fail()
		return 0
	}
	return int64(x) + least
}

func (r *reader) ref(before *Ref) Ref {
	source := int64(before.Source) + r.varint()
	if source < 0 || source > math.MaxInt32 {
		r.fail()
		return Ref{}
	}
	out := Ref{Source: int32(source), Time: before.Time + r.varint(), Line: before.Line + r.varint()}
	out.Record = out.Line + before.Record - before.Line + r.varint() // they are often the same
	out.Offset = before.Offset + r.varint()
	return out
}

// amounts reads what amounts.append wrote.
func (r *reader) amounts(from int64) (a amounts) {
	a.from, a.to = from, from
	if d := r.uvarint(); d > 0 {
		a.to = from + int64(d-1)
		if from == event.UnknownTime {
			r.fail()
		}
	}
	a.times, a.count, a.size = r.known(-1), r.known(-1), r.known(-1)
	a.most = a.size
	if m := r.known(0); m > 0 {
		a.most = m - 2
	}
	kept := int(r.byte())
	if kept < 1 || kept > KeptRefs || a.to < a.from || a.times < 0 || a.most < -1 {
		r.fail()
		return a
	}
	a.kept = kept
	before := Ref{Time: from}
	for i := range kept {
		a.refs[i] = r.ref(&before)
		before = a.refs[i]
	}
	return a
}
