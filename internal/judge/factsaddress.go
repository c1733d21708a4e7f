package judge

import (
	"maps"
	"net/netip"
	"slices"
)

// Role is what facts say of an address. An address may have several.
type Role uint8

// The roles.
const (
	RoleOurs     Role = 1 << iota // the organisation's own
	RoleService                   // of a service that acts for people: Microsoft's, a provider's, a load balancer
	RoleScanner                   // of a scanner that the organisation knows
	RoleNAT                       // shared by many: says nothing about who it was
	RoleAttacker                  // known to be the attacker's
)

// addresses knows what facts say of addresses.
type addresses struct {
	single   map[netip.Addr]Role
	networks []network
}

type network struct {
	netip.Prefix
	role Role
}

func (a *addresses) add(p netip.Prefix, role Role) {
	if p.IsSingleIP() {
		a.single[p.Addr()] |= role
		return
	}
	a.networks = append(a.networks, network{p, role})
}

func (a *addresses) role(ip netip.Addr) Role {
	ip = ip.Unmap().WithZone("")
	r := a.single[ip]
	for i := range a.networks {
		if a.networks[i].Contains(ip) {
			r |= a.networks[i].role
		}
	}
	return r
}

// lists returns the lists of addresses in the facts, each with its path in the file.
func (f *Facts) lists() [5]addressList {
	return [...]addressList{
		{"ours", "ips", RoleOurs, f.Ours.IPs}, {"ours", "service_ips", RoleService, f.Ours.ServiceIPs}, {"ours", "scanners", RoleScanner, f.Ours.Scanners},
		{"ours", "nat", RoleNAT, f.Ours.NAT}, {"attacker", "ips", RoleAttacker, f.Attacker.IPs},
	}
}

type addressList struct {
	section, key string
	role         Role
	list         []string
}

// Role returns what the facts say of an address, 0 if nothing or if it is no address. Networks count for every address in
// them.
func (f *Facts) Role(address string) Role {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return 0
	}
	if f.addresses != nil {
		return f.addresses.role(ip)
	}
	a := addresses{single: make(map[netip.Addr]Role)} // facts that were not parsed
	for _, l := range f.lists() {
		for _, s := range l.list {
			if p, err := parsePrefix(s); err == nil {
				a.add(p, l.role)
			}
		}
	}
	return a.role(ip)
}

// IsOurs reports whether an address is known not to be an attacker's. NAT addresses are shared, and are not.
func (f *Facts) IsOurs(address string) bool {
	return f.Role(address)&(RoleOurs|RoleService|RoleScanner) != 0
}

// OurAddresses returns the addresses and networks that are no attacker's, or many people's, each once, sorted. The slice is the caller's.
func (f *Facts) OurAddresses() []string {
	var all []string
	for _, l := range f.lists() {
		if l.role == RoleAttacker {
			continue
		}
		for _, s := range l.list {
			if p, err := parsePrefix(s); err == nil {
				all = append(all, p.String())
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// SameNames reports whether f and o call the same addresses the organisation's own, and the same servers by the same names, in the same
// words.
func (f *Facts) SameNames(o *Facts) bool {
	return maps.EqualFunc(f.Hosts, o.Hosts, slices.Equal) && slices.Equal(f.Ours.IPs, o.Ours.IPs) && slices.Equal(f.Ours.ServiceIPs, o.Ours.ServiceIPs) && slices.Equal(f.Ours.Scanners, o.Ours.Scanners)
}
