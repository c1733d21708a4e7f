package judge

import (
	"net/netip"
	"strings"

	"github.com/barid-dfir/barid/internal/tally"
)

// providers are ranges from which Microsoft 365 itself acts for people: an address in them is nobody's (mail-forensics
// 3.1 and 6.4; the ranges are those that Microsoft publishes for Exchange Online, not those that it rents out).
var providers = [...]netip.Prefix{
	netip.MustParsePrefix("2603:1000::/24"), netip.MustParsePrefix("2a01:111::/32"), netip.MustParsePrefix("2620:1ec::/36"),
	netip.MustParsePrefix("40.92.0.0/15"), netip.MustParsePrefix("40.96.0.0/13"), netip.MustParsePrefix("40.104.0.0/15"),
	netip.MustParsePrefix("40.107.0.0/16"), netip.MustParsePrefix("52.96.0.0/14"), netip.MustParsePrefix("52.100.0.0/14"),
	netip.MustParsePrefix("104.47.0.0/17"), netip.MustParsePrefix("132.245.0.0/16"), netip.MustParsePrefix("150.171.32.0/22"),
}

// remote is what an address can say of who used it.
type remote struct {
	role Role
	// none says that it is no address, or one that every machine has: loopback, link-local.
	none bool
	// private says that it is of a network that is not routed on the Internet.
	private  bool
	provider bool
}

func remoteOf(f *Facts, ip string) remote {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return remote{none: true}
	}
	a = a.Unmap().WithZone("")
	out := remote{role: f.Role(ip), none: a.IsLoopback() || a.IsUnspecified() || a.IsLinkLocalUnicast(), private: a.IsPrivate()}
	for _, p := range providers {
		out.provider = out.provider || p.Contains(a)
	}
	return out
}

// pivots reports whether the address may tie one account to another.
func (a remote) pivots() bool {
	if a.role&RoleAttacker != 0 {
		return a.role&RoleNAT == 0
	}
	return !a.none && !a.provider && a.role&(RoleOurs|RoleService|RoleScanner|RoleNAT) == 0
}

// parsed returns facts whose addresses are quick to look up; empty ones for nil.
func (f *Facts) parsed() *Facts {
	if f == nil {
		return &Facts{addresses: &addresses{}}
	}
	if f.addresses != nil {
		return f
	}
	with := *f
	with.addresses = &addresses{single: make(map[netip.Addr]Role)}
	for _, l := range f.lists() {
		for _, s := range l.list {
			if p, err := parsePrefix(s); err == nil {
				with.addresses.add(p, l.role)
			}
		}
	}
	return &with
}

// normalAgent writes what a client calls itself the same way whichever log tells of it: IIS writes + for a blank, HttpProxy
// a blank for a comma.
func normalAgent(agent string) string {
	var b strings.Builder
	b.Grow(len(agent))
	blank := true
	for _, r := range strings.ToLower(agent) {
		if r == '+' || r == ',' || r == ' ' {
			blank = true
			continue
		}
		if blank && b.Len() > 0 {
			b.WriteByte(' ')
		}
		blank = false
		b.WriteRune(r)
	}
	return b.String()
}

// identifies reports whether a client program, as normalAgent writes it, says enough to tell clients apart: it names a
// version, and is not the name of a protocol that everybody's client has.
func identifies(agent string) bool {
	if strings.HasPrefix(agent, "client=") {
		return false
	}
	for i := 0; i+1 < len(agent); i++ {
		if agent[i] == '/' && agent[i+1] >= '0' && agent[i+1] <= '9' {
			return agent != "mozilla/5.0" && agent != "mozilla/4.0"
		}
	}
	return false
}

// family is the kind of client: a browser and its system, or the name of the program without its version.
func family(agent string) string {
	a := normalAgent(agent)
	if strings.HasPrefix(a, "mozilla/") {
		return find(a, "edg/", "opr/", "firefox/", "chrome/", "safari/", "outlook", "trident/") + " " + find(a, "windows", "iphone", "ipad", "android", "mac os", "linux")
	}
	if end := strings.IndexAny(a, "/;("); end >= 0 {
		a = a[:end]
	}
	return strings.TrimSpace(a)
}

func find(s string, words ...string) string {
	for _, w := range words {
		if strings.Contains(s, w) {
			return w
		}
	}
	return ""
}

// firstParty are Microsoft's own clients: their application id is everybody's.
var firstParty = map[string]bool{
	"00000002-0000-0ff1-ce00-000000000000": true, // Exchange Online
	"00000003-0000-0ff1-ce00-000000000000": true, // SharePoint Online
	"00000003-0000-0000-c000-000000000000": true, // Graph
	"00000006-0000-0ff1-ce00-000000000000": true, // portal
	"00000004-0000-0ff1-ce00-000000000000": true, // Skype for Business
	"00000002-0000-0000-c000-000000000000": true, // Azure AD Graph
	"d3590ed6-52b3-4102-aeff-aad2292ab01c": true, // Office
	"27922004-5251-4030-b22d-91ecd9a37ea4": true, // Outlook Mobile
	"5d661950-3475-41cd-a2c3-d671a3162bc1": true, // Outlook
	"9199bf20-a13f-4107-85dc-02114787ef48": true, // Outlook Web
	"1fec8e78-bce4-4aaf-ab1b-5451cc387264": true, // Teams
	"5e3ce6c0-2b1f-4285-8d4b-75ee78787346": true, // Teams Web
	"ab9b8c07-8f02-4f72-87fa-80105867a763": true, // OneDrive
	"4765445b-32c6-49b0-83e6-1d93765276ca": true, // OfficeHome
	"89bee1f7-5e6e-4d8a-9f3d-ecd601259da7": true, // Office 365 Shell
	"c44b4083-3bb0-49c1-b47d-974e53cbdf3c": true, // Azure portal
	"fb78d390-0c51-40cd-8e17-fdbfab77341b": true, // Exchange PowerShell
	"a0c73c16-a7e3-4564-9a95-2bdf47383716": true, // Exchange PowerShell
	"1b730954-1685-4b74-9bfd-dac224a7b894": true, // Azure AD PowerShell
	"14d82eec-204b-4c2f-b7e8-296a70dab67e": true, // Graph PowerShell
	"04b07795-8ddb-461a-bbee-02f9e1bf7b46": true, // Azure CLI
	"1950a258-227b-4e31-a9cf-717495945fc2": true, // Azure PowerShell
	"29d9ed98-a469-4536-ade2-f981bc1d605e": true, // authentication broker
	"13937bba-652e-4c46-b222-3003f4d1ff97": true, // service processing
}

// sessionKey returns the identifier that a log gives a session, so written that no other session has the same; "" if there is
// none. Short ones, and those of Windows, are unique on their host only.
func sessionKey(c *tally.Context) string {
	id := c.Session
	windows := strings.HasPrefix(c.Format, "windows")
	switch {
	case id == "" || id == "-":
		return ""
	case windows && (strings.EqualFold(id, "0x3e7") || strings.EqualFold(id, "0x3e4") || strings.EqualFold(id, "0x3e5") || id == "0x0"):
		return "" // the system's own
	case strings.HasPrefix(c.Format, "m365") || strings.HasPrefix(c.Format, "entra") || strings.HasPrefix(c.Format, "azure"):
		return id
	case len(id) < 6 && strings.Trim(id, "0123456789") == "": // a number that is counted up
		return c.Host + "\x00" + c.Format + "\x00" + c.Account + "\x00" + c.IP + "\x00" + id
	case windows || len(id) < 12:
		return c.Host + "\x00" + id
	}
	return id
}

// deviceKey returns the identifier of a device; "" if there is none, or it is only the name of a computer.
func deviceKey(c *tally.Context) string {
	if len(c.Device) < 4 || strings.HasPrefix(c.Format, "windows") {
		return ""
	}
	return c.Device
}

// appKey returns the identifier of an application; "" where it is one that everybody uses.
func appKey(c *tally.Context) string {
	if len(c.App) < 4 || firstParty[strings.ToLower(c.App)] {
		return ""
	}
	return c.App
}
