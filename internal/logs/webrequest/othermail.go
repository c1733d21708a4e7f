package webrequest

import (
	"bytes"

	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/fold"
)

// mailMarks are texts of which one stands in every request that [otherMail] reads.
var mailMarks = []string{"/sogo/so/", "/imp/", "?/ajax/", "?/json/", "?/raw/", "/apps/mail/api/"}

// otherMail appends what a request to a web mail program other than Roundcube means: that something of a mailbox may have been shown. So
// are called pages of SOGo (which names the user), Horde's IMP, SnappyMail and RainLoop, and the mail of Nextcloud.
func otherMail(r *Request, o logs.Observation, obs []logs.Observation) ([]logs.Observation, bool) {
	var user []byte
	switch {
	case fold.Index(r.Path, "/sogo/so/") >= 0:
		rest := r.Path[fold.Index(r.Path, "/sogo/so/")+len("/sogo/so/"):]
		user, rest = cutUser(rest)
		if !fold.HasPrefix(rest, "/mail/") {
			return obs, false
		}
		if !r.Decoded {
			user = r.decoded(user)
		}
	case fold.Index(r.Path, "/imp/") >= 0 && (fold.Index(r.Path, "/horde/") >= 0 || fold.Index(r.Path, "/ajax.php/") >= 0 || fold.HasPrefix(r.Path, "/imp/")):
		if !bytes.Contains(r.Path, []byte(".php")) {
			return obs, false
		}
	case index(r.Path) && (fold.HasPrefix(r.Query, "/ajax/") || fold.HasPrefix(r.Query, "/json/") || fold.HasPrefix(r.Query, "/raw/")):
	case bytes.Contains(r.Path, []byte("/apps/mail/api/")):
		user = r.Account
	default:
		return obs, false
	}
	switch string(r.Status) {
	case "200", "206", "304":
	default:
		return obs, true
	}
	o.Kind, o.Unknown, o.Channel = logs.Access, true, "webmail"
	o.Account, o.Agent, o.Action, o.Before = r.Account, r.UserAgent, r.Method, Milliseconds(r.Taken)
	o.Inference, o.Exposure, o.Bytes = logs.MailboxRead, logs.Content, number(r.Bytes)
	o.ObjectKind, o.Object = "mailbox", user
	if user == nil {
		o.Object = r.Account
	}
	return append(obs, o), true
}
