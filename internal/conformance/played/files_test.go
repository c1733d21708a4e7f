package played_test

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// files plays a file server behind nginx, which may be Nextcloud with its audit log.
func files(w *world) {
	w.exact = !w.vague // without its size nobody knows whether all of a file was handed out
	l := &log{name: func(day time.Time) string { return "web1/access.log-" + day.Format("20060102") }, silence: 40 * time.Minute}
	w.logs["nginx"] = l
	var audit *log
	if w.one(2) {
		w.opened = true
		audit = &log{name: func(day time.Time) string { return "web1/audit.log-" + day.Format("20060102") }, silence: 40 * time.Minute}
		w.logs["nextcloud"] = audit
	}
	w.facts = append(w.facts, `channels_off: [{channel: smb, scope: "*", proof: "not installed"}, {channel: ssh, scope: "*", proof: "refused"}]`)
	format, folder := "/of-%[1]s/%[1]s-%[2]d.pdf", "/of-%s/"
	if w.one(2) { // the list names folders that everybody has by where they are on the disk
		format, folder, w.exact = "/data/%[1]s/files/Board/%[1]s-%[2]d.pdf", "/Board/", false
	}
	w.named(format)
	address := func(b *box, m item) string {
		if folder == "/Board/" {
			return m.id[len("/data/"+b.account+"/files"):]
		}
		return m.id
	}
	request := 0
	w.jump()
	zone := time.UTC
	if w.one(4) {
		zone = time.FixedZone("", 3600*(w.rng.IntN(27)-12))
	}
	line := func(at time.Time, ip, user, method, path string, status, bytes int, agent string) {
		l.add(at, `%s - %s [%s] "%s %s HTTP/1.1" %d %d "-" "%s"`, ip, user, w.now(at).In(zone).Format("02/Jan/2006:15:04:05 -0700"), method, path, status, bytes, agent)
	}
	note := func(at time.Time, ip, user, method, path, message, agent string) {
		if audit == nil {
			return
		}
		request++
		audit.add(at, `{"reqId":"r%d","level":1,"time":%q,"remoteAddr":%q,"user":%q,"app":"admin_audit","method":%q,"url":%q,"message":%q,"userAgent":%q,"version":"31.0.4.1","data":{"app":"admin_audit"}}`,
			request, w.now(at).Format("2006-01-02T15:04:05-07:00"), ip, user, method, path, message, agent)
	}
	for t := w.begin; t.Before(w.to.Add(time.Hour)); t = t.Add(5 * time.Minute) {
		line(t, "192.0.2.77", "-", "GET", "/status.php", 200, 180, "monitor")
		note(t, "192.0.2.77", "--", "GET", "/cron", `Login attempt: "monitor"`, "monitor")
	}
	number := func(b *box, m item) int { return slices.Index(b.items, m) + 1000*slices.Index(w.boxes, b) }
	get := func(at time.Time, b *box, ip, agent string, items []item, whole func(m item) (status, bytes int)) {
		for i, m := range items {
			at := at.Add(time.Duration(i) * time.Second)
			path := "/remote.php/dav/files/" + b.account + address(b, m)
			status, bytes := whole(m)
			line(at, ip, b.account, "GET", path, status, bytes, agent)
			note(at, ip, b.account, "GET", path, fmt.Sprintf("File with id \"%d\" accessed: \"%s\"", number(b, m), address(b, m)), agent)
		}
	}
	all := func(m item) (int, int) { return 200, m.size }
	w.owners(func(at time.Time, b *box, ip string) { get(at, b, ip, b.agent, w.some(b.items), all) })
	w.attacks(func(at time.Time, b *box, ip string) {
		read := w.some(b.items)
		get(at, b, ip, w.attacker.agent, read, func(m item) (int, int) {
			switch w.rng.IntN(8) {
			case 0: // he hung up
				w.part[m] = true
				w.used[b.account] = true
				return 200, m.size / 3
			case 1:
				w.part[m] = true
				w.used[b.account] = true
				return 206, m.size / 2
			}
			w.got(b.account, []item{m}, nil)
			return 200, m.size
		})
		if w.one(3) { // the list of all
			path := "/remote.php/dav/files/" + b.account + folder
			if strings.Contains(folder, "%") {
				path = "/remote.php/dav/files/" + b.account + fmt.Sprintf(folder, b.account)
			}
			line(at, ip, b.account, "PROPFIND", path, 207, 800*len(b.items), w.attacker.agent)
			w.got(b.account, nil, b.items)
		}
	}, func(at time.Time, b *box) {
		line(at, w.attacker.ip, b.account, "PROPFIND", "/remote.php/dav/files/"+b.account+"/", 401, 200, w.attacker.agent)
		note(at, w.attacker.ip, "--", "PROPFIND", "/remote.php/dav/files/"+b.account+"/", `Login failed: "`+b.account+`"`, w.attacker.agent)
	})
}

// named makes files of all items: format takes the account and a number.
func (w *world) named(format string) {
	for _, b := range w.boxes {
		for j := range b.items {
			b.items[j].id = fmt.Sprintf(format, b.account, j)
			b.items[j].in = b.account
		}
	}
}

// shares plays a Windows server of files with its Security log, exported as JSON.
func shares(w *world) {
	w.zoneStated = true
	w.jump()
	w.named("Board/%s-%d.pdf")
	l := &log{name: func(day time.Time) string { return "FS1/Security-" + day.Format("20060102") + ".jsonl" }, silence: 40 * time.Minute}
	w.logs["security"] = l
	l.anyOrder = true
	// Without detailed auditing of shares, the log says who came, and no more.
	detailed, opened := !w.one(4), w.one(2)
	w.facts = append(w.facts, `channels_off: [{channel: web, scope: "*", proof: "not installed"}, {channel: ssh, scope: "*", proof: "not installed"}]`)
	number := 0
	record := func(at time.Time, id int, fields map[string]any) {
		number++
		all := map[string]any{"EventTime": w.now(at).Format("2006-01-02 15:04:05"), "Hostname": "FS1.example.org", "Keywords": int64(-9214364837600034816), "EventType": "AUDIT_SUCCESS", "SourceName": "Microsoft-Windows-Security-Auditing", "EventID": id,
			"Channel": "Security", "RecordNumber": "\x01", "@timestamp": w.now(at).Format("2006-01-02T15:04:05.000Z")}
		for k, v := range fields {
			all[k] = v
		}
		l.tagged(fmt.Sprint(id), at, encode(all))
	}
	record(w.begin, 4688, map[string]any{"SubjectUserName": "FS1$", "NewProcessName": `C:\Windows\System32\svchost.exe`, "NewProcessId": "0x15f8", "ParentProcessName": `C:\Windows\System32\services.exe`})
	w.again(l, w.to.Add(time.Hour), 5*time.Minute, nil, "2006-01-02 15:04:05", "2006-01-02T15:04:05.000Z")
	logon := 0x10000
	visit := func(at time.Time, b *box, ip string, granted, read []item) {
		logon++
		session := fmt.Sprintf("0x%x", logon)
		record(at, 4624, map[string]any{"TargetUserName": b.account, "TargetDomainName": "CORP", "TargetLogonId": session, "LogonType": "3", "IpAddress": ip, "IpPort": "50123", "AuthenticationPackageName": "NTLM"})
		record(at.Add(time.Second), 5140, map[string]any{"SubjectUserName": b.account, "SubjectDomainName": "CORP", "SubjectLogonId": session, "IpAddress": ip, "ShareName": `\\*\Data`, "AccessMask": "0x1"})
		at = at.Add(2 * time.Second)
		for _, m := range granted {
			path := `Board\` + m.id[len("Board/"):]
			if detailed {
				record(at, 5145, map[string]any{"SubjectUserName": b.account, "SubjectDomainName": "CORP", "SubjectLogonId": session, "IpAddress": ip, "ShareName": `\\*\Data`, "ShareLocalPath": `\??\D:\Data`, "RelativeTargetName": path, "AccessMask": "0x120089"})
			}
			if opened && slices.Contains(read, m) {
				record(at, 4663, map[string]any{"SubjectUserName": b.account, "SubjectDomainName": "CORP", "SubjectLogonId": session, "ObjectServer": "Security", "ObjectType": "File", "ObjectName": `D:\Data\` + path, "AccessMask": "0x1", "ProcessId": "0x4"})
			}
			at = at.Add(time.Second)
		}
		record(at.Add(time.Duration(w.rng.IntN(1000))*time.Second), 4634, map[string]any{"TargetUserName": b.account, "TargetDomainName": "CORP", "TargetLogonId": session, "LogonType": "3"})
	}
	w.owners(func(at time.Time, b *box, ip string) { items := w.some(b.items); visit(at, b, ip, items, items) })
	w.attacks(func(at time.Time, b *box, ip string) {
		granted := w.some(b.items)
		read := w.some(granted)
		visit(at, b, ip, granted, read)
		w.got(b.account, read, granted)
	}, func(at time.Time, b *box) {
		record(at, 4625, map[string]any{"EventType": "AUDIT_FAILURE", "Keywords": int64(-9218868437227405312), "TargetUserName": b.account, "TargetDomainName": "CORP", "LogonType": "3", "IpAddress": w.attacker.ip, "Status": "0xc000006d", "SubStatus": "0xc000006a"})
	})
	w.losses = append(w.losses, func() string { // the log is cleared
		at := w.moment(time.Hour)
		l.lines = slices.DeleteFunc(l.lines, func(e entry) bool { return e.at.Before(at) })
		record(at, 1102, map[string]any{"SourceName": "Microsoft-Windows-Eventlog", "SubjectUserName": "admin"})
		return "cleared at " + at.Format(time.RFC3339)
	})
	l.number = true
}
