package webrequest

import (
	"bytes"

	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/fold"
)

// shellMarks are texts of which one stands in every request that [shell] reads.
var shellMarks = []string{"/aspnet_client/", "/owa/auth/", "/ecp/auth/"}

// shellPairs are pairs of which both do.
var shellPairs = [...][2]string{{"/uploads/", ".php"}, {"/uploads/", ".phtml"}, {"/uploads/", ".jsp"}, {"/uploads/", ".asp"}, {"/uploads/", ".ashx"}, {"/uploads/", ".asmx"}}

// ownPages are Exchange's own scripts in the folders that attackers write to, in lower case (a server of Exchange 2016 and 2019).
var ownPages = [...]string{
	"/owa/auth/errorfe.aspx", "/owa/auth/expiredpassword.aspx", "/owa/auth/frowny.aspx", "/owa/auth/logoff.aspx", "/owa/auth/logon.aspx",
	"/owa/auth/outlookcn.aspx", "/owa/auth/redirsuiteserviceproxy.aspx", "/owa/auth/signout.aspx", "/owa/auth/silentsignout.aspx",
	"/ecp/auth/timeoutlogoff.aspx",
}

// suspect reports whether a path is that of a script where only uploads or an attacker put one.
func suspect(path []byte) bool {
	dot := bytes.LastIndexByte(path, '.')
	if dot < 0 || len(path)-dot > 7 {
		return false
	}
	ext := path[dot:]
	asp := fold.HasPrefix(ext, ".asp") || fold.Equal(ext, ".ashx") || fold.Equal(ext, ".asmx")
	if fold.HasPrefix(path, "/owa/auth/") || fold.HasPrefix(path, "/ecp/auth/") {
		if !asp {
			return false
		}
		for _, own := range ownPages {
			// Attackers like names that are nearly these.
			if fold.Equal(path, own) {
				return false
			}
		}
		return true
	}
	if asp && fold.HasPrefix(path, "/aspnet_client/") {
		return true
	}
	if asp || fold.HasPrefix(ext, ".php") || fold.Equal(ext, ".phtml") || fold.HasPrefix(ext, ".jsp") {
		return fold.Index(path, "/uploads/") >= 0
	}
	return false
}

// shell appends what a request to a script at a suspect place means: whether it was there, and whether it was given something to run.
// What it was given is seldom logged, so any POST and any parameter counts.
func shell(r *Request, o logs.Observation, obs []logs.Observation) []logs.Observation {
	o.Kind, o.Account, o.Agent = logs.Access, r.Account, r.UserAgent
	o.ObjectKind, o.Object, o.In = "file", r.Path, r.Host
	if !r.Decoded {
		o.Object = r.decoded(r.Path)
	}
	o.Action, o.Before = r.parameters(), Milliseconds(r.Taken)
	switch s := string(r.Status); {
	case s[0] == '2' && (string(r.Method) == "POST" || string(r.Method) == "PUT" || len(o.Action) > 0):
		o.OK, o.Inference, o.Count, o.Bytes = true, logs.ShellUsed, 1, number(r.Bytes)
	case s[0] == '2' || s == "304":
		o.OK, o.Inference = true, logs.ShellVisited
	case s[0] == '5' && (string(r.Method) == "POST" || len(o.Action) > 0):
		// A script that fails may have run first.
		o.Unknown, o.Inference, o.Count = true, logs.ShellUsed, 1
	default:
		o.Inference = logs.ShellAbsent
	}
	return append(obs, o)
}

// ownParameters are those that Exchange adds to the query in its logs, in lower case.
var ownParameters = [...]string{"correlationid", "cafereqid", "encoding", "clientid", "clientrequestid", "actid", "scriptpath", "x-arr-log-id"}

// parameters returns the names of the client's own parameters, "a,b"; nil if there are none.
func (r *Request) parameters() []byte {
	var names []byte
	for query := bytes.TrimPrefix(r.Query, []byte("?")); len(query) > 0; {
		n := delimiter(query)
		part, rest := query, []byte(nil)
		if n >= 0 {
			part, rest = query[:n], query[n+1:]
		}
		query = rest
		if i := bytes.IndexByte(part, '='); i >= 0 {
			part = part[:i]
		}
		if len(part) == 0 || own(part) {
			continue
		}
		if names == nil {
			names = r.room(len(r.Query) + 1)
		} else {
			names = append(names, ',')
		}
		names = append(names, part...)
	}
	return names
}

func own(name []byte) bool {
	for _, p := range ownParameters {
		if fold.Equal(name, p) {
			return true
		}
	}
	return false
}
