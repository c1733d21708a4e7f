// Package reached writes what was reached for the people who must write to those affected: a line for every mailbox,
// message, folder, file, host and credential that there is a verdict on.
//
// Comma-separated values, the cells those of package cell: one that a spreadsheet could take for a formula begins with an
// apostrophe, and case.json has the values as they are. Times are UTC. Where nothing bounds how many were reached, upper is
// "unbounded".
package reached

import (
	"bufio"
	"cmp"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/cell"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/report/fields"
	"github.com/barid-dfir/barid/internal/report/input"
)

const header = "mailbox,owner,kind,object,in,name,verdict,exposure,content,partial,metadata,lower,upper,first,last,sessions,rules,why,settle\r\n"

// maxWhy is the most of the reasons that a line shows, in bytes; case.json has all of them.
const maxWhy = 4000

// Write writes what was reached.
func Write(w io.Writer, in *input.Input) error {
	out := bufio.NewWriterSize(w, 64<<10)
	out.WriteString(header)
	var line, buf []byte
	owners := make(map[string]string) // of mailboxes
	for r, err := range in.Reached {
		if err != nil {
			return err
		}
		if o := &r.Object; o.Kind == "mailbox" && o.Owner != "" {
			owners[o.ID] = o.Owner
		}
	}
	for r, err := range in.Reached {
		if err != nil {
			return err
		}
		line, buf = appendRow(line[:0], buf, r, owners)
		if _, err := out.Write(line); err != nil {
			return err
		}
	}
	return out.Flush()
}

// appendRow appends the line of r, with the owner of the mailbox that it is or lies in. buf is memory to work with, and returned for the next.
func appendRow(dst, buf []byte, r *casefile.Reached, owners map[string]string) (line, rest []byte) {
	add := func(s string) { dst = append(cell.Append(dst, s), ',') }
	mailbox := ""
	switch r.Object.Kind {
	case "mailbox":
		mailbox = r.Object.ID
	case "message", "folder":
		mailbox = r.Object.In
	}
	for _, s := range [...]string{mailbox, cmp.Or(r.Object.Owner, owners[mailbox]), r.Object.Kind, r.Object.ID, r.Object.In, r.Object.Name, r.Verdict, r.Exposure, r.Levels.Content, r.Levels.Partial, r.Levels.Metadata} {
		add(s)
	}
	dst = append(strconv.AppendInt(dst, r.Lower, 10), ',')
	if r.Upper < 0 {
		dst = append(dst, "unbounded,"...)
	} else {
		dst = append(strconv.AppendInt(dst, r.Upper, 10), ',')
	}
	if r.First != nil {
		dst = event.AppendTime(dst, *r.First)
	}
	dst = append(dst, ',')
	if r.Last != nil {
		dst = event.AppendTime(dst, *r.Last)
	}
	dst = append(dst, ',')
	add(strings.Join(r.By, " "))
	var rules []string
	buf = buf[:0]
	for i := range r.Why {
		if !slices.Contains(rules, r.Why[i].Rule) {
			rules = append(rules, r.Why[i].Rule)
		}
		if len(buf) > maxWhy {
			continue
		}
		if i > 0 {
			buf = append(buf, " | "...)
		}
		buf = append(buf, r.Why[i].Text...)
	}
	add(strings.Join(rules, " "))
	if len(buf) > maxWhy {
		buf = append(fields.Cut(buf, maxWhy), "…"...)
	}
	dst = append(cell.Append(dst, buf), ',')
	dst = cell.Append(dst, r.Settle)
	return append(dst, '\r', '\n'), buf
}
