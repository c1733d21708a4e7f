package logs

import "bytes"

// BackEndStream ends what the tally calls the log of Exchange's back end, where another log of the same format is of its front end.
const BackEndStream = ":backend"

// IsBackEnd reports whether a port, or an address and a port, is of the back end of Exchange 2013 and later, which only its front end
// asks (mail-forensics 1.1): the site "Exchange Back End" of IIS, IMAP4 and POP3. Other servers may use these ports for anything.
func IsBackEnd(endpoint []byte) bool {
	switch string(endpoint[bytes.LastIndexByte(endpoint, ':')+1:]) {
	case "444", "81", "1993", "9933", "1995", "9955":
		return true
	}
	return false
}
