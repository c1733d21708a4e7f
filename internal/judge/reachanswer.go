package judge

import (
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

// answers is what web servers handed out to nobody in particular, as far as files may have been behind it: docs/verdicts.md, Files without
// a name.
type answers struct {
	all tally.Answers
	// theirs went to an attacker's address, others to whom nothing is known of while an attacker could get in.
	theirs, others handedOut
}

// handedOut is answers under addresses that do not tell which file it was.
type handedOut struct {
	rule           string
	any            bool
	bytes, most    int64 // of all of them and of the largest, as far as that is said
	unsaid, ranged bool
	times          int64
	from, to       int64 // with what clocks may be off
	first, last    int64
	pages          bool // times, first, last, ips and refs are of answers that are pages rather than parts of files
	ips            []string
	refs           []tally.Ref
	reason         *casefile.Reason
}

func newHandedOut(rule string) handedOut {
	return handedOut{rule: rule, from: never, to: always, first: never, last: always}
}

// aPage is below how many bytes an answer that is smaller than a file is no part of it but a page or an error: what a server hands out of
// a file it hands to the network by larger pieces.
const aPage = 2000

// mostCompressed is how many times larger a file may be than the bytes it was handed out in, where it may have been compressed.
const mostCompressed = 20

// packed are the ends of names of files that do not become much smaller when they are compressed once more.
var packed = [...]string{".zip", ".7z", ".rar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".docx", ".xlsx", ".pptx", ".docm", ".xlsm", ".pptm", ".odt", ".ods", ".odp",
	".jpg", ".jpeg", ".png", ".gif", ".webp", ".heic", ".mp4", ".mov", ".mp3", ".m4a", ".kdbx"}

// answered gathers the answers that matter, nil if there are none or no attacker.
func (r *reacher) answered() (*answers, error) {
	if !r.attacked() || !slices.Contains(r.cover.channels("file", ""), "web") {
		return nil, nil
	}
	all, err := r.in.Store.Answers()
	if err != nil {
		return nil, err
	}
	out := &answers{all: all, theirs: newHandedOut(ruleUnnamedAnswer), others: newHandedOut(ruleUnnamedClient)}
	hostile := make(map[string]bool)
	for i := range r.sessions {
		s := &r.sessions[i]
		if s.attribution < suspected {
			continue
		}
		for _, p := range s.parts {
			if p.context < len(r.contexts) && r.contexts[p.context].IP != "" {
				hostile[neighbourhood(r.contexts[p.context].IP)] = true
			}
		}
	}
	facts := r.in.Facts.parsed()
	logOf := r.webLogs()
	direct := r.seesAddresses(all.List, logOf)
	audited := r.auditOfAll()
	for _, x := range inOrder(byLog(all.List, logOf)) {
		at := remoteOf(facts, x.IP)
		from, to := sum(x.From, -sum(slack, r.doubt)), sum(x.To, sum(slack, r.doubt))
		if x.Untimed || x.From == event.UnknownTime {
			from, to = r.from, r.to
		}
		if from, to = max(from, r.from), min(to, r.to); from > to || x.Kind == event.AuditedAnswer && audited && r.auditTells(from, to) {
			continue
		}
		switch {
		case at.role&RoleAttacker != 0 || hostile[neighbourhood(x.IP)]:
			out.theirs.add(x, from, to)
		case at.role&(RoleOurs|RoleScanner) != 0 && at.role&RoleNAT == 0:
		case r.files.open(from, to), at.anybody(direct[logOf[x.First.Source]]):
			out.others.add(x, from, to) // behind the address of a server may be anybody
		}
	}
	if all.Sampled {
		x := tally.Answer{Unsaid: true}
		out.others.add(&x, r.from, r.to)
	}
	return out, nil
}

// seesAddresses returns the logs of web servers that see people's own addresses: some are public. Others may see a balancer's only.
func (r *reacher) seesAddresses(list []tally.Answer, logOf map[int32]*trail) map[*trail]bool {
	facts := r.in.Facts.parsed()
	direct := make(map[*trail]bool)
	see := func(ip string, source int32) {
		if t := logOf[source]; t != nil && !direct[t] {
			at := remoteOf(facts, ip)
			direct[t] = !at.private && !at.none
		}
	}
	for i := range list {
		see(list[i].IP, list[i].First.Source)
	}
	for i := range r.contexts {
		if c := &r.contexts[i]; slices.Contains(webFiles, c.Channel) {
			if visits := r.in.Store.Visits(i); len(visits) > 0 {
				see(c.IP, visits[0].First.Source)
			}
		}
	}
	return direct
}

// anybody reports whether an address may be anybody's, the attacker's too: that of a server between, or of many people. direct says that the log sees
// people's own addresses.
func (a remote) anybody(direct bool) bool {
	return a.role&(RoleService|RoleNAT) != 0 || a.none || a.private && !direct
}

// webLogs returns the logs of web servers by their sources, however a log is split into files.
func (r *reacher) webLogs() map[int32]*trail {
	out := make(map[int32]*trail)
	if known, ok := r.cover.(*coverage); ok {
		for _, t := range known.trails {
			if t.rule.sites && slices.Contains(t.rule.presence, "web") {
				for _, f := range t.files {
					out[f.Source] = t
				}
			}
		}
	}
	return out
}

// byLog returns answers of each log, however it is split into files, to each address: what address it is, another server may know otherwise.
func byLog(list []tally.Answer, logOf map[int32]*trail) []tally.Answer {
	type key struct {
		ip   string
		kind event.AnswerKind
		log  *trail
	}
	at := make(map[key]int, len(list))
	out := make([]tally.Answer, 0, len(list))
	for i := range list {
		x := &list[i]
		k := key{x.IP, x.Kind, logOf[x.First.Source]}
		if j, known := at[k]; known {
			out[j].Add(x)
			continue
		}
		at[k] = len(out)
		out = append(out, *x)
	}
	return out
}

// inOrder returns answers with those last that are pages rather than parts of files: where there are others, nothing is said of these.
func inOrder(list []tally.Answer) []*tally.Answer {
	out := make([]*tally.Answer, 0, len(list))
	for _, pages := range [...]bool{false, true} {
		for i := range list {
			if x := &list[i]; isPage(x) == pages {
				out = append(out, x)
			}
		}
	}
	return out
}

// isPage reports whether all that an address got is too little to be a part of a larger file.
func isPage(x *tally.Answer) bool { return x.Most < aPage && !x.Unsaid && !x.Ranged }

// auditOfAll reports whether the log of each web server lies where an audit log of Nextcloud does, by the first folder in which they differ: an
// address that looks like one of Nextcloud's may be another program's on another server.
func (r *reacher) auditOfAll() bool {
	known, ok := r.cover.(*coverage)
	if !ok {
		return true
	}
	var audited, web [][]string // folders, by their elements
	for _, t := range known.trails {
		audit := slices.Contains(t.rule.presence, "nextcloud")
		if !audit && (!t.rule.sites || !slices.Contains(t.rule.presence, "web")) {
			continue
		}
		for _, f := range t.files {
			if i := int(f.Source); i >= 0 && i < len(r.in.Sources) {
				folder := strings.Split(r.in.Sources[i].Path, "/")
				folder = folder[:len(folder)-1]
				if audit {
					audited = append(audited, folder)
				} else {
					web = append(web, folder)
				}
			}
		}
	}
	same := 0 // elements that all have in common
	for all := slices.Concat(audited, web); len(all) > 0 && !slices.ContainsFunc(all, func(f []string) bool { return len(f) <= same || f[same] != all[0][same] }); {
		same++
	}
	place := func(f []string) string { return strings.Join(f[same:min(same+1, len(f))], "") }
	at := make(map[string]bool)
	for _, f := range audited {
		at[place(f)] = true
	}
	return !slices.ContainsFunc(web, func(f []string) bool { return !at[place(f)] })
}

// auditTells reports whether the audit log of Nextcloud covers a time: it tells of every file that was opened.
func (r *reacher) auditTells(from, to int64) bool {
	return r.cover.presence("nextcloud", "", from, to).covered() && r.cover.detail("nextcloud", "", from, to).covered()
}

func (h *handedOut) add(x *tally.Answer, from, to int64) {
	h.any = true
	h.bytes, h.most = addBytes(h.bytes, x.Bytes), max(h.most, x.Most)
	h.unsaid, h.ranged = h.unsaid || x.Unsaid, h.ranged || x.Ranged
	h.from, h.to = min(h.from, from), max(h.to, to)
	page := isPage(x)
	if x.Times > 0 && (!page || h.times == 0 || h.pages) {
		h.pages = page
		h.times += x.Times
		if x.From != event.UnknownTime {
			h.first, h.last = min(h.first, x.From), max(h.last, x.To)
		}
		h.ips = addTo(h.ips, orNobody(x.IP), mostBy)
		h.refs = keepRefs(h.refs, []tally.Ref{x.First})
	}
}

// holds reports how much of a file may be in the answers.
func (h *handedOut) holds(m *StoredFile) logs.Exposure {
	if !h.any || !thereAt(m, h.from, h.to) {
		return logs.NoExposure
	}
	size, bytes := m.Size, h.bytes
	if h.rule == ruleUnnamedClient && !h.ranged {
		bytes = h.most // answers to many people are not parts of one file
	}
	if h.unsaid || size < 0 || fits(m.Path, size, bytes) {
		return logs.Content
	}
	if h.ranged || h.most >= aPage {
		return logs.Partial
	}
	return logs.NoExposure
}

// fits reports whether a file may have been handed out in so many bytes.
func fits(path string, size, bytes int64) bool {
	path = strings.ToLower(path)
	if slices.ContainsFunc(packed[:], func(end string) bool { return strings.HasSuffix(path, end) }) {
		return size <= bytes+bytes/50
	}
	return size/mostCompressed <= bytes
}

// judge adds to what is known of a file that it may have been in the answers.
func (h *handedOut) judge(r *reacher, s *fileState, x logs.Exposure) {
	s.levels.raise(x, may)
	if h.reason == nil {
		first, last := firstLast(h.first, h.last)
		text := r.says(h.rule)
		if h.times > 0 {
			text += " " + recordsBy(h.times, h.ips, first, last)
		}
		h.reason = &casefile.Reason{Rule: h.rule, Text: text, Evidence: r.in.proofs(h.refs)}
	}
	s.why = append(s.why, *h.reason)
}

// open reports whether a capability opened files through a web server at some time from from to to.
func (f *fileBox) open(from, to int64) bool {
	if !f.joined {
		f.opened, f.joined = joinSpans(f.opened), true
	}
	return meets(f.opened, from, to)
}

// mostUnnamed is how many addresses that gave no account are looked at one by one.
const mostUnnamed = 100_000

// unnamedReaders takes the files that were handed out to somebody whom the log does not name while a capability opened them, or at any time from an
// address that may be anybody's: it may have been the attacker, from an address that nobody knows. An application that asks for a password by a page
// of its own has no name in the log.
func (r *reacher) unnamedReaders() error {
	f := r.files
	if !r.attacked() {
		return nil
	}
	all, err := r.in.Store.Answers()
	if err != nil {
		return err
	}
	logOf := r.webLogs()
	direct := r.seesAddresses(all.List, logOf)
	facts := r.in.Facts.parsed()
	people := make(map[string]bool)
	for i := range r.contexts {
		if a := r.contexts[i].Account; a != "" && a != "-" {
			people[r.who.key(a)] = true
		}
	}
	n := 0
	for i := range r.contexts {
		c := &r.contexts[i]
		if c.Account != "" && c.Account != "-" || !slices.Contains(webFiles, c.Channel) {
			continue
		}
		at := remoteOf(facts, c.IP)
		if at.role&(RoleOurs|RoleScanner) != 0 && at.role&(RoleAttacker|RoleNAT) == 0 {
			continue
		}
		visits := r.in.Store.Visits(i)
		relayed := len(visits) > 0 && at.anybody(direct[logOf[visits[0].First.Source]])
		if len(f.opened) == 0 && !relayed {
			continue
		}
		if n++; n > mostUnnamed {
			f.crowded = true
			return nil
		}
		if !relayed && !slices.ContainsFunc(visits, func(v tally.Visit) bool { return f.open(orAlways(v.From), orNever(v.To)) }) {
			continue
		}
		s := &session{attribution: unattributed, from: r.from, to: r.to}
		for a, err := range r.in.Store.Acts(i) {
			if err != nil {
				return err
			}
			from, to := max(orAlways(a.From), r.from), min(orNever(a.To), r.to)
			if a.Kind != logs.Access || !a.OK && !a.Unknown || a.Exposure < logs.Partial || a.ObjectKind != "file" || from > to || !relayed && !f.open(from, to) {
				continue
			}
			if known := r.whose(i, timeOf(a)); known != nil && (known.attribution < unattributed || r.matters(known, a.From, a.To)) {
				continue
			}
			if owner := r.who.key(a.In); people[owner] {
				if !r.holds(owner, from, to) || r.auditTells(from, to) {
					continue // a tree of somebody's, of whom the attacker had nothing, or of which the server tells by itself
				}
			} else if (strings.Contains(a.Object, "/s/") || strings.HasPrefix(a.Object, "fileid:")) && r.auditTells(from, to) {
				continue
			}
			if s.ID == "" {
				s.ID = "|" + c.IP + "|" + second(timeOf(a))
			}
			f.claim(a, s)
		}
	}
	return nil
}
