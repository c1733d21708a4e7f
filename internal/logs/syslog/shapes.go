package syslog

import (
	"bytes"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/logsource"
)

// kind is what program wrote a line; it is the Tag of the Shape.
type kind uint32

const (
	plain kind = iota
	cron
	sshd
	sudo
	su
	pam
	dovecot
	postfix
	exim
	sendmail
	cyrus
	roundcube
	dropbear
	vsftpd
	clamav
	guacamole
	courier
	webserver
	sftp
	auth // other programs that let people in
	numKinds
)

// The slots that every Shape has.
const (
	sPriority = iota
	sHost
	sProgram
	sPid
	sMsgid
	sData
	sMessage
	headSlots
)

var headNames = [headSlots]string{"priority", "host", "program", "pid", "msgid", "structured_data", "message"}

// The slots of each kind, after the head.
const (
	sshEvent = headSlots + iota
	sshUser
	sshMethod
	sshIP
	sshPort
	sshCount
	sshReason
	sshSlots
)

const (
	pamEvent = headSlots + iota
	pamModule
	pamService
	pamUser
	pamBy
	pamRhost
	pamRuser
	pamTTY
	pamUID
	pamEUID
	pamLogname
	pamCount
)

const (
	sudoEvent = headSlots + iota
	sudoUser
	sudoTTY
	sudoPWD
	sudoTarget
	sudoCommand
	sudoReason
)

const (
	dovEvent = headSlots + iota
	dovProcess
	dovLevel
	dovUser
	dovMethod
	dovRip
	dovLip
	dovMpid
	dovSession
	dovSecured
	dovAttempts
	dovReason
	dovDriver
	dovIn
	dovOut
	dovDeleted
	dovExpunged
	dovTrashed
	dovHdrCount
	dovHdrBytes
	dovBodyCount
	dovBodyBytes
	dovTop
	dovRetr
	dovDel
	dovSize
	dovMsgid
	dovTo
	dovBox
	dovUID
)

const (
	pfEvent = headSlots + iota
	pfProcess
	pfService
	pfQueue
	pfLevel
	pfClient
	pfClientIP
	pfClientPort
	pfMethod
	pfUsername
	pfFrom
	pfTo
	pfOrigTo
	pfSize
	pfNrcpt
	pfMessageID
	pfRelay
	pfRelayIP
	pfRelayPort
	pfDelay
	pfDelays
	pfDsn
	pfStatus
	pfReason
	pfStage
	pfProto
	pfHelo
	pfUID
	pfCommands
)

const (
	exEvent = headSlots + iota
	exID
	exAuth
	exUser
	exHost
	exIP
	exPort
	exFrom
	exTo
	exSize
	exMessageID
	exProto
	exReason
)

const (
	cyEvent = headSlots + iota
	cyUser
	cyMethod
	cyClient
	cyIP
	cySession
	cyReason
	cyIn
	cyOut
)

// kinds describes the Shapes. The first log source is the one to show.
var kinds = [numKinds]struct {
	format  string
	variant string // in content/fields/logs.yml, where no other is known; "" if there are none
	fields  []event.Field
	client  string
	account string
	session string
}{
	plain:     {format: "syslog"},
	cron:      {format: "syslog.cron"},
	vsftpd:    {format: "syslog.vsftpd"},
	clamav:    {format: "syslog.clamav"},
	guacamole: {format: "syslog.guacamole"},
	auth:      {format: "syslog.auth"},
	courier: {format: "syslog.courier", client: "ip", account: "user",
		fields: names("event", "user", "method", "ip", "port", "protocol", "headers", "body", "rcvd", "sent", "time", "top", "retr", "from", "to", "reason")},
	webserver: {format: "syslog.webserver", client: "c-ip", account: "cs-username",
		fields: names("event", "cs-username", "c-ip", "reason")},
	sshd: {format: "syslog.sshd", client: "src_ip", account: "user",
		fields: names("event", "user", "method", "src_ip", "src_port", "count", "reason")},
	sftp: {format: "syslog.sftp", client: "src_ip", account: "user",
		fields: names("event", "user", "src_ip", "path", "flags", "bytes_read", "bytes_written")},
	dropbear: {format: "syslog.dropbear", client: "src_ip", account: "user",
		fields: names("event", "user", "method", "src_ip", "src_port", "count", "reason")},
	pam: {format: "syslog.pam", client: "rhost", account: "user",
		fields: names("event", "module", "service", "user", "by", "rhost", "ruser", "tty", "uid", "euid", "logname", "count")},
	sudo: {format: "syslog.sudo", account: "user",
		fields: names("event", "user", "TTY", "PWD", "USER", "COMMAND", "reason")},
	su: {format: "syslog.su", account: "user",
		fields: names("event", "user", "TTY", "PWD", "USER", "COMMAND", "reason")},
	dovecot: {format: "syslog.dovecot", variant: "imap", client: "rip", account: "user", session: "session",
		fields: names("event", "process", "level", "user", "method", "rip", "lip", "mpid", "session", "secured", "attempts", "reason", "driver",
			"in", "out", "deleted", "expunged", "trashed", "hdr_count", "hdr_bytes", "body_count", "body_bytes", "top", "retr", "del", "size", "message-id", "to", "mailbox", "uid")},
	postfix: {format: "syslog.postfix", variant: "smtpd", client: "client_ip", account: "sasl_username", session: "queue_id",
		fields: names("event", "process", "service", "queue_id", "level", "client", "client_ip", "client_port", "sasl_method", "sasl_username", "from", "to",
			"orig_to", "size", "nrcpt", "message-id", "relay", "relay_ip", "relay_port", "delay", "delays", "dsn", "status", "reason", "stage", "proto", "helo", "uid", "commands")},
	exim: {format: "syslog.exim", client: "ip", account: "user", session: "queue_id",
		fields: names("event", "queue_id", "auth", "user", "host_name", "ip", "port", "from", "to", "size", "message-id", "proto", "reason")},
	sendmail: {format: "syslog.sendmail", client: "client_ip", account: "sasl_username", session: "queue_id",
		fields: names("event", "queue_id", "client", "client_ip", "sasl_method", "sasl_username", "from", "to", "size", "nrcpt", "message-id", "relay", "relay_ip", "dsn", "status", "reason")},
	cyrus: {format: "syslog.cyrus", client: "ip", account: "user", session: "session",
		fields: names("event", "user", "method", "client", "ip", "session", "reason", "bytes_in", "bytes_out")},
	roundcube: {format: "syslog.roundcube", client: "ip", account: "user", session: "session",
		fields: names("event", "user", "method", "client", "ip", "session", "reason")},
}

const (
	smEvent = headSlots + iota
	smQueue
	smClient
	smClientIP
	smMethod
	smUsername
	smFrom
	smTo
	smSize
	smNrcpt
	smMessageID
	smRelay
	smRelayIP
	smDsn
	smStatus
	smReason
)

func names(n ...string) []event.Field {
	f := make([]event.Field, len(n))
	for i, name := range n {
		f[i].Name = name
	}
	return f
}

// shapes holds the Shapes of one run.
type shapes struct {
	of [numKinds]*event.Shape
	// services are the Shapes of the services of Dovecot and Postfix: pop3, submission, …
	dovecot map[string]*event.Shape
	postfix map[string]*event.Shape
}

// The services that have a Shape of their own; others share one.
var (
	dovecotServices = [...]string{"imap", "pop3", "managesieve", "submission", "lmtp", "auth"}
	postfixServices = [...]string{"smtpd", "smtp", "qmgr", "cleanup", "pickup", "local", "lmtp", "pipe", "virtual", "bounce", "postscreen", "submission"}
)

func newShapes() *shapes {
	s := &shapes{dovecot: map[string]*event.Shape{}, postfix: map[string]*event.Shape{}}
	for k := range kinds {
		s.of[k] = newShape(kind(k), kinds[k].variant)
	}
	for _, n := range dovecotServices {
		s.dovecot[n] = newShape(dovecot, n)
	}
	for _, n := range postfixServices {
		s.postfix[n] = newShape(postfix, n)
	}
	return s
}

// newShape makes the Shape of a kind; variant is a service of Dovecot or Postfix that has its own.
func newShape(k kind, variant string) *event.Shape {
	d := &kinds[k]
	fields := names(headNames[:]...)
	fields = append(fields, d.fields...)
	sh := logsource.Builtin().NewShape(d.format, variant, fields)
	sh.Tag = uint32(k)
	sh.SetRole(event.Host, "host")
	sh.SetRole(event.Client, d.client)
	sh.SetRole(event.Account, d.account)
	sh.SetRole(event.Session, d.session)
	return sh
}

// known returns all Shapes that there are.
func (s *shapes) known() []logs.Known {
	var out []logs.Known
	for _, sh := range s.of {
		out = append(out, logs.Known{Name: sh.Format, Shape: sh})
	}
	for _, n := range dovecotServices {
		out = append(out, logs.Known{Name: s.dovecot[n].Format + " " + n, Shape: s.dovecot[n]})
	}
	for _, n := range postfixServices {
		out = append(out, logs.Known{Name: s.postfix[n].Format + " " + n, Shape: s.postfix[n]})
	}
	return out
}

// add adds an event for a line, with the Shape of the program that wrote it.
func (s *shapes) add(h *header, out *event.Batch) *event.Event {
	h.normalise()
	m := h.message
	k := recognise(h)
	shape := s.of[k]
	switch k {
	case dovecot:
		if t := s.dovecot[dovecotService(h)]; t != nil {
			shape = t
		}
	case postfix:
		if t := s.postfix[string(lastPart(h.program))]; t != nil {
			shape = t
		}
	}
	e := out.Add(shape)
	v := e.Values
	put(v, sPriority, h.priority)
	put(v, sHost, h.host)
	put(v, sProgram, h.program)
	put(v, sPid, h.pid)
	put(v, sMsgid, h.msgid)
	put(v, sData, h.data)
	put(v, sMessage, m)
	if h.priority != nil {
		v[sPriority].Kind = event.Number
	}
	if h.pid != nil && isNumber(h.pid) {
		v[sPid].Kind = event.Number
	}
	switch k {
	case sshd:
		parseSSH(v, m)
	case dropbear:
		parseDropbear(v, m)
	case pam:
		parsePAM(v, h.program, m)
	case sudo:
		parseSudo(v, m)
	case su:
		parseSu(v, m)
	case dovecot:
		parseDovecot(v, h)
	case postfix:
		parsePostfix(v, h)
	case exim:
		parseExim(v, m)
	case sendmail:
		parseSendmail(v, m)
	case cyrus:
		parseCyrus(v, m)
	case roundcube:
		parseRoundcube(v, m)
	case courier:
		parseCourier(v, m)
	case webserver:
		parseWebError(v, m)
	case sftp:
		parseSFTP(v, m)
	}
	return e
}

// recognise returns what program wrote the line.
func recognise(h *header) kind {
	name, m := h.program, h.message
	if len(name) == 0 {
		switch {
		case h.form == bracketForm:
			return roundcube
		case h.form == isoForm && isExim(m):
			return exim
		}
		return plain
	}
	if isPAM(name, m) {
		return pam
	}
	if isDovecotLevel(name) {
		for _, p := range [...]string{"imap", "pop3", "auth", "managesieve", "dovecot", "deliver"} {
			if has(m, p) {
				return dovecot
			}
		}
		return plain
	}
	base := name
	for i, c := range name {
		if i > 0 && (c == '(' || c == '<') {
			base = name[:i]
			break
		}
	}
	switch base[0] | 0x20 {
	case 's':
		switch string(base) {
		case "sshd", "sshd-session", "sshd-auth", "SSHD":
			return sshd
		case "sftp-server":
			return sftp
		case "sudo":
			return sudo
		case "su":
			return su
		case "sendmail", "sm-mta", "sm-acceptingconnections", "sm-msp-queue":
			return sendmail
		case "submission", "submission-login":
			return dovecot
		case "sieve":
			if isCyrus(m) {
				return cyrus
			}
			return dovecot
		case "systemd-logind":
			return auth
		}
		if has(base, "sm-") {
			return sendmail
		}
	case 'd':
		switch {
		case has(base, "dovecot"):
			return dovecot
		case string(base) == "dropbear":
			return dropbear
		}
	case 'p':
		switch {
		case has(base, "postfix"):
			return postfix
		case string(base) == "pop3-login" || string(base) == "pop3":
			if isCyrus(m) {
				return cyrus
			}
			if isCourier(m) {
				return courier
			}
			return dovecot
		case isCyrus(m):
			return cyrus
		case isCourier(m):
			return courier
		case string(base) == "passwd" || string(base) == "pure-ftpd" || string(base) == "proftpd" || string(base) == "polkitd":
			return auth
		}
	case 'i':
		switch {
		case isCyrus(m):
			return cyrus
		case isCourier(m):
			return courier
		case string(base) == "internal-sftp":
			return sftp
		case string(base) == "imap" || string(base) == "imap-login" || string(base) == "imap-hibernate":
			return dovecot
		}
	case 'a':
		switch string(base) {
		case "apache2", "apache":
			return webserver
		case "auth", "auth-worker", "anvil":
			return dovecot
		}
	case 'm':
		switch string(base) {
		case "managesieve-login", "managesieve":
			return dovecot
		case "master":
			return plain
		}
	case 'l':
		switch string(base) {
		case "lmtp", "log", "lda":
			if isCyrus(m) {
				return cyrus
			}
			if string(base) != "log" {
				return dovecot
			}
		case "login":
			return auth
		}
	case 'e':
		if has(base, "exim") {
			return exim
		}
	case 'h':
		if string(base) == "httpd" {
			return webserver
		}
	case 'n':
		if string(base) == "nginx" {
			return webserver
		}
	case 'c':
		if has(base, "courier") && isCourier(m) {
			return courier
		}
		switch string(base) {
		case "cron", "CRON", "crond", "CROND", "crontab":
			return cron
		case "clamd", "clamav", "clamscan", "clamav-milter":
			return clamav
		case "chpasswd", "chage":
			return auth
		}
		if has(base, "cyrus") || isCyrus(m) {
			return cyrus
		}
	case 'r':
		if has(base, "roundcube") {
			return roundcube
		}
	case 't':
		if isCyrus(m) {
			return cyrus
		}
	case 'f':
		if string(base) == "freshclam" {
			return clamav
		}
	case 'v':
		if string(base) == "vsftpd" {
			return vsftpd
		}
	case 'u':
		switch string(base) {
		case "useradd", "userdel", "usermod":
			return auth
		}
	case 'g':
		switch string(base) {
		case "guacd", "guacamole":
			return guacamole
		case "groupadd", "groupdel", "groupmod", "gpasswd", "gdm-password":
			return auth
		}
	}
	return plain
}

// put sets the value of a slot to text; nil leaves it absent.
func put(v []event.Value, slot int, p []byte) {
	if p != nil {
		v[slot] = event.Value{Data: p, Kind: event.UTF8}
	}
}

// num sets the value of a slot to a number in text; what is none stays text.
func num(v []event.Value, slot int, p []byte) {
	if len(p) == 0 {
		return
	}
	k := event.Number
	if !isNumber(p) {
		k = event.UTF8
	}
	v[slot] = event.Value{Data: p, Kind: k}
}

func isNumber(p []byte) bool {
	for _, c := range p {
		if !isDigit(c) {
			return false
		}
	}
	return len(p) > 0
}

// lastPart returns what follows the last slash.
func lastPart(p []byte) []byte { return p[bytes.LastIndexByte(p, '/')+1:] }
