package judge

import (
	"net/netip"
	"strings"
)

// subnetOf returns the network that an address is in, of so many bits of IPv4 or of IPv6; false for what is no address.
func subnetOf(ip string, bits4, bits6 int) (netip.Prefix, bool) {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return netip.Prefix{}, false
	}
	a = a.Unmap().WithZone("")
	bits := bits6
	if a.Is4() {
		bits = bits4
	}
	p, err := a.Prefix(bits)
	return p, err == nil
}

// neighbourhood returns what of an address stays the same while a client moves about: of IPv6 the first 64 bits.
func neighbourhood(ip string) string {
	if strings.IndexByte(ip, ':') < 0 {
		return ip
	}
	p, ok := subnetOf(ip, 32, 64)
	if !ok || p.Addr().Is4() {
		return ip
	}
	return p.String()
}

// subnet returns the network of an address, in which a computer may have another address tomorrow: 24 bits of IPv4, 64 of IPv6.
func subnet(ip string) string {
	p, ok := subnetOf(ip, 24, 64)
	if !ok {
		return ip
	}
	return p.String()
}

// nearby reports whether two addresses are likely of one provider's network: half of the bits of IPv4, a quarter of those of IPv6.
func nearby(x, y string) bool {
	p, ok := subnetOf(x, 16, 32)
	q, also := subnetOf(y, 16, 32)
	if !ok || !also {
		return x == y
	}
	return p == q
}
