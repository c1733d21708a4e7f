package judge

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"path"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/barid-dfir/barid/internal/casefile"
)

// Facts are what people know and logs do not say: the file given with --facts. All of it is optional.
type Facts struct {
	Organisation *casefile.Organisation `yaml:"organisation"`
	Window       struct {
		From *time.Time `yaml:"from"`
		To   *time.Time `yaml:"to"`
	} `yaml:"window"`
	Attacker struct {
		IPs        []string `yaml:"ips"`
		Accounts   []string `yaml:"accounts"`
		Sessions   []string `yaml:"sessions"`
		UserAgents []string `yaml:"user_agents"`
		Devices    []string `yaml:"devices"`
	} `yaml:"attacker"`
	Ours struct {
		IPs        []string `yaml:"ips"`
		ServiceIPs []string `yaml:"service_ips"`
		Scanners   []string `yaml:"scanners"`
		NAT        []string `yaml:"nat"`
	} `yaml:"ours"`
	BaselineDays int        `yaml:"baseline_days"`
	Evicted      *time.Time `yaml:"evicted"`
	ChannelsOff  []struct {
		Channel string `yaml:"channel"`
		Scope   string `yaml:"scope"`
		Proof   string `yaml:"proof"`
	} `yaml:"channels_off"`
	Inventory struct {
		Mailboxes string `yaml:"mailboxes"`
		Messages  string `yaml:"messages"`
		Files     string `yaml:"files"`
	} `yaml:"inventory"`
	Timezones map[string]string `yaml:"timezones"`

	ours  []netip.Prefix
	zones map[string]*time.Location
}

// ParseFacts reads facts. An unknown key, an address that is none or a zone nobody knows is an error that names it: a
// fact that is silently not used would be worse than none.
func ParseFacts(r io.Reader) (*Facts, error) {
	var f Facts
	p, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	d := yaml.NewDecoder(bytes.NewReader(p))
	d.KnownFields(true)
	if err := d.Decode(&f); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	for _, list := range [][]string{f.Ours.IPs, f.Ours.ServiceIPs, f.Ours.Scanners} {
		for _, s := range list {
			p, err := parsePrefix(s)
			if err != nil {
				return nil, fmt.Errorf("ours: %w", err)
			}
			f.ours = append(f.ours, p)
		}
	}
	for _, s := range f.Attacker.IPs {
		p, err := parsePrefix(s)
		if err != nil {
			return nil, fmt.Errorf("attacker: %w", err)
		}
		for _, o := range f.ours {
			if o.Overlaps(p) {
				return nil, fmt.Errorf("%s is both the attacker's and ours (%s)", s, o)
			}
		}
	}
	f.zones = make(map[string]*time.Location)
	for host, name := range f.Timezones {
		z, err := time.LoadLocation(name)
		if err != nil {
			return nil, fmt.Errorf("timezones: %s: no zone %q (use a name such as Europe/Paris)", host, name)
		}
		f.zones[strings.ToLower(host)] = z
	}
	return &f, nil
}

func parsePrefix(s string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p, nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is no address and no network", s)
	}
	return netip.PrefixFrom(a, a.BitLen()), nil
}

// IsOurs reports whether an address is known not to be an attacker's. NAT addresses are shared, and are not.
func (f *Facts) IsOurs(address string) bool {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	for _, p := range f.ours {
		if p.Contains(a.Unmap()) || p.Contains(a) {
			return true
		}
	}
	return false
}

// Zone returns the time zone of a stream whose log does not say its own: that of the host whose name is part of the
// path, or of the host "*". Otherwise it is UTC, "assumed".
func (f *Facts) Zone(streamPath string) (*time.Location, string) {
	p := strings.ToLower(strings.ReplaceAll(streamPath, "!", "/"))
	best := ""
	for host := range f.zones {
		if len(host) > len(best) && hasElement(p, host) {
			best = host
		}
	}
	if best != "" {
		return f.zones[best], "facts"
	}
	if z := f.zones["*"]; z != nil {
		return z, "facts"
	}
	return time.UTC, "assumed"
}

// hasElement reports whether an element of the path is host, or begins with it and a dot, dash or underscore.
func hasElement(p, host string) bool {
	for p != "." && p != "/" && p != "" {
		base := path.Base(p)
		if rest, ok := strings.CutPrefix(base, host); ok && (rest == "" || strings.ContainsRune(".-_", rune(rest[0]))) {
			return true
		}
		p = path.Dir(p)
	}
	return false
}
