package judge

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

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
	for _, check := range []func() error{c.marking, c.times, c.sets, c.scripts, c.channels, c.coverage, c.statements, c.zones} {
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
			return fmt.Errorf("%sstatements: is: %q is none of %s", at, s.Is, strings.Join(attributionNames[:], ", "))
		}
		if s.IP != "" {
			if _, err := parsePrefix(s.IP); err != nil {
				return fmt.Errorf("%sstatements: ip: %w", at, err)
			}
		}
	}
	return nil
}

func (c *factsCheck) zones() error {
	c.f.zones = make(map[string]*time.Location)
	for host, name := range c.f.Timezones {
		z, err := time.LoadLocation(name)
		if err != nil || strings.EqualFold(name, "local") {
			return fmt.Errorf("%stimezones: %s: no zone %q (use a name such as Europe/Paris)", c.at("timezones", host), host, name)
		}
		c.f.zones[strings.ToLower(host)] = z
	}
	return nil
}
