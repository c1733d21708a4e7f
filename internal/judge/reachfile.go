package judge

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

// fileKey is a file or folder as a log names it.
type fileKey struct{ in, id string }

// fileBox is what is known of what was reached of files.
type fileBox struct {
	box     *box // ways into all of them
	touched map[fileKey]*fileTouch
	folders map[fileKey]*folderTouch
	sites   map[string]bool
	by      map[string][]int32 // lines of the inventory by the name of the file, in lower case
	held    bool
	opened  []tally.Span // when capabilities opened files through a web server
	joined  bool         // opened is as joinSpans returns it
	crowded bool         // more people whom no log names fetched files then than can be told apart
}

// fileTouch is what sessions that matter did to a file.
type fileTouch struct{ claims []fileClaim }

// fileClaim is an act on a file.
type fileClaim struct {
	act     *tally.Act
	session *session
	degree  degree
}

func newFileBox() *fileBox {
	return &fileBox{box: &box{index: make(map[wayKey]int), channels: make(map[string]*channelState), from: never, to: always},
		touched: make(map[fileKey]*fileTouch), folders: make(map[fileKey]*folderTouch), sites: map[string]bool{"": true}}
}

// claim takes what a session that matters did to a file or a folder.
func (f *fileBox) claim(a *tally.Act, s *session) {
	if a.Object == "" {
		return
	}
	d := was
	if s.attribution != ofAttacker || !a.OK {
		d = may
	}
	f.sites[a.In] = true
	key := fileKey{a.In, a.Object}
	keep := *a
	if a.Inference == logs.FileListed || a.Inference == logs.FolderListed || a.Inference == logs.FolderExported || a.ObjectKind == "folder" {
		t := f.folders[key]
		if t == nil {
			t = &folderTouch{id: a.Object, in: a.In, from: never, to: always}
			f.folders[key] = t
		}
		x := logs.Metadata
		if a.Inference == logs.FolderExported {
			x = logs.Content
		}
		t.touch(&keep, s, x, d)
		return
	}
	t := f.touched[key]
	if t == nil {
		t = &fileTouch{}
		f.touched[key] = t
	}
	t.claims = append(t.claims, fileClaim{&keep, s, d})
}

// openFiles opens the ways that a capability gives to files.
func (r *reacher) openFiles(k *capability, from, to int64) {
	if k.power == logs.HostPower {
		// What lies on the host that was attacked is not what the list of files says, unless it says so.
		r.hole(r.files.box, ruleHostCapability, k.rule, k.principal, from, to)
		return
	}
	any := false
	for _, site := range slices.Sorted(maps.Keys(r.files.sites)) {
		channels := k.channels
		if channels == nil {
			channels = r.cover.channels("file", site)
		}
		for _, c := range channels {
			if isMail(c) && !lasts(c) && c != "nextcloud" {
				continue
			}
			any = true
			if slices.Contains(webFiles, c) || c == "nextcloud" {
				r.files.opened, r.files.joined = append(r.files.opened, tally.Span{From: from, To: to}), false
			}
			ans := r.cover.presence(c, k.principal, from, to)
			if !ans.assessed {
				r.hole(r.files.box, ruleNotAssessed, "", "there is no log of "+c, from, to)
			}
			for _, h := range ans.holes {
				r.gap(r.files.box, ruleNoPresence, h.reason, c, h, max(h.from, from), min(stayedUntil(c, h.to, to), to))
			}
			r.files.box.through(c).shown(ans.by)
		}
	}
	if !any {
		r.hole(r.files.box, ruleNotAssessed, "", "no log of a server of files was handed over", from, to)
	}
}

// stayedAtFiles opens what sessions that matter may have read where no log shows it.
func (r *reacher) stayedAtFiles() {
	keys := slices.SortedFunc(maps.Keys(r.stays), func(a, b stay) int {
		return cmp.Or(strings.Compare(a.principal, b.principal), strings.Compare(a.channel, b.channel))
	})
	for _, site := range slices.Sorted(maps.Keys(r.files.sites)) {
		for _, c := range r.cover.channels("file", site) {
			for _, k := range keys {
				if k.channel != c {
					continue
				}
				stays := r.stays[k]
				if lasts(c) {
					stays = []tally.Span{{From: stays[0].From, To: max(r.heldUntil(k.principal), stays[len(stays)-1].To)}}
				}
				for _, s := range stays {
					if !r.showsListings(c, site, s) {
						w := r.files.box.way(wayKey{rule: ruleNoDetail, of: "listing", grasp: graspCoarse, degree: may, exposure: logs.Metadata})
						w.bound(-1, -1)
						w.times++
						w.self = may
						w.span(s.From, s.To)
						w.words = addTo(w.words, c+": its log does not tell which names were shown", mostWords)
					}
					ans := r.cover.detail(c, site, s.From, s.To)
					if !ans.assessed {
						r.hole(r.files.box, ruleNoDetail, "", c+": no log tells what was read", s.From, s.To)
					}
					for _, h := range ans.holes {
						r.gap(r.files.box, ruleNoDetail, h.reason, c, h, h.from, h.to)
					}
				}
			}
		}
	}
	if r.files.held {
		return
	}
	r.noAttacker(r.files.box)
	channels := r.cover.channels("file", "")
	if len(channels) == 0 {
		r.hole(r.files.box, ruleNotAssessed, "", "no log of a server of files was handed over", r.from, r.to)
	}
	for _, c := range channels {
		switch ans := r.cover.presence(c, "", r.from, r.to); {
		case ans.covered():
			r.files.box.through(c).shown(ans.by)
		case ans.assessed:
			r.gap(r.files.box, ruleNotAssessed, "", c, ans.holes[0], r.from, r.to)
		default:
			r.hole(r.files.box, ruleNotAssessed, "", "there is no log of "+c, r.from, r.to)
		}
	}
}

// showsListings reports whether a log would have shown that the names in a folder were read through a channel: audit logs of file
// servers tell what was opened, a web server every request.
func (r *reacher) showsListings(channel, site string, at tally.Span) bool {
	switch channel {
	case "smb":
		return false
	case "nextcloud":
		return r.cover.detail("dav", site, at.From, at.To).covered()
	}
	return true
}

// fileState is what is known of a file, or of a version of it.
type fileState struct {
	levels   levels
	why      []casefile.Reason
	by       []string
	from, to int64
	bytes    int64
}

// filePath returns one form of a path: with slashes, without one at its ends, in lower case, each letter with its accents as one (Macs write them
// apart).
func filePath(p string) string {
	return norm.NFC.String(strings.Trim(strings.ToLower(strings.ReplaceAll(p, `\`, "/")), "/"))
}

func cutPath(p string) (dir, base string) {
	if i := strings.LastIndexByte(p, '/'); i >= 0 {
		return p[:i], p[i+1:]
	}
	return "", p
}

// endsWith reports whether one path is the other, or its end at a slash.
func endsWith(a, b string) bool {
	if len(a) < len(b) {
		a, b = b, a
	}
	return a == b || strings.HasSuffix(a, b) && (b == "" || a[len(a)-len(b)-1] == '/')
}

// match returns the lines of the inventory that an object of a log may be, and whether it is surely one of them: they are versions of
// one file. contents says that something of its content was handed out.
func (r *reacher) match(object string, contents bool) (rows []int32, sure bool) {
	files := r.in.Inventory.Files
	if id, ok := cutFold(object, "fileid:"); ok {
		if path := r.fileNamed(id); path != "" {
			return r.match(path, contents)
		}
		for i := range files {
			if files[i].ID == id {
				rows = append(rows, int32(i))
			}
		}
		if len(rows) > 0 {
			return rows, onePath(files, rows)
		}
		for i := range files {
			if files[i].ID == "" {
				rows = append(rows, int32(i))
			}
		}
		if len(rows) == 0 { // numbers are known, and this is none of them: of which file is not known
			for i := range files {
				rows = append(rows, int32(i))
			}
		}
		return rows, false
	}
	if tally.Shortened(object) { // how the path goes on is not known
		for i := range files {
			if tally.Text(files[i].Path) == object {
				return r.match(files[i].Path, contents)
			}
		}
		for i := range files {
			rows = append(rows, int32(i))
		}
		return rows, false
	}
	p := filePath(object)
	_, base := cutPath(p)
	longest := -1
	var same []int32
	for _, i := range r.files.by[base] {
		q := filePath(files[i].Path)
		same = append(same, i)
		if !endsWith(p, q) {
			continue
		}
		n := min(len(p), len(q))
		if p == q {
			n = math.MaxInt
		}
		if n > longest {
			rows, longest = rows[:0], n
		}
		if n == longest {
			rows = append(rows, i)
		}
	}
	if len(rows) > 0 {
		return rows, onePath(files, rows)
	}
	if len(same) == 0 && contents && opaque(base) {
		return r.anyOf(p), false
	}
	return same, false
}

// fileNamed returns the path of the file that its server calls by a number, as an audit log tells it; "" if none does, or two
// files have had it.
func (r *reacher) fileNamed(id string) string {
	if r.fileNames == nil {
		r.fileNames = make(map[string]string)
		for _, site := range slices.Sorted(maps.Keys(r.files.sites)) {
			for a, err := range r.in.Store.Touched(site) {
				if err != nil {
					break // what is unknown may be any file
				}
				if a.ObjectKind != "file" || a.Folder == "" {
					continue
				}
				if path, twice := r.fileNames[a.Folder]; twice && path != a.Object {
					r.fileNames[a.Folder] = ""
				} else {
					r.fileNames[a.Folder] = a.Object
				}
			}
		}
	}
	return r.fileNames[id]
}

// opaque reports whether the last element of a path does not tell which file it is: a link, a number, a folder as a whole, an archive, a
// script that hands files out. A file of the list may be what it stands for, or be in it.
func opaque(base string) bool {
	i := strings.LastIndexByte(base, '.')
	if i < 0 || misspelt(base) {
		return true
	}
	switch end := base[i+1:]; end {
	case "zip", "tar", "gz", "tgz", "bz2", "xz", "zst", "7z", "rar", "cab", "iso", "bak", "sql", "dump", "vhd", "vhdx", "vmdk", "pst", "ost", "mbox", "tmp",
		"php", "php5", "phtml", "asp", "aspx", "ashx", "asmx", "svc", "jsp", "jspx", "do", "cgi", "fcgi", "pl", "py", "rb", "cfm", "nsf", "dll":
		return true
	default:
		switch name := base[:i]; name {
		case "download", "file", "get", "document", "attachment", "export", "view", "print", "content", "output", "data": // whatever it is (practice)
			return true
		default:
			if hashed(name) {
				return true
			}
		}
		return end == "" || len(end) > 5 || strings.Trim(end[1:], "0123456789") == "" && len(end) > 4 // minutes.pdf.d1700000000: deleted
	}
}

// misspelt reports whether a name is perhaps not as the file is called: some letters are not known (a log in a code page; a question mark that
// stands for them), or it is one of the short names of Windows, REPORT~1.PDF.
func misspelt(base string) bool {
	if i := strings.IndexByte(base, '~'); i > 0 && i+1 < len(base) && '0' <= base[i+1] && base[i+1] <= '9' {
		return true
	}
	return strings.ContainsRune(base, utf8.RuneError) || strings.Contains(base, "?")
}

// hashed reports whether a name is a number, a hash or a GUID, by which a program keeps what people call otherwise: digits, or 6 and more
// hexadecimal digits and hyphens, some of them digits.
func hashed(name string) bool {
	return strings.Trim(name, "0123456789") == "" || len(name) >= 6 && strings.Trim(name, "0123456789abcdefABCDEF-") == "" && strings.ContainsAny(name, "0123456789")
}

// anyOf returns the lines of the inventory that lie in a folder that an object of a log may be; if it is none, all of them.
func (r *reacher) anyOf(object string) (rows []int32) {
	files := r.in.Inventory.Files
	for i := range files {
		dir, _ := cutPath(filePath(files[i].Path))
		for ; dir != "" && object != ""; dir, _ = cutPath(dir) {
			if len(dir) >= len(object) && endsWith(dir, object) {
				rows = append(rows, int32(i))
				break
			}
		}
	}
	if len(rows) == 0 {
		for i := range files {
			rows = append(rows, int32(i))
		}
	}
	return rows
}

// contents reports whether anything of the content of a file may have been handed out.
func (t *fileTouch) contents() bool {
	return slices.ContainsFunc(t.claims, func(c fileClaim) bool {
		return c.act.Inference != logs.FileTouched && c.act.Exposure >= logs.Partial
	})
}

func cutFold(s, prefix string) (string, bool) {
	if len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix) {
		return s[len(prefix):], true
	}
	return "", false
}

func onePath(files []StoredFile, rows []int32) bool {
	for _, i := range rows[1:] {
		if filePath(files[i].Path) != filePath(files[rows[0]].Path) {
			return false
		}
	}
	return true
}

// thereAt and alwaysThere report whether a version of a file was there at some time from from to to, or all of that time.
func thereAt(m *StoredFile, from, to int64) bool {
	return orAlways(m.From) <= sum(to, slack) && orNever(m.To) >= sum(from, -slack)
}

func alwaysThere(m *StoredFile, from, to int64) bool {
	return orAlways(m.From) <= from && orNever(m.To) > to
}

// versions returns what returns, of one of the lines, those with the same path.
func versions(files []StoredFile, rows []int32) func(int32) []int32 {
	if len(rows) == 1 {
		return func(int32) []int32 { return rows }
	}
	byPath := make(map[string][]int32, len(rows))
	for _, i := range rows {
		path := filePath(files[i].Path)
		byPath[path] = append(byPath[path], i)
	}
	return func(i int32) []int32 { return byPath[filePath(files[i].Path)] }
}

// judgeFile adds what sessions did to a file. m is the version, nil if the inventory does not have it; rows are all lines of its path that
// it may be.
func (r *reacher) judgeFile(s *fileState, t *fileTouch, m *StoredFile, rows []int32, most degree) {
	size := int64(-1)
	if m != nil {
		size = m.Size
	}
	got := r.fetchedBy(t, m, rows)
	said := make(map[string]*deeds)
	for i := range t.claims {
		c := &t.claims[i]
		a := c.act
		if m != nil && !thereAt(m, orAlways(a.From), orNever(a.To)) {
			continue
		}
		d := min(c.degree, most)
		if m != nil && !r.version(m, rows, a) {
			d = min(d, may)
		}
		extra := s.take(a, m, size, got[c.session], d)
		rule := a.Inference
		if d != was && c.session != nil && c.session.attribution != ofAttacker {
			rule = ruleAttribution
		} else if most == may {
			rule = ruleCoarse
		}
		q := said[rule]
		if q == nil {
			q = &deeds{from: never, to: always}
			said[rule] = q
		}
		q.times += max(a.Times, 1)
		q.from, q.to = min(q.from, orNever(a.From)), max(q.to, orAlways(a.To))
		q.refs = keepRefs(q.refs, a.Refs)
		q.extra = cmp.Or(extra, q.extra)
		if c.session != nil {
			q.by = addTo(q.by, c.session.ID, mostBy)
			s.by = addTo(s.by, c.session.ID, mostBy)
		}
		s.from, s.to = min(s.from, orNever(a.From)), max(s.to, orAlways(a.To))
	}
	for _, rule := range slices.Sorted(maps.Keys(said)) {
		q := said[rule]
		first, last := firstLast(q.from, q.to)
		text := r.says(rule)
		if q.extra != "" {
			text += " " + q.extra + "."
		}
		s.why = append(s.why, casefile.Reason{Rule: rule, Text: text + " " + recordsBy(q.times, q.by, first, last), Evidence: r.in.proofs(q.refs)})
	}
}

// deeds are the acts on a file that one rule proves.
type deeds struct {
	times    int64
	from, to int64
	refs     []tally.Ref
	by       []string // sessions
	extra    string   // what else is to be said of the latest
}

// fetched is what a session fetched of a file from a web server, in bytes.
type fetched struct {
	bytes       int64
	parts, most int64 // of parts, together and of the largest
	times       int64 // how many parts
	whole       bool  // fetched with 200
}

// fetchedBy returns what each session fetched of a file from web servers, as far as it was surely this version.
func (r *reacher) fetchedBy(t *fileTouch, m *StoredFile, rows []int32) map[*session]*fetched {
	out := make(map[*session]*fetched)
	for i := range t.claims {
		c := &t.claims[i]
		if c.act.Inference != logs.HTTPRange && c.act.Inference != logs.HTTPBody || !r.version(m, rows, c.act) {
			continue
		}
		q := out[c.session]
		if q == nil {
			q = &fetched{}
			out[c.session] = q
		}
		q.bytes = addBytes(q.bytes, c.act.Bytes)
		if c.act.Inference == logs.HTTPRange {
			q.parts, q.times, q.most = addBytes(q.parts, c.act.Bytes), q.times+max(c.act.Times, 1), max(q.most, c.act.Most)
		}
		q.whole = q.whole || c.act.Inference == logs.HTTPBody && c.act.OK
	}
	return out
}

// take adds what an act shows to have been reached of a file, and returns what is to be said of it. q is what its session fetched, nil for
// nothing; d is how sure it is that the session is the attacker's, and the file this one.
func (s *fileState) take(a *tally.Act, m *StoredFile, size int64, q *fetched, d degree) (extra string) {
	switch a.Inference {
	case logs.HTTPBody:
		extra = s.body(a, size, m, d)
	case logs.HTTPRange:
		extra = s.part(a, size, q, d)
	case logs.HTTPNotModified:
		if q == nil || !q.whole {
			s.levels.raise(logs.Content, may)
		}
		s.levels.raise(logs.Metadata, d)
	case logs.HTTPHead:
		s.levels.raise(logs.Metadata, d)
	case logs.FileReadGranted, logs.FileTouched:
		s.levels.raise(logs.Metadata, d)
		s.levels.raise(logs.Content, may)
	case logs.FilePreviewed:
		s.levels.raise(logs.Partial, d)
	default:
		s.levels.raise(max(a.Exposure, logs.Metadata), d)
	}
	if a.Bytes > 0 && d == was && a.Exposure >= logs.Partial {
		s.bytes = addBytes(s.bytes, a.Bytes)
	}
	return extra
}

// version reports whether an act is surely about this version of a file: no other was there then.
func (r *reacher) version(m *StoredFile, rows []int32, a *tally.Act) bool {
	if m == nil {
		return true
	}
	if !alwaysThere(m, orAlways(a.From), orNever(a.To)) {
		return false
	}
	for _, i := range rows {
		if o := &r.in.Inventory.Files[i]; o != m && thereAt(o, orAlways(a.From), orNever(a.To)) {
			return false
		}
	}
	return true
}

// body takes that a web server handed out a file: all of it if the bytes are its size (mail-forensics 5).
func (s *fileState) body(a *tally.Act, size int64, m *StoredFile, d degree) string {
	s.levels.raise(logs.Metadata, d)
	switch {
	case a.Most == 0:
		return "Nothing of it was handed out"
	case a.Exposure < logs.Content:
		s.levels.raise(logs.Partial, d)
		return "The client hung up"
	case a.Most < 0 || size < 0:
		s.levels.raise(logs.Partial, d)
		s.levels.raise(logs.Content, may)
		return "Whether all of it was handed out is not known: its size or the bytes are not"
	case float64(a.Most) >= 0.98*float64(size):
		s.levels.raise(logs.Content, d)
		return fmt.Sprintf("%d bytes were handed out, of %d", a.Most, size)
	}
	s.levels.raise(logs.Partial, d)
	if isText(m) && float64(a.Most) >= 0.1*float64(size) {
		s.levels.raise(logs.Content, may)
		return fmt.Sprintf("%d bytes were handed out, of %d: all of it, if they were compressed", a.Most, size)
	}
	return fmt.Sprintf("%d bytes were handed out, of %d", a.Most, size)
}

// part takes that a web server handed out a part of a file: all of it, if the session's parts are together as large (mail-forensics 5). Parts
// that are more than the file, or all of one length, may be one part fetched again.
func (s *fileState) part(a *tally.Act, size int64, q *fetched, d degree) string {
	s.levels.raise(logs.Metadata, d)
	if a.Bytes != 0 {
		s.levels.raise(logs.Partial, d)
	}
	switch {
	case size > 0 && q != nil && q.bytes >= size:
		if q.bytes-size > size/50 || q.times > 1 && q.parts/q.times == q.most && q.parts%q.times == 0 {
			s.levels.raise(logs.Content, may)
			return fmt.Sprintf("The parts are %d bytes together, the file %d: all of it, or a part more than once", q.bytes, size)
		}
		s.levels.raise(logs.Content, d)
		return fmt.Sprintf("The parts are %d bytes together, the file %d: all of it is presumed", q.bytes, size)
	case size < 0 || a.Bytes < 0:
		s.levels.raise(logs.Content, may)
	}
	return ""
}

// isText reports whether a file is of a kind that web servers compress.
func isText(m *StoredFile) bool {
	p := strings.ToLower(m.Path)
	for _, end := range [...]string{".txt", ".csv", ".html", ".htm", ".xml", ".json", ".js", ".css", ".svg", ".md", ".log", ".sql", ".eml", ".ics", ".vcf", ".yaml", ".yml", ".ini", ".conf"} {
		if strings.HasSuffix(p, end) {
			return true
		}
	}
	return false
}
