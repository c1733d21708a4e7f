package tally

import (
	"encoding/binary"

	"github.com/barid-dfir/barid/internal/event"
)

// answerRowFlags is how many bits tell what is so of an Answer.
const answerRowFlags = 3

// What the frames of the section of answers begin with.
const (
	answerLimits = iota // whether it has all
	answerRows
	answerNames
)

// writeAnswers writes what was handed out to nobody in particular.
func (s *storeWriter) writeAnswers() error {
	a, f := &s.answered, &s.frames
	if len(a.List) == 0 && len(a.names) == 0 && !a.manyNames && !a.Sampled {
		return nil
	}
	f.buf = append(f.buf, answerLimits, bit(a.Sampled), bit(a.manyNames))
	if err := f.end(); err != nil {
		return err
	}
	var before Ref
	for i := range a.List {
		begins, err := s.frameIsFull()
		if err != nil {
			return err
		}
		if begins {
			f.buf, before = append(f.buf, answerRows), Ref{}
		}
		x := &a.List[i]
		f.buf = binary.AppendUvarint(f.buf, uint64(len(x.IP)))
		f.buf = append(f.buf, x.IP...)
		f.buf = append(f.buf, byte(x.Kind), bit(x.Untimed)|bit(x.Unsaid)<<1|bit(x.Ranged)<<2)
		f.buf = binary.AppendVarint(f.buf, x.From)
		f.buf = binary.AppendUvarint(f.buf, uint64(x.To-x.From))
		for _, n := range [...]int64{x.Times, x.Bytes, x.Most} {
			f.buf = binary.AppendUvarint(f.buf, uint64(n))
		}
		f.buf = appendRef(f.buf, &x.First, &before)
		before = x.First
	}
	if err := f.end(); err != nil {
		return err
	}
	last := uint64(0)
	for _, h := range a.names {
		begins, err := s.frameIsFull()
		if err != nil {
			return err
		}
		if begins {
			f.buf, last = append(f.buf, answerNames), 0
		}
		f.buf = binary.AppendUvarint(f.buf, h-last)
		last = h
	}
	return f.end()
}

// Answers implements [Store].
func (f *File) Answers() (Answers, error) {
	var out Answers
	err := f.section(answerSection, func(r *reader) error { return f.readAnswers(r, &out) })
	return out, err
}

func (f *File) readAnswers(r *reader, out *Answers) error {
	switch r.byte() {
	case answerLimits:
		out.Sampled, out.manyNames = r.byte() == 1, r.byte() == 1
		if r.left() > 0 {
			return errDamaged
		}
	case answerRows:
		var before Ref
		for r.left() > 0 {
			x := Answer{IP: string(r.take(r.uvarint())), Kind: event.AnswerKind(r.byte())}
			flags := r.byte()
			x.Untimed, x.Unsaid, x.Ranged = flags&1 > 0, flags&2 > 0, flags&4 > 0
			x.From = r.varint()
			x.To = x.From + int64(r.uvarint())
			x.Times, x.Bytes, x.Most = r.known(0), r.known(0), r.known(0)
			x.First = r.ref(&before)
			before = x.First
			n := len(out.List)
			if r.err != nil || x.To < x.From || flags >= 1<<answerRowFlags || x.Kind > event.AuditedAnswer || len(x.IP) > maxAnswerIP || int(x.First.Source) >= f.sources || n >= maxAnswers ||
				n > 0 && compareAnswers(&out.List[n-1], &x) >= 0 {
				return errDamaged
			}
			out.List = append(out.List, x)
		}
	case answerNames:
		last := uint64(0)
		for r.left() > 0 {
			last += r.uvarint()
			if n := len(out.names); r.err != nil || n >= maxNames || n > 0 && out.names[n-1] >= last {
				return errDamaged
			}
			out.names = append(out.names, last)
		}
	default:
		return errDamaged
	}
	return r.err
}

// AddAnswer takes that something was handed out to nobody in particular.
func (m *Memory) AddAnswer(client string, at Ref, a event.Answer) {
	m.handed = append(m.handed, handed{client[:min(len(client), maxAnswerIP)], at, a})
}

// handed is an answer that a Memory holds.
type handed struct {
	client string
	at     Ref
	answer event.Answer
}

// Answers implements [Store].
func (m *Memory) Answers() (Answers, error) {
	c := &Collector{answers: newAnswerTaker(newAnswerSample())}
	for i := range m.handed {
		h := &m.handed[i]
		c.Answer([]byte(h.client), h.at, &h.answer)
	}
	c.answers.flush()
	return c.answers.sample.finish(func(int) bool { return false }), nil
}
