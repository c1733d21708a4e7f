package windows

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/barid-dfir/barid/content"
	"github.com/barid-dfir/barid/internal/event"
)

// catalog is content/fields/windows.yml, made ready to look things up in. It never changes.
type catalog struct {
	services   map[string]string // lower-case channel → service
	categories map[eventKey][]categoryEntry
	aliases    map[eventKey][]aliasEntry

	systemNames   []string            // in the order of the file
	systemAliases map[string][]string // name → aliases
	systemKinds   map[string]string   // name → "hex64", "guid"
	systemPaths   map[string]string   // JSON path → name
	systemRank    map[string]int      // JSON path → its place in the list: the earlier wins
	dataPrefixes  [][]string          // names of JSON objects, "*" for any
	collector     map[string]bool
	received      []string
	localTime     string
	localReceived string
	eventTypes    map[string]bool
	hex           map[string]string // name → "" or the service it is limited to
	guid          map[string]bool
}

// eventKey is an event of a service; id -1 stands for all of them.
type eventKey struct {
	service string
	id      int
}

type categoryEntry struct {
	eventType  string // "" for any
	categories []string
}

type aliasEntry struct {
	names map[string][]string
	move  map[string]string
}

type catalogFile struct {
	Services   map[string][]string `yaml:"services"`
	Categories []struct {
		Service   string   `yaml:"service"`
		Events    []int    `yaml:"events"`
		EventType string   `yaml:"event_type"`
		Category  []string `yaml:"category"`
	} `yaml:"categories"`
	Aliases []struct {
		Service string              `yaml:"service"`
		Events  []int               `yaml:"events"`
		Names   map[string][]string `yaml:"names"`
		Move    map[string]string   `yaml:"move"`
	} `yaml:"aliases"`
	System []struct {
		Name    string   `yaml:"name"`
		JSON    []string `yaml:"json"`
		Kind    string   `yaml:"kind"`
		Aliases []string `yaml:"aliases"`
	} `yaml:"system"`
	Data                []string `yaml:"data"`
	Received            []string `yaml:"received"`
	LocalTime           string   `yaml:"local_time"`
	LocalReceived       string   `yaml:"local_received"`
	Collector           []string `yaml:"collector"`
	CollectorEventTypes []string `yaml:"collector_event_types"`
	Hex                 []string `yaml:"hex"`
	GUID                []string `yaml:"guid"`
}

// newCatalog reads the embedded windows.yml. It panics if that is broken, which the tests of this package would show.
func newCatalog() *catalog {
	data, err := fs.ReadFile(content.Fields(), "windows.yml")
	if err != nil {
		panic(err)
	}
	c, err := parseCatalog(data)
	if err != nil {
		panic(err)
	}
	return c
}

func parseCatalog(data []byte) (*catalog, error) {
	var f catalogFile
	if err := yaml.Load(data, &f, yaml.WithKnownFields(true)); err != nil {
		return nil, fmt.Errorf("windows.yml: %w", err)
	}
	c := &catalog{
		services: map[string]string{}, categories: map[eventKey][]categoryEntry{}, aliases: map[eventKey][]aliasEntry{},
		systemAliases: map[string][]string{}, systemKinds: map[string]string{}, systemPaths: map[string]string{}, systemRank: map[string]int{},
		collector: set(f.Collector), received: f.Received, localTime: f.LocalTime, localReceived: f.LocalReceived,
		eventTypes: set(f.CollectorEventTypes), hex: map[string]string{}, guid: set(f.GUID),
	}
	for service, channels := range f.Services {
		for _, ch := range channels {
			ch = strings.ToLower(ch)
			if other, dup := c.services[ch]; dup {
				return nil, fmt.Errorf("windows.yml: channel %s is of %s and of %s", ch, other, service)
			}
			c.services[ch] = service
		}
	}
	for _, e := range f.Categories {
		if _, ok := f.Services[e.Service]; !ok {
			return nil, fmt.Errorf("windows.yml: categories: no service %q", e.Service)
		}
		for _, id := range e.Events {
			k := eventKey{e.Service, id}
			c.categories[k] = append(c.categories[k], categoryEntry{e.EventType, e.Category})
		}
	}
	for _, e := range f.Aliases {
		if _, ok := f.Services[e.Service]; !ok {
			return nil, fmt.Errorf("windows.yml: aliases: no service %q", e.Service)
		}
		ids := e.Events
		if len(ids) == 0 {
			ids = []int{-1}
		}
		for _, id := range ids {
			k := eventKey{e.Service, id}
			c.aliases[k] = append(c.aliases[k], aliasEntry{e.Names, e.Move})
		}
	}
	for _, s := range f.System {
		c.systemNames = append(c.systemNames, s.Name)
		c.systemAliases[s.Name] = s.Aliases
		c.systemKinds[s.Name] = s.Kind
		for rank, path := range s.JSON {
			if other, dup := c.systemPaths[path]; dup {
				return nil, fmt.Errorf("windows.yml: path %s is %s and %s", path, other, s.Name)
			}
			c.systemPaths[path], c.systemRank[path] = s.Name, rank
		}
	}
	for _, p := range f.Data {
		c.dataPrefixes = append(c.dataPrefixes, strings.Split(strings.TrimSuffix(p, "."), "."))
	}
	for _, h := range f.Hex {
		name, service, _ := strings.Cut(h, "@")
		c.hex[name] = service
	}
	return c, nil
}

func set(names []string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}

// service returns what rules call a channel, "" if they have no word for it.
func (c *catalog) service(channel string) string { return c.services[strings.ToLower(channel)] }

// sources returns the log sources of an event, the one to show first.
func (c *catalog) sources(service string, id int, eventType string) []event.LogSource {
	var sources []event.LogSource
	add := func(category string) {
		s := event.LogSource{Product: "windows", Category: category, Service: service}
		if !slices.Contains(sources, s) {
			sources = append(sources, s)
		}
	}
	entries := c.categories[eventKey{service, id}]
	special := slices.ContainsFunc(entries, func(e categoryEntry) bool { return e.eventType != "" && e.eventType == eventType })
	for _, e := range entries {
		if e.eventType == eventType && special || e.eventType == "" && !special {
			for _, category := range e.categories {
				add(category)
			}
		}
	}
	if len(sources) == 0 {
		add("")
	}
	return sources
}

// needsEventType reports whether the category of an event depends on the value of its EventType field.
func (c *catalog) needsEventType(service string, id int) bool {
	return slices.ContainsFunc(c.categories[eventKey{service, id}], func(e categoryEntry) bool { return e.eventType != "" })
}

// naming is how the data fields of an event are called.
type naming struct{ entries []aliasEntry }

func (c *catalog) naming(service string, id int) naming {
	return naming{slices.Concat(c.aliases[eventKey{service, id}], c.aliases[eventKey{service, -1}])}
}

// own returns the name to show a field under.
func (n naming) own(name string) string {
	for _, e := range n.entries {
		if to, ok := e.move[name]; ok {
			return to
		}
	}
	return name
}

// aliases returns the other names of a field.
func (n naming) aliases(name string) []string {
	var out []string
	if strings.Contains(name, " ") {
		out = append(out, strings.ReplaceAll(name, " ", ""))
	}
	for _, e := range n.entries {
		out = append(out, e.names[name]...)
	}
	return out
}
