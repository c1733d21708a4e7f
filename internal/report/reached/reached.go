// Package reached writes what was reached for the people who must write to those affected: a line for every mailbox,
// message, folder, file, host and credential that there is a verdict on.
//
// Comma-separated values, the cells those of package cell: one that a spreadsheet could take for a formula begins with an
// apostrophe, and case.json has the values as they are. Times are UTC. Where nothing bounds how many were reached, upper is
// "unbounded". A line is short enough to be read: of the sessions it names the first, of the reasons it tells the one that decides,
// and how many there are; the rules of all stand there. The proof is in case.json.
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

const header = "mailbox,owner,kind,object,in,name,verdict,exposure,content,partial,metadata,lower,upper,first,last,sessions,rules,why,settle,reasons\r\n"

// What a line shows at most; case.json has all of it.
const (
	maxSessions = 3
	maxWhy      = 500 // bytes of the reason
	maxSettle   = 300 // bytes
)

// Write writes what was reached.
func Write(w io.Writer, in *input.Input) error {
	out := bufio.NewWriterSize(w, 64<<10)
	out.WriteString(header)
	var line []byte
	var rows rows
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
		line = rows.append(line[:0], r, owners)
		if _, err := out.Write(line); err != nil {
			return err
		}
	}
	return out.Flush()
}

// rows writes lines. The verdicts on what lies in one place mostly have their sessions and reasons in common, lists that are in memory once, and the
// cells of those are made once.
type rows struct {
	by     []string // of which the last cells are, as of the next two
	why    []casefile.Reason
	settle string
	last   []byte // from the sessions on
}

// append appends the line of r, with the owner of the mailbox that it is or lies in.
func (w *rows) append(dst []byte, r *casefile.Reached, owners map[string]string) []byte {
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
	if len(w.last) == 0 || !isSame(r.By, w.by) || !isSame(r.Why, w.why) || r.Settle != w.settle {
		w.by, w.why, w.settle = r.By, r.Why, r.Settle
		w.makeLast(r)
	}
	return append(dst, w.last...)
}

// isSame reports whether both are one list in memory, or empty.
func isSame[T any](a, b []T) bool { return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0]) }

// makeLast makes the cells that tell of the sessions, of the reasons, the first of which decides, and of what would settle it.
func (w *rows) makeLast(r *casefile.Reached) {
	var rules []string
	for i := range r.Why {
		if !slices.Contains(rules, r.Why[i].Rule) {
			rules = append(rules, r.Why[i].Rule)
		}
	}
	by := r.By
	if len(by) > maxSessions {
		by = append(slices.Clone(by[:maxSessions]), "+"+strconv.Itoa(len(by)-maxSessions))
	}
	why := ""
	if len(r.Why) > 0 {
		why = r.Why[0].Text
	}
	w.last = append(cell.Append(w.last[:0], strings.Join(by, " ")), ',')
	w.last = append(cell.Append(w.last, strings.Join(rules, " ")), ',')
	w.last = append(cell.Append(w.last, shortened(why, maxWhy)), ',')
	w.last = append(cell.Append(w.last, shortened(r.Settle, maxSettle)), ',')
	w.last = append(strconv.AppendInt(w.last, int64(len(r.Why)), 10), "\r\n"...)
}

// shortened returns s, or its beginning where it is longer than most bytes.
func shortened(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return string(fields.Cut([]byte(s), most)) + "…"
}
