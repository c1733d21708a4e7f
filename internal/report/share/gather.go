package share

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/report/attack"
	"github.com/barid-dfir/barid/internal/report/input"
)

// gathering fills a view.
type gathering struct {
	v         *View
	ours      []netip.Prefix
	addresses map[netip.Addr]*Address
	others    map[netip.Addr]bool // addresses that sessions of others came from
	left      map[netip.Addr]bool // addresses that were left out, and counted
}

// ours returns the addresses and networks that the facts call the organisation's. What is neither is left out: it came from elsewhere
// than Barid.
func ours(c *casefile.Case) []netip.Prefix {
	var list []netip.Prefix
	for _, s := range c.Ours {
		if p, err := netip.ParsePrefix(s); err == nil {
			list = append(list, p)
		}
	}
	return list
}

// shared are the carriers' own addresses (RFC 6598), behind which are many.
var shared = netip.MustParsePrefix("100.64.0.0/10")

// address returns the entry of an address, or nil if it is none that others may be given.
func (g *gathering) address(text string) *Address {
	ip, ok := parse(text)
	if !ok {
		return nil
	}
	if a := g.addresses[ip]; a != nil || g.left[ip] {
		return a
	}
	switch {
	case slices.ContainsFunc(g.ours, func(p netip.Prefix) bool { return p.Contains(ip) }):
		g.v.Left.Ours++
	case !ip.IsGlobalUnicast() || ip.IsPrivate() || shared.Contains(ip):
		g.v.Left.Internal++
	case g.others[ip]:
		g.v.Left.Shared++
	default:
		a := &Address{IP: ip}
		g.addresses[ip] = a
		return a
	}
	g.left[ip] = true
	return nil
}

func parse(text string) (ip netip.Addr, ok bool) {
	ip, err := netip.ParseAddr(text)
	return ip.Unmap().WithZone(""), err == nil
}

// widen makes first and last enclose a time.
func widen(first, last *time.Time, t time.Time) {
	if !Known(t) {
		return
	}
	t = t.UTC()
	if first.IsZero() || t.Before(*first) {
		*first = t
	}
	if last.IsZero() || t.After(*last) {
		*last = t
	}
}

// usable reports whether a value is one that others can look for: printable text of some length.
func usable(s string) bool {
	return s != "" && len(s) <= 1000 && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// sessions takes the addresses and client programs of the attacker's sessions, and drops those that others used too.
func (g *gathering) sessions(list []casefile.Session) {
	for i := range list {
		if a := list[i].Attribution; a == "owner" || a == "service" {
			for _, text := range list[i].IPs {
				if ip, ok := parse(text); ok {
					g.others[ip] = true
				}
			}
		}
	}
	agents := make(map[string]*Agent)
	for i := range list {
		s := &list[i]
		if s.Attribution != "attacker" {
			continue
		}
		for _, ip := range s.IPs {
			if a := g.address(ip); a != nil {
				a.Proven = true
				a.Seen += s.Acts
				widen(&a.First, &a.Last, s.First)
				widen(&a.First, &a.Last, s.Last)
			}
		}
		for _, name := range s.Agents {
			a := agents[name]
			if a == nil {
				a = &Agent{Name: name}
				agents[name] = a
			}
			widen(&a.First, &a.Last, s.First)
			widen(&a.First, &a.Last, s.Last)
		}
	}
	for i := range list {
		s := &list[i]
		if s.Attribution == "attacker" || s.Attribution == "suspected" {
			continue
		}
		for _, name := range s.Agents {
			if agents[name] != nil {
				delete(agents, name)
				g.v.Left.Common++
			}
		}
	}
	for name, a := range agents {
		switch {
		case strings.HasPrefix(name, "Mozilla/") || strings.HasPrefix(name, "Client="):
			g.v.Left.Common++
		case !usable(name):
			g.v.Left.Unusable++
		default:
			g.v.Agents = append(g.v.Agents, *a)
		}
	}
}

// incident takes an incident and the addresses that acted in it.
func (g *gathering) incident(in *casefile.Incident) {
	out := summary(in)
	if out.First.IsZero() {
		g.v.Left.Undated++
	}
	if len(in.Actors) >= listedActors {
		g.v.Left.Actors++
	}
	for _, actor := range in.Actors {
		a := g.address(actor)
		if a == nil {
			continue
		}
		a.worst = max(a.worst, Level(in.Severity))
		out.Addresses = append(out.Addresses, a.IP)
	}
	g.v.Techniques = append(g.v.Techniques, out.Techniques...)
	g.v.CVEs = append(g.v.CVEs, out.CVEs...)
	if len(g.v.Incidents) == maxIncidents {
		g.v.Left.Incidents++
		return
	}
	g.v.Incidents = append(g.v.Incidents, out)
}

func (g *gathering) coverage(c *casefile.Case) {
	for i := range c.Coverage {
		g.v.Gaps += int64(len(c.Coverage[i].Gaps))
	}
}

// findings counts those about each address, and says when they were.
func (g *gathering) findings(in *input.Input) error {
	type seen struct {
		n           int64
		first, last time.Time
	}
	counts := make(map[netip.Addr]*seen, len(g.addresses))
	for ip := range g.addresses {
		counts[ip] = &seen{}
	}
	last, entry := "", (*seen)(nil) // of the finding before
	for f, err := range in.Findings {
		if err != nil {
			return err
		}
		if f.Client == "" {
			continue
		}
		if f.Client != last {
			last, entry = f.Client, nil
			if ip, ok := parse(f.Client); ok {
				entry = counts[ip]
			}
		}
		if entry == nil {
			continue
		}
		entry.n++
		if f.Time != nil {
			widen(&entry.first, &entry.last, *f.Time)
		}
		if f.Last != nil {
			widen(&entry.first, &entry.last, *f.Last)
		}
	}
	for ip, s := range counts {
		if s.n > 0 {
			a := g.addresses[ip]
			a.Seen = s.n
			widen(&a.First, &a.Last, s.first)
			widen(&a.First, &a.Last, s.last)
		}
	}
	return nil
}

// reached counts what was reached, and takes web shells that were used.
func (g *gathering) reached(in *input.Input) error {
	all := make(map[string]*Kind, len(kinds))
	for _, k := range kinds {
		all[k] = &Kind{Kind: k}
	}
	for k, n := range in.Case.Summary.Reached {
		if all[k] != nil {
			all[k].VerdictCounts = n
		}
	}
	files := make(map[string]*File)
	for r, err := range in.Reached {
		if err != nil {
			return err
		}
		switch r.Object.Kind {
		case "mailbox":
			all["mailbox"].Add(r.Lower, r.Upper)
		case "file":
			if r.IsShell() {
				g.shell(files, r)
			}
		}
	}
	for _, k := range kinds {
		if n := all[k]; n.VerdictCounts != (casefile.VerdictCounts{}) {
			g.v.Reached = append(g.v.Reached, *n)
		}
	}
	for _, f := range files {
		g.v.Files = append(g.v.Files, *f)
	}
	return nil
}

// shell takes a web shell if it was used.
func (g *gathering) shell(files map[string]*File, r *casefile.Reached) {
	if r.Verdict != casefile.Confirmed {
		return
	}
	f := files[r.Object.ID]
	switch {
	case f != nil:
	case !usable(r.Object.ID):
		g.v.Left.Unusable++
		return
	case len(files) == maxFiles:
		g.v.Left.Files++
		return
	default:
		f = &File{Path: r.Object.ID}
		files[r.Object.ID] = f
	}
	f.Hosts++
	if r.First != nil {
		widen(&f.First, &f.Last, *r.First)
	}
	if r.Last != nil {
		widen(&f.First, &f.Last, *r.Last)
	}
}

// finish puts what was gathered in order and cuts it.
func (g *gathering) finish() {
	v := g.v
	for _, a := range g.addresses {
		v.Addresses = append(v.Addresses, *a)
	}
	slices.SortFunc(v.Addresses, func(a, b Address) int {
		if a.Proven != b.Proven {
			if a.Proven {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(b.worst, a.worst), a.IP.Compare(b.IP))
	})
	v.Addresses, v.Left.Addresses = cut(v.Addresses, maxAddresses)
	kept := make(map[netip.Addr]bool, len(v.Addresses))
	for i := range v.Addresses {
		kept[v.Addresses[i].IP] = true
	}
	for i := range v.Incidents {
		in := &v.Incidents[i]
		in.Addresses = slices.DeleteFunc(in.Addresses, func(ip netip.Addr) bool { return !kept[ip] })
		slices.SortFunc(in.Addresses, netip.Addr.Compare)
		in.Addresses = slices.Compact(in.Addresses)
	}
	slices.SortFunc(v.Agents, func(a, b Agent) int { return strings.Compare(a.Name, b.Name) })
	v.Agents, v.Left.Agents = cut(v.Agents, maxAgents)
	slices.SortFunc(v.Files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	v.Techniques, v.CVEs = sorted(v.Techniques), sorted(v.CVEs)
	if v.Organisation != nil && strings.TrimSpace(v.Organisation.Name) == "" {
		v.Organisation = nil
	}
}

// cut returns the first n of a list, and how many more there were.
func cut[T any](list []T, n int) (kept []T, left int) {
	if len(list) <= n {
		return list, 0
	}
	return list[:n], len(list) - n
}

// Parent returns the technique that a sub-technique is of, or the technique itself.
func Parent(technique string) string {
	id, _, _ := strings.Cut(technique, ".")
	return id
}

// Called returns a technique as people call it: "OS Credential Dumping: LSASS Memory", or its number where Barid has no name for it.
func Called(technique string) string {
	name := attack.Name(technique)
	if name == "" {
		return technique
	}
	if p := attack.Name(Parent(technique)); p != "" && Parent(technique) != technique {
		return p + ": " + name
	}
	return name
}
