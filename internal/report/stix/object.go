package stix

import (
	"encoding/json"
	"time"

	"github.com/barid-dfir/barid/internal/report/ident"
)

// object is any STIX object. The order of its fields is that of the output.
type object struct {
	Type        string `json:"type"`
	SpecVersion string `json:"spec_version"`
	ID          string `json:"id,omitempty"`
	CreatedBy   string `json:"created_by_ref,omitempty"`
	Created     string `json:"created,omitempty"`
	Modified    string `json:"modified,omitempty"`
	Lang        string `json:"lang,omitempty"`

	Name           string   `json:"name,omitempty"`
	Description    string   `json:"description,omitempty"`
	Labels         []string `json:"labels,omitempty"`
	IdentityClass  string   `json:"identity_class,omitempty"`
	Sectors        []string `json:"sectors,omitempty"`
	ReportTypes    []string `json:"report_types,omitempty"`
	Published      string   `json:"published,omitempty"`
	IndicatorTypes []string `json:"indicator_types,omitempty"`
	Pattern        string   `json:"pattern,omitempty"`
	PatternType    string   `json:"pattern_type,omitempty"`
	PatternVersion string   `json:"pattern_version,omitempty"`
	ValidFrom      string   `json:"valid_from,omitempty"`
	Confidence     int      `json:"confidence,omitempty"`
	Abstract       string   `json:"abstract,omitempty"`
	Content        string   `json:"content,omitempty"`
	Value          string   `json:"value,omitempty"`
	FirstObserved  string   `json:"first_observed,omitempty"`
	LastObserved   string   `json:"last_observed,omitempty"`
	NumberObserved int64    `json:"number_observed,omitempty"`
	Relationship   string   `json:"relationship_type,omitempty"`
	Source         string   `json:"source_ref,omitempty"`
	Target         string   `json:"target_ref,omitempty"`
	SightingOf     string   `json:"sighting_of_ref,omitempty"`
	ObservedData   []string `json:"observed_data_refs,omitempty"`
	WhereSighted   []string `json:"where_sighted_refs,omitempty"`
	FirstSeen      string   `json:"first_seen,omitempty"`
	LastSeen       string   `json:"last_seen,omitempty"`
	Count          int64    `json:"count,omitempty"`
	ObjectRef      string   `json:"object_ref,omitempty"`
	ObjectModified string   `json:"object_modified,omitempty"`
	Objects        []string `json:"object_refs,omitempty"`

	Contents   map[string]texts      `json:"contents,omitempty"`
	External   []external            `json:"external_references,omitempty"`
	Markings   []string              `json:"object_marking_refs,omitempty"`
	Extensions map[string]tlpMarking `json:"extensions,omitempty"`
}

// texts are the translations of an object's fields, by the name of the field.
type texts map[string]string

type external struct {
	Source string `json:"source_name"`
	ID     string `json:"external_id,omitempty"`
	URL    string `json:"url,omitempty"`
}

type tlpMarking struct {
	Type string `json:"extension_type"`
	TLP  string `json:"tlp_2_0"`
}

// observables is the namespace of identifiers of cyber observables (STIX 2.1, 2.9).
var observables = ident.UUID{0x00, 0xab, 0xed, 0xb4, 0xaa, 0x42, 0x46, 0x6c, 0x9c, 0x01, 0xfe, 0xd2, 0x33, 0x15, 0xa9, 0xb7}

// named gives an object the identifier that is made of its content: an object that says something else is another object. So there are never
// two versions of one object of which nothing tells the later.
func named(o object) object {
	o.ID = ""
	p, err := json.Marshal(&o)
	if err != nil {
		panic(err) // strings and numbers
	}
	o.ID = o.Type + "--" + ident.V5(ident.Barid, p).String()
	return o
}

// observable returns an address with its identifier: of the canonical JSON (RFC 8785) of its value, which is ASCII without anything to
// escape.
func observable(kind, value string) object {
	p, err := json.Marshal(struct {
		Value string `json:"value"`
	}{value})
	if err != nil {
		panic(err) // a string
	}
	return object{Type: kind, SpecVersion: "2.1", ID: kind + "--" + ident.V5(observables, p).String(), Value: value}
}

// stamp returns a time as STIX writes it, with milliseconds.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// quote returns a text as a string of a pattern (STIX 2.1, 9.2): in single quotes, with a backslash before each of ' and \.
func quote(s string) string {
	q := make([]byte, 0, len(s)+2)
	q = append(q, '\'')
	for i := 0; i < len(s); i++ {
		if s[i] == '\'' || s[i] == '\\' {
			q = append(q, '\\')
		}
		q = append(q, s[i])
	}
	return string(append(q, '\''))
}
