package reporttest

import (
	_ "embed"
	"encoding/json"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

//go:embed schemas/ocsf-1.8.0.json
var ocsfSchema string

//go:embed schemas/navigator-4.5.json
var navigatorSchema string

// written compiles a schema that was written for the tests.
func written(tb testing.TB, name, text string) *jsonschema.Schema {
	tb.Helper()
	known.Lock()
	defer known.Unlock()
	if s := known.schemas[name]; s != nil {
		return s
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(name, decode(tb, text)); err != nil {
		tb.Fatal(err)
	}
	s, err := c.Compile(name)
	if err != nil {
		tb.Fatal(err)
	}
	known.schemas[name] = s
	return s
}

// CheckOCSF checks events, a line each, and returns how many incidents and findings there are.
func CheckOCSF(tb testing.TB, text string) (incidents, findings int) {
	tb.Helper()
	Shown(tb, text)
	schema := written(tb, "ocsf-1.8.0.json", ocsfSchema)
	seen := map[string]bool{}
	for line := range strings.Lines(text) {
		if err := schema.Validate(decode(tb, line)); err != nil {
			tb.Errorf("%v\n%.500s", err, line)
		}
		var e struct {
			Class    int `json:"class_uid"`
			Activity int `json:"activity_id"`
			Type     int `json:"type_uid"`
			Metadata struct {
				UID    string
				Labels []string
			}
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			tb.Fatal(err)
		}
		if e.Type != e.Class*100+e.Activity || seen[e.Metadata.UID] || !strings.HasPrefix(strings.Join(e.Metadata.Labels, ""), "tlp:") {
			tb.Errorf("type_uid, uid or marking: %.300s", line)
		}
		seen[e.Metadata.UID] = true
		if e.Class == 2005 {
			incidents++
		} else {
			findings++
		}
	}
	return incidents, findings
}

// CheckNavigator checks a layer against the layer file format 4.5.
func CheckNavigator(tb testing.TB, text string) {
	tb.Helper()
	Shown(tb, text)
	if err := written(tb, "navigator-4.5.json", navigatorSchema).Validate(decode(tb, text)); err != nil {
		tb.Error(err)
	}
}
