package disclose

import (
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/barid-dfir/barid/internal/casefile"
)

// Facts are what people say for the disclosure: the section "disclosure" of the facts, and the organisation. docs/disclosure.md
// explains every key.
type Facts struct {
	Organisation *casefile.Organisation `yaml:"-"`

	Entity       Entity         `yaml:"entity"`
	Incident     Incident       `yaml:"incident"`
	Services     []Service      `yaml:"services"`
	Impact       Impact         `yaml:"impact"`
	PersonalData PersonalData   `yaml:"personal_data"`
	DORA         map[string]any `yaml:"dora"`
	Acts         []Act          `yaml:"acts"`

	zone *time.Location // of the entity; nil where the facts do not say
	root *yaml.Node     // the text, for the lines of errors
	said bool           // the text has a section "disclosure"
}

// Entity is whose incident it is.
type Entity struct {
	Timezone      string             `yaml:"timezone"`
	Types         []string           `yaml:"types"` // DORA field 1.4
	NIS2          string             `yaml:"nis2"`  // essential, important, none; "" is not known
	TrustServices string             `yaml:"trust_services"`
	Listed        *bool              `yaml:"listed"`
	Insured       *bool              `yaml:"insured"`
	Home          string             `yaml:"home"` // ISO 3166-1 alpha-2
	Currency      string             `yaml:"currency"`
	Parent        *Party             `yaml:"parent"`
	Holidays      []string           `yaml:"holidays"` // 2025-12-26
	Regimes       map[string]bool    `yaml:"regimes"`
	Recipients    map[string]string  `yaml:"recipients"`
	Contacts      map[string]Contact `yaml:"contacts"` // primary, secondary, dpo, press
}

// Party is another organisation.
type Party struct {
	Name string `yaml:"name"`
	LEI  string `yaml:"lei"`
	Code string `yaml:"code"`
}

// Contact is whom to ask.
type Contact struct {
	Name  string `yaml:"name"`
	Email string `yaml:"email"`
	Phone string `yaml:"phone"`
}

// Incident is when it was, and what it is called.
type Incident struct {
	Reference         string      `yaml:"reference"`
	Occurred          *time.Time  `yaml:"occurred"`
	Detected          *time.Time  `yaml:"detected"`
	Aware             *time.Time  `yaml:"aware"`
	Recovered         *time.Time  `yaml:"recovered"`
	Resolved          *time.Time  `yaml:"resolved"`
	Discovery         string      `yaml:"discovery"`
	Description       string      `yaml:"description"`
	Malicious         *bool       `yaml:"malicious"`
	CrossBorder       *bool       `yaml:"cross_border"`
	Types             []string    `yaml:"types"`
	Techniques        []string    `yaml:"techniques"`
	OtherAuthorities  []string    `yaml:"other_authorities"`
	ContinuityPlan    *bool       `yaml:"continuity_plan"`
	ThirdParty        *Party      `yaml:"third_party"`
	RootCause         RootCause   `yaml:"root_cause"`
	Resolution        string      `yaml:"resolution"`
	TemporaryMeasures string      `yaml:"temporary_measures"`
	Recurring         []Recurring `yaml:"recurring"`
	// Delay is why a report was late, by regime. NextStatement is when the public hears again.
	Delay         map[string]string `yaml:"delay"`
	NextStatement *time.Time        `yaml:"next_statement"`
}

// RootCause is why it could happen, in the lists of DORA fields 4.1 to 4.3 and in words.
type RootCause struct {
	High       []string   `yaml:"high"`
	Detailed   []string   `yaml:"detailed"`
	Additional []string   `yaml:"additional"`
	Text       string     `yaml:"text"`
	Addressed  *time.Time `yaml:"addressed"`
}

// Recurring is an earlier incident with apparently the same root cause.
type Recurring struct {
	Time  time.Time `yaml:"time"`
	About string    `yaml:"about"`
}

// Service is something that the organisation does for others.
type Service struct {
	Name         string     `yaml:"name"`
	Critical     *bool      `yaml:"critical"`   // supports a critical or important function
	Supervised   *bool      `yaml:"supervised"` // is authorised, registered or supervised
	Functions    []string   `yaml:"functions"`
	Clients      *Quantity  `yaml:"clients"` // who use it
	Down         []Downtime `yaml:"down"`
	DelayedUntil *time.Time `yaml:"delayed_until"`
}

// Downtime is a time in which a service was not, or not fully, available.
type Downtime struct {
	From  time.Time  `yaml:"from"`
	To    *time.Time `yaml:"to"`    // nil: it is still so
	Level string     `yaml:"level"` // full, partial
}

// Quantity is a number that somebody counted or estimated.
type Quantity struct {
	Value float64 `yaml:"value"`
	Basis string  `yaml:"basis"` // actual, estimate; "" is not said
}

// Affected is how many of something were affected.
type Affected struct {
	Number     *Quantity `yaml:"number"`
	Percentage *Quantity `yaml:"percentage"`
	Relevant   *bool     `yaml:"relevant"`
	Value      *Quantity `yaml:"value"` // of transactions, in units of the currency
	// ValuePercentage is what Value is of the average value of a day, in per cent.
	ValuePercentage *Quantity `yaml:"value_percentage"`
}

// Impact is what the incident did.
type Impact struct {
	Clients      Affected `yaml:"clients"`
	Counterparts Affected `yaml:"counterparts"`
	Transactions Affected `yaml:"transactions"`
	MemberStates []string `yaml:"member_states"`
	Reputation   struct {
		Media      *bool  `yaml:"media"`
		Complaints *bool  `yaml:"complaints"`
		Regulatory *bool  `yaml:"regulatory"`
		ClientLoss *bool  `yaml:"client_loss"`
		About      string `yaml:"about"`
	} `yaml:"reputation"`
	Data struct {
		Availability    *bool  `yaml:"availability"`
		Authenticity    *bool  `yaml:"authenticity"`
		Integrity       *bool  `yaml:"integrity"`
		Confidentiality *bool  `yaml:"confidentiality"`
		Adverse         *bool  `yaml:"adverse"` // on business objectives or regulatory duties
		About           string `yaml:"about"`
	} `yaml:"data"`
	MaliciousAccess   *bool     `yaml:"malicious_access"`
	Costs             *Quantity `yaml:"costs"`
	Recoveries        *Quantity `yaml:"recoveries"`
	FinancialInterest string    `yaml:"financial_interest"` // yes, no, information_not_available
	Infrastructure    string    `yaml:"infrastructure"`     // the same
}

// PersonalData is what is known of the personal data concerned (GDPR 33(3)).
type PersonalData struct {
	Controller     *bool     `yaml:"controller"`
	Persons        *Quantity `yaml:"persons"`
	Records        *Quantity `yaml:"records"`
	Categories     []string  `yaml:"categories"` // of persons
	Data           []string  `yaml:"data"`       // kinds of data
	Sensitive      []string  `yaml:"sensitive"`
	Unintelligible *bool     `yaml:"unintelligible"`
	Consequences   []string  `yaml:"consequences"`
	MeasuresBefore []string  `yaml:"measures_before"` // that were in place when it happened
	Measures       []string  `yaml:"measures"`
	Advice         []string  `yaml:"advice"`
}

// Act is what a person decided or did and answers for.
type Act struct {
	Act     string    `yaml:"act"`
	Regime  string    `yaml:"regime"`
	Stage   string    `yaml:"stage"`
	As      string    `yaml:"as"`
	Time    time.Time `yaml:"time"`
	Author  string    `yaml:"author"`
	Reason  string    `yaml:"reason"`
	Receipt string    `yaml:"receipt"`
}
