package logs

import "github.com/barid-dfir/barid/internal/event"

// Identity is that a log names an account or mailbox and, besides, gives the identifier that it keeps when its name changes: a SID of an
// account, a GUID of a mailbox. Both are text as the log writes it, and valid until the next call.
type Identity struct{ Name, ID []byte }

// ExchangeServer is the ID of an Identity that is no account's: its Name is a server of Exchange that a log of another one names.
const ExchangeServer = "exchange-server"

// Identifier is a Parser of a log whose events tell identities.
type Identifier interface {
	// Identities appends those of an event made by this Format to list. It says only what the record itself proves: who signed in, or whose
	// the mailbox is; not who was in a mailbox. It does not allocate but for texts that are no UTF-8.
	Identities(e *event.Event, list []Identity) []Identity
}
