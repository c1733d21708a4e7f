package reporttest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/barid-dfir/barid/internal/report/ident"
)

var (
	stixID      = regexp.MustCompile(`^[a-z][a-z0-9-]+--[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	stixPattern = regexp.MustCompile(`^\[[a-z0-9-]+:[a-z_]+(\.'?[A-Za-z_-]+'?)* = '(?:[^'\\]|\\['\\])*'\]$`)
	languageTag = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)
)

// CheckSTIX checks a bundle: each object against its schema, and what STIX 2.1 demands that the schemas do not say.
func CheckSTIX(tb testing.TB, text string) {
	tb.Helper()
	Shown(tb, text)
	schema := official(tb, "stix-2.1")
	bundle, _ := decode(tb, text).(map[string]any)
	objects, _ := bundle["objects"].([]any)
	if bundle["type"] != "bundle" || !stixID.MatchString(fmt.Sprint(bundle["id"])) || len(objects) == 0 || len(bundle) != 3 {
		tb.Fatalf("no bundle: %.200s", text)
	}
	byID := map[string]map[string]any{}
	for _, v := range objects {
		o := v.(map[string]any)
		kind, id := fmt.Sprint(o["type"]), fmt.Sprint(o["id"])
		if byID[id] != nil {
			tb.Errorf("%s stands twice in the bundle", id)
		}
		byID[id] = o
		if !stixID.MatchString(id) || !strings.HasPrefix(id, kind+"--") || o["spec_version"] != "2.1" {
			tb.Errorf("%s: id or spec_version", id)
		}
		found := false
		for _, folder := range []string{"sdos", "sros", "observables", "common"} {
			if s := schema(folder + "/" + kind + ".json"); s != nil {
				found = true
				if err := s.Validate(o); err != nil {
					tb.Errorf("%s: %v", id, err)
				}
			}
		}
		if !found {
			tb.Errorf("%s: no schema for it", id)
		}
	}
	for id, o := range byID {
		c := stixChecker{tb, id, o, byID}
		c.times()
		c.references(o, "")
		c.words()
		switch o["type"] {
		case "ipv4-addr", "ipv6-addr":
			ns := ident.UUID{0x00, 0xab, 0xed, 0xb4, 0xaa, 0x42, 0x46, 0x6c, 0x9c, 0x01, 0xfe, 0xd2, 0x33, 0x15, 0xa9, 0xb7}
			if want := fmt.Sprint(o["type"], "--", ident.V5(ns, []byte(`{"value":"`+o["value"].(string)+`"}`))); id != want {
				tb.Errorf("%s should be %s", id, want)
			}
		case "indicator":
			if !stixPattern.MatchString(fmt.Sprint(o["pattern"])) {
				tb.Errorf("%s: pattern %s", id, o["pattern"])
			}
		}
	}
}

// CheckPatterns checks the patterns of a bundle alone.
func CheckPatterns(tb testing.TB, text string) {
	tb.Helper()
	Shown(tb, text)
	var bundle struct {
		Objects []struct{ Type, Pattern string }
	}
	if err := json.Unmarshal([]byte(text), &bundle); err != nil {
		tb.Fatal(err)
	}
	for _, o := range bundle.Objects {
		if o.Type == "indicator" && !stixPattern.MatchString(o.Pattern) {
			tb.Errorf("pattern %s", o.Pattern)
		}
	}
}

type stixChecker struct {
	tb   testing.TB
	id   string
	o    map[string]any
	byID map[string]map[string]any
}

func (c *stixChecker) time(field string) (time.Time, bool) {
	s, ok := c.o[field].(string)
	if !ok {
		return time.Time{}, false
	}
	t, err := time.Parse("2006-01-02T15:04:05.000Z", s)
	if err != nil || t.Format("2006-01-02T15:04:05.000Z") != s {
		c.tb.Errorf("%s: %s %q is no time", c.id, field, s)
	}
	return t, true
}

// times checks the form of times and their order (STIX 2.1, 3.2, 4.7, 4.14, 5.2).
func (c *stixChecker) times() {
	for field := range c.o {
		switch field {
		case "created", "modified", "published", "valid_from", "valid_until", "first_seen", "last_seen", "first_observed", "last_observed", "object_modified":
			c.time(field)
		}
	}
	for _, pair := range [][2]string{{"created", "modified"}, {"first_seen", "last_seen"}, {"first_observed", "last_observed"}} {
		a, okA := c.time(pair[0])
		b, okB := c.time(pair[1])
		if okA && okB && b.Before(a) {
			c.tb.Errorf("%s: %s is before %s", c.id, pair[1], pair[0])
		}
	}
}

// references checks that whatever an object refers to is in the bundle, and that lists and texts are not empty.
func (c *stixChecker) references(v any, field string) {
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 {
			c.tb.Errorf("%s: %s is empty", c.id, field)
		}
		for k, x := range v {
			c.references(x, k)
		}
	case []any:
		if len(v) == 0 {
			c.tb.Errorf("%s: %s is empty", c.id, field)
		}
		for _, x := range v {
			c.references(x, strings.TrimSuffix(field, "s"))
		}
	case string:
		if v == "" {
			c.tb.Errorf("%s: %s is empty", c.id, field)
		}
		if (strings.HasSuffix(field, "_ref") || strings.HasSuffix(field, "_refs")) && c.byID[v] == nil {
			c.tb.Errorf("%s: %s is not in the bundle: %s", c.id, v, field)
		}
	}
}

// words checks languages, and that a translation is of fields that its object has (STIX 2.1, 7.1).
func (c *stixChecker) words() {
	if l, ok := c.o["lang"].(string); ok && !languageTag.MatchString(l) {
		c.tb.Errorf("%s: lang %q", c.id, l)
	}
	contents, ok := c.o["contents"].(map[string]any)
	if !ok {
		return
	}
	target := c.byID[fmt.Sprint(c.o["object_ref"])]
	if target["modified"] != c.o["object_modified"] {
		c.tb.Errorf("%s: object_modified", c.id)
	}
	for tag, fields := range contents {
		if !languageTag.MatchString(tag) || tag == target["lang"] {
			c.tb.Errorf("%s: language %q", c.id, tag)
		}
		for field := range fields.(map[string]any) {
			if _, ok := target[field].(string); !ok {
				c.tb.Errorf("%s: translates %q, which its object has not", c.id, field)
			}
		}
	}
}
