package windows

import (
	"bytes"
	"strings"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/cmdlet"
)

// meaning is what events of a Shape may mean to Barid; it is the Shape's Tag.
type meaning uint32

const (
	meansNothing        meaning = iota
	meansLogon                  // Security 4624
	meansLogonFailed            // Security 4625
	meansExplicit               // Security 4648
	meansValidation             // Security 4776
	meansKerberosFailed         // Security 4771
	meansTicket                 // Security 4768
	meansReconnected            // Security 4778
	meansDisconnected           // Security 4779
	meansSession                // TerminalServices-LocalSessionManager 21, 25
	meansConnection             // TerminalServices-RemoteConnectionManager 1149
	meansCmdlet                 // MSExchange Management 1
	meansCmdletFailed           // MSExchange Management 6
	meansCleared                // Security 1102, System 104
	meansLost                   // Security 1101, 1104
	meansLogoff                 // Security 4634, 4647
	meansShare                  // Security 5140
	meansShareFile              // Security 5145
	meansFile                   // Security 4663
	meansPolicy                 // Security 4719
	meansProcess                // Security 4688, Sysmon 1
	meansWritten                // Sysmon 11
	meansDown                   // System: Eventlog 6006, Kernel-General 13, User32 1074
	meansUp                     // System: Eventlog 6005, 6008, Kernel-General 12, Kernel-Power 41
	meansFederated              // Security 1200, 1202 of AD FS
	meansNotFederated           // Security 1201, 1203, 1210 of AD FS
)

var securityMeanings = map[int]meaning{
	4624: meansLogon, 4625: meansLogonFailed, 4648: meansExplicit, 4776: meansValidation, 4771: meansKerberosFailed, 4768: meansTicket,
	4778: meansReconnected, 4779: meansDisconnected, 1102: meansCleared, 1101: meansLost, 1104: meansLost,
	4634: meansLogoff, 4647: meansLogoff, 5140: meansShare, 5145: meansShareFile, 4663: meansFile, 4719: meansPolicy, 4688: meansProcess,
}

// What the audit events of AD FS mean (Microsoft Learn, "AD FS Troubleshooting - Auditing Events and Logging"): they stand in the
// Security log, too.
var federationMeanings = map[int]meaning{
	1200: meansFederated, 1202: meansFederated, 1201: meansNotFederated, 1203: meansNotFederated, 1210: meansNotFederated,
}

func meaningOf(h head) meaning {
	switch strings.ToLower(h.channel) {
	case "security":
		if strings.EqualFold(h.provider, "AD FS Auditing") {
			return federationMeanings[h.id]
		}
		return securityMeanings[h.id]
	case "system":
		return systemMeaning(strings.ToLower(h.provider), h.id)
	case "microsoft-windows-sysmon/operational":
		switch h.id {
		case 1:
			return meansProcess
		case 11:
			return meansWritten
		}
	case "microsoft-windows-terminalservices-localsessionmanager/operational":
		if h.id == 21 || h.id == 25 {
			return meansSession
		}
	case "microsoft-windows-terminalservices-remoteconnectionmanager/operational":
		if h.id == 1149 {
			return meansConnection
		}
	case "msexchange management":
		switch h.id {
		case 1:
			return meansCmdlet
		case 6:
			return meansCmdletFailed
		}
	}
	return meansNothing
}

func systemMeaning(provider string, id int) meaning {
	switch provider {
	case "microsoft-windows-eventlog", "eventlog":
		switch id {
		case 104:
			return meansCleared
		case 6005, 6008:
			return meansUp
		case 6006:
			return meansDown
		}
	case "microsoft-windows-kernel-general":
		switch id {
		case 12:
			return meansUp
		case 13:
			return meansDown
		}
	case "microsoft-windows-kernel-power":
		if id == 41 {
			return meansUp
		}
	case "user32", "microsoft-windows-user32":
		if id == 1074 {
			return meansDown
		}
	}
	return meansNothing
}

// observer says what events mean. A worker has its own.
type observer struct {
	arena    []byte
	scratch  []byte // text that is looked at and forgotten
	identity []byte // texts of the identities of the last event
}

// arenaBlock is how much memory for the text of observations is taken at once.
const arenaBlock = 16 << 10

// text returns a value as text in UTF-8 that lives as long as somebody holds it.
func (o *observer) text(v event.Value) []byte {
	if v.Kind == event.UTF8 || v.Kind == event.Number {
		return v.Data
	}
	if need := 3 * len(v.Data); cap(o.arena)-len(o.arena) < need {
		o.arena = make([]byte, 0, max(arenaBlock, need))
	}
	start := len(o.arena)
	o.arena = v.AppendText(o.arena)
	return o.arena[start:len(o.arena):len(o.arena)]
}

// word returns s as bytes that live as long as somebody holds them.
func (o *observer) word(s string) []byte {
	if cap(o.arena)-len(o.arena) < len(s) {
		o.arena = make([]byte, 0, arenaBlock)
	}
	start := len(o.arena)
	o.arena = append(o.arena, s...)
	return o.arena[start:len(o.arena):len(o.arena)]
}

func (o *observer) field(e *event.Event, name string) []byte {
	if slot := e.Shape.Slot(name); slot >= 0 {
		return o.text(e.Value(slot))
	}
	return nil
}

// glance returns the value of the first of the fields that the event has; it is valid until the next call.
func (o *observer) glance(e *event.Event, names ...string) []byte {
	for _, n := range names {
		if slot := e.Shape.Slot(n); slot >= 0 {
			o.scratch = e.Value(slot).AppendText(o.scratch[:0])
			return o.scratch
		}
	}
	return nil
}

func (o *observer) role(e *event.Event, r event.Role) []byte { return o.text(e.Role(r)) }

// Observe implements [logs.Parser].
//
// Not observed, because the record doesn't say enough: 4624 type 9 (the new credentials are for other machines and
// untested), 1149 (with network-level authentication off, it is any connection that names a user, before a password is
// asked for), 4779 (an end of use, not a use). The end of a session is a login that is not counted, so that the session
// lasts until then.
func (o *observer) Observe(e *event.Event, obs []logs.Observation) []logs.Observation {
	m := meaning(e.Shape.Tag)
	if m == meansNothing {
		return obs
	}
	b := logs.Observation{Kind: logs.Login, Bytes: -1, Count: -1}
	switch m {
	case meansShare, meansShareFile, meansFile:
		return o.file(e, m, obs)
	case meansProcess, meansWritten:
		return o.code(e, m, obs)
	case meansFederated, meansNotFederated:
		return o.federated(e, m == meansFederated, obs)
	case meansDown, meansUp:
		b.Kind, b.OK, b.Inference = logs.Heartbeat, true, logs.Up
		if m == meansDown {
			b.Inference = logs.Down
		}
		return append(obs, b)
	case meansPolicy:
		return o.policy(e, obs)
	case meansExplicit:
		// Somebody gave another's password; whether it was right is for the log of the server to say.
		if b.Account = o.role(e, event.Account); own(b.Account) || bytes.EqualFold(b.Account, o.glance(e, "SubjectUserName")) {
			return obs
		}
		if own(o.glance(e, "SubjectUserName")) {
			return obs // services and tasks do that all the time
		}
		b.Unknown, b.Channel, b.IP = true, "windows", address(o.role(e, event.Client))
		b.Session, b.Target = o.field(e, "SubjectLogonId"), nothing(o.field(e, "TargetServerName"))
		b.Action = o.word("explicit credentials")
	case meansLogoff:
		b.OK, b.Count = true, 0
		// 4647 is of somebody who sat at the machine, or at its desktop from afar.
		if b.Channel = "windows"; e.Shape.Slot("LogonType") >= 0 {
			if b.Channel = logonChannel(o.glance(e, "LogonType")); b.Channel == "" {
				return obs
			}
		}
		if own(o.glance(e, "TargetUserName")) {
			return obs
		}
		b.Account, b.Session = o.role(e, event.Account), o.role(e, event.Session)
		b.Action = o.word("logoff")
	case meansLogon:
		b.OK = true
		if b.Channel = logonChannel(o.field(e, "LogonType")); b.Channel == "" {
			return obs
		}
		b.Account = o.role(e, event.Account)
		if own(b.Account) || bytes.EqualFold(o.field(e, "TargetDomainName"), []byte("NT AUTHORITY")) {
			return obs
		}
		b.IP = address(o.role(e, event.Client))
		b.Session = o.role(e, event.Session)
	case meansLogonFailed:
		if b.Channel = logonChannel(o.field(e, "LogonType")); b.Channel == "" {
			return obs
		}
		b.Account = o.role(e, event.Account)
		b.IP = address(o.role(e, event.Client))
		if own(b.Account) && (len(nothing(b.Account)) > 0 || len(b.IP) == 0) {
			return obs
		}
		b.Account = nothing(b.Account)
		if b.Action = o.field(e, "SubStatus"); len(b.Action) == 0 || string(b.Action) == "0x0" || string(b.Action) == "0x00000000" {
			b.Action = o.field(e, "Status")
		}
	case meansValidation, meansKerberosFailed, meansTicket:
		b.Channel = "windows"
		b.Action = o.field(e, "Status")
		zero := isZero(b.Action)
		if m == meansKerberosFailed && zero || len(b.Action) == 0 {
			return obs
		}
		if b.OK = zero; zero {
			b.Action = nil
			if m == meansTicket && string(o.glance(e, "PreAuthType")) == "0" {
				b.OK, b.Unknown = false, true // a ticket for whoever asks proves no password
			}
		}
		if b.Account = o.role(e, event.Account); own(b.Account) {
			return obs
		}
		b.IP = address(o.role(e, event.Client))
	case meansReconnected, meansSession:
		b.OK, b.Channel = true, "rdp"
		b.Account = o.role(e, event.Account)
		b.Session = o.role(e, event.Session)
		from := o.role(e, event.Client)
		if bytes.EqualFold(from, []byte("LOCAL")) || bytes.EqualFold(from, []byte("localhost")) {
			b.Channel, from = "windows", nil
		}
		b.IP = address(from)
		if own(b.Account) {
			return obs
		}
	case meansCmdlet, meansCmdletFailed:
		return o.cmdlet(e, m == meansCmdlet, obs)
	case meansCleared:
		b.Kind, b.OK, b.Inference = logs.Gap, true, logs.GapCleared
		b.Action = o.word("log cleared")
		b.Account = o.field(e, "SubjectUserName")
		// 104 names the log; 1102 is always the security log.
		if b.Object = o.field(e, "Channel"); len(b.Object) == 0 {
			b.Object = o.word("Security")
		}
		b.ObjectKind = "log"
	case meansLost:
		b.Kind, b.OK, b.Inference = logs.Gap, true, logs.GapLogLost
		b.Action = o.word("audit events lost")
		b.Object, b.ObjectKind = o.word("Security"), "log"
	default:
		return obs
	}
	if b.Kind == logs.Login && bytes.HasPrefix(b.Account, []byte("HealthMailbox")) {
		b.Kind = logs.Heartbeat // Exchange signing in to its own monitoring mailboxes
	}
	if b.Kind == logs.Login && (b.OK || b.Unknown) {
		b.Inference = logs.SignedIn
	}
	return append(obs, b)
}

// logonChannel returns the way in of a logon type, "" for those that are no use of an identity from outside: services,
// batch jobs, the boot, and credentials kept for other machines.
func logonChannel(logonType []byte) string {
	switch string(logonType) {
	case "2", "7", "8", "11", "12", "13":
		return "windows"
	case "3":
		return "smb"
	case "10":
		return "rdp"
	}
	return ""
}

// own reports whether an account is Windows' own or a machine's, or none.
func own(account []byte) bool {
	if len(nothing(account)) == 0 || account[len(account)-1] == '$' {
		return true
	}
	if i := bytes.LastIndexByte(account, '\\'); i >= 0 {
		account = account[i+1:]
	}
	for _, name := range [...]string{"SYSTEM", "LOCAL SERVICE", "NETWORK SERVICE", "ANONYMOUS LOGON"} {
		if bytes.EqualFold(account, []byte(name)) {
			return true
		}
	}
	return numbered(account, "DWM-") || numbered(account, "UMFD-")
}

// numbered reports whether name is prefix and a number.
func numbered(name []byte, prefix string) bool {
	if len(name) <= len(prefix) || !bytes.EqualFold(name[:len(prefix)], []byte(prefix)) {
		return false
	}
	for _, c := range name[len(prefix):] {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// nothing returns nil for the dash that Windows writes where there is nothing.
func nothing(p []byte) []byte {
	if len(p) == 0 || string(p) == "-" {
		return nil
	}
	return p
}

func address(p []byte) []byte { return nothing(event.Address(p)) }

func isZero(status []byte) bool {
	status = bytes.TrimPrefix(status, []byte("0x"))
	return len(status) > 0 && len(bytes.Trim(status, "0")) == 0
}

// cmdlet observes MSExchange Management 1, "Cmdlet succeeded", and 6, "Cmdlet failed": their unnamed data are the cmdlet, its
// parameters as one text, the caller, and more (seen in records of Exchange 2013 to 2019; Microsoft documents the events without
// them).
func (o *observer) cmdlet(e *event.Event, ok bool, obs []logs.Observation) []logs.Observation {
	var data [3][]byte
	n := 0
	for _, slot := range e.Shape.Slots("Data") {
		v := e.Value(slot)
		for i := 0; n < len(data); n++ {
			elem, next, ok := v.Elem(i)
			if !ok {
				break
			}
			data[n], i = o.text(elem), next
		}
	}
	c := cmdlet.Call{Name: data[0], Parameters: data[1], Syntax: cmdlet.Shell}
	return cmdlet.Observe(&c, logs.Observation{Account: data[2], OK: ok, Channel: "powershell"}, obs)
}
