package syslog

import (
	"bytes"
	"strconv"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
)

// Observe implements [logs.Parser].
func (p *parser) Observe(e *event.Event, obs []logs.Observation) []logs.Observation {
	v := e.Values
	switch kind(e.Shape.Tag) {
	case sshd, dropbear:
		return observeSSH(v, obs)
	case pam:
		return observePAM(v, obs)
	case dovecot:
		return p.observeDovecot(v, obs)
	case postfix:
		return observePostfix(v, obs)
	case exim:
		return observeExim(v, obs)
	case sendmail:
		return observeSendmail(v, obs)
	case cyrus, roundcube:
		return observeWebmail(kind(e.Shape.Tag), v, obs)
	case courier:
		return observeCourier(v, obs)
	case webserver:
		return observeWebError(v, obs)
	case sftp:
		return p.observeSFTP(v, obs)
	case su, sudo:
		return observeSu(v, obs)
	}
	return obs
}

func observeSSH(v []event.Value, obs []logs.Observation) []logs.Observation {
	if len(v[sshIP].Data) == 0 { // a step of several (google_authenticator), or a line that says too little
		return obs
	}
	o := logs.Observation{Kind: logs.Login, Account: v[sshUser].Data, IP: v[sshIP].Data, Channel: "ssh", Action: v[sshEvent].Data, Bytes: -1, Count: count(v[sshCount])}
	switch string(v[sshEvent].Data) {
	case "accepted":
		o.OK, o.Action, o.Inference = true, v[sshMethod].Data, logs.SignedIn
	case "failed":
		if !isAttempt(v) {
			return obs
		}
	case "invalid-user", "not-allowed", "refused", "max-attempts":
	case "disconnect":
		m := v[sMessage].Data
		if !bytes.HasSuffix(m, preauth) && string(v[sshReason].Data) != string(beforeKeys) && !bytes.Contains(m, []byte(" invalid user ")) {
			return obs
		}
		o.Unknown, o.Count = true, 0
	case "no-identification", "bad-protocol", "negotiation-failed", "protocol-error", "timeout":
		o.Unknown, o.Count = true, 0
	default:
		return obs
	}
	return append(obs, o)
}

// isAttempt reports whether a failure that sshd tells of is one. A client offers its keys one after another, and asks with "none"
// what is possible: neither is a guess at the password of a user that exists.
func isAttempt(v []event.Value) bool {
	m := string(v[sshMethod].Data)
	return m != "publickey" && m != "none" || bytes.Contains(v[sMessage].Data, []byte("invalid user "))
}

func observePAM(v []event.Value, obs []logs.Observation) []logs.Observation {
	o := logs.Observation{Kind: logs.Login, Account: v[pamUser].Data, IP: v[pamRhost].Data, Channel: pamChannel(v), Action: v[pamEvent].Data, Bytes: -1, Count: -1}
	if o.Account == nil {
		o.Account = v[pamRuser].Data
	}
	// sshd says itself how it ended: another module may have let the user in. The older form often stands in a file without
	// sshd's own lines.
	again := string(v[pamService].Data) == "sshd" && has(v[sMessage].Data, "pam_")
	switch string(v[pamEvent].Data) {
	case "auth-failure":
		if len(o.IP) == 0 && o.Channel != "su" {
			return obs
		}
		if again {
			o.Unknown, o.Count = true, 0
		}
	case "more-failures":
		if len(o.IP) == 0 {
			return obs
		}
		if o.Count = count(v[pamCount]); has(v[sMessage].Data, "PAM ") { // sshd has told of each
			o.Unknown, o.Count = true, 0
		}
	case "session-opened":
		if len(o.Account) == 0 || !interactive(v[pamService].Data) {
			return obs
		}
		o.OK, o.Inference = true, logs.SignedIn
		if again {
			o.Count = 0
		}
	default:
		return obs
	}
	return append(obs, o)
}

// interactive reports whether a service of PAM lets people in, rather than starting what was to be started.
func interactive(service []byte) bool {
	switch string(service) {
	case "", "cron", "crond", "CRON", "atd", "systemd-user", "sudo", "runuser", "runuser-l", "polkit-1":
		return false
	}
	return true
}

func pamChannel(v []event.Value) string {
	service := v[pamService].Data
	if service == nil {
		service = v[sProgram].Data
	}
	switch string(service) {
	case "sshd":
		return "ssh"
	case "su", "su-l", "sudo", "sudo-i":
		return "su"
	case "dovecot":
		return "imap"
	case "vsftpd", "proftpd", "pure-ftpd", "ftpd":
		return "ftp"
	case "smtp":
		return "submission"
	}
	return "pam"
}

func observeSu(v []event.Value, obs []logs.Observation) []logs.Observation {
	ok := false
	switch string(v[sudoEvent].Data) {
	case "accepted":
		ok = true
	case "failed":
	default:
		return obs
	}
	o := logs.Observation{Kind: logs.Login, OK: ok, Account: v[sudoUser].Data, Target: v[sudoTarget].Data, Channel: "su", Action: v[sudoEvent].Data, Bytes: -1, Count: -1}
	if ok {
		o.Inference = logs.SignedIn
	}
	return append(obs, o)
}

func observePostfix(v []event.Value, obs []logs.Observation) []logs.Observation {
	o := logs.Observation{IP: v[pfClientIP].Data, Session: v[pfQueue].Data, Bytes: -1, Count: -1}
	switch string(v[pfEvent].Data) {
	case "client":
		if len(v[pfUsername].Data) == 0 {
			return obs
		}
		o.Kind, o.OK, o.Channel = logs.Login, true, "submission"
		o.Account, o.Action, o.Inference = v[pfUsername].Data, v[pfMethod].Data, logs.SignedIn
		obs = append(obs, o)
		// The line has the queue's name for the message; another has the message's own.
		return append(obs, sentBy(o, v[pfQueue].Data))
	case "login-failed":
		o.Kind, o.Channel = logs.Login, "submission"
		o.Account, o.Action = v[pfUsername].Data, v[pfMethod].Data
		// The server's own trouble, and a method that is not offered, are no guesses.
		why := v[pfReason].Data
		if bytes.Contains(why, []byte("onnection lost to authentication server")) || bytes.Contains(why, []byte("Invalid authentication mechanism")) || bytes.Contains(why, []byte("emporary authentication failure")) {
			o.Unknown, o.Count = true, 0
		}
	case "disconnect":
		// auth=0/2: two attempts, none of them good; each has a line of its own.
		if n := refusedAUTH(v[pfCommands].Data); n <= 0 {
			return obs
		}
		o.Kind, o.Channel, o.Action, o.Count = logs.Login, "submission", v[pfEvent].Data, 0
	case "lost-connection", "pipelining":
		if string(v[pfStage].Data) != "AUTH" {
			return obs
		}
		o.Kind, o.Channel, o.Action, o.Unknown, o.Count = logs.Login, "submission", v[pfEvent].Data, true, 0
	case "rate-limit":
		o.Kind, o.Channel, o.Action, o.Unknown, o.Count = logs.Login, "smtp", v[pfEvent].Data, true, 0
	case "reject":
		if why := v[pfReason].Data; !bytes.Contains(why, []byte("Relay access denied")) && !bytes.Contains(why, []byte("uthentication required")) {
			return obs
		}
		o.Kind, o.Channel, o.Action, o.Unknown, o.Count = logs.Login, "smtp", v[pfEvent].Data, true, 0
	case "delivery":
		if string(v[pfStatus].Data) != "sent" {
			return obs
		}
		o.Kind, o.OK, o.Channel = logs.Send, true, "smtp"
		o.IP = nil
		o.Object, o.ObjectKind = v[pfQueue].Data, "message"
		o.Target, o.Action = v[pfTo].Data, v[pfProcess].Data
	default:
		return obs
	}
	return append(obs, o)
}

// sentBy returns the observation that whoever logged in sent a message.
func sentBy(login logs.Observation, id []byte) logs.Observation {
	o := login
	o.Kind, o.Object, o.ObjectKind, o.In = logs.Send, id, "message", login.Account
	o.Inference, o.Exposure = logs.MessageSent, logs.Content
	return o
}

// refusedAUTH returns how many commands AUTH failed, by the numbers that smtpd gives at the end of a session: "ehlo=1 auth=0/2 quit=1 commands=2/4".
func refusedAUTH(commands []byte) int {
	for len(commands) > 0 {
		var part []byte
		part, commands, _ = bytes.Cut(commands, []byte(" "))
		if rest, ok := cutAny(part, "auth="); ok {
			good, n := number(rest)
			if n == len(rest) || rest[n] != '/' {
				return 0
			}
			all, _ := number(rest[n+1:])
			return all - good
		}
	}
	return 0
}

func observeExim(v []event.Value, obs []logs.Observation) []logs.Observation {
	o := logs.Observation{Account: v[exUser].Data, IP: v[exIP].Data, Channel: "submission", Session: v[exID].Data, Action: v[exAuth].Data, Bytes: -1, Count: -1}
	switch string(v[exEvent].Data) {
	case "login-failed":
		if has(v[exReason].Data, "4") { // 435 Unable to authenticate at present: the server's own trouble
			o.Unknown, o.Count = true, 0
		}
		return append(obs, o)
	case "no-mail": // AUTH was among its commands, and the session ended without a message
		if len(o.IP) == 0 || !bytes.Contains(v[exReason].Data, []byte("AUTH")) {
			return obs
		}
		o.Unknown, o.Count, o.Action = true, 0, v[exEvent].Data
		return append(obs, o)
	case "received":
		if len(o.Account) == 0 {
			return obs
		}
		o.OK, o.Inference = true, logs.SignedIn
		obs = append(obs, o)
		id := v[exMessageID].Data
		if len(id) == 0 {
			id = v[exID].Data
		}
		o = sentBy(o, id)
		o.Bytes = integer(v[exSize].Data)
		return append(obs, o)
	}
	return obs
}

func observeSendmail(v []event.Value, obs []logs.Observation) []logs.Observation {
	o := logs.Observation{Account: v[smUsername].Data, IP: v[smClientIP].Data, Channel: "submission", Session: v[smQueue].Data, Action: v[smMethod].Data, Bytes: -1, Count: -1}
	switch string(v[smEvent].Data) {
	case "login-failed":
		return append(obs, o)
	case "reject":
		if !bytes.Contains(v[smReason].Data, []byte("authentication required")) || len(o.IP) == 0 {
			return obs
		}
		o.Channel, o.Action, o.Unknown, o.Count = "smtp", v[smEvent].Data, true, 0
		return append(obs, o)
	case "login":
		o.OK, o.Inference = true, logs.SignedIn
		obs = append(obs, o)
		return append(obs, sentBy(o, v[smQueue].Data))
	case "delivery":
		if string(v[smStatus].Data) != "Sent" {
			return obs
		}
		o.Kind, o.OK, o.Channel, o.IP = logs.Send, true, "smtp", nil
		o.Object, o.ObjectKind = v[smQueue].Data, "message"
		o.Target = v[smTo].Data
		return append(obs, o)
	}
	return obs
}

func observeWebmail(k kind, v []event.Value, obs []logs.Observation) []logs.Observation {
	o := logs.Observation{Account: v[cyUser].Data, IP: v[cyIP].Data, Channel: "webmail", Session: v[cySession].Data, Action: v[cyEvent].Data, Bytes: -1, Count: -1}
	if k == cyrus {
		o.Channel = cyrusChannel(v[sProgram].Data)
	}
	switch string(v[cyEvent].Data) {
	case "login":
		o.OK, o.Inference = true, logs.SignedIn
	case "login-failed":
	case "traffic": // of a session whose login says whose it was
		if o.Channel != "imap" && o.Channel != "pop3" {
			return obs
		}
		o.Kind, o.OK, o.Bytes = logs.Access, true, integer(v[cyOut].Data)
		o.Object, o.ObjectKind = o.Account, "mailbox"
		o.Inference, o.Exposure = logs.MailTraffic, logs.Content
	default:
		return obs
	}
	return append(obs, o)
}

func observeCourier(v []event.Value, obs []logs.Observation) []logs.Observation {
	o := logs.Observation{Account: v[coUser].Data, IP: v[coIP].Data, Channel: courierChannel(v[sProgram].Data, v[coProto].Data), Action: v[coEvent].Data, Bytes: -1, Count: -1}
	switch string(v[coEvent].Data) {
	case "login":
		o.OK, o.Inference = true, logs.SignedIn
	case "login-failed":
	case "logout":
		return observeCourierEnd(v, o, obs)
	default:
		return obs
	}
	return append(obs, o)
}

// observeCourierEnd observes the end of a session: the bytes of bodies and headers that went out. That none of the bodies went out is not
// taken from it: nobody has checked what Courier counts as one.
func observeCourierEnd(v []event.Value, o logs.Observation, obs []logs.Observation) []logs.Observation {
	if len(o.Account) == 0 || o.Channel != "imap" && o.Channel != "pop3" {
		return obs
	}
	o.Kind, o.OK, o.Object, o.ObjectKind = logs.Access, true, o.Account, "mailbox"
	body, headers := integer(v[coBody].Data), integer(v[coHeaders].Data)
	if o.Channel == "pop3" {
		body, headers = integer(v[coRetr].Data), integer(v[coTop].Data)
	}
	if body > 0 {
		o.Inference, o.Exposure, o.Bytes = logs.MailFetched, logs.Content, body
	} else {
		o.Inference, o.Exposure, o.Bytes = logs.MailTraffic, logs.Content, integer(v[coSent].Data)
	}
	obs = append(obs, o)
	if headers > 0 {
		o.Inference, o.Exposure, o.Bytes = logs.MailHeaders, logs.Metadata, headers
		obs = append(obs, o)
	}
	return obs
}

// courierChannel returns the way in by the protocol that a line names, or the program: imapd, imapd-ssl, imaplogin, pop3d, courieresmtpd.
func courierChannel(program, protocol []byte) string {
	switch {
	case string(protocol) == "IMAP" || bytes.Contains(program, []byte("imap")):
		return "imap"
	case string(protocol) == "POP3" || bytes.Contains(program, []byte("pop3")):
		return "pop3"
	}
	return "submission"
}

func observeWebError(v []event.Value, obs []logs.Observation) []logs.Observation {
	if v[weEvent].IsAbsent() || len(v[weIP].Data) == 0 {
		return obs
	}
	o := logs.Observation{Kind: logs.Login, Account: v[weUser].Data, IP: v[weIP].Data, Channel: "web", Action: v[weEvent].Data, Bytes: -1, Count: -1}
	if string(v[weEvent].Data) == "denied" {
		o.Unknown, o.Count = true, 0
	}
	return append(obs, o)
}

func cyrusChannel(program []byte) string {
	switch name := lastPart(program); {
	case has(name, "pop3"):
		return "pop3"
	case bytes.Contains(name, []byte("sieve")):
		return "managesieve"
	case has(name, "lmtp"):
		return "lmtp"
	}
	return "imap"
}

func count(v event.Value) int64 { return integer(v.Data) }

func integer(p []byte) int64 {
	if len(p) == 0 || !isNumber(p) {
		return -1
	}
	n, err := strconv.ParseInt(string(p), 10, 64)
	if err != nil {
		return -1
	}
	return n
}
