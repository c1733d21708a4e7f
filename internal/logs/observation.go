package logs

import "time"

// Kind is what an event means.
type Kind uint8

// The kinds of observation.
const (
	Login       Kind = iota // an identity was used, or tried
	Access                  // an object was touched
	Send                    // a message was sent
	Capability              // a power was given or taken
	Containment             // somebody shut a way in
	Heartbeat               // the machine's own regular sign of life
	Gap                     // the log says that it misses something
)

var kindNames = [...]string{"login", "access", "send", "capability", "containment", "heartbeat", "gap"}

func (k Kind) String() string { return kindNames[k] }

// Exposure is how much of an object an access lays open. Greater is more.
type Exposure uint8

// The levels of exposure.
const (
	NoExposure Exposure = iota // presence only: nothing is known to have been shown
	Metadata                   // headers, subjects, listings, names, addresses
	Partial                    // a part of the content: a preview, a range, an aborted download
	Content                    // the content
)

var exposureNames = [...]string{"none", "metadata", "partial", "content"}

func (x Exposure) String() string { return exposureNames[x] }

// Power is what kind of capability is given or taken.
type Power uint8

// The powers, weakest resolution last.
const (
	NoPower    Power = iota
	Password         // a password is known
	Token            // a session or refresh token is held
	HostPower        // code runs on a host
	Delegation       // rights over another's mailbox, folder or file
	Grant            // an application was let in
	Rule             // mail is forwarded, copied or redirected
)

var powerNames = [...]string{"", "password", "token", "host", "delegation", "grant", "rule"}

func (p Power) String() string { return powerNames[p] }

// Standing is in what capacity an account touched an object.
type Standing uint8

// The standings.
const (
	AnyStanding Standing = iota // the log does not say
	Owner
	Delegate
	Admin
	Service // the mail system itself, for no person
)

var standingNames = [...]string{"", "owner", "delegate", "admin", "service"}

func (s Standing) String() string { return standingNames[s] }

// Observation is what an event means to Barid. Its byte slices are text in UTF-8 and live as long as the event.
type Observation struct {
	Kind Kind
	// OK says whether it succeeded.
	OK bool
	// Unknown says that the log does not tell whether it succeeded; OK is false then.
	Unknown bool
	// Account is the identity as the log writes it.
	Account []byte
	// Standing is in what capacity the account acted on the object.
	Standing Standing
	// IP is the remote address without port or brackets.
	IP []byte
	// Agent is what the client calls itself: a user agent, a client string.
	Agent []byte
	// Channel is the way in: imap, pop3, smtp, submission, ssh, owa, ews, eas, mapi, ecp, powershell, autodiscover, oab, rpc, web, rdp, smb, windows, m365, …
	Channel string
	// Session is the log's own session identifier.
	Session []byte
	// Device is the identifier of the device, of ActiveSync say, and App that of the application that acts.
	Device, App []byte
	// Action is what was done, in the log's words: MailItemsAccessed, New-InboxRule, GetItem.
	Action []byte
	// Inference names the rule by which the event proves what is said of it: one of [Inferences]. For a Gap it is the reason, in
	// the words of a case: throttled, disabled, bypass, cleared, truncated_export, …
	Inference string
	// Object is what was touched, and ObjectKind what that is: mailbox, message, folder, file, host, credential.
	Object     []byte
	ObjectKind string
	// In is what the object lies in: the mailbox of a message or folder, the site or share of a file.
	In []byte
	// Folder is the log's identifier of the folder of the mailbox that a message lies in.
	Folder []byte
	// Exposure is how much of the object an access lays open.
	Exposure Exposure
	// Power is what a Capability gives, or a Containment takes away.
	Power Power
	// Target is where the client was, as [AppendPlace] writes it, for a Login of which the log says that; the account over which a capability was given, where it is not Account; to whom mail is forwarded, for a Rule;
	// whom a Gap concerns, where it does not concern everybody.
	Target []byte
	// Bytes and Count say how much, where the log does; -1 if it does not. The Count of a login is of attempts; it is 0 where
	// another line counts the attempt that this one tells of, or where none was made before the session ended.
	Bytes, Count int64
	// Before and After are by how much earlier and later than the time of the event it may have happened, or, of a Gap, held.
	Before, After time.Duration
}
