package judge

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode"

	"go.yaml.in/yaml/v4"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/strictyaml"
)

// factsCheck looks for what cannot be meant.
type factsCheck struct {
	f    *Facts
	root *yaml.Node
}

// at says in which line something stands: path is keys and numbers of items.
func (c *factsCheck) at(path ...any) string {
	return fmt.Sprintf("line %d: ", strictyaml.Line(c.root, path...))
}

func (c *factsCheck) all() error {
	for _, check := range []func() error{c.marking, c.times, c.sets, c.scripts, c.exposed, c.channels, c.coverage, c.statements, c.years, c.zones, c.hosts} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (c *factsCheck) marking() error {
	if c.f.TLP == "" {
		return nil
	}
	t, err := casefile.ParseTLP(c.f.TLP)
	if err != nil {
		return fmt.Errorf("%stlp: %w", c.at("tlp"), err)
	}
	c.f.TLP = t.Name()
	return nil
}

func (c *factsCheck) times() error {
	from, to := c.f.Window.From, c.f.Window.To
	if from != nil && to != nil && !from.Before(*to) {
		return fmt.Errorf("%swindow: it ends (%s) before it begins (%s)", c.at("window"), at(*to), at(*from))
	}
	if from != nil && c.f.Evicted != nil && c.f.Evicted.Before(*from) {
		return fmt.Errorf("%sevicted: %s is before the window begins (%s)", c.at("evicted"), at(*c.f.Evicted), at(*from))
	}
	if h := c.f.Hybrid; h != nil && h.Proof == "" {
		return fmt.Errorf("%shybrid: it takes a proof: how is it known whether Exchange servers share a service principal with Exchange Online?", c.at("hybrid"))
	}
	if t := &c.f.Travel; !(t.Speed >= 0) || !(t.Distance >= 0) {
		return fmt.Errorf("%stravel: speed is in kilometres an hour and distance in kilometres: neither is less than 0", c.at("travel"))
	}
	if c.f.BaselineDays < 0 {
		return fmt.Errorf("%sbaseline_days: %d days are none", c.at("baseline_days"), c.f.BaselineDays)
	}
	return nil
}

func at(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func (c *factsCheck) sets() error {
	a := &addresses{single: make(map[netip.Addr]Role)}
	type given struct {
		netip.Prefix
		text, key string
	}
	var ours []given
	for _, l := range c.f.lists() {
		for i, s := range l.list {
			p, err := parsePrefix(s)
			if err != nil {
				return fmt.Errorf("%s%s: %s: %w", c.at(l.section, l.key, i), l.section, l.key, err)
			}
			if l.role == RoleAttacker {
				if o := slices.IndexFunc(ours, func(o given) bool { return o.Overlaps(p) }); o >= 0 {
					return fmt.Errorf("%s%s is both the attacker's and ours (%s: %s): take it out of one of them, or list it in nat if many share it",
						c.at(l.section, l.key, i), s, ours[o].key, ours[o].text)
				}
			} else if l.role != RoleNAT {
				ours = append(ours, given{p, s, l.key})
			}
			a.add(p, l.role)
		}
	}
	c.f.addresses = a
	return nil
}

func (c *factsCheck) scripts() error {
	for i, o := range c.f.Attacker.Scripts {
		at := c.at("attacker", "scripts", i)
		switch {
		case o.Account == "" || o.Proof == "":
			return fmt.Errorf("%sattacker: scripts: it takes an account and a proof: how is it known that script ran?", at)
		case o.From.IsZero():
			return fmt.Errorf("%sattacker: scripts: from is missing: when was the lure opened?", at)
		case !o.To.IsZero() && !o.From.Before(o.To):
			return fmt.Errorf("%sattacker: scripts: it ends before it begins", at)
		}
	}
	return nil
}

func (c *factsCheck) exposed() error {
	for i, o := range c.f.Exposed {
		at := c.at("exposed", i)
		switch {
		case (o.Account == "") == (o.Host == ""):
			return fmt.Errorf("%sexposed: it takes an account, or a host on whose logon page passwords were captured, and not both", at)
		case o.Proof == "":
			return fmt.Errorf("%sexposed: it takes a proof: how is it known that passwords were captured?", at)
		case o.From.IsZero():
			return fmt.Errorf("%sexposed: from is missing: since when were passwords captured?", at)
		case !o.To.IsZero() && !o.From.Before(o.To):
			return fmt.Errorf("%sexposed: it ends before it begins", at)
		}
	}
	return nil
}

func (c *factsCheck) channels() error {
	for i, o := range c.f.ChannelsOff {
		if o.Channel == "" || o.Proof == "" {
			return fmt.Errorf("%schannels_off: it takes a channel (imap, pop3, owa, …) and a proof: how is it known that it was off?", c.at("channels_off", i))
		}
	}
	return nil
}

func (c *factsCheck) coverage() error {
	for i, o := range c.f.Coverage {
		at := c.at("coverage", i)
		switch {
		case o.Stream == "" || o.Proof == "":
			return fmt.Errorf("%scoverage: it takes a stream (the kind of log, such as iis.w3c) and a proof: how is it known that the log is complete?", at)
		case o.Level != casefile.Presence && o.Level != casefile.Detail:
			return fmt.Errorf("%scoverage: level is %s (would show who came in) or %s (would show what was read), not %q", at, casefile.Presence, casefile.Detail, o.Level)
		case o.From.IsZero() || o.To.IsZero():
			return fmt.Errorf("%scoverage: it takes from and to", at)
		case !o.From.Before(o.To):
			return fmt.Errorf("%scoverage: it ends before it begins", at)
		}
	}
	return nil
}

func (c *factsCheck) statements() error {
	for i := range c.f.Statements {
		s := &c.f.Statements[i]
		at := c.at("statements", i)
		subjects := 0
		for _, k := range s.subjects() {
			if k[1] != "" {
				subjects++
			}
		}
		switch {
		case s.Author == "":
			return errors.New(at + "statements: author is missing: who answers for it?")
		case s.Time.IsZero():
			return errors.New(at + "statements: time is missing: when was it stated? (2021-03-09T10:00:00Z)")
		case s.Reason == "":
			return errors.New(at + "statements: reason is missing: how is it known?")
		case subjects != 1:
			return fmt.Errorf("%sstatements: it takes exactly one of session, ip, account, device, app, not %d", at, subjects)
		case !slices.Contains(attributionNames[:], s.Is):
			return fmt.Errorf("%sstatements: is: %q is none of %s%s", at, s.Is, strings.Join(attributionNames[:], ", "), strictyaml.DidYouMean(s.Is, attributionNames[:]))
		}
		if s.IP != "" {
			if _, err := parsePrefix(s.IP); err != nil {
				return fmt.Errorf("%sstatements: ip: %w", at, err)
			}
		}
	}
	return nil
}

func (c *factsCheck) years() error {
	for _, name := range slices.Sorted(maps.Keys(c.f.Years)) {
		if year := c.f.Years[name]; year < 1970 || year > 2100 {
			return fmt.Errorf("%syears: %s: %d is no year that a log can be of", c.at("years", name), name, year)
		}
	}
	return agree(c, "years", c.f.Years)
}

func (c *factsCheck) zones() error {
	c.f.zones = make(map[string]*time.Location)
	for _, host := range slices.Sorted(maps.Keys(c.f.Timezones)) {
		name := c.f.Timezones[host]
		z, err := time.LoadLocation(name)
		if err != nil || strings.EqualFold(name, "local") {
			return fmt.Errorf("%stimezones: %s: no zone %q (use a name such as Europe/Paris)", c.at("timezones", host), host, name)
		}
		c.f.zones[strings.ToLower(host)] = z
	}
	return agree(c, "timezones", c.f.Timezones)
}

// agree checks that a name that stands there in upper and lower case means the same both times: which of the two counted would be chance.
func agree[V comparable](c *factsCheck, key string, list map[string]V) error {
	said := make(map[string]string)
	for _, name := range slices.Sorted(maps.Keys(list)) {
		lower := strings.ToLower(name)
		if other, twice := said[lower]; twice && list[other] != list[name] {
			return fmt.Errorf("%s%s: %s and %s are one name, and do not say the same", c.at(key, name), key, other, name)
		}
		said[lower] = name
	}
	return nil
}

// hosts checks that no name is of two servers: what was done to one would be told of the other.
func (c *factsCheck) hosts() error {
	named := make(map[string]string)  // the host of each name
	labels := make(map[string]string) // the host of names in full, by their first label; "" where they are several
	for _, host := range slices.Sorted(maps.Keys(c.f.Hosts)) {
		if _, err := netip.ParseAddr(strings.TrimSpace(host)); err == nil {
			return fmt.Errorf("%shosts: %s is an address: write the name that the server goes by, and the address after it (EX1: [%s])", c.at("hosts", host), host, host)
		}
		if len(c.f.Hosts[host]) == 0 {
			return fmt.Errorf("%shosts: %s has no other name: which names and addresses are its own?", c.at("hosts", host), host)
		}
		for i, name := range append([]string{host}, c.f.Hosts[host]...) {
			at := c.at("hosts", host)
			if i > 0 {
				at = c.at("hosts", host, i-1)
			}
			if err := c.hostName(name); err != nil {
				return fmt.Errorf("%shosts: %s: %w", at, host, err)
			}
			key := hostName(name)
			label := hostLabel(key)
			other, taken := named[key], false
			if other == "" && label == key {
				other, taken = labels[label]
			} else if other == "" {
				other = named[label]
			}
			if other != "" && other != host || taken && other == "" {
				return fmt.Errorf("%shosts: %s is a name of %s and of %s: a server has names that no other has", at, name, cmp.Or(other, "others"), host)
			}
			named[key] = host
			if known, ok := labels[label]; label != key && ok && known != host {
				labels[label] = ""
			} else if label != key {
				labels[label] = host
			}
		}
	}
	return nil
}

// hostName checks one name or address of a server.
func (c *factsCheck) hostName(name string) error {
	name = strings.TrimSpace(name)
	if a, err := netip.ParseAddr(name); err == nil {
		switch _, own := ownAddress(name); {
		case !own:
			return fmt.Errorf("every server has the address %s", a)
		case c.f.Role(name)&RoleNAT != 0:
			return fmt.Errorf("%s is an address that many share (ours: nat): it is not one server's", a)
		}
		return nil
	}
	if name == "" || strings.ContainsFunc(name, func(r rune) bool {
		return r != '-' && r != '_' && r != '.' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) || hostLabel(name) == "" {
		return fmt.Errorf("%q is no name and no address of a server: write mail.corp.example or 192.0.2.7", name)
	}
	return nil
}
