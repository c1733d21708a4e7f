// Package syslog reads what Unix systems log as text, in any of the forms that syslog daemons write, and the own files of
// mail servers that resemble them. The messages of sshd, PAM, sudo, Dovecot, Postfix, Exim, Sendmail, Courier, Cyrus and Roundcube are read into fields.
package syslog

import (
	"bytes"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/lines"
)

// New returns the Format "syslog". The Shape of an event has a Format of its own for what program wrote the line: "syslog.dovecot",
// "syslog.postfix", "syslog.sshd" and so on.
//
// A line without a year gets that of the lines before it; the first one the latest that does not put it after the date in
// the name of the file, or the time the file was last written. A line without a zone is in the zone of its source. Both are told in Notes.
func New() logs.Format {
	set := newShapes()
	return logs.Format{
		Name:     "syslog",
		Sniff:    sniff,
		Cutter:   func(s *logs.Source) logs.Cutter { return newCutter(s) },
		Parser:   func() logs.Parser { return &parser{shapes: set} },
		Notes:    notes,
		Zoneless: zoneless,
		YearAssumed: func(s *logs.Source) bool {
			undated, _ := lacks(s)
			_, how := begin(s)
			return undated && (how == fromWindow || how == fromNameAgainst)
		},
		Known: set.known,
	}
}

// sniff looks at the first lines: most have to begin with a time and, by any sign, a program.
func sniff(s *logs.Source) logs.Certainty {
	stamped, tagged, all := 0, 0, 0
	for rest := s.Head; len(rest) > 0 && all < 32; {
		var line []byte
		var whole bool
		line, rest, whole = bytes.Cut(rest, []byte{'\n'})
		line = bytes.TrimRight(line, "\r\x00")
		if len(line) == 0 || !whole && all > 0 {
			continue
		}
		all++
		var h header
		if !h.parse(bytes.TrimPrefix(line, []byte("\xEF\xBB\xBF"))) {
			continue
		}
		stamped++
		if h.program != nil || h.form == bracketForm && isRoundcube(h.message) || h.form == isoForm && isExim(h.message) || h.form == bsdForm && h.host != nil {
			tagged++
		}
	}
	switch {
	case all == 0 || stamped*2 <= all:
		return logs.No
	case tagged*2 > all:
		return logs.Likely
	}
	return logs.Possible
}

// state is the state of a block.
type state struct {
	part     lines.Part
	calendar calendar // before its first line
	// ssh is what was said of connections before it; nil if nothing.
	ssh *connections
	// sftp is what was said of transfers of files before it; nil if nothing.
	sftp *transfers
}

type cutter struct {
	lines.Cutter
	calendar calendar
	first    bool
	scratch  event.Batch
	// ssh is what was said of connections; nil as long as no line is of sshd.
	ssh    *connections
	sftp   *transfers
	values [max(sshSlots, sfSlots)]event.Value
}

func newCutter(s *logs.Source) *cutter {
	c := &cutter{first: true}
	c.calendar, _ = begin(s)
	return c
}

// Cut implements [logs.Cutter].
func (c *cutter) Cut(data []byte, atEOF bool) (int, any) {
	n, part := c.Next(data, atEOF)
	if n == 0 {
		return 0, nil
	}
	st := &state{part: part, calendar: c.calendar}
	if c.ssh != nil {
		before := *c.ssh
		st.ssh = &before
	}
	if c.sftp != nil {
		before := *c.sftp
		st.sftp = &before
	}
	var h header
	b := logs.Block{Data: data[:n], First: c.first}
	ssh, sftp := bytes.Contains(b.Data, sshdName), bytes.Contains(b.Data, sftpOpened)
	for s := lines.Scan(&b, part, &c.scratch); s.Next(); {
		rest, ok := h.stamp(s.Line)
		if !ok {
			continue
		}
		if !h.absolute {
			c.calendar.step(&h)
		}
		if ssh && changes(rest) && h.finish(rest) {
			c.follow(&h)
		}
		if sftp && opensTransfer(rest) && h.finish(rest) {
			c.followTransfer(&h)
		}
	}
	c.scratch.Reset()
	c.first = false
	return n, st
}

var sshdName = []byte("sshd")

// maxSender is how far into a line its program is looked for by a glance.
const maxSender = 320

// namesSSHD reports whether what follows the time of a line can begin with sshd's name: the Cutter looks at no others.
func namesSSHD(rest []byte) bool {
	return bytes.Contains(rest[:min(len(rest), maxSender)], sshdName)
}

// follow takes account of a line of sshd.
func (c *cutter) follow(h *header) {
	h.normalise()
	if recognise(h) != sshd {
		return
	}
	if c.ssh == nil {
		c.ssh = new(connections)
	}
	clear(c.values[:])
	put(c.values[:], sMessage, h.message)
	parseSSH(c.values[:], h.message)
	c.ssh.follow(h, c.values[:])
}

// opensTransfer reports whether what follows the time of a line can be a line of sftp-server that opens a session: the Cutter looks at no others.
func opensTransfer(rest []byte) bool {
	return bytes.Contains(rest[:min(len(rest), maxSender)], sftpOpened)
}

// followTransfer takes account of a line of sftp-server.
func (c *cutter) followTransfer(h *header) {
	h.normalise()
	if recognise(h) != sftp {
		return
	}
	if c.sftp == nil {
		c.sftp = new(transfers)
	}
	clear(c.values[:])
	parseSFTP(c.values[:], h.message)
	c.sftp.follow(h, c.values[:])
}

type parser struct {
	shapes *shapes
	when   when
	ssh    connections
	sftp   transfers
	// used says that ssh holds anything, and moved that sftp does.
	used, moved bool
	// buf holds texts that are put together, until the next event is observed.
	buf []byte
}

// Parse implements [logs.Parser].
func (p *parser) Parse(b *logs.Block, out *event.Batch) {
	st := b.State.(*state)
	cal := st.calendar
	switch {
	case st.ssh != nil:
		p.ssh, p.used = *st.ssh, true
	case p.used:
		p.ssh, p.used = connections{}, false
	}
	switch {
	case st.sftp != nil:
		p.sftp, p.moved = *st.sftp, true
	case p.moved:
		p.sftp, p.moved = transfers{}, false
	}
	var h header
	for s := lines.Scan(b, st.part, out); s.Next(); {
		rest, ok := h.stamp(s.Line)
		if !ok {
			s.Defect("no time at the start of the line")
			continue
		}
		year := 0
		if !h.absolute {
			year = cal.step(&h)
		}
		if !h.finish(rest) {
			s.Defect("broken syslog header")
			continue
		}
		e := p.shapes.add(&h, out)
		if kind(e.Shape.Tag) == sshd && namesSSHD(rest) {
			p.follow(&h, e.Values, out)
		}
		if kind(e.Shape.Tag) == sftp {
			p.followTransfer(&h, e.Values, opensTransfer(rest), out)
		}
		e.Time = p.when.time(&h, year, b.Source.Zone)
		e.Raw, e.Offset, e.Line = s.Line, s.Offset, s.Number
	}
}

// follow completes an event of sshd with what earlier lines said of its connection.
func (p *parser) follow(h *header, v []event.Value, out *event.Batch) {
	p.used = true
	if ip := p.ssh.follow(h, v); len(ip) > 0 {
		known := out.Bytes(len(ip))
		copy(known, ip)
		put(v, sshIP, known)
	}
}

// followTransfer completes an event of sftp-server with who it works for. opens says that the Cutter looked at the line, too.
func (p *parser) followTransfer(h *header, v []event.Value, opens bool, out *event.Batch) {
	if !opens && string(v[sfEvent].Data) == string(evSessionOpened) {
		return
	}
	p.moved = true
	if who := p.sftp.follow(h, v); who != nil && v[sfUser].IsAbsent() {
		text := out.Bytes(int(who.userLen) + int(who.ipLen))
		n := copy(text, who.user[:who.userLen])
		copy(text[n:], who.ip[:who.ipLen])
		put(v, sfUser, text[:n:n])
		put(v, sfIP, text[n:])
	}
}
