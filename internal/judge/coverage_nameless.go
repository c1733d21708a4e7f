package judge

import (
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/tally"
)

// nameless tells whether logs in which only the server's addresses stand, or nothing at all, are of the one server of Exchange that a case names:
// those of IIS, IMAP and POP3. A second server of which nothing else is left must not pass for that one: it would have no logs that miss anything.
type nameless struct {
	server map[string]string // an address to the one that stands for all of its server
	own    map[string]bool   // those of the logs that lie in the folder of the server
	all    map[string]bool
	filed  bool // logs of IIS lie in the folder of the server
}

// addresses finds which addresses stand together in a source, and are thus of one server.
func (g *gatherer) addresses() {
	n := &g.nameless
	*n = nameless{server: make(map[string]string), own: make(map[string]bool), all: make(map[string]bool)}
	first := make(map[int32]string)
	for _, k := range sortedOrigins(g.parts) {
		if _, own := ownAddress(k.host); !own || !g.frontEnd[k.host] && !g.ofExchange(k) {
			continue
		}
		host := withoutPort(k.host)
		if f, ok := first[k.source]; ok {
			if a, b := n.of(f), n.of(host); a != b {
				n.server[b] = a
			}
			continue
		}
		first[k.source] = host
	}
	if len(g.exchange) != 1 {
		return
	}
	for label := range maps.Keys(g.exchange) {
		for source, a := range first {
			n.all[n.of(a)] = true
			if hasElement(asFolders(g.path(source)), label) {
				n.own[n.of(a)] = true
			}
		}
		for k := range g.parts {
			n.filed = n.filed || g.frontEnd[k.host] && hasElement(asFolders(g.path(k.source)), label)
		}
	}
}

// ofExchange reports whether a source is a log of Exchange's IMAP or POP3; those of SMTP may be of a server of which mail only passes through.
func (g *gatherer) ofExchange(k origin) bool {
	return slices.ContainsFunc(g.parts[k], func(s *tally.Stream) bool {
		return strings.HasPrefix(s.Format, "exchange.imap4") || strings.HasPrefix(s.Format, "exchange.pop3")
	})
}

// withoutPort returns an address without the port that logs of IMAP and POP3 write behind it.
func withoutPort(host string) string {
	if a, err := netip.ParseAddrPort(host); err == nil {
		return a.Addr().String()
	}
	return host
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
	switch {
	case len(g.exchange) != 1:
		return false
	case a == "":
		return !n.filed
	case !n.all[n.of(a)]:
		return true
	}
	if len(n.own) > 0 {
		return n.own[n.of(a)]
	}
	return len(n.all) == 1
}
