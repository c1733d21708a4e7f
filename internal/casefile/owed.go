package casefile

import "time"

// States of a duty.
const (
	DutyDue     = "due"     // owed, and its clock runs: Due says until when
	DutyOpen    = "open"    // whether or when it is owed depends on what people have not said yet: Missing names it
	DutyWaiting = "waiting" // its clock starts with an earlier stage that is not done
	DutyDone    = "done"    // people said that it was done, and when
	DutyNotOwed = "not_owed"
)

// Duty is something that the organisation owes somebody, or may owe: a report to an authority, word to those affected. It is
// computed from the case and what people said in the facts; no time of the run is in it.
type Duty struct {
	// Regime and Stage are the names of the data file and of the duty in it: dora, initial.
	Regime string `json:"regime"`
	Stage  string `json:"stage"`
	// Recipient is to whom it is owed: the name that the facts give, or the kind of recipient of the regime.
	Recipient string `json:"recipient"`
	State     string `json:"state"`
	// Due is the last moment; nil where no clock runs, or where the law says only "without undue delay" (Without is true).
	Due     *time.Time `json:"due"`
	Without bool       `json:"without_undue_delay,omitempty"`
	// Local is Due in the time zone of the entity, RFC 3339 with its offset.
	Local string `json:"local,omitempty"`
	// Starts names the event that starts the clock (aware, classified, submitted:initial), and Started is when it was.
	Starts  string     `json:"starts"`
	Started *time.Time `json:"started,omitempty"`
	Done    *time.Time `json:"done,omitempty"`
	Receipt string     `json:"receipt,omitempty"`
	// Form is what barid disclose --form takes to write its draft; "" if there is none.
	Form string `json:"form,omitempty"`
	// Why says how the state and the time come about, a step each.
	Why []Said `json:"why"`
	// Missing are the keys of the facts that have to be given first.
	Missing []string `json:"missing,omitempty"`
	// Question says that nobody said whether the law is for this organisation at all, and that it is for few: Due is when it would be due, and
	// is shown beside the question, not among the clocks.
	Question bool `json:"question,omitempty"`
	// Source is where the rule stands: CELEX number and article, and the version of the data.
	Source Legal `json:"source"`
	// Words are what it is called, by language (en, fr, ar), as the data of the regime has it.
	Words map[string]DutyWords `json:"words,omitempty"`
}

// DutyWords are what a duty is called in one language.
type DutyWords struct {
	Regime    string `json:"regime"`         // DORA
	Stage     string `json:"stage"`          // initial notification
	Recipient string `json:"recipient"`      // competent authority: the kind, or the name that the facts give
	Note      string `json:"note,omitempty"` // what else to know of it
}

// Legal is a place in a legal text.
type Legal struct {
	Act     string `json:"act"`               // Regulation (EU) 2022/2554
	CELEX   string `json:"celex,omitempty"`   // 32022R2554
	Article string `json:"article"`           // 19(4)(a); RTS 2025/301 5(1)(a)
	Checked bool   `json:"checked,omitempty"` // the text was seen; otherwise the data was taken from elsewhere and has to be confirmed
	Data    string `json:"data,omitempty"`    // the version of the data: the day on which it was looked at
}

// Said is a sentence of the catalogue of words, with what stands in its places. Text is it in English.
type Said struct {
	ID   string            `json:"id"`
	Args map[string]string `json:"args,omitempty"`
	Text string            `json:"text"`
}

// Classification is what executable rules of a regime say of an incident, for the person who classifies. It is never itself the
// classification: that is Act.
type Classification struct {
	Regime   string      `json:"regime"`
	Criteria []Criterion `json:"criteria"`
	// Result is met, not_met or open; Since is from when on all that was needed was met.
	Result string     `json:"result"`
	Since  *time.Time `json:"since,omitempty"`
	// Proposed says that the result rests on what the case shows and no person has confirmed. Since is then the latest that it may be: what
	// was done before the first record of it, no log shows.
	Proposed bool   `json:"proposed,omitempty"`
	Why      []Said `json:"why"`
	// Flips are the facts that would turn the result.
	Flips []Said `json:"flips,omitempty"`
	// Act is the signed act of a person; nil while there is none.
	Act *Act `json:"act,omitempty"`
}

// Criterion is one rule of a classification.
type Criterion struct {
	ID      string     `json:"id"`     // dora.9.3
	Result  string     `json:"result"` // met, not_met, open
	Since   *time.Time `json:"since,omitempty"`
	Why     []Said     `json:"why"`
	Missing []string   `json:"missing,omitempty"` // keys of the facts that would decide it
	Source  Legal      `json:"source"`
}

// Act is what a person decided or did and answers for.
type Act struct {
	Act    string    `json:"act"`
	Regime string    `json:"regime"`
	Stage  string    `json:"stage,omitempty"`
	As     string    `json:"as,omitempty"`
	Time   time.Time `json:"time"`
	Author string    `json:"author"`
	Reason string    `json:"reason,omitempty"`
}
