package windows

import (
	"fmt"
	"io/fs"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/barid-dfir/barid/content"
	"github.com/barid-dfir/barid/internal/logs/logsource"
)

// catalog is what is known of Windows events: the table of log sources, and content/fields/windows-forms.yml made ready to
// look things up in. It never changes.
type catalog struct {
	*logsource.Windows

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

type catalogFile struct {
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

// newCatalog reads the embedded windows-forms.yml. It panics if that is broken, which the tests of this package would show.
func newCatalog(t *logsource.Table) *catalog {
	data, err := fs.ReadFile(content.Fields(), "windows-forms.yml")
	if err != nil {
		panic(err)
	}
	c, err := parseCatalog(data)
	if err != nil {
		panic(err)
	}
	c.Windows = t.Windows()
	return c
}

func parseCatalog(data []byte) (*catalog, error) {
	var f catalogFile
	if err := yaml.Load(data, &f, yaml.WithKnownFields(true)); err != nil {
		return nil, fmt.Errorf("windows-forms.yml: %w", err)
	}
	c := &catalog{
		systemAliases: map[string][]string{}, systemKinds: map[string]string{}, systemPaths: map[string]string{}, systemRank: map[string]int{},
		collector: set(f.Collector), received: f.Received, localTime: f.LocalTime, localReceived: f.LocalReceived,
		eventTypes: set(f.CollectorEventTypes), hex: map[string]string{}, guid: set(f.GUID),
	}
	for _, s := range f.System {
		c.systemNames = append(c.systemNames, s.Name)
		c.systemAliases[s.Name] = s.Aliases
		c.systemKinds[s.Name] = s.Kind
		for rank, path := range s.JSON {
			if other, dup := c.systemPaths[path]; dup {
				return nil, fmt.Errorf("windows-forms.yml: path %s is %s and %s", path, other, s.Name)
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
