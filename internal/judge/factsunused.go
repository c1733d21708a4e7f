package judge

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/casefile"
)

// unusedFacts says which accounts, addresses, sessions, devices, programs and hosts the facts name that no evidence does: a
// slip of the pen would otherwise look like an attacker who did nothing.
func unusedFacts(in *Input, who *people) ([]string, error) {
	f := in.Facts
	if f == nil {
		return nil, nil
	}
	w := wantedBy(f, in.Hosts, who)
	if len(w.list) > 0 {
		if err := w.look(in, who); err != nil {
			return nil, err
		}
	}
	return append(w.notes(), w.zones(in)...), nil
}

// wantedBy returns what facts name.
func wantedBy(f *Facts, hosts *HostNames, who *people) *wanted {
	w := &wanted{}
	for _, l := range f.lists() {
		if l.role == RoleAttacker {
			w.addresses(l.section+": "+l.key, l.list)
		}
	}
	for _, a := range f.Attacker.Accounts {
		w.name("attacker: accounts", "account", a, who.key(a))
	}
	for _, s := range f.Attacker.Sessions {
		w.name("attacker: sessions", "session", s, s)
	}
	for _, s := range f.Attacker.Devices {
		w.name("attacker: devices", "device", s, s)
	}
	for i := range f.Attacker.Scripts {
		w.name("attacker: scripts", "account", f.Attacker.Scripts[i].Account, who.key(f.Attacker.Scripts[i].Account))
	}
	for i := range f.Exposed {
		if x := &f.Exposed[i]; x.Account != "" {
			w.name("exposed: account", "account", x.Account, who.key(x.Account))
		} else {
			w.name("exposed: host", "server", x.Host, hostLabel(hostName(hosts.Of(x.Host))))
		}
	}
	for _, s := range f.Attacker.UserAgents {
		w.name("attacker: user_agents", "agent", s, s)
	}
	for i := range f.Statements {
		s := &f.Statements[i]
		switch kind, name := s.Subject(); kind {
		case "ip":
			w.addresses("statements: ip", []string{name})
		case "account":
			w.name("statements: account", kind, name, who.key(name))
		default:
			w.name("statements: "+kind, kind, name, name)
		}
	}
	for i := range f.Coverage {
		if h := f.Coverage[i].Host; h != "" {
			w.name("coverage: host", "host", h, h)
		}
	}
	for i := range f.ChannelsOff {
		if ch := strings.ToLower(strings.TrimSpace(f.ChannelsOff[i].Channel)); !isChannel(ch) {
			w.name("channels_off: channel", "channel", ch, ch)
		}
		if scope := strings.TrimSpace(f.ChannelsOff[i].Scope); scope != "" && scope != "*" {
			w.either("channels_off: scope", scope, [2]string{"account", who.key(scope)}, [2]string{"server", hostLabel(hostName(hosts.Of(scope)))})
		}
	}
	for _, host := range slices.Sorted(maps.Keys(f.Hosts)) {
		w.anyName("hosts", "server", f.Hosts[host])
	}
	return w
}

// look sees what evidence and inventory name.
func (w *wanted) look(in *Input, who *people) error {
	for _, s := range in.Store.Streams() {
		w.saw("host", s.Host)
		w.saw("server", hostLabel(hostName(s.Host)))
		w.saw("server", hostLabel(hostName(in.Hosts.Of(s.Host)))) // what facts call a server that logs name by an address
	}
	last := ""
	for _, c := range in.Store.Contexts() {
		w.sawAddress(c.IP)
		if c.Account != last {
			last = c.Account
			w.saw("account", who.key(c.Account))
		}
		w.saw("session", c.Session)
		if w.kinds["session"] {
			w.saw("session", c.Account+"|"+c.IP) // the beginning of an id that Barid gives
			w.saw("session", who.key(c.Account)+"|"+c.IP)
		}
		w.saw("device", c.Device)
		w.saw("app", c.App)
		w.saw("channel", c.Channel)
		w.sawAgent(c.Agent)
	}
	failed, err := in.attempts()
	if err != nil {
		return err
	}
	for _, ip := range failed.ips {
		w.sawAddress(ip)
	}
	for _, account := range failed.accounts {
		w.saw("account", who.key(account))
	}
	if len(w.networks) > 0 { // who got pages only is in no context
		handed, err := in.Store.Answers()
		if err != nil {
			return err
		}
		for i := range handed.List {
			w.sawAddress(handed.List[i].IP)
		}
	}
	if in.Inventory != nil {
		for i := range in.Inventory.Mailboxes {
			w.saw("account", who.key(in.Inventory.Mailboxes[i].Name))
			w.saw("server", hostLabel(hostName(in.Inventory.Mailboxes[i].Server)))
		}
	}
	return nil
}

// wanted is what facts name, and whether it was seen.
type wanted struct {
	list     []want
	names    map[[2]string][]int // kind and name in lower case → list
	kinds    map[string]bool     // of names
	networks []int
	agents   []int
	ips      map[string]bool // that were looked at
}

type want struct {
	where, text string
	network     netip.Prefix
	agent       string
	seen        bool
}

func (w *wanted) name(where, kind, text, key string) {
	if kind == "agent" {
		w.agents = append(w.agents, len(w.list))
		w.list = append(w.list, want{where: where, text: text, agent: strings.ToLower(key)})
		return
	}
	if kind == "session" && strings.Count(key, "|") >= 2 {
		key = key[:strings.LastIndexByte(key, '|')]
	}
	w.either(where, text, [2]string{kind, key})
}

// anyName wants one of several names of a host: evidence need not have all of them.
func (w *wanted) anyName(where, kind string, names []string) {
	var keys [][2]string
	for _, name := range names {
		keys = append(keys, [2]string{kind, hostLabel(hostName(name))})
	}
	w.either(where, strings.Join(names, ", "), keys...)
}

// either wants one of several kinds and names: it is known what it is called, and not what it is.
func (w *wanted) either(where, text string, keys ...[2]string) {
	if w.names == nil {
		w.names, w.kinds = make(map[[2]string][]int), make(map[string]bool)
	}
	for _, k := range keys {
		k[1] = strings.ToLower(k[1])
		w.kinds[k[0]] = true
		w.names[k] = append(w.names[k], len(w.list))
	}
	w.list = append(w.list, want{where: where, text: text})
}

func (w *wanted) addresses(where string, list []string) {
	for _, s := range list {
		if p, err := parsePrefix(s); err == nil {
			w.networks = append(w.networks, len(w.list))
			w.list = append(w.list, want{where: where, text: s, network: p})
		}
	}
}

func (w *wanted) saw(kind, name string) {
	if name == "" || !w.kinds[kind] {
		return
	}
	for _, i := range w.names[[2]string{kind, strings.ToLower(name)}] {
		w.list[i].seen = true
	}
}

func (w *wanted) sawAgent(agent string) {
	if agent == "" || len(w.agents) == 0 {
		return
	}
	agent = strings.ToLower(agent)
	for _, i := range w.agents {
		w.list[i].seen = w.list[i].seen || strings.Contains(agent, w.list[i].agent)
	}
}

func (w *wanted) sawAddress(ip string) {
	if len(w.networks) == 0 || ip == "" || w.ips[ip] {
		return
	}
	if w.ips == nil {
		w.ips = make(map[string]bool)
	}
	w.ips[ip] = true
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return
	}
	a = a.Unmap().WithZone("")
	for _, i := range w.networks {
		w.list[i].seen = w.list[i].seen || w.list[i].network.Contains(a)
	}
}

func (w *wanted) notes() []string {
	var out []string
	for i := range w.list {
		if k := &w.list[i]; !k.seen {
			out = append(out, fmt.Sprintf("facts: %s: %s is named by no evidence", k.where, k.text))
		}
	}
	return out
}

// zones says which time zones, and years, were of no use.
func (w *wanted) zones(in *Input) []string {
	var out []string
	part := func(name string) bool {
		return slices.ContainsFunc(in.Sources, func(s casefile.Source) bool {
			return hasElement(asFolders(s.Path), name)
		})
	}
	for _, name := range slices.Sorted(maps.Keys(in.Facts.Years)) {
		if name != "*" && !part(name) {
			out = append(out, fmt.Sprintf("facts: years: %s is part of the path of no evidence", name))
		}
	}
	for _, host := range slices.Sorted(maps.Keys(in.Facts.Timezones)) {
		if host == "*" || in.Inventory != nil && inventoryHas(in.Inventory, host) {
			continue
		}
		if !part(host) {
			out = append(out, fmt.Sprintf("facts: timezones: %s is part of the path of no evidence", host))
		}
	}
	return out
}

func inventoryHas(inv *Inventory, host string) bool {
	return slices.ContainsFunc(inv.Lists, func(l List) bool { return hasElement(asFolders(l.Path), host) })
}
