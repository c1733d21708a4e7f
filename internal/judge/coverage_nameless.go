package judge

import (
	"maps"
)

// nameless tells whether IIS logs in which only the server's addresses stand are of the one server of Exchange that a case names. A second
// server of which nothing else is left must not pass for that one: it would have no logs that miss anything.
type nameless struct {
	server map[string]string // an address to the one that stands for all of its server
	own    map[string]bool   // those of the logs that lie in the folder of the server
	all    map[string]bool
}

// addresses finds which addresses stand together in a source, and are thus of one server.
func (g *gatherer) addresses() {
	n := &g.nameless
	*n = nameless{server: make(map[string]string), own: make(map[string]bool), all: make(map[string]bool)}
	first := make(map[int32]string)
	for _, k := range sortedOrigins(g.parts) {
		if _, own := ownAddress(k.host); !own || !g.frontEnd[k.host] {
			continue
		}
		if f, ok := first[k.source]; ok {
			if a, b := n.of(f), n.of(k.host); a != b {
				n.server[b] = a
			}
			continue
		}
		first[k.source] = k.host
	}
	if len(g.exchange) != 1 {
		return
	}
	for source, a := range first {
		n.all[n.of(a)] = true
		for label := range maps.Keys(g.exchange) {
			if hasElement(asFolders(g.path(source)), label) {
				n.own[n.of(a)] = true
			}
		}
	}
}

func (n *nameless) of(a string) string {
	for n.server[a] != "" {
		a = n.server[a]
	}
	return a
}

// isOnly reports whether a source may be of the only server of Exchange that has a name.
func (g *gatherer) isOnly(source int32) bool {
	n, a := &g.nameless, g.address[source]
	if len(g.exchange) != 1 || a == "" || !g.frontEnd[a] {
		return len(g.exchange) == 1
	}
	if len(n.own) > 0 {
		return n.own[n.of(a)]
	}
	return len(n.all) == 1
}
