package nextcloud

import (
	"bytes"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
)

// Observe implements logs.Parser. The text of observations is used again by the next call.
//
// That a file was accessed is written before it is read: what became of it, the web server's log says.
func (p *parser) Observe(e *event.Event, obs []logs.Observation) []logs.Observation {
	if e.Shape != p.seen {
		p.seen, p.slot = e.Shape, slots(e.Shape)
	}
	p.text = p.text[:0]
	m := message{text: p.at(e, fMessage)}
	if len(m.text) == 0 {
		return obs
	}
	o := logs.Observation{Kind: logs.Access, OK: true, Channel: Channel, Bytes: -1, Count: -1}
	if e.Shape.Format == Name {
		if !p.audit(e, &m, &o) {
			return obs
		}
	} else if !failure(&m, &o) {
		return obs
	}
	if o.Account == nil {
		if o.Account = p.at(e, fUser); string(o.Account) == "--" || len(o.Account) == 0 || string(o.Account) == "false" {
			o.Account = nil
		}
	}
	o.IP = event.Address(p.at(e, fClient))
	o.Agent = p.at(e, fAgent)
	if string(o.Agent) == "--" {
		o.Agent = nil
	}
	if o.ObjectKind == "file" {
		place(&o)
		if o.Account == nil && len(o.IP) == 0 {
			o.Standing = logs.Service // its own jobs
		}
	}
	return append(obs, o)
}

// at returns a value as text.
func (p *parser) at(e *event.Event, field int) []byte {
	i := p.slot[field]
	if i < 0 {
		return nil
	}
	v := e.Values[i]
	switch v.Kind {
	case event.UTF8, event.Number:
		return v.Data
	case event.Escape:
		n := len(p.text)
		p.text = v.AppendText(p.text)
		return p.text[n:len(p.text):len(p.text)]
	}
	return nil
}

// message is a text that is read from its beginning. Names in it may hold anything, quotation marks too.
type message struct{ text []byte }

// skip takes text from the beginning, if it stands there.
func (m *message) skip(text string) bool {
	rest, ok := bytes.CutPrefix(m.text, []byte(text))
	if ok {
		m.text = rest
	}
	return ok
}

// until takes what stands before the first text, and that.
func (m *message) until(text string) ([]byte, bool) {
	i := bytes.Index(m.text, []byte(text))
	if i < 0 {
		return nil, false
	}
	v := m.text[:i:i]
	m.text = m.text[i+len(text):]
	return v, true
}

// rest takes what stands before text, which is the end.
func (m *message) rest(text string) []byte {
	v := bytes.TrimSuffix(m.text, []byte(text))
	return v[:len(v):len(v)]
}

// changes are what follows "File with id "N" ", or in older versions "File ", where a file was changed.
var changes = [...]string{`written to: "`, `created: "`, `updated: "`, `deleted: "`}

// audit reads a message of admin_audit.
func (p *parser) audit(e *event.Event, m *message, o *logs.Observation) bool {
	o.ObjectKind = "file"
	switch {
	case m.skip("File "):
		if m.skip(`with id "`) {
			id, ok := m.until(`" `)
			if !ok {
				return false
			}
			o.Folder = id
		}
		if m.skip(`accessed: "`) {
			o.Object = m.rest(`"`)
			p.read(e, o)
			return true
		}
		o.Inference, o.Exposure = logs.FileTouched, logs.Metadata
		said := m.text
		for _, what := range changes {
			if m.skip(what) {
				o.Action = said[:len("created")] // all are as long
				o.Object = m.rest(`"`)
				return true
			}
		}
		if m.skip(`renamed with id "`) {
			if _, ok := m.until(`" `); !ok || !m.skip(`from "`) {
				return false
			}
			var ok bool
			o.Object, ok = m.until(`" to "`)
			o.Target = m.rest(`"`)
			return ok
		}
		if m.skip("id copied from: ") {
			if _, ok := m.until(`path from "`); !ok {
				return false
			}
			var ok bool
			o.Object, ok = m.until(`" to "`)
			o.Target = m.rest(`"`)
			return ok
		}
	case m.skip("Preview accessed: "):
		o.Inference, o.Exposure = logs.FilePreviewed, logs.Partial
		if m.skip(`"`) { // older
			var ok bool
			o.Object, ok = m.until(`" (`)
			return ok
		}
		if _, ok := m.until(`path: "`); ok {
			o.Object = m.rest(`")`)
			return true
		}
	case m.skip("The shared "):
		if _, ok := m.until(`with the token "`); !ok {
			return false
		}
		token, ok := m.until(`" by "`)
		if !ok {
			return false
		}
		// Its page was asked for; what is read of it is told apart.
		o.Inference, o.Exposure, o.Object = logs.LinkUsed, logs.Metadata, token
		o.In = m.rest(`" has been accessed.`)
		return true
	case m.skip("The file "), m.skip("The folder "):
		return share(m, o)
	case m.skip("Login successful: "):
		o.Kind, o.ObjectKind, o.Inference = logs.Login, "", logs.SignedIn
		o.Account = quoted(m)
		return true
	case m.skip("Login failed: "):
		o.Kind, o.ObjectKind, o.OK = logs.Login, "", false
		o.Account = quoted(m)
		return true
	case m.skip("Failed two factor attempt by user "):
		// The password was right.
		o.Kind, o.ObjectKind, o.OK, o.Action = logs.Login, "", false, secondFactor
		return true
	case m.skip(`Password of user "`):
		o.Kind, o.ObjectKind, o.Inference, o.Power = logs.Containment, "", logs.PasswordChanged, logs.Password
		o.Target = m.rest(`" has been changed`)
		return true
	case m.skip(`User disabled: "`), m.skip(`User deleted: "`):
		o.Kind, o.ObjectKind, o.Inference, o.Power = logs.Containment, "", logs.AccountDisabled, logs.Password
		o.Target = m.rest(`"`)
		return true
	case m.skip(`App "admin_audit" disabled`):
		o.Kind, o.ObjectKind, o.Inference = logs.Gap, "", logs.GapDisabled
		return true
	}
	return false
}

var secondFactor = []byte("two factor")

// quoted returns a name in quotation marks, or what there is.
func quoted(m *message) []byte {
	m.skip(`"`)
	return m.rest(`"`)
}

// read says how much of a file a request that accessed it showed. Files are opened to make a preview and to be written, too.
func (p *parser) read(e *event.Event, o *logs.Observation) {
	o.Inference, o.Exposure = logs.FileOpened, logs.Content
	switch string(p.at(e, fMethod)) {
	case "PUT", "PROPFIND", "PROPPATCH", "DELETE", "MOVE", "MKCOL", "REPORT":
		o.Inference, o.Exposure = logs.FileTouched, logs.Metadata
		return
	}
	if url := p.at(e, fURL); bytes.Contains(url, []byte("/preview")) || bytes.Contains(url, []byte("/thumbnail/")) {
		o.Inference, o.Exposure = logs.FilePreviewed, logs.Partial
	}
}

// share reads that something was shared, or is so no longer.
func share(m *message, o *logs.Observation) bool {
	if !m.skip(`"`) {
		return false
	}
	var ok bool
	if o.Object, ok = m.until(`" with ID "`); !ok {
		return false
	}
	if _, ok = m.until(`" has been `); !ok {
		return false
	}
	o.Power = logs.Delegation
	switch {
	case m.skip("shared via link"):
		o.Kind, o.Inference, o.Target = logs.Capability, logs.LinkMade, anybody
		return true
	case m.skip("shared to the "):
		o.Kind, o.Inference = logs.Capability, logs.DelegationGiven
	case m.skip("unshared from the "):
		o.Kind, o.Inference = logs.Containment, logs.PowerRemoved
	case m.skip("unshared"):
		o.Kind, o.Inference, o.Target = logs.Containment, logs.PowerRemoved, anybody
		return true
	default:
		return false
	}
	if _, ok = m.until(`"`); !ok {
		return false
	}
	if i := bytes.Index(m.text, []byte(`" `)); i >= 0 {
		o.Target = m.text[:i:i]
	}
	return true
}

var anybody = []byte("anybody")

// place sets what a file lies in: the tree of a user. Messages about previews and shares have the path from the root of all users'
// files, /ana/files/Board/minutes.pdf.
func place(o *logs.Observation) {
	if o.In != nil {
		return
	}
	o.In = o.Account
	if o.Inference != logs.FilePreviewed && o.Kind == logs.Access || len(o.Object) < 2 || o.Object[0] != '/' {
		return
	}
	i := 1 + bytes.IndexByte(o.Object[1:], '/')
	if i < 2 || !bytes.HasPrefix(o.Object[i:], []byte("/files/")) {
		return
	}
	if user := o.Object[1:i:i]; o.Account == nil || bytes.EqualFold(user, o.Account) {
		o.In, o.Object = user, o.Object[i+len("/files"):]
	}
}

// failure reads a message of the main log that tells of a failed login.
func failure(m *message, o *logs.Observation) bool {
	if !m.skip("Login failed: ") {
		return false
	}
	i := bytes.LastIndex(m.text, []byte(" (Remote IP: "))
	if i < 0 {
		return false
	}
	name := m.text[:i:i]
	if n := len(name); n > 1 && name[0] == '\'' && name[n-1] == '\'' {
		name = name[1 : n-1]
	}
	o.Kind, o.OK, o.Account = logs.Login, false, name
	return true
}
