package judge

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/tally"
)

// Inventory is what there was to be reached, from lists that the organisation keeps.
type Inventory struct {
	Mailboxes []Mailbox
	Messages  []Message
	Files     []StoredFile
	// Unplaced is how many lines of the list of messages name no mailbox: how many messages there are is not known then.
	Unplaced int64
	// Lists are the files that it was read from.
	Lists []List
	// Problems are what could not be read of the lists, each with its file and line.
	Problems []string
}

// Mailbox is a line of the list of mailboxes.
type Mailbox struct {
	Name     string // an address or an account
	Owner    string
	Server   string
	Database string
	// Accounts are the names of the account that it belongs to, apart by blanks or semicolons: login names, aliases; "-" where there is none
	// but the mailbox's own. Where it is "", nobody knows what other names it has.
	Accounts string
	// GUIDs identify the mailbox, its archive and its object in the directory where logs do not write a name: Get-Mailbox calls them
	// ExchangeGuid, ArchiveGuid and Guid. AllGUIDs says that there are no others: the mailbox's own is among them, and the archive's, if there is one.
	GUIDs    []string
	AllGUIDs bool
	// Object is the one of GUIDs that is its object's in the directory, "" if unknown: another number than the mailbox's own.
	Object string
	// SID is the security identifier of the account that it belongs to, "" if unknown.
	SID string
}

// Message is a line of the list of messages.
type Message struct {
	Mailbox string
	// ID is the Internet message id, as the list writes it. It is "" where the list has none: no log can name such a message, so
	// that it cannot be ruled out where any was read.
	ID       string
	FolderID string
	Folder   string
	Size     int64 // bytes, -1 if unknown
	// Received and Removed are when it came into the mailbox and left it: nanoseconds since 1970 UTC, event.UnknownTime if unknown.
	Received, Removed int64
}

// StoredFile is a line of the list of files: a file, or a version of it.
type StoredFile struct {
	Path     string
	Size     int64 // bytes, -1 if unknown
	From, To int64 // when it had that size: nanoseconds since 1970 UTC, event.UnknownTime for no bound
	Label    string
	ID       string // by which its server calls it in logs that do not write its path: a Nextcloud fileId; "" if unknown
}

// nameOwners says of mailboxes, and of what lies in them, whose they are.
func nameOwners(inv *Inventory, who *people, list []casefile.Reached) {
	if inv == nil {
		return
	}
	owners := make(map[string]string)
	for i := range inv.Mailboxes {
		if m := &inv.Mailboxes[i]; m.Owner != "" {
			owners[who.key(m.Name)] = m.Owner
		}
	}
	if len(owners) == 0 {
		return
	}
	for i := range list {
		switch o := &list[i].Object; o.Kind {
		case "mailbox":
			o.Owner = owners[who.key(o.ID)]
		case "message", "folder":
			o.Owner = owners[who.key(o.In)]
		}
	}
}

// List is a file of the inventory, as it was read.
type List struct {
	Kind   string // mailboxes, messages, files
	Path   string // as the facts write it
	File   string // where it was read
	SHA256 string // in hexadecimal
	Bytes  int64
	Lines  int64 // without the header
	// Problems are the first of what could not be read, each with its line; Unread is how many there are.
	Problems []string
	Unread   int64
}

// maxProblems is how many problems of a list are named; the others are counted.
const maxProblems = 1000

// ReadLists reads the lists that facts name. locate says which file a list is in: its kind and its path, as the facts
// write it, are given. It returns nil if they name none. A list that is missing, cannot be opened or lacks a column without which it says nothing is an error; whatever is wrong in a
// line is a problem, and makes the value unknown.
func ReadLists(f *Facts, locate func(kind, path string) string) (*Inventory, error) {
	inv := &Inventory{}
	for _, kind := range inventoryKinds {
		name := f.Inventory.Path(kind)
		if name == "" {
			continue
		}
		l, err := inv.read(f, kind, name, locate(kind, name))
		if err != nil {
			return nil, fmt.Errorf("inventory: %s: %w", kind, err)
		}
		inv.Lists = append(inv.Lists, *l)
		for _, p := range l.Problems {
			inv.Problems = append(inv.Problems, name+":"+p)
		}
		if more := l.Unread - int64(len(l.Problems)); more > 0 {
			inv.Problems = append(inv.Problems, fmt.Sprintf("%s: and %d more", name, more))
		}
	}
	if len(inv.Lists) == 0 {
		return nil, nil
	}
	return inv, nil
}

// ReadInventory is ReadLists where the paths are relative to dir, which is where the file of facts is.
func ReadInventory(f *Facts, dir string) (*Inventory, error) {
	return ReadLists(f, func(_, path string) string {
		if filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(dir, path)
	})
}

// inventoryKinds are the lists, in the order in which they are read.
var inventoryKinds = [...]string{"mailboxes", "messages", "files"}

// Path returns the path of a list: mailboxes, messages or files.
func (f *InventoryFiles) Path(kind string) string {
	switch kind {
	case "mailboxes":
		return f.Mailboxes
	case "messages":
		return f.Messages
	case "files":
		return f.Files
	}
	return ""
}

// columns are the columns of each list; those that come first cannot be missing.
func columns(kind string) (names []string, needed int) {
	switch kind {
	case "mailboxes":
		return []string{"mailbox", "owner", "server", "database", "accounts", "exchange_guid", "archive_guid", "guid", "sid"}, 1
	case "messages":
		return []string{"mailbox", "message_id", "folder_id", "folder", "size", "received", "removed"}, 2
	}
	return []string{"path", "size", "from", "to", "label", "id"}, 1
}

func (inv *Inventory) read(f *Facts, kind, name, file string) (*List, error) {
	t, err := openSheet(file)
	if err != nil {
		return nil, err
	}
	defer t.close()
	t.list = List{Kind: kind, Path: name, File: file}
	names, needed := columns(kind)
	if err := t.header(names, needed); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	zone, from := f.Zone(name)
	t.times = clocks{zone: zone, assumed: from == "assumed"}
	switch kind {
	case "mailboxes":
		err = inv.readMailboxes(t)
	case "messages":
		err = inv.readMessages(t)
	case "files":
		err = inv.readFiles(t)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if t.times.widened {
		t.note("times have no zone: each may lie up to 14 hours earlier or 12 later than it says in UTC (timezones: {%s: Europe/Paris} in the facts tells the zone)", filepath.Base(name))
	}
	t.finish()
	return &t.list, nil
}

// The most that is believed, in bytes: a message, a file.
const (
	largestMessage = 1 << 40
	largestFile    = 1 << 50
)

func (inv *Inventory) readMailboxes(t *sheet) error {
	seen := make(map[string]int)
	for err := range t.records() {
		if err != nil {
			return err
		}
		if len(t.cell(0)) == 0 {
			t.problem("no mailbox: the line is left out")
			continue
		}
		m := Mailbox{Name: t.text(0), Owner: t.text(1), Server: t.again(2), Database: t.again(3), Accounts: t.text(4)}
		m.identify(t)
		key := strings.ToLower(m.Name)
		if line, twice := seen[key]; twice {
			t.problem("mailbox %q stands in line %d already", m.Name, line)
			continue
		}
		seen[key] = t.line
		inv.Mailboxes = append(inv.Mailboxes, m)
	}
	return nil
}

// identify reads the identifiers of a mailbox.
func (m *Mailbox) identify(t *sheet) {
	told := 0
	for column := 5; column <= 7; column++ {
		c := t.cell(column)
		id := identifierOf(string(c))
		switch {
		case len(c) == 0:
			continue
		case !looksLikeGUID(id):
			t.problem("%q is no GUID", cutText(string(c)))
			continue
		case id != noGUID:
			m.GUIDs = append(m.GUIDs, id)
			if column == 7 {
				m.Object = id
			}
		case column == 5:
			continue
		}
		if column < 7 {
			told++
		}
	}
	m.AllGUIDs = told == 2
	if c := t.cell(8); len(c) > 0 {
		if m.SID = identifierOf(string(c)); !isSID(m.SID) {
			t.problem("%q is no SID of an account", cutText(string(c)))
			m.SID = ""
		}
	}
}

func (inv *Inventory) readMessages(t *sheet) error {
	var lines []int32
	same := newSameMessage()
	for err := range t.records() {
		if err != nil {
			return err
		}
		if len(t.cell(0)) == 0 {
			t.problem("no mailbox: the line is left out, and how many messages there are is not known")
			inv.Unplaced++
			continue
		}
		i := len(inv.Messages)
		m := Message{Mailbox: t.again(0), FolderID: tally.Text(t.again(2)), Folder: t.again(3), Size: t.size(4, largestMessage)}
		m.Received, m.Removed = t.time(5, i, early), t.time(6, i, late)
		if len(t.cell(1)) == 0 {
			t.problem("no message_id: no log can name this message")
		} else if first := same.find(inv.Messages, t.cell(0), t.cell(1), t.cell(2), i); first >= 0 {
			t.problem("mailbox, message_id and folder_id are those of line %d", lines[first])
			inv.Messages[first].join(&m)
			t.times.forget(i)
			continue
		} else {
			m.ID = tally.Text(t.text(1)) // as the store writes it
		}
		inv.Messages = append(roomFor(inv.Messages, t), m)
		lines = append(lines, int32(min(t.line, 1<<31-1)))
	}
	t.settleTimes(lines, "removed before it was received", func(i int) (from, to *int64) {
		return &inv.Messages[i].Received, &inv.Messages[i].Removed
	})
	return nil
}

// settleTimes decides what the times mean that were left open, of rows that stand in those lines, and takes away those that cannot be.
func (t *sheet) settleTimes(lines []int32, wrong string, of func(row int) (from, to *int64)) {
	t.times.resolve(func(i int, w when, at int64, text string) {
		from, to := of(i)
		switch w {
		case early:
			*from = at
		case late:
			*to = at
		}
		if text != "" {
			t.problemAt(int(lines[i]), "%s", text)
		}
	}, t.note)
	for i := range lines {
		if from, to := of(i); backwards(*from, *to) {
			t.problemAt(int(lines[i]), "%s: neither is believed", wrong)
			*from, *to = unknownTime, unknownTime
		}
	}
}

func backwards(from, to int64) bool {
	return from != unknownTime && to != unknownTime && to < from
}

// join takes what another line says of the same message: what the two do not agree in is unknown.
func (m *Message) join(o *Message) {
	if m.Size != o.Size {
		m.Size = -1
	}
	if m.Received != o.Received {
		m.Received = unknownTime
	}
	if m.Removed != o.Removed {
		m.Removed = unknownTime
	}
}

func (inv *Inventory) readFiles(t *sheet) error {
	var lines []int32
	seen := make(map[StoredFile]int)
	for err := range t.records() {
		if err != nil {
			return err
		}
		if len(t.cell(0)) == 0 {
			t.problem("no path: the line is left out")
			continue
		}
		i := len(inv.Files)
		f := StoredFile{Path: t.text(0), Size: t.size(1, largestFile), From: t.time(2, i, early), To: t.time(3, i, late), Label: t.again(4), ID: t.text(5)}
		if line, twice := seen[f]; twice {
			t.problem("the same stands in line %d already", line)
			t.times.forget(i)
			continue
		}
		seen[f] = t.line
		inv.Files = append(roomFor(inv.Files, t), f)
		lines = append(lines, int32(min(t.line, 1<<31-1)))
	}
	t.settleTimes(lines, "to is before from", func(i int) (from, to *int64) { return &inv.Files[i].From, &inv.Files[i].To })
	return nil
}
