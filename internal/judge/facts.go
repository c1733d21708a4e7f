package judge

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/strictyaml"
)

// Facts are what people know and logs do not say: the file given with --facts. All of it is optional.
type Facts struct {
	Organisation *casefile.Organisation `yaml:"organisation"`
	// TLP is how far the case may go: a marking of TLP 2.0, "" where the facts do not say.
	TLP    string `yaml:"tlp"`
	Window struct {
		From *time.Time `yaml:"from" time:"day"`
		To   *time.Time `yaml:"to" time:"day"`
	} `yaml:"window"`
	Attacker struct {
		IPs        []string `yaml:"ips"` // addresses and networks
		Accounts   []string `yaml:"accounts"`
		Sessions   []string `yaml:"sessions"`
		UserAgents []string `yaml:"user_agents"`
		Devices    []string `yaml:"devices"`
		// Scripts say that script of the attacker ran in somebody's own browser.
		Scripts []ScriptFact `yaml:"scripts"`
	} `yaml:"attacker"`
	Ours struct {
		IPs        []string `yaml:"ips"`
		ServiceIPs []string `yaml:"service_ips"`
		Scanners   []string `yaml:"scanners"`
		// NAT are addresses that many share: what comes from them says nothing about who it was.
		NAT []string `yaml:"nat"`
	} `yaml:"ours"`
	// Travel is how far and how fast somebody would have to travel between two sign-ins for one of them to be suspected; 0 where the facts
	// do not say.
	Travel struct {
		Speed    float64 `yaml:"speed"`    // kilometres an hour
		Distance float64 `yaml:"distance"` // kilometres
	} `yaml:"travel"`
	// Hybrid says whether Exchange servers can make tokens for Microsoft 365; nil where the facts do not.
	Hybrid *HybridFact `yaml:"hybrid"`
	// Exposed are passwords that were captured, or may have been.
	Exposed []ExposedFact `yaml:"exposed"`
	// BaselineDays is how many days before the incident a baseline is learnt from; 0 where the facts do not say.
	BaselineDays int               `yaml:"baseline_days"`
	Evicted      *time.Time        `yaml:"evicted"`
	ChannelsOff  []ChannelOff      `yaml:"channels_off"`
	Coverage     []CoverageFact    `yaml:"coverage"`
	Statements   []Statement       `yaml:"statements"`
	Inventory    InventoryFiles    `yaml:"inventory"`
	Timezones    map[string]string `yaml:"timezones"`
	// Years are those of the first lines of logs that do not say their own, by host or file.
	Years map[string]int `yaml:"years"`
	// Hosts are other names and addresses of servers, by the name that they go by.
	Hosts map[string][]string `yaml:"hosts"`
	// Disclosure is read and checked by package disclose.
	Disclosure yaml.Node `yaml:"disclosure"`

	addresses *addresses
	zones     map[string]*time.Location
}

// hasTimes reports whether anything that happened has a time in the facts, which that of a log is held against.
func (f *Facts) hasTimes() bool {
	return f != nil && (f.Window.From != nil || f.Window.To != nil || f.Evicted != nil || len(f.Attacker.Scripts) > 0 || len(f.Exposed) > 0 || len(f.Coverage) > 0)
}

// ScriptFact says that script ran in the browser of whoever was signed in to an account: from the opening of the lure to the end of the
// session. What it did has the owner's address, client program and session (mail-forensics 1.7, XSS_SAME_CONTEXT).
type ScriptFact struct {
	Account string    `yaml:"account"`
	From    time.Time `yaml:"from"`
	To      time.Time `yaml:"to"`    // the zero time if its end is not known
	Proof   string    `yaml:"proof"` // how it is known
}

// ChannelOff says that a way in did not exist.
type ChannelOff struct {
	Channel string `yaml:"channel"`
	Scope   string `yaml:"scope"` // the account or host that it holds for; "" for all
	Proof   string `yaml:"proof"` // how it is known
}

// CoverageFact says that a log covers a time, though nothing in it shows that.
type CoverageFact struct {
	Stream    string    `yaml:"stream"`    // the format of the log: iis.w3c
	Host      string    `yaml:"host"`      // "" for every host
	Principal string    `yaml:"principal"` // "" for everybody
	Level     string    `yaml:"level"`     // casefile.Presence or casefile.Detail
	From      time.Time `yaml:"from"`
	To        time.Time `yaml:"to"`
	Proof     string    `yaml:"proof"` // how it is known
}

// Statement is what a person answers for: whose a session is, or what comes from an address, by an account, a device or an
// application. Exactly one of these is set.
type Statement struct {
	Author  string    `yaml:"author"`
	Time    time.Time `yaml:"time"`
	Reason  string    `yaml:"reason"`
	Session string    `yaml:"session"`
	IP      string    `yaml:"ip"` // an address or a network
	Account string    `yaml:"account"`
	Device  string    `yaml:"device"`
	App     string    `yaml:"app"`
	Is      string    `yaml:"is"` // attacker, suspected, unattributed, owner, service
}

// Subject returns what the statement is about: "session", "ip", "account", "device" or "app", and which.
func (s *Statement) Subject() (kind, name string) {
	for _, k := range s.subjects() {
		if k[1] != "" {
			return k[0], k[1]
		}
	}
	return "", ""
}

// attribution is whose what it is about is stated to be.
func (s *Statement) attribution() attribution {
	return attribution(max(slices.Index(attributionNames[:], s.Is), 0))
}

func (s *Statement) subjects() [5][2]string {
	return [...][2]string{{"session", s.Session}, {"ip", s.IP}, {"account", s.Account}, {"device", s.Device}, {"app", s.App}}
}

// About returns the statement in words: "session S1 is owner".
func (s *Statement) About() string {
	kind, name := s.Subject()
	return kind + " " + name + " is " + s.Is
}

// InventoryFiles are the paths of the lists of what there was to be reached, CSV, as the facts write them.
type InventoryFiles struct {
	Mailboxes string `yaml:"mailboxes"`
	Messages  string `yaml:"messages"`
	Files     string `yaml:"files"`
}

// maxFacts is how large a file of facts may be, in bytes.
const maxFacts = 16 << 20

// ParseFacts reads facts. An unknown key, a time without its offset, an address that is none, a window that ends before it begins or a zone nobody
// knows is an error that names the line: a fact that is silently not used would be worse than none.
func ParseFacts(r io.Reader) (*Facts, error) {
	p, err := io.ReadAll(io.LimitReader(r, maxFacts+1))
	if err != nil {
		return nil, err
	}
	if len(p) > maxFacts {
		return nil, fmt.Errorf("more than %d MiB: lists belong into the files of the inventory", maxFacts>>20)
	}
	var f Facts
	var root, more yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(p))
	if err := d.Decode(&root); err != nil && !errors.Is(err, io.EOF) {
		if bytes.Contains(p, []byte("\n\t")) || bytes.HasPrefix(p, []byte("\t")) {
			return nil, fmt.Errorf("%w: a line begins with a tab; YAML takes only blanks there", strictyaml.Syntax(err))
		}
		return nil, strictyaml.Syntax(err)
	}
	if err := d.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is a second document (after ---): facts are one")
	}
	if len(root.Content) > 0 {
		if err := strictyaml.KeysAndOffsets(root.Content[0], reflect.TypeFor[Facts](), ""); err != nil {
			return nil, err
		}
		if err := root.Content[0].Decode(&f); err != nil {
			return nil, err
		}
	}
	c := factsCheck{f: &f, root: &root}
	if err := c.all(); err != nil {
		return nil, err
	}
	return &f, nil
}

// parsePrefix reads an address or a network.
func parsePrefix(s string) (netip.Prefix, error) {
	s = strings.TrimSpace(s)
	if p, err := netip.ParsePrefix(s); err == nil {
		if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
		}
		return p.Masked(), nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is no address and no network: write 192.0.2.7 or 192.0.2.0/24", s)
	}
	a = a.Unmap().WithZone("")
	return netip.PrefixFrom(a, a.BitLen()), nil
}

// Zone returns the time zone of a stream whose log does not say its own: that of the host whose name is part of the
// path, or of the host "*". Otherwise it is UTC, "assumed".
func (f *Facts) Zone(streamPath string) (*time.Location, string) {
	if z := f.zones[cmp.Or(longestElement(asFolders(streamPath), f.zones), "*")]; z != nil {
		return z, "facts"
	}
	return time.UTC, "assumed"
}

// Year returns the year of the first line of a stream whose log does not say its own: that of the host or file whose name is part of the path,
// or of "*"; 0 where the facts do not say.
func (f *Facts) Year(streamPath string) int {
	return f.Years[cmp.Or(longestElement(asFolders(streamPath), f.Years), "*")]
}

// Incident returns from when to when the incident was; zero where the facts do not say.
func (f *Facts) Incident() [2]time.Time {
	var w [2]time.Time
	if f.Window.From != nil {
		w[0] = *f.Window.From
	}
	if f.Window.To != nil {
		w[1] = *f.Window.To
	}
	return w
}
