package judge

// Inventory is what there was to be reached, from lists that the organisation keeps.
type Inventory struct {
	Mailboxes []Mailbox
	Messages  []Message
	Files     []StoredFile
	// Problems are what could not be read of the lists, each with its file and line.
	Problems []string
}

// Mailbox is a line of the list of mailboxes.
type Mailbox struct {
	Name     string // an address or an account
	Owner    string
	Server   string
	Database string
}

// Message is a line of the list of messages.
type Message struct {
	Mailbox  string
	ID       string // Internet message id, as the list writes it
	FolderID string
	Folder   string
	Size     int64 // bytes, -1 if unknown
	// Received and Removed are when it came into the mailbox and left it: nanoseconds since 1970 UTC, event.UnknownTime if unknown.
	Received, Removed int64
}

// StoredFile is a line of the list of files: a file, or a version of it.
type StoredFile struct {
	Path     string
	Size     int64 // bytes, -1 if unknown
	From, To int64 // when it had that size: nanoseconds since 1970 UTC, event.UnknownTime for no bound
	Label    string
}
