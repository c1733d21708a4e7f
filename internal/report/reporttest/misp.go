package reporttest

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/sharedtest"
)

var (
	uuidForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	dateForm = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)
)

// CheckMISP checks an event against the schema of PyMISP, the legal pairs of type and category, and what the core format demands besides.
func CheckMISP(tb testing.TB, text string) {
	tb.Helper()
	Shown(tb, text)
	if err := official(tb, "misp")("schema-lax.json").Validate(decode(tb, text)); err != nil {
		tb.Error(err)
	}
	var types struct {
		Result struct {
			Pairs map[string][]string `json:"category_type_mappings"`
		}
	}
	p, err := os.ReadFile(sharedtest.Path(tb, "schemas", "misp", "describeTypes.json"))
	if err != nil {
		tb.Fatal(err)
	}
	if err := json.Unmarshal(p, &types); err != nil {
		tb.Fatal(err)
	}
	var file struct {
		Event map[string]json.RawMessage
	}
	if err := json.Unmarshal([]byte(text), &file); err != nil {
		tb.Fatal(err)
	}
	str := func(m map[string]json.RawMessage, key string) string {
		var s string
		if err := json.Unmarshal(m[key], &s); err != nil {
			tb.Errorf("%s is no string: %s", key, m[key])
		}
		return s
	}
	number := func(m map[string]json.RawMessage, key string, most int64) {
		if n, err := strconv.ParseInt(str(m, key), 10, 64); err != nil || n < 0 || n > most {
			tb.Errorf("%s is %s", key, m[key])
		}
	}
	e := file.Event
	if !uuidForm.MatchString(str(e, "uuid")) || str(e, "info") == "" || !dateForm.MatchString(str(e, "date")) {
		tb.Errorf("uuid, info or date: %s %s %s", e["uuid"], e["info"], e["date"])
	}
	for key, most := range map[string]int64{"id": 0, "org_id": 0, "orgc_id": 0, "timestamp": 1 << 40, "publish_timestamp": 0, "threat_level_id": 4, "analysis": 2, "distribution": 4, "attribute_count": 1 << 20} {
		number(e, key, most)
	}
	var tags []struct{ Name string }
	var attributes []map[string]json.RawMessage
	if json.Unmarshal(e["Tag"], &tags) != nil || json.Unmarshal(e["Attribute"], &attributes) != nil || string(e["published"]) != "false" {
		tb.Error("Tag, Attribute or published")
	}
	marked := 0
	for _, t := range tags {
		if strings.HasPrefix(t.Name, "tlp:") {
			marked++
		}
	}
	if marked != 1 || str(e, "attribute_count") != strconv.Itoa(len(attributes)) {
		tb.Errorf("%d markings, %s of %d attributes", marked, e["attribute_count"], len(attributes))
	}
	seen := map[string]bool{}
	for _, a := range attributes {
		kind, category, id := str(a, "type"), str(a, "category"), str(a, "uuid")
		if !slices.Contains(types.Result.Pairs[category], kind) {
			tb.Errorf("%s is no type of %s", kind, category)
		}
		if seen[id] || !uuidForm.MatchString(id) || strings.TrimSpace(str(a, "value")) == "" {
			tb.Errorf("attribute %s of %s", id, a["value"])
		}
		seen[id] = true
		number(a, "distribution", 5)
		number(a, "timestamp", 1<<40)
		if v := string(a["to_ids"]); v != "true" && v != "false" {
			tb.Errorf("to_ids is %s", v)
		}
		if strings.ContainsAny(str(a, "value"), "\r\n") && kind != "text" {
			tb.Errorf("%s of two lines", kind)
		}
	}
}
