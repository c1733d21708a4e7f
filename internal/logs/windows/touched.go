package windows

import (
	"bytes"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
)

// auditFailure is the bit of Keywords that says that what was asked for was refused ([MS-EVEN6] and winmeta.xml,
// win:AuditFailure).
const auditFailure = 1 << 52

// readData is the bit of an access mask that allows the contents of a file to be read, or a folder to be listed ([MS-SMB2]
// 2.2.13.1).
const readData = 1

// file observes 5140 (a share was opened), 5145 (a handle to something in a share was asked for) and 4663 (something was done
// with a handle).
func (o *observer) file(e *event.Event, m meaning, obs []logs.Observation) []logs.Observation {
	if who := o.glance(e, "SubjectUserName"); own(who) && (m == meansFile || !bytes.EqualFold(who, []byte("ANONYMOUS LOGON"))) {
		return obs // the machine itself, or another machine
	}
	if number(o.glance(e, "AccessMask"))&readData == 0 {
		return obs
	}
	if m == meansFile {
		if !bytes.EqualFold(o.glance(e, "ObjectType"), []byte("File")) {
			return obs
		}
	} else if share := o.glance(e, "ShareName"); len(share) >= 4 && bytes.EqualFold(share[len(share)-4:], []byte("IPC$")) {
		return obs // named pipes
	}
	b := logs.Observation{Kind: logs.Access, OK: true, Inference: logs.FileReadGranted, Exposure: logs.Content, ObjectKind: "file", Bytes: -1, Count: -1}
	if number(o.glance(e, "Keywords"))&auditFailure != 0 {
		b.OK, b.Exposure = false, logs.NoExposure
	}
	b.Account, b.Session = o.field(e, "SubjectUserName"), o.field(e, "SubjectLogonId")
	b.IP = address(o.role(e, event.Client))
	b.Channel, b.In = "smb", o.field(e, "ShareName")
	switch m {
	case meansShare:
		b.Inference, b.Exposure = logs.FileListed, logs.NoExposure
		b.Object, b.ObjectKind = o.word(`\`), "folder"
	case meansShareFile:
		if b.Object = o.field(e, "RelativeTargetName"); string(b.Object) == `\` {
			b.ObjectKind, b.Inference, b.Exposure = "folder", logs.FileListed, min(b.Exposure, logs.Metadata)
		}
	case meansFile:
		b.Inference = logs.FileOpened
		b.Object, b.In = o.field(e, "ObjectName"), o.role(e, event.Host)
		// Process 4 is the system: the file server works in it.
		if number(o.glance(e, "ProcessId")) != 4 {
			b.Channel, b.Action = "windows", nothing(o.field(e, "ProcessName"))
		}
	}
	return append(obs, b)
}

// number reads a number as Windows writes it: 1, or 0x1. What is none is 0.
func number(p []byte) uint64 {
	base := uint64(10)
	if len(p) > 2 && p[0] == '0' && p[1]|0x20 == 'x' {
		base, p = 16, p[2:]
	}
	n := uint64(0)
	for _, c := range p {
		d := uint64(99)
		switch {
		case '0' <= c && c <= '9':
			d = uint64(c - '0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			d = uint64(c|0x20-'a') + 10
		}
		if d >= base || n > 1<<60 {
			return 0
		}
		n = n*base + d
	}
	return n
}

// commands are programs that a web server has no business to start, in lower case.
var commands = map[string]bool{
	"cmd.exe": true, "powershell.exe": true, "pwsh.exe": true, "powershell_ise.exe": true, "cscript.exe": true, "wscript.exe": true, "mshta.exe": true,
	"rundll32.exe": true, "regsvr32.exe": true, "certutil.exe": true, "bitsadmin.exe": true, "net.exe": true, "net1.exe": true, "whoami.exe": true,
	"hostname.exe": true, "ipconfig.exe": true, "systeminfo.exe": true, "tasklist.exe": true, "quser.exe": true, "query.exe": true, "nltest.exe": true,
	"netstat.exe": true, "netsh.exe": true, "ping.exe": true, "nslookup.exe": true, "arp.exe": true, "reg.exe": true, "sc.exe": true, "schtasks.exe": true,
	"wmic.exe": true, "dsquery.exe": true, "adfind.exe": true, "procdump.exe": true, "procdump64.exe": true, "rar.exe": true, "7z.exe": true, "7za.exe": true,
	"makecab.exe": true, "curl.exe": true, "vssadmin.exe": true, "ntdsutil.exe": true, "appcmd.exe": true, "bash.exe": true, "notepad.exe": true,
}

// code observes a process that a server's worker started which only an attack starts, and a script that such a worker wrote where
// the server runs it. Of the worker of unified messaging it is any process but that which reports its crash (CVE-2021-26857).
func (o *observer) code(e *event.Event, m meaning, obs []logs.Observation) []logs.Observation {
	var parent [24]byte
	var by []byte
	if m == meansWritten {
		by = append(parent[:0], program(o.glance(e, "Image"), len(parent))...)
	} else {
		by = append(parent[:0], program(o.glance(e, "ParentProcessName", "ParentImage"), len(parent))...)
	}
	messaging := bytes.EqualFold(by, []byte("UMWorkerProcess.exe"))
	if !messaging && !bytes.EqualFold(by, []byte("w3wp.exe")) {
		return obs
	}
	b := logs.Observation{Kind: logs.Capability, OK: true, Inference: logs.CodeRan, Power: logs.HostPower, Channel: "windows", ObjectKind: "host", Bytes: -1, Count: -1}
	if m == meansWritten {
		if !served(o.glance(e, "TargetFilename")) {
			return obs
		}
		b.Inference, b.Target = logs.ShellWritten, o.field(e, "TargetFilename")
		b.Action = o.field(e, "Image")
	} else {
		child := program(o.glance(e, "NewProcessName", "Image"), 64)
		if messaging {
			if len(child) == 0 || bytes.EqualFold(child, []byte("wermgr.exe")) || bytes.EqualFold(child, []byte("WerFault.exe")) || bytes.EqualFold(child, by) {
				return obs
			}
		} else if !known(child) {
			return obs
		}
		for _, name := range [...]string{"NewProcessName", "Image"} {
			if b.Action == nil {
				b.Action = o.field(e, name)
			}
		}
	}
	b.Account, b.Session = nothing(o.role(e, event.Account)), o.role(e, event.Session)
	b.Object = o.role(e, event.Host)
	return append(obs, b)
}

// program returns the name of the file of a program, nil if it is longer than limit.
func program(path []byte, limit int) []byte {
	p := path[bytes.LastIndexByte(path, '\\')+1:]
	if len(p) > limit {
		return nil
	}
	return p
}

// known reports whether a program is one of the commands.
func known(p []byte) bool {
	var lower [64]byte
	for i, c := range p {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		lower[i] = c
	}
	return commands[string(lower[:len(p)])]
}

// served reports whether a file is a script in a folder of Exchange's web sites, where nobody writes but an installation.
func served(path []byte) bool {
	for _, end := range [...]string{".aspx", ".ashx", ".asmx", ".asp"} {
		if n := len(path) - len(end); n > 0 && bytes.EqualFold(path[n:], []byte(end)) {
			for _, folder := range [...]string{`\inetpub\wwwroot\`, `\httpproxy\owa\auth\`, `\httpproxy\ecp\auth\`} {
				for i := range n {
					if len(path)-i >= len(folder) && path[i] == '\\' && bytes.EqualFold(path[i:i+len(folder)], []byte(folder)) {
						return true
					}
				}
			}
			return false
		}
	}
	return false
}

// logonPolicies are the beginnings of the identifiers of the subcategories of auditing that show who came in ([MS-GPAC] 2.2.1.2): Logon,
// Credential Validation, Kerberos Authentication Service.
var logonPolicies = [...]string{"{0CCE9215", "{0CCE923F", "{0CCE9242"}

// policy observes 4719: a kind of event is audited no more, or again. In is the identifier of the kind.
func (o *observer) policy(e *event.Event, obs []logs.Observation) []logs.Observation {
	// %%8448 is "Success removed", %%8450 "Failure removed" (msobjs.dll).
	changes := o.glance(e, "AuditPolicyChanges")
	removed := bytes.Contains(changes, []byte("%%8448")) || bytes.Contains(changes, []byte("uccess removed"))
	// %%8449 is "Success Added".
	added := !removed && (bytes.Contains(changes, []byte("%%8449")) || bytes.Contains(changes, []byte("uccess Added")) || bytes.Contains(changes, []byte("uccess added")))
	kind := o.field(e, "SubcategoryGuid")
	if !removed && (!added || len(kind) == 0) {
		return obs
	}
	b := logs.Observation{Kind: logs.Gap, OK: true, Inference: logs.GapNarrowed, ObjectKind: "log", In: kind, Bytes: -1, Count: -1}
	logons := len(kind) == 0
	for _, p := range logonPolicies {
		logons = logons || len(kind) > len(p) && bytes.EqualFold(kind[:len(p)], []byte(p))
	}
	switch {
	case removed && logons:
		b.Inference = logs.GapDisabled
	case added && logons:
		b.Inference = logs.GapEnabled
	case added:
		b.Inference = logs.GapNarrowingEnded
	}
	b.Account, b.Object = o.field(e, "SubjectUserName"), o.word("Security")
	b.Action = o.word("audit policy changed")
	return append(obs, b)
}

// federated observes the audit of a token or of credentials by AD FS: unnamed data, of which one is XML.
func (o *observer) federated(e *event.Event, ok bool, obs []logs.Observation) []logs.Observation {
	b := logs.Observation{Kind: logs.Login, OK: ok, Channel: "adfs", Bytes: -1, Count: -1}
	for _, slot := range e.Shape.Slots("Data") {
		v := e.Value(slot)
		if !v.IsList() {
			o.audit(&b, o.text(v))
			continue
		}
		for i := 0; ; {
			elem, next, more := v.Elem(i)
			if !more {
				break
			}
			o.audit(&b, o.text(elem))
			i = next
		}
	}
	if len(b.Account) == 0 {
		return obs
	}
	if ok {
		b.Inference = logs.SignedIn
	}
	return append(obs, b)
}

// audit takes what an element of AD FS's XML says.
func (o *observer) audit(b *logs.Observation, xml []byte) {
	if !bytes.Contains(xml, []byte("<AuditBase")) {
		return
	}
	if v := element(xml, "UserId"); v != nil && string(v) != "N/A" {
		b.Account = v
	}
	if v := element(xml, "IpAddress"); v != nil {
		// The client's comes first where proxies add their own.
		if i := bytes.IndexByte(v, ','); i > 0 {
			v = v[:i]
		}
		b.IP = address(v)
	}
	if v := element(xml, "UserAgentString"); v != nil && string(v) != "N/A" {
		b.Agent = v
	}
	if v := element(xml, "RelyingParty"); v != nil && string(v) != "N/A" {
		b.Target = v
	}
}

// element returns what stands between <name> and </name>; nil if nothing does.
func element(xml []byte, name string) []byte {
	for rest := xml; ; {
		i := bytes.Index(rest, []byte(name))
		if i < 0 {
			return nil
		}
		from := len(xml) - len(rest) + i
		rest = rest[i+len(name):]
		if from > 0 && xml[from-1] == '<' && len(rest) > 1 && rest[0] == '>' {
			v := rest[1:]
			if end := bytes.IndexByte(v, '<'); end > 0 {
				return v[:end]
			}
			return nil
		}
	}
}
