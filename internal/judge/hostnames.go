package judge

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/tally"
)

// sameLeast is how many requests must have the same identifier in the logs of an address and of a host before they are one server.
const sameLeast = 3

// HostNames tells which names and addresses are of one server. A nil HostNames takes each for a server of its own.
type HostNames struct {
	// of is the host that a name or address is another one of, as it is written, by the name in lower case. Hosts are in it themselves.
	of map[string]string
	// labels are the hosts of names in full, by their first label; "" where they are several.
	labels map[string]string
	others map[string][]string // by host in lower case, as they are written
	why    map[string][]string // likewise: sentences that say how it is known
	// perhaps is the host in whose folder the logs of an address lie, of which nothing else shows that it is that host.
	perhaps map[string]string
	notes   []string
}

// NewHostNames finds them: facts (hosts) say so; or requests from clients have the same identifier in the log of IIS of an address and in
// the log of HttpProxy of a host (mail-forensics 1.2), and in that of no other host. Sources are those that the streams of the store name.
func NewHostNames(store tally.Store, sources []casefile.Source, facts *Facts) (*HostNames, error) {
	n := &HostNames{of: make(map[string]string), labels: make(map[string]string), others: make(map[string][]string), why: make(map[string][]string), perhaps: make(map[string]string)}
	stated := facts.parsed().Hosts
	for _, host := range slices.Sorted(maps.Keys(stated)) {
		for _, other := range stated[host] {
			n.join(host, other, fmt.Sprintf("%s is %s: the facts (hosts) say so.", strings.TrimSpace(other), strings.TrimSpace(host)))
		}
	}
	f := folders{sources: sources, names: make(map[string]string), known: make(map[string]string)}
	f.learn(store)
	found, err := sharedRequests(store, sources)
	if err != nil {
		return nil, err
	}
	for _, a := range slices.Sorted(maps.Keys(found)) {
		x := found[a]
		known, isKnown := n.of[a]
		host := n.Of(f.names[x.label])
		switch {
		case x.several || x.ids < sameLeast || facts.parsed().Role(a)&RoleNAT != 0 || isKnown && known == host:
		case isKnown:
			n.notes = append(n.notes, fmt.Sprintf("facts: hosts: %s is %s, but %s requests have the same identifier in its log and in that of %s", a, known, thousands(x.ids), host))
		case !f.elsewhere(a, x.label):
			n.join(host, a, fmt.Sprintf("%s is %s: %s requests have the same identifier in the logs of both.", a, host, thousands(x.ids)))
		}
	}
	for a := range f.paths {
		if x := found[a]; n.of[a] != "" || x != nil && x.ids >= sameLeast || x != nil && x.several {
			continue
		}
		if in := f.of(a); in != "" {
			n.perhaps[a] = n.Of(f.names[in])
		}
	}
	return n, nil
}

// join adds a name of a host.
func (n *HostNames) join(host, other, why string) {
	host, other = strings.TrimSpace(host), strings.TrimSpace(other)
	key := hostName(host)
	n.of[key] = host
	n.label(key, host)
	if o := hostName(other); o != key {
		n.of[o] = host
		n.label(o, host)
		n.others[key] = append(n.others[key], other)
		n.why[key] = append(n.why[key], why)
	}
}

func (n *HostNames) label(name, host string) {
	l := hostLabel(name)
	if l == name {
		return
	}
	if known, ok := n.labels[l]; ok && known != host {
		host = ""
	}
	n.labels[l] = host
}

// Of returns the host that a name or an address is of: the name as it is where nothing says that it is another one of a host.
func (n *HostNames) Of(name string) string {
	if n == nil || len(n.of) == 0 || name == "" {
		return name
	}
	key := hostName(name)
	if host := n.of[key]; host != "" {
		return host
	}
	l := hostLabel(key)
	if l == key {
		if host := n.labels[l]; host != "" {
			return host
		}
	} else if host := n.of[l]; host != "" {
		return host
	}
	return name
}

// same reports whether two names may be of one host.
func (n *HostNames) same(a, b string) bool { return sameHost(n.Of(a), n.Of(b)) }

// all returns the name of a host and its others, in lower case.
func (n *HostNames) all(host string) []string {
	out := []string{strings.ToLower(host)}
	if n != nil {
		for _, o := range n.others[hostName(host)] {
			out = append(out, strings.ToLower(o))
		}
	}
	return out
}

// reasons says how the other names of a host are known. The slice is not to be changed.
func (n *HostNames) reasons(host string) []string {
	if n == nil {
		return nil
	}
	return n.why[hostName(host)]
}

// maybe returns the host that an address may be, by the folder in which its logs lie, and a sentence that says so; "" where nothing suggests
// one.
func (n *HostNames) maybe(name string) (host, why string) {
	if n == nil {
		return "", ""
	}
	if host = n.perhaps[hostName(name)]; host != "" {
		why = fmt.Sprintf("%s may be the server %s: its logs lie in a folder of that name; facts (hosts) can say so.", name, host)
	}
	return host, why
}

// sameHosts marks, among hosts and what lies on them, those that may be another of them by another name, and counts those that are
// confirmed.
func (r *reacher) sameHosts(list []casefile.Reached) {
	on := func(e *casefile.Reached) string {
		if e.Object.Kind == "host" {
			return e.Object.ID
		}
		return e.Object.In
	}
	var maybe []string // hosts that an address may be
	for i := range list {
		if host, _ := r.in.Hosts.maybe(on(&list[i])); host != "" && !slices.Contains(maybe, host) {
			maybe = append(maybe, host)
		}
	}
	type thing struct{ host, kind, id string }
	groups := make(map[thing][]*casefile.Reached)
	for i := range list {
		e := &list[i]
		host, _ := r.in.Hosts.maybe(on(e))
		at := slices.IndexFunc(maybe, func(h string) bool { return h == host || host == "" && sameHost(h, on(e)) })
		if at < 0 {
			continue
		}
		k := thing{host: maybe[at], kind: e.Object.Kind}
		if e.Object.Kind != "host" {
			k.id = strings.ToLower(e.Object.ID)
		}
		groups[k] = append(groups[k], e)
	}
	for _, all := range groups {
		// The one that the others may be is confirmed if any is.
		first := slices.MinFunc(all, func(a, b *casefile.Reached) int {
			_, x := r.in.Hosts.maybe(on(a))
			_, y := r.in.Hosts.maybe(on(b))
			return cmp.Or(-compareBools(isConfirmed(a), isConfirmed(b)), compareBools(x != "", y != ""), strings.Compare(on(a), on(b)))
		})
		for _, e := range all {
			if e == first {
				continue
			}
			e.Object.SameAs = first.Object.ID
			if isConfirmed(e) {
				kind := e.CountedAs()
				n := r.j.Counts[kind]
				n.PerhapsSame++
				r.j.Counts[kind] = n
			}
		}
	}
}

// isConfirmed reports whether content of it, or a part, was reached.
func isConfirmed(e *casefile.Reached) bool {
	return e.Levels.Content == casefile.Confirmed || e.Levels.Partial == casefile.Confirmed
}

// hostName returns what names of hosts are compared by: in lower case, addresses as they are usually written.
func hostName(s string) string {
	if a := address(strings.TrimSpace(s)); a.IsValid() {
		return a.Unmap().WithZone("").String()
	}
	return strings.ToLower(strings.TrimSuffix(strings.TrimSpace(s), "."))
}

// ownAddress returns the address of one server that a host is named by: every server has the others.
func ownAddress(host string) (netip.Addr, bool) {
	a := address(host)
	return a, a.IsValid() && !a.IsLoopback() && !a.IsLinkLocalUnicast() && !a.IsUnspecified()
}

// shared is the requests of an address that the log of a host has, too.
type shared struct {
	label   string // of the host
	ids     int64
	several bool // hosts have requests of it
}

// sharedRequests finds them, by address. The log of the back end has identifiers of requests to other servers, and does not count.
func sharedRequests(store tally.Store, sources []casefile.Source) (map[string]*shared, error) {
	all := store.Joints()
	fronts, labels := make([]string, len(all.Logs)), make([]string, len(all.Logs))
	for i, l := range all.Logs {
		a, own := ownAddress(l.Host)
		switch {
		case strings.HasPrefix(l.Format, iisLog) && l.Format != iisBackEnd && own:
			if s := int(l.Source); s >= 0 && s < len(sources) && iisSite(sources[s].Path) != "2" {
				fronts[i] = a.Unmap().WithZone("").String()
			}
		case strings.HasPrefix(l.Format, proxyLog) && l.Host != "" && !address(l.Host).IsValid():
			labels[i] = hostLabel(l.Host)
		}
	}
	found := make(map[string]*shared)
	for x, err := range all.All {
		if err != nil {
			return nil, err
		}
		front, label, many := "", "", false
		for _, s := range x.Seen {
			if a := fronts[s.Log]; a != "" {
				many = many || front != "" && front != a
				front = a
			}
		}
		if front == "" || many {
			continue
		}
		for _, s := range x.Seen {
			if l := labels[s.Log]; l != "" {
				many = many || label != "" && label != l
				label = l
			}
		}
		if label == "" {
			continue
		}
		m := found[front]
		if m == nil {
			m = &shared{label: label}
			found[front] = m
		}
		m.several = m.several || many || m.label != label
		m.ids += x.Count
	}
	return found, nil
}

// folders finds the hosts in whose folders logs lie.
type folders struct {
	sources []casefile.Source
	names   map[string]string   // the hosts that logs name, by label, as they write them
	known   map[string]string   // those of them that logs of Exchange or Windows name
	paths   map[string][]string // of the logs of an address, in lower case
}

func (f *folders) learn(store tally.Store) {
	f.paths = make(map[string][]string)
	for _, s := range store.Streams() {
		if a, own := ownAddress(s.Host); own {
			if i := int(s.Source); i >= 0 && i < len(f.sources) {
				k := a.Unmap().WithZone("").String()
				f.paths[k] = append(f.paths[k], asFolders(f.sources[i].Path))
			}
			continue
		}
		if s.Host == "" || address(s.Host).IsValid() {
			continue
		}
		l := hostLabel(s.Host)
		if was := f.names[l]; was == "" || len(s.Host) < len(was) || len(s.Host) == len(was) && s.Host < was {
			f.names[l] = s.Host
		}
		if strings.HasPrefix(s.Format, "exchange.") || strings.HasPrefix(s.Format, "windows.") {
			f.known[l] = f.names[l]
		}
	}
}

// elsewhere reports whether a log of an address lies in the folder of another host than the one with that label, which a log of Exchange or
// Windows names: networks that know nothing of each other have the same addresses.
func (f *folders) elsewhere(a, label string) bool {
	return slices.ContainsFunc(f.paths[a], func(path string) bool {
		l := longestElement(path, f.known)
		return l != "" && l != label
	})
}

// of returns the label of the host in whose folder all logs of an address lie that lie in a folder of any; "" if there is none, or several.
func (f *folders) of(a string) string {
	in := ""
	for _, path := range f.paths[a] {
		l := longestElement(path, f.names)
		if l != "" && in != "" && l != in {
			return ""
		}
		if l != "" {
			in = l
		}
	}
	return in
}
