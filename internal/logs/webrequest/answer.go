package webrequest

import (
	"bytes"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs/fold"
)

// scripts are the ends of names, in lower case, of what makes an answer and is none itself.
var scripts = [...]string{"php", "phtml", "php5", "asp", "aspx", "ashx", "asmx", "svc", "jsp", "jspx", "do", "cgi", "fcgi", "pl", "py", "rb", "cfm", "nsf", "dll",
	"php3", "php4", "php7", "php8", "jspa", "jsf", "faces", "xhtml", "axd", "mvc", "exe", "aspq", "rem", "lua", "ws", "seam"}

// fronts are pages that everybody gets and that, asked for without a parameter, do not tell one file from another.
var fronts = [...]string{"/", "/index.php", "/default.aspx", "/index.aspx", "/default.asp", "/index.jsp", "/wp-login.php"}

// versions are pages of Nextcloud and ownCloud that tell which version it is, in less than aVersion bytes with headers (practice).
var versions = [...]string{"/status.php", "/nextcloud/status.php", "/owncloud/status.php"}

const aVersion = 1000

// audited are what the addresses begin with of Nextcloud's own pages and interfaces: what of files they hand out stands in its audit log (practice).
var audited = [...]string{"/ocs/v1.php/", "/ocs/v2.php/", "/apps/", "/core/", "/status.php", "/cron.php", "/index.php/apps/", "/index.php/core/", "/index.php/login", "/csrftoken"}

// Answered tells what was handed out by an answer to nobody in particular, of which [Observe] says nothing.
//
// What matters is whether the address tells which file it was. One of a style sheet does. A script, a number and an interface of programs
// do not: any file may have been behind it. A redirect, a refusal and an answer without bytes hand out nothing; to a client that has it
// already (304) it was handed out before.
func Answered(method, path, query, status, size []byte) event.Answer {
	return Sized(Asked(method, path, query, status), status, size)
}

// Sized adds to what [Asked] tells how many bytes the answer had: without any, nothing was handed out.
func Sized(a event.Answer, status, size []byte) event.Answer {
	if a.Kind <= event.NamedAnswer {
		return a
	}
	if a.Ranged = string(status) == "206"; string(status) == "304" {
		a.Bytes = -1
	} else if a.Bytes = number(size); a.Bytes == 0 {
		return event.Answer{}
	}
	if a.Kind == event.StatusAnswer {
		if a.Bytes > 0 && a.Bytes < aVersion && !a.Ranged {
			return event.Answer{}
		}
		a.Kind = event.AuditedAnswer
	}
	return a
}

// Asked is Answered for an answer of which nothing is known but its status: the kind, and the name of a file. [Sized] must follow.
func Asked(method, path, query, status []byte) (a event.Answer) {
	if len(status) != 3 || status[0] != '2' && string(status) != "304" || string(method) == "HEAD" {
		return a
	}
	if name := fileName(path, query); name != nil && (!keeps(name) || observes(method, status)) {
		a.Kind, a.Name = event.NamedAnswer, name
		return a
	}
	if len(path) > 1 && exchangeBegins[path[1]|0x20] && ofExchange(path) && !keeps(path) {
		return event.Answer{} // Exchange's own
	}
	if len(query) == 0 && string(method) == "GET" {
		for _, f := range fronts {
			if len(f) == len(path) && fold.Equal(path, f) {
				return event.Answer{}
			}
		}
		for _, v := range versions {
			if string(path) == v {
				return event.Answer{Kind: event.StatusAnswer}
			}
		}
	}
	if len(query) > 0 && query[0] == '_' && index(path) && webMailTask(query) {
		return a
	}
	a.Kind = event.OpaqueAnswer
	if ofNextcloud(path) {
		a.Kind = event.AuditedAnswer
	}
	return a
}

// observes reports whether [Observe] tells of a file that people keep and that was asked for so, or nothing of it was handed out.
func observes(method, status []byte) bool {
	switch string(method) {
	case "GET", "POST":
		switch string(status) {
		case "200", "206", "304":
			return true
		}
	case "OPTIONS", "PUT", "DELETE", "MOVE", "COPY", "MKCOL", "PROPFIND", "PROPPATCH", "PATCH", "SEARCH", "REPORT", "LOCK", "UNLOCK":
		return true
	}
	return false
}

// exchangeBegins are the first letters of the channels of Exchange.
var exchangeBegins = func() (t [256]bool) {
	for i := range channels {
		t[channels[i].prefix[1]] = true
	}
	return t
}()

// ofExchange reports whether a path is one of Exchange's own pages and interfaces, and not of another program that has a folder of that name.
func ofExchange(path []byte) bool {
	switch Channel(path) {
	case "web":
		return false
	case "ews":
		return fold.HasPrefix(path, "/ews/exchange.asmx") || fold.HasPrefix(path, "/ews/services.wsdl")
	case "mapi":
		return fold.HasPrefix(path, "/mapi/emsmdb") || fold.HasPrefix(path, "/mapi/nspi")
	case "rpc":
		return fold.HasPrefix(path, "/rpc/rpcproxy.dll") || fold.HasPrefix(path, "/rpcwithcert/rpcproxy.dll")
	}
	return true
}

// index reports whether a path is that of a folder, or of its first page.
func index(path []byte) bool {
	base := path[bytes.LastIndexByte(path, '/')+1:]
	return len(base) == 0 || fold.Equal(base, "index.php")
}

// ofNextcloud reports whether a path is one of Nextcloud's own, which may be in a folder of its own.
func ofNextcloud(path []byte) bool {
	for range 2 {
		if len(path) < 2 {
			return false
		}
		switch path[1] {
		case 'o', 'a', 'c', 's', 'i':
			for _, begin := range audited {
				if bytes.HasPrefix(path, []byte(begin)) {
					return true
				}
			}
		}
		i := bytes.IndexByte(path[1:], '/')
		if i < 0 {
			return false
		}
		path = path[i+1:]
	}
	return false
}

// webMailTask reports whether a request is for the pages of Roundcube that show mail, people and the form to sign in: they show no files. Its
// parameters all begin with a low line; whoever asks another program for a file may write what he likes beside it.
func webMailTask(query []byte) bool {
	for one := range bytes.SplitSeq(query, []byte{'&'}) {
		if len(one) > 0 && one[0] != '_' {
			return false
		}
	}
	switch string(Param(query, "_task")) {
	case "mail", "login", "logout", "addressbook":
		return true
	}
	return false
}

// fileName returns the last element of a path, if it is the name of a file, and not one that something is made by; otherwise nil.
func fileName(path, query []byte) []byte {
	dot := len(path) - 1
	for least := max(0, dot-5); ; dot-- {
		if dot < least || path[dot] == '/' {
			return nil
		}
		if path[dot] == '.' {
			break
		}
	}
	if through(path) {
		return nil
	}
	base := path[bytes.LastIndexByte(path[:dot], '/')+1:]
	if dot -= len(path) - len(base); dot < 1 || dot+1 == len(base) || !names(base, dot, query) {
		return nil
	}
	return base
}

// names reports whether something with a dot is the name of a file.
func names(base []byte, dot int, query []byte) bool {
	end := base[dot+1:]
	switch string(end) {
	case "png", "css", "js", "gif", "jpg", "jpeg", "ico", "svg", "webp", "woff", "woff2": // most are
		return bytes.IndexByte(base, ';') < 0 && !namesFile(query)
	}
	if digits(end) || !plain(end) || bytes.IndexByte(base, ';') >= 0 || numbered(base[:dot]) {
		return false
	}
	for _, s := range scripts {
		if len(s) == len(end) && fold.Equal(end, s) {
			return false
		}
	}
	switch {
	case fold.Equal(end, "json"), fold.Equal(end, "xml"):
		return len(query) == 0
	case fold.Equal(end, "html"), fold.Equal(end, "htm"):
		return len(query) == 0
	}
	return true
}

// through reports whether a path goes on behind a script or a file that people keep: what follows is read by that script, or thrown away.
func through(path []byte) bool {
	for i := 0; ; {
		n := bytes.IndexByte(path[i:], '/')
		if n < 0 {
			return false
		}
		if element := path[i : i+n]; bytes.IndexByte(element, '.') > 0 {
			end := element[bytes.LastIndexByte(element, '.')+1:]
			for _, s := range scripts {
				if len(s) == len(end) && fold.Equal(end, s) {
					return true
				}
			}
			if keeps(element) {
				return true
			}
		}
		i += n + 1
	}
}

// namesFile reports whether a parameter is the name of a file or a path: something with letters behind a dot, or with a slash.
func namesFile(query []byte) bool {
	if bytes.IndexByte(query, '/') >= 0 || fold.Index(query, "%2f") >= 0 {
		return true
	}
	for i := range query {
		if query[i] == '.' && i+2 < len(query) && 'a' <= query[i+1]|0x20 && query[i+1]|0x20 <= 'z' && 'a' <= query[i+2]|0x20 && query[i+2]|0x20 <= 'z' {
			return true
		}
	}
	return false
}

// plain reports whether a text is letters and digits.
func plain(p []byte) bool {
	for _, c := range p {
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') && c < 0x80 {
			return false
		}
	}
	return true
}

// numbered reports whether a name is a number, a hash or a GUID, by which a program keeps what people call otherwise.
func numbered(name []byte) bool {
	digit := false
	for _, c := range name {
		switch {
		case '0' <= c && c <= '9':
			digit = true
		case len(name) < 6:
			return false // b2.dwg is what somebody calls it
		case c|0x20 < 'a' || c|0x20 > 'f':
			if c != '-' {
				return false
			}
		}
	}
	return digit
}

func digits(p []byte) bool {
	for _, c := range p {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(p) > 0
}
