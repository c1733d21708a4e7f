package webrequest

import (
	"bytes"
	"strings"

	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/fold"
)

// fileMarks are texts of which one stands in every request that [file] or [webmail] reads although nobody is named in it, unless both of
// a pair do.
var fileMarks = []string{
	"/remote.php/", "/public.php/", `"get /s/`, `"head /s/`, "index.php/s/", "/preview?", "/preview.png?", "/publicpreview/", "/api/v1/thumbnail/",
	"/download.aspx", "/wopiframe.aspx", `"propfind `, `"search `, "_task=mail",
}

// kept are the ends of names of files that people keep, rather than parts of a page: archives, dumps, documents, mail, keys. Whoever
// fetched one is remembered, since what was meant for everybody is not known.
var kept = [...]string{
	".zip", ".7z", ".rar", ".sql", ".bak", ".pst", ".ost", ".gz", ".tgz", ".tar", ".dmp", ".mdb", ".kdbx",
	".pdf", ".doc", ".docx", ".xls", ".xlsx", ".ppt", ".pptx", ".odt", ".ods", ".rtf", ".csv", ".eml", ".msg", ".mbox", ".pfx", ".p12", ".pem", ".vhdx", ".sqlite",
}

// longestKept is how long the longest of them is.
const longestKept = len(".sqlite")

// Kept reports whether a request for a file of that name is observed although nobody is named in it.
func Kept(name string) bool {
	for _, end := range kept {
		if len(name) >= len(end) && strings.EqualFold(name[len(name)-len(end):], end) {
			return true
		}
	}
	return false
}

// keeps is Kept for what a log writes.
func keeps(name []byte) bool {
	dot := len(name) - 1
	for least := max(0, len(name)-longestKept); ; dot-- {
		if dot < least {
			return false
		}
		if name[dot] == '.' {
			break
		}
	}
	for _, end := range kept {
		if len(end) == len(name)-dot && fold.Equal(name[dot:], end) {
			return true
		}
	}
	return false
}

// filePairs returns the pairs: requests for such files that were answered.
func filePairs() [][2]string {
	var pairs [][2]string
	for _, end := range kept {
		pairs = append(pairs, [2]string{end, `" 20`}, [2]string{end, `" 304`})
	}
	return pairs
}

// target is what a request is for.
type target struct {
	object  []byte
	kind    string // file, folder
	in      []byte
	preview bool
	// encoded says that object has escapes of a URL.
	encoded bool
}

// file appends what a request for a file or folder means, if it is somebody's, or for something that is not for everybody. o has the
// client, the channel and what is unknown.
//
// An answer tells what was handed to the network, not what arrived (ngx_http_log_module, $body_bytes_sent; mod_log_config, %b). A client
// that is told that nothing has changed (304) has had it before: when, and from where, is not said.
func file(r *Request, o logs.Observation, obs []logs.Observation) []logs.Observation {
	write := false
	switch string(r.Method) {
	case "GET", "HEAD", "POST":
	case "PROPFIND", "SEARCH", "REPORT":
		if string(r.Status) != "207" {
			return obs
		}
	case "PUT", "DELETE", "MOVE", "COPY", "MKCOL", "PROPPATCH", "PATCH":
		write = true
	default:
		return obs
	}
	switch string(r.Status) {
	case "200", "206", "207", "304":
	case "201", "204":
		if !write {
			return obs
		}
	default:
		return obs
	}
	if len(r.Query) == 0 || !keeps(r.Path) { // a file is one, whatever is asked beside it
		if string(Param(r.Query, "_task")) == "mail" {
			if string(r.Status) == "200" || string(r.Status) == "304" {
				return webmail(r, o, obs)
			}
			return obs
		}
		if obs, mail := otherMail(r, o, obs); mail {
			return obs
		}
	}
	t, ok := targetOf(r)
	if !ok {
		return obs
	}
	o.Kind, o.OK = logs.Access, true
	o.Account, o.Agent, o.In, o.ObjectKind = r.Account, r.UserAgent, t.in, t.kind
	o.Object = t.object
	if t.encoded {
		o.Object = r.decoded(t.object)
	}
	o.Action, o.Before = r.Method, Milliseconds(r.Taken)
	folder := len(o.Object) > 0 && o.Object[len(o.Object)-1] == '/'
	if folder {
		o.ObjectKind = "folder"
	}
	switch {
	case write:
		o.Inference, o.Exposure = logs.FileTouched, logs.Metadata
	case string(r.Status) == "207":
		o.Inference, o.Exposure, o.Bytes = logs.FileListed, logs.Metadata, number(r.Bytes)
		if string(r.Method) == "PROPFIND" && !folder {
			// The properties of a file, or those of all in a folder.
			if name := o.Object[bytes.LastIndexByte(o.Object, '/')+1:]; bytes.IndexByte(name, '.') >= 0 {
				obs = append(obs, o)
			}
			o.Object, o.ObjectKind = r.folder(o.Object), "folder"
		}
	case string(r.Status) == "304":
		// Whether it was shown is not known; that the client has it is.
		o.OK, o.Unknown, o.Inference, o.Exposure = false, true, logs.HTTPNotModified, logs.Content
		if t.preview {
			o.Exposure = logs.Partial
		}
	case string(r.Method) == "HEAD":
		o.Inference, o.Exposure = logs.HTTPHead, logs.Metadata
	case t.preview:
		o.Inference, o.Exposure, o.Bytes = logs.FilePreviewed, logs.Partial, number(r.Bytes)
	case string(r.Status) == "206":
		o.Inference, o.Exposure, o.Bytes = logs.HTTPRange, logs.Partial, number(r.Bytes)
	case folder && bytes.Contains(r.Query, []byte("accept=zip")):
		o.Inference, o.Exposure, o.Bytes = logs.FolderExported, logs.Content, number(r.Bytes)
	case folder:
		o.Inference, o.Exposure, o.Bytes = logs.FileListed, logs.Metadata, number(r.Bytes)
	default:
		// Apache hands out a file to a POST, too (default_handler); what else answers one is a program.
		if string(r.Method) == "POST" && len(r.Account) == 0 {
			o.OK, o.Unknown = false, true
		}
		o.Inference, o.Exposure, o.Bytes = logs.HTTPBody, logs.Content, number(r.Bytes)
		if string(r.Win32) == "64" { // ERROR_NETNAME_DELETED: the client hung up
			o.Exposure = logs.Partial
		}
	}
	obs = append(obs, o)
	if r.Decoded && o.Exposure > logs.Metadata && bytes.IndexByte(o.Object, '+') >= 0 {
		// IIS writes '+' for a blank, and for '+': the name with blanks is the likelier one.
		other := o
		other.OK, other.Unknown = false, true
		obs[len(obs)-1].Object = r.blanks(o.Object)
		obs = append(obs, other)
	}
	return obs
}

// targetOf returns what a request is for, and false if that is nobody's and for everybody.
func targetOf(r *Request) (t target, ok bool) {
	t = target{object: r.Path, kind: "file", in: r.Host, encoded: !r.Decoded}
	path := r.Path
	if i := bytes.Index(path, []byte("/remote.php/")); i >= 0 {
		return dav(r, t, path[i+len("/remote.php/"):]), true
	}
	if i := bytes.Index(path, []byte("/public.php/")); i >= 0 {
		rest := path[i+len("/public.php/"):]
		if after, ok := bytes.CutPrefix(rest, []byte("dav/files/")); ok {
			t.in, t.object = cutUser(after)
		} else if after, ok := bytes.CutPrefix(rest, []byte("webdav")); ok {
			t.object = rooted(after)
			if r.Account != nil {
				t.in = r.Account // the token of the link
			}
		}
		return t, true
	}
	post := string(r.Method) == "POST"
	read := post || string(r.Method) == "GET" || string(r.Method) == "HEAD"
	if token, rest, ok := link(path); ok && read && !post {
		switch {
		case len(rest) == 0 || string(rest) == "/":
			// The page shows the names in a shared folder, or one file.
			if token[len(token)-1] != '/' {
				t.object = append(r.room(len(path)+1), path...)
				t.object = append(t.object, '/')
			}
		case bytes.HasPrefix(rest, []byte("/preview")):
			t.preview = true
		case !bytes.HasPrefix(rest, []byte("/download")) && !keeps(path): // a file is one, though its folder looks like a link
			return t, false
		}
		return t, true
	}
	base := path[bytes.LastIndexByte(path, '/')+1:]
	switch {
	case fold.Equal(base, "preview"), fold.Equal(base, "preview.png"), bytes.Contains(path, []byte("/publicpreview/")):
		if id := Param(r.Query, "fileId"); id != nil {
			t.object = append(append(r.room(len("fileid:")+len(id)), "fileid:"...), id...)
			t.encoded = false
		} else if f := Param(r.Query, "file"); f != nil {
			t.object, t.encoded = f, true
		} else if r.Account == nil {
			return t, read && keeps(path)
		}
		if r.Account != nil {
			t.in = r.Account
		}
		t.preview = true
		return t, true
	case fold.Equal(base, "download.aspx") && fold.Index(path, "/_layouts/") >= 0:
		if f := paramFold(r.Query, "sourceurl"); f != nil {
			t.object, t.encoded = f, true
		}
		return t, true
	case fold.Equal(base, "wopiframe.aspx") && fold.Index(path, "/_layouts/") >= 0:
		if f := paramFold(r.Query, "sourcedoc"); f != nil {
			t.object, t.encoded = f, true
		}
		return t, true
	}
	if _, rest, ok := bytes.Cut(path, []byte("/apps/files/api/v1/thumbnail/")); ok { // width/height/path
		_, rest, _ = bytes.Cut(rest, slash)
		if i := bytes.IndexByte(rest, '/'); i >= 0 {
			t.object, t.preview = rest[i:], true
			if r.Account != nil {
				t.in = r.Account
			}
			return t, true
		}
	}
	if len(r.Account) > 0 || string(r.Method) == "PROPFIND" || string(r.Method) == "SEARCH" {
		return t, true
	}
	return t, read && keeps(path)
}

// dav reads what follows /remote.php/ in Nextcloud and ownCloud.
func dav(r *Request, t target, rest []byte) target {
	if after, ok := bytes.CutPrefix(rest, []byte("dav/files/")); ok {
		t.in, t.object = cutUser(after)
		if t.encoded {
			t.in = r.decoded(t.in)
		}
		return t
	}
	for _, tree := range [...]string{"dav/versions/", "dav/trashbin/", "dav/calendars/", "dav/addressbooks/users/", "dav/photos/"} {
		after, ok := bytes.CutPrefix(rest, []byte(tree))
		if !ok {
			continue
		}
		user, below := cutUser(after)
		t.in = user
		if id, ok := bytes.CutPrefix(below, []byte("/versions/")); ok && tree == "dav/versions/" {
			if i := bytes.IndexByte(id, '/'); i > 0 && i+1 < len(id) {
				t.object = append(append(r.room(len("fileid:")+i), "fileid:"...), id[:i]...)
				t.encoded = false
			}
		}
		return t
	}
	if after, ok := bytes.CutPrefix(rest, []byte("webdav")); ok {
		t.object = rooted(after)
	} else if after, ok := bytes.CutPrefix(rest, []byte("files")); ok { // an older name
		t.object = rooted(after)
	}
	if r.Account != nil {
		t.in = r.Account
	}
	return t
}

// cutUser divides "ana/Board/minutes.pdf" into "ana" and "/Board/minutes.pdf".
func cutUser(p []byte) (user, path []byte) {
	i := bytes.IndexByte(p, '/')
	if i < 0 {
		return p, slash
	}
	return p[:i:i], p[i:]
}

// rooted returns p, or the root if it is empty.
func rooted(p []byte) []byte {
	if len(p) == 0 {
		return slash
	}
	return p
}

var slash = []byte("/")

// link cuts the path of a public link, /s/TOKEN/download or /index.php/s/TOKEN.
func link(path []byte) (token, rest []byte, ok bool) {
	switch i := bytes.Index(path, []byte("/index.php/s/")); {
	case i >= 0:
		rest = path[i+len("/index.php/s/"):]
	case bytes.HasPrefix(path, []byte("/s/")):
		rest = path[len("/s/"):]
	default:
		return nil, nil, false
	}
	n := 0
	for n < len(rest) && rest[n] != '/' {
		c := rest[n]
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return nil, nil, false
		}
		n++
	}
	// Tokens of Nextcloud and ownCloud have 15 characters, unless somebody chose them.
	if n < 8 || n > 64 {
		return nil, nil, false
	}
	return rest[:n], rest[n:], true
}

// room returns an empty slice of the buffer for n bytes.
func (r *Request) room(n int) []byte {
	if r.Buffer == nil {
		return make([]byte, 0, n)
	}
	b := *r.Buffer
	if cap(b)-len(b) < n {
		b = make([]byte, 0, max(1024, 2*cap(b), n)) // who holds a view of the old one keeps it
	}
	*r.Buffer = b[:len(b)+n]
	return b[len(b) : len(b) : len(b)+n]
}

// decoded undoes the escapes of a URL, once, and before them those of the log.
func (r *Request) decoded(p []byte) []byte {
	p = r.unlogged(p)
	if bytes.IndexByte(p, '%') < 0 {
		return p
	}
	return unescape(r.room(len(p)), p)
}

// unlogged returns p without the escapes in which web servers write what is no printable ASCII: \xC3\xA9 (nginx, ngx_http_log_escape; Apache,
// ap_escape_logitem), and, Apache alone, a backslash before quotation marks and itself.
func (r *Request) unlogged(p []byte) []byte {
	if !r.Escaped || bytes.IndexByte(p, '\\') < 0 {
		return p
	}
	dst := r.room(len(p))
	for i := 0; i < len(p); i++ {
		c := p[i]
		if c == '\\' && i+1 < len(p) {
			switch next := p[i+1]; {
			case next == 'x' && i+3 < len(p) && hexDigit(p[i+2]) >= 0 && hexDigit(p[i+3]) >= 0:
				c = byte(hexDigit(p[i+2])<<4 | hexDigit(p[i+3]))
				i += 3
			case next == '"' || next == '\\':
				c = next
				i++
			}
		}
		dst = append(dst, c)
	}
	return dst
}

// blanks returns p with blanks for '+'.
func (r *Request) blanks(p []byte) []byte {
	q := append(r.room(len(p)), p...)
	for i, c := range q {
		if c == '+' {
			q[i] = ' '
		}
	}
	return q
}

// folder returns p with a slash behind it.
func (r *Request) folder(p []byte) []byte {
	q := append(r.room(len(p)+1), p...)
	return append(q, '/')
}

// paramFold is [Param] for a name in lower case, whatever case it has in the query.
func paramFold(query []byte, name string) []byte {
	for len(query) > 0 {
		n := delimiter(query)
		part, rest := query, []byte(nil)
		if n >= 0 {
			part, rest = query[:n], query[n+1:]
		}
		if len(part) > len(name) && part[len(name)] == '=' && fold.Equal(part[:len(name)], name) {
			return part[len(name)+1:]
		}
		query = rest
	}
	return nil
}
