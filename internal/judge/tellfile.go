package judge

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/webrequest"
	"github.com/barid-dfir/barid/internal/tally"
)

// fileTelling is the work of saying what was reached of files and folders of files.
type fileTelling struct {
	r     *reacher
	files []StoredFile // the list
	given *answers     // what web servers handed out without a record of it by name, nil where that does not matter
	// within are the lines of the list by folder, dirs those folders by their last element.
	within map[string][]int32
	dirs   map[string][]string
	states map[int32]*fileState           // what is known of lines of the list
	said   map[signature]casefile.Reached // what is said of all files that are reached in the same ways, and of which nothing else is known
}

// tellFiles says what was reached of files.
func (r *reacher) tellFiles() error {
	f := r.files
	t := fileTelling{r: r, states: make(map[int32]*fileState), said: make(map[signature]casefile.Reached)}
	if r.in.Inventory != nil {
		t.files = r.in.Inventory.Files
	}
	if len(t.files) > 0 {
		if err := r.unnamedReaders(); err != nil {
			return err
		}
	}
	if len(t.files) == 0 && len(f.touched) == 0 && len(f.folders) == 0 {
		return nil
	}
	r.stayedAtFiles()
	var err error
	if t.given, err = r.answered(); err != nil {
		return err
	}
	t.layOut()
	for _, key := range f.folderKeys() {
		t.inFolder(f.folders[key])
	}
	unlisted := t.touched()
	for i := range t.files {
		t.listed(int32(i))
	}
	for _, key := range unlisted {
		t.unlisted(key)
	}
	for _, key := range f.folderKeys() {
		t.folder(f.folders[key])
	}
	return nil
}

// layOut finds the files of the list by their names and folders.
func (t *fileTelling) layOut() {
	t.r.files.by, t.within, t.dirs = make(map[string][]int32), make(map[string][]int32), make(map[string][]string)
	for i := range t.files {
		dir, base := cutPath(filePath(t.files[i].Path))
		t.r.files.by[base] = append(t.r.files.by[base], int32(i))
		if t.within[dir] == nil {
			_, last := cutPath(dir)
			t.dirs[last] = append(t.dirs[last], dir)
		}
		t.within[dir] = append(t.within[dir], int32(i))
	}
}

// state returns what is known of a line of the list, to be added to.
func (t *fileTelling) state(i int32) *fileState {
	s := t.states[i]
	if s == nil {
		s = &fileState{from: never, to: always}
		t.states[i] = s
	}
	return s
}

// inFolder adds what was reached of the files of a folder by what was done to it as a whole.
func (t *fileTelling) inFolder(f *folderTouch) {
	found, sure := foldersOf(f, t.dirs)
	x, top := f.levels.main()
	for _, dir := range found {
		for _, i := range t.within[dir] {
			d := not
			switch {
			case !thereAt(&t.files[i], f.from, f.to):
			case sure && alwaysThere(&t.files[i], f.from, f.to):
				d = top
			default:
				d = may
			}
			if d == not {
				continue
			}
			s := t.state(i)
			s.levels.raise(x, d)
			s.by = addAll(s.by, f.by)
			s.from, s.to = min(s.from, f.from), max(s.to, f.to)
			first, end := firstLast(f.from, f.to)
			s.why = append(s.why, casefile.Reason{Rule: f.rule, Text: t.r.says(f.rule) + " " + recordsBy(f.times, f.by, first, end), Evidence: t.r.in.proofs(f.refs)})
		}
	}
}

// touched adds what was done to files by their names, and returns those that are not surely of the list.
func (t *fileTelling) touched() (unlisted []fileKey) {
	f := t.r.files
	for _, key := range f.touchedKeys() {
		touch := f.touched[key]
		var rows []int32
		sure := false
		if len(t.files) > 0 {
			rows, sure = t.r.match(key.id, touch.contents())
		}
		most := was
		if !sure {
			most = may
			unlisted = append(unlisted, key)
		}
		same := versions(t.files, rows)
		for _, i := range rows {
			t.r.judgeFile(t.state(i), touch, &t.files[i], same(i), most)
		}
	}
	return unlisted
}

// listed adds the entry of a line of the list.
func (t *fileTelling) listed(i int32) {
	m, f := &t.files[i], t.r.files
	e := being{from: orAlways(m.From), to: orNever(m.To), known: m.From != event.UnknownTime, size: m.Size, standard: true}
	var l levels
	var sig signature
	for n, w := range f.box.ways {
		if d := w.reaches(&e); d != not {
			l.raise(w.exposure, d)
			sig.ways |= 1 << n
		}
	}
	_, name := cutPath(filePath(m.Path))
	if t.given != nil {
		for _, h := range [...]*handedOut{&t.given.theirs, &t.given.others} {
			if x := h.holds(m); x > logs.NoExposure {
				h.judge(t.r, t.state(i), x)
			}
		}
	}
	if f.crowded && webrequest.Kept(m.Path) || t.given != nil && l.content() == not && !webrequest.Kept(m.Path) && t.given.all.Handed(name) {
		s := t.state(i)
		s.levels.raise(logs.Content, may)
		s.why = append(s.why, casefile.Reason{Rule: ruleNotAssessed, Text: t.r.says(ruleNotAssessed) + " Who fetched files of this kind from a web server without a name is not told apart from who saw a page.", Evidence: []casefile.Proof{}})
	}
	s := t.states[i]
	entry, ok := t.said[sig]
	if s != nil || !ok {
		entry = t.r.fileEntry(s, sig, l)
		if s == nil {
			t.said[sig] = entry
		}
	}
	entry.Object = casefile.Object{Kind: "file", ID: m.Path, Name: m.Label}
	t.r.add(entry)
}

// unlisted adds the entry of a file that the list does not surely have.
func (t *fileTelling) unlisted(key fileKey) {
	s := &fileState{from: never, to: always}
	t.r.judgeFile(s, t.r.files.touched[key], nil, nil, was)
	var l levels
	var sig signature
	for n, w := range t.r.files.box.ways {
		if w.rule != ruleNotAssessed {
			l.raise(w.exposure, w.self)
			sig.ways |= 1 << n
		}
	}
	entry := t.r.fileEntry(s, sig, l)
	entry.Object = casefile.Object{Kind: "file", ID: key.id, In: key.in}
	t.r.add(entry)
}

// folder adds the entry of a folder, once all that lies in it was told.
func (t *fileTelling) folder(f *folderTouch) {
	var n contained
	found, _ := foldersOf(f, t.dirs)
	for _, dir := range found {
		for _, i := range t.within[dir] {
			if s := t.states[i]; s != nil {
				n.add(&s.levels, false)
			}
		}
	}
	e := t.r.folderEntry(f, &n.levels)
	e.Lower, e.Upper = n.lower, n.upper
	if len(t.files) == 0 && f.levels.content() != not {
		e.Upper = -1
	}
	t.r.add(e)
}

// foldersOf returns the folders of the inventory that a folder in a log may be, and whether it is surely that one. Several people may have
// folders of one name: those of whom the log says that it is his have his name in their path, if any has.
func foldersOf(t *folderTouch, byLast map[string][]string) (found []string, sure bool) {
	if tally.Shortened(t.id) {
		for _, dirs := range byLast {
			found = append(found, dirs...)
		}
		slices.Sort(found)
		return found, false
	}
	p := filePath(t.id)
	_, last := cutPath(p)
	var his []string
	for _, dir := range byLast[last] {
		if !endsWith(p, dir) || dir == "" && p != "" {
			continue
		}
		if dir == p {
			return []string{dir}, true
		}
		found = append(found, dir)
		if t.in != "" && slices.Contains(strings.Split(dir, "/"), strings.ToLower(t.in)) {
			his = append(his, dir)
		}
	}
	if len(his) > 0 {
		found = his
	}
	return found, len(found) == 1
}

func addAll(list, more []string) []string {
	for _, s := range more {
		list = addTo(list, s, mostBy)
	}
	return list
}

func (f *fileBox) folderKeys() []fileKey  { return keysInOrder(f.folders) }
func (f *fileBox) touchedKeys() []fileKey { return keysInOrder(f.touched) }

func keysInOrder[T any](m map[fileKey]T) []fileKey {
	return slices.SortedFunc(maps.Keys(m), func(a, b fileKey) int { return cmp.Or(strings.Compare(a.in, b.in), strings.Compare(a.id, b.id)) })
}

// fileEntry returns the entry of a file by what is known of it itself, nil for nothing, and by the ways to all files.
func (r *reacher) fileEntry(s *fileState, sig signature, l levels) casefile.Reached {
	var e casefile.Reached
	if s != nil {
		l.join(&s.levels)
		e.Why, e.By, e.Bytes = s.why, s.by, s.bytes
		e.First, e.Last = firstLast(s.from, s.to)
	}
	verdict(&e, &l)
	if s == nil || s.levels.content() != was {
		for _, i := range gravest(r.files.box, sig) {
			e.Why = append(e.Why, r.reason(r.files.box.ways[i], r.files.box.ways[i].rule))
		}
	}
	if l.content() == not {
		e.Why = append(e.Why, casefile.Reason{Rule: ruleCovered, Text: r.says(ruleCovered) + " " + r.coveredBy(r.files.box), Evidence: []casefile.Proof{}})
	}
	if l.content() == may || l[logs.Metadata] == may {
		e.Settle = r.settle(r.files.box, sig)
		if slices.ContainsFunc(e.Why, func(w casefile.Reason) bool { return w.Rule == ruleUnnamedAnswer || w.Rule == ruleUnnamedClient }) {
			e.Settle = strings.TrimSuffix("the log of the application behind the address, or its database: which file it handed out; "+e.Settle, "; ")
		}
	}
	if len(e.Why) > mostReasons {
		e.Why = e.Why[:mostReasons]
	}
	return e
}
