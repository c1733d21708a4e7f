package webrequest

import "bytes"

// Refusal is what a message of a web server's error log says of a client's right to come in.
type Refusal uint8

// The kinds of refusal.
const (
	Nothing Refusal = iota
	// Failed: the credentials were wrong, or not such as are accepted.
	Failed
	// Denied: the client was turned away for what it asked for, whoever it is.
	Denied
)

// RefusedBy reads the message of a line of the error log of Apache httpd (mod_auth_basic, mod_auth_digest, mod_authz_core, mod_authz_owner of 2.2
// and 2.4) or nginx (ngx_http_auth_basic_module, ngx_http_auth_pam_module), and returns the account that it names, nil if it names none.
//
// A message quotes what the client sent, so only its beginning says what it is.
func RefusedBy(message []byte) (account []byte, r Refusal) {
	m := message
	if len(m) > 9 && m[0] == 'A' && m[1] == 'H' && m[7] == ':' { // AH01617:
		m = m[9:]
	}
	m = bytes.TrimPrefix(m, []byte("Digest: "))
	if rest, ok := bytes.CutPrefix(m, []byte("user ")); ok {
		return refusedUser(rest)
	}
	if rest, ok := bytes.CutPrefix(m, []byte("PAM: user '")); ok {
		if i := bytes.Index(rest, []byte("' - not authenticated")); i >= 0 {
			return rest[:i], Failed
		}
	}
	if rest, ok := bytes.CutPrefix(m, []byte("Authorization of user ")); ok {
		if i := bytes.Index(rest, []byte(" to access ")); i >= 0 {
			return rest[:i], Denied
		}
	}
	for _, what := range denied {
		if bytes.HasPrefix(m, what) {
			return nil, Denied
		}
	}
	for _, what := range misused {
		if rest, ok := bytes.CutPrefix(m, what.begin); ok && bytes.Contains(rest, what.then) {
			return nil, Failed
		}
	}
	return nil, Nothing
}

// refusedUser reads what follows "user ": a name, in quotes where nginx or Apache's mod_auth_digest wrote it, and what was wrong.
func refusedUser(p []byte) ([]byte, Refusal) {
	quote := byte(0)
	if len(p) > 0 && (p[0] == '"' || p[0] == '`') {
		quote, p = p[0], p[1:]
		if quote == '`' {
			quote = '\''
		}
	}
	for _, end := range userEnds {
		i := bytes.Index(p, end.text)
		if i < 0 {
			continue
		}
		name := p[:i]
		switch {
		case quote == '\'': // user `ana' in realm `x' not found
			j := bytes.Index(name, []byte("' in realm `"))
			if j < 0 {
				continue
			}
			name = name[:j]
		case quote != 0:
			if name = bytes.TrimSuffix(name, []byte{quote}); len(name) == i {
				continue
			}
		}
		return name, end.r
	}
	return nil, Nothing
}

var (
	userEnds = [...]struct {
		text []byte
		r    Refusal
	}{
		{[]byte(": authentication failure for "), Failed},
		{[]byte(": password mismatch"), Failed},
		{[]byte(" was not found in "), Failed},
		{[]byte(" not found"), Failed},
		{[]byte(" denied by provider"), Failed},
		{[]byte(": authorization failure for "), Denied},
	}
	denied  = [...][]byte{[]byte("client denied by server configuration"), []byte("client used wrong authentication scheme")}
	misused = [...]struct{ begin, then []byte }{
		{[]byte("invalid qop `"), []byte("' received")},
		{[]byte("unknown algorithm `"), []byte("' received")},
		{[]byte("realm mismatch - got `"), []byte("' but expected `")},
		{[]byte("invalid nonce "), []byte(" received - length is not ")},
		{[]byte("invalid nonce "), []byte(" received - user attempted time travel")},
	}
)
