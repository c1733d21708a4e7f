package webrequest

import (
	"bytes"

	"github.com/barid-dfir/barid/internal/logs"
)

// webmail appends what a request to Roundcube means; none of it names the account. Roundcube addresses a message by its folder and UID
// (its documentation: "URL parameters"; program/actions/mail).
func webmail(r *Request, o logs.Observation, obs []logs.Observation) []logs.Observation {
	o.Kind, o.OK, o.Channel = logs.Access, true, "webmail"
	o.Account, o.Agent, o.Action = r.Account, r.UserAgent, Param(r.Query, "_action")
	o.In, o.Before = r.Account, Milliseconds(r.Taken)
	box := Param(r.Query, "_mbox")
	if string(r.Status) == "304" {
		o.OK, o.Unknown = false, true
	}
	switch string(o.Action) {
	case "show", "preview", "get", "viewsource", "compose", "print", "headers":
		uid := Param(r.Query, "_uid")
		for _, name := range [...]string{"_reply_uid", "_forward_uid", "_draft_uid"} {
			if uid == nil {
				uid = Param(r.Query, name)
			}
		}
		if len(uid) == 0 || len(box) == 0 {
			return obs
		}
		o.Inference, o.Exposure, o.Bytes = logs.MessageShown, logs.Content, number(r.Bytes)
		switch {
		case string(o.Action) == "headers":
			o.Exposure = logs.Metadata
		case string(o.Action) == "get" && len(Param(r.Query, "_part")) > 0:
			o.Inference = logs.AttachmentRead
		}
		o.ObjectKind, o.Object = "message", r.message(box, uid)
		o.Folder = r.decoded(box)
	case "list", "search", "getunread", "check-recent", "refresh", "list-contacts":
		o.Inference, o.Exposure = logs.FolderListed, logs.Metadata
		o.ObjectKind, o.Object = "folder", r.decoded(box)
	case "plugin.zipdownload.messages", "plugin.zipdownload.folder":
		// Which messages of the folder, is in the body of the request.
		o.Inference, o.Exposure, o.Bytes = logs.FolderExported, logs.Content, number(r.Bytes)
		o.ObjectKind, o.Object = "folder", r.decoded(box)
	case "plugin.zipdownload.attachments":
		uid := Param(r.Query, "_uid")
		if len(uid) == 0 || len(box) == 0 {
			return obs
		}
		o.Inference, o.Exposure, o.Bytes = logs.AttachmentRead, logs.Content, number(r.Bytes)
		o.ObjectKind, o.Object, o.Folder = "message", r.message(box, uid), r.decoded(box)
	default:
		return obs
	}
	return append(obs, o)
}

// message returns "INBOX/17".
func (r *Request) message(box, uid []byte) []byte {
	box = r.decoded(box)
	if i := bytes.IndexByte(uid, '%'); i >= 0 {
		uid = r.decoded(uid)
	}
	q := append(r.room(len(box)+1+len(uid)), box...)
	return append(append(q, '/'), uid...)
}
