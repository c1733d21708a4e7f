package webrequest

import (
	"bytes"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs/fold"
)

// scripts are the ends of names, in lower case, of what makes an answer and is none itself.
var scripts = [...]string{"php", "phtml", "php5", "asp", "aspx", "ashx", "asmx", "svc", "jsp", "jspx", "do", "cgi", "fcgi", "pl", "py", "rb", "cfm", "nsf", "dll"}

// fronts are pages that everybody gets and that, asked for without a parameter, do not tell one file from another.
var fronts = [...]string{"/", "/index.php", "/default.aspx", "/index.aspx", "/default.asp", "/index.jsp", "/wp-login.php"}

// audited are parts of the addresses of Nextcloud's own pages and interfaces: what of files they hand out stands in its audit log (practice).
var audited = [...]string{"/ocs/v1.php/", "/ocs/v2.php/", "/apps/", "/core/", "/status.php", "/cron.php", "/index.php/login", "/csrftoken"}

// Answered tells what was handed out by an answer to nobody in particular, of which [Observe] says nothing.
//
// What matters is whether the address tells which file it was. One of a style sheet does. A script, a number and an interface of programs
// do not: any file may have been behind it. A redirect, a refusal and an answer without bytes hand out nothing; to a client that has it
// already (304) it was handed out before.
func Answered(method, path, query, status, size []byte) (a event.Answer) {
	if len(status) != 3 || status[0] != '2' && string(status) != "304" || string(method) == "HEAD" {
		return a
	}
	a.Bytes = number(size)
	if status[0] == '3' {
		a.Bytes = -1
	} else if a.Bytes == 0 {
		return a
	}
	base := path[bytes.LastIndexByte(path, '/')+1:]
	if names(base, len(query) > 0) {
		a.Kind, a.Name = event.NamedAnswer, base
		return a
	}
	if Channel(path) != "web" {
		return event.Answer{} // Exchange's own
	}
	if len(query) == 0 && string(method) == "GET" {
		for _, f := range fronts {
			if fold.Equal(path, f) {
				return event.Answer{}
			}
		}
	}
	a.Kind, a.Ranged = event.OpaqueAnswer, string(status) == "206"
	for _, part := range audited {
		if bytes.Contains(path, []byte(part)) {
			a.Kind = event.AuditedAnswer
			break
		}
	}
	return a
}

// names reports whether the last element of a path is the name of a file, and not one that something is made by.
func names(base []byte, parameters bool) bool {
	dot := bytes.LastIndexByte(base, '.')
	if dot < 1 || len(base)-dot < 2 || len(base)-dot > 6 {
		return false
	}
	end := base[dot+1:]
	if digits(end) {
		return false
	}
	for _, s := range scripts {
		if len(s) == len(end) && fold.Equal(end, s) {
			return false
		}
	}
	switch {
	case fold.Equal(end, "json"), fold.Equal(end, "xml"):
		return !parameters && !digits(base[:dot])
	case fold.Equal(end, "html"), fold.Equal(end, "htm"):
		return !digits(base[:dot])
	}
	return true
}

func digits(p []byte) bool {
	for _, c := range p {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(p) > 0
}
