package played_test

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// scripts plays a web site whose script hands out files by their number, to anybody; beside it, people have pages of their own. What is
// fetched stands in no log by its name.
func scripts(w *world) {
	w.named("/srv/files/%s-%d.pdf")
	w.anonymous = false // nobody signs in who could have guessed
	if !w.secondStated {
		w.attacker.second = w.attacker.ip // nothing would tie another to him
	}
	w.jump()
	w.facts = append(w.facts, `channels_off: [{channel: smb, scope: "*", proof: "not installed"}, {channel: ssh, scope: "*", proof: "refused"}]`)
	number := map[item]int{}
	for i, b := range w.boxes {
		for j, m := range b.items {
			number[m] = 1000*(i+1) + j
		}
	}
	w.numbered = map[item]string{}
	if w.one(2) {
		for m, n := range number {
			w.numbered[m] = fmt.Sprint(n)
		}
	}
	windows := w.one(2)
	var l *log
	if windows {
		l = &log{name: func(day time.Time) string { return "WEB1/W3SVC1/u_ex" + day.Format("060102") + ".log" }, silence: 40 * time.Minute,
			head: func(time.Time) string {
				return strings.Replace(iisHead, "sc-win32-status time-taken", "sc-win32-status sc-bytes time-taken", 1)
			}}
	} else {
		l = &log{name: func(day time.Time) string { return "web1/access.log-" + day.Format("20060102") }, silence: 40 * time.Minute}
	}
	w.logs["web"] = l
	request := func(at time.Time, ip, user, method, path, query string, status, bytes int, agent string) {
		at = w.now(at)
		if windows {
			if query == "" {
				query = "-"
			}
			l.add(at, "%s 10.0.0.8 %s %s %s 443 %s %s %s - %d 0 0 %d 15", at.Format("2006-01-02 15:04:05"), method, path, query, user, ip, agent, status, bytes)
			return
		}
		if query != "" {
			path += "?" + query
		}
		l.add(at, `%s - %s [%s] "%s %s HTTP/1.1" %d %d "-" "%s"`, ip, user, at.Format("02/Jan/2006:15:04:05 -0700"), method, path, status, bytes, agent)
	}
	script := map[bool]string{true: "/download.aspx", false: "/download.php"}[windows]
	if w.one(3) {
		script = "/files/get"
	}
	for t := w.begin; t.Before(w.to.Add(time.Hour)); t = t.Add(5 * time.Minute) {
		request(t, "192.0.2.77", "-", "GET", "/status", "", 200, 180, "monitor")
	}
	fetch := func(at time.Time, ip, agent string, b *box, items []item, direct bool) {
		for i, m := range items {
			at := at.Add(time.Duration(i) * time.Second)
			switch {
			case direct:
				request(at, ip, "-", "GET", "/files/"+m.id[len("/srv/files/"):], "", 200, m.size, agent)
			case i%3 == 2:
				request(at, ip, "-", "POST", script, "", 200, m.size, agent)
			default:
				request(at, ip, "-", "GET", script, fmt.Sprintf("id=%d", number[m]), 200, m.size, agent)
			}
		}
	}
	w.owners(func(at time.Time, b *box, ip string) {
		request(at, ip, b.account, "GET", "/intranet/page", "", 200, 4000, b.agent)
		fetch(at.Add(time.Second), ip, b.agent, b, w.some(b.items)[:1], w.one(2))
	})
	w.attacks(func(at time.Time, b *box, ip string) {
		if w.one(3) {
			request(at, ip, b.account, "GET", "/intranet/page", "", 200, 4000, w.attacker.agent)
			w.used[b.account] = true
		}
		read := w.some(b.items)
		fetch(at.Add(time.Second), ip, w.attacker.agent, b, read, w.one(4))
		for _, m := range read {
			w.truth[m] = true
		}
	}, func(at time.Time, b *box) {
		request(at, w.attacker.ip, "-", "GET", "/intranet/page", "", 401, 200, w.attacker.agent)
	})
	w.anywhere = true
}

// sftp plays a file server that is reached by SSH: sftp with or without its log of files, or a shell, which leaves none.
func sftp(w *world) {
	w.named("/srv/Board/%s-%d.pdf")
	w.jump()
	l := &log{name: func(day time.Time) string { return "fs1/auth.log-" + day.Format("20060102") }, silence: 50 * time.Minute}
	w.logs["auth.log"] = l
	w.facts = append(w.facts, `channels_off: [{channel: smb, scope: "*", proof: "not installed"}, {channel: web, scope: "*", proof: "not installed"}]`)
	syslog := func(at time.Time, format string, args ...any) {
		l.add(at, "%s fs1 %s", w.now(at).Format("Jan _2 15:04:05"), fmt.Sprintf(format, args...))
	}
	l.every(w.begin, w.to.Add(time.Hour), 5*time.Minute, func(t time.Time) string {
		return w.now(t).Format("Jan _2 15:04:05") + " fs1 CRON[991]: pam_unix(cron:session): session opened for user root by (uid=0)"
	})
	logged := w.one(2)
	pid := 2000
	visit := func(at time.Time, b *box, ip string, read []item, shell bool) {
		pid += 2
		how := []string{"password", "publickey"}[w.rng.IntN(2)]
		syslog(at, "sshd[%d]: Accepted %s for %s from %s port 5022 ssh2", pid, how, b.account, ip)
		syslog(at, "sshd[%d]: pam_unix(sshd:session): session opened for user %s(uid=1000) by (uid=0)", pid, b.account)
		if logged && !shell {
			syslog(at.Add(time.Second), "sftp-server[%d]: session opened for local user %s from [%s]", pid+1, b.account, ip)
			at := at.Add(2 * time.Second)
			for _, m := range read {
				syslog(at, "sftp-server[%d]: open %q flags READ mode 0666", pid+1, m.id)
				at = at.Add(time.Second)
				syslog(at, "sftp-server[%d]: close %q bytes read %d written 0", pid+1, m.id, m.size)
			}
			syslog(at, "sftp-server[%d]: session closed for local user %s from [%s]", pid+1, b.account, ip)
		}
		syslog(at.Add(time.Duration(3+2*len(read))*time.Second), "sshd[%d]: pam_unix(sshd:session): session closed for user %s", pid, b.account)
	}
	w.owners(func(at time.Time, b *box, ip string) { visit(at, b, ip, w.some(b.items)[:1], false) })
	w.attacks(func(at time.Time, b *box, ip string) {
		read := w.some(b.items)
		shell := w.one(3)
		if shell { // with it, he may read what others have
			read = w.some(w.boxes[w.rng.IntN(len(w.boxes))].items)
		}
		visit(at, b, ip, read, shell)
		w.got(b.account, read, read)
	}, func(at time.Time, b *box) {
		syslog(at, "sshd[%d]: Failed password for %s from %s port 5023 ssh2", 40000+at.Second(), b.account, w.attacker.ip)
	})
	w.anywhere = true
}

// host plays an Exchange server that is taken over by CVE-2021-26855 and a web shell. What runs there may read every mailbox.
func host(w *world) {
	w.jump()
	front := &log{name: func(day time.Time) string { return "EX1/W3SVC1/u_ex" + day.Format("060102") + ".log" }, silence: 40 * time.Minute, head: func(time.Time) string { return iisHead }}
	w.logs["iis"] = front
	since := w.from.Add(-3 * time.Hour)
	hourly := func(key, folder, prefix, kind, fields string, beat func(t time.Time) string) *log {
		l := &log{name: func(hour time.Time) string {
			return "EX1/" + folder + "/" + prefix + hour.Format("2006010215") + "-1.LOG"
		},
			per: time.Hour, silence: 40 * time.Minute, head: exchangeHead(kind, fields)}
		w.logs[key] = l
		l.every(since, w.to.Add(time.Hour), 5*time.Minute, beat)
		return l
	}
	stamp := func(at time.Time) string { return w.now(at).Format("2006-01-02T15:04:05.000Z") }
	n := 0
	id := func() string { n++; return fmt.Sprintf("f0000000-0000-4000-8000-%012d", n) }
	request := func(at time.Time, method, stem, query, user, ip, agent, status string) {
		front.add(at, "%s 10.0.0.5 %s %s %s 443 %s %s %s - %s 15", w.now(at).Format("2006-01-02 15:04:05"), method, stem, query, user, ip, agent, status)
	}
	for t := w.begin; t.Before(w.to.Add(time.Hour)); t = t.Add(5 * time.Minute) {
		request(t, "GET", "/owa/healthcheck.htm", "-", "-", "::1", "AMProbe/Local/ClientAccess", "200 0 0")
	}
	ecp := hourly("httpproxy.Ecp", "HttpProxy/Ecp", "HttpProxy_", "HttpProxy", proxyFields, func(t time.Time) string {
		rid := id()
		request(t.Add(time.Second), "GET", "/ecp/healthcheck.htm", "&cafeReqId="+rid+";", "-", "::1", "AMProbe/Local/ClientAccess", "200 0 0")
		return stamp(t.Add(time.Second)) + "," + rid + ",15,1,2507,2,,Ecp,mail.example.org,/ecp/healthcheck.htm,,Basic,true,HealthMailbox1@corp.example,,,AMProbe/Local/ClientAccess,::1,EX1,200,,,GET,,,,,40,,,"
	})
	if w.one(3) {
		delete(w.logs, "httpproxy.Ecp")
	}
	var ews *log
	if w.one(2) {
		ews = hourly("ews", "Ews", "Ews_", "EWS", ewsFields, func(t time.Time) string {
			return stamp(t.Add(3*time.Second)) + "," + id() + ",15,1,2507,2,,,Logon,true,HealthMailbox1@corp.example,,Ews_AM_Probe/Local (ExchangeServicesClient/15.01.2176.002),,::1,EX1,,GetFolder,200,,666,,,,"
		})
	}
	var security *log
	if w.one(2) {
		security = &log{name: func(day time.Time) string { return "EX1/Security-" + day.Format("20060102") + ".jsonl" }, silence: 40 * time.Minute, anyOrder: true, number: true}
		w.logs["security"] = security
	}
	ran := func(at time.Time, parent, program, command string) {
		if security != nil {
			security.add(at, "%s", encode(map[string]any{"EventTime": w.now(at).Format("2006-01-02 15:04:05"), "Hostname": "EX1.corp.example", "Keywords": int64(-9214364837600034816), "EventType": "AUDIT_SUCCESS", "SourceName": "Microsoft-Windows-Security-Auditing", "EventID": 4688,
				"Channel": "Security", "RecordNumber": "\x01", "@timestamp": w.now(at).Format("2006-01-02T15:04:05.000Z"), "SubjectUserName": "EX1$", "NewProcessName": program, "NewProcessId": "0x15f8", "ParentProcessName": parent, "CommandLine": command}))
		}
	}
	if security != nil {
		ran(w.begin, `C:\Windows\System32\services.exe`, `C:\Windows\System32\svchost.exe`, "svchost")
		w.again(security, w.to.Add(time.Hour), 5*time.Minute, nil, "2006-01-02 15:04:05", "2006-01-02T15:04:05.000Z")
	}
	w.facts = append(w.facts, `channels_off: [{channel: imap, scope: "*", proof: "Get-Service"}, {channel: pop3, scope: "*", proof: "Get-Service"}]`)
	for _, b := range w.boxes {
		b.server = "EX1"
	}
	w.owners(func(at time.Time, b *box, ip string) {
		request(at, "POST", "/owa/auth.owa", "-", `CORP\`+b.account, ip, b.agent, "302 0 0")
		request(at.Add(5*time.Second), "POST", "/owa/service.svc", "action=GetConversationItems", `CORP\`+b.account, ip, b.agent, "200 0 0")
	})
	// The exploit: a request to a file that does not exist, which the front end passes on.
	relay := func(at time.Time, ip, path, status string, bytes int) {
		rid := id()
		if !at.Before(since) {
			ecp.add(at, "%s,%s,15,1,2507,2,,Ecp,mail.example.org,/ecp/y.js,,,false,,,ServerInfo~a]@ex1.corp.example:444/%s,python-requests/2.25,%s,EX1,%s,%s,,POST,,ex1.corp.example,,%d,40,,,", stamp(at), rid, path, ip, status, status, bytes)
		}
		request(at, "POST", "/ecp/y.js", "&cafeReqId="+rid+";", "-", ip, "python-requests/2.25", status+" 0 0")
	}
	at := w.moment(2 * time.Hour)
	ip := w.attacker.ip
	relay(at, ip, "autodiscover/autodiscover.xml?#", "200", 800)
	relay(at.Add(time.Second), ip, "mapi/emsmdb/?#", "200", 2000)
	relay(at.Add(4*time.Second), ip, "ecp/proxyLogon.ecp?#", "241", 300)
	if w.one(2) { // web services, for a mailbox that no log names
		b := w.boxes[w.rng.IntN(len(w.boxes))]
		t := at.Add(5 * time.Minute)
		action, read, heads := "FindItem", []item(nil), b.there(t, t)
		if w.one(2) {
			action, read = "GetItem", w.some(b.there(t, t))
		}
		relay(t, ip, "EWS/Exchange.asmx?#", "200", 48211)
		if ews != nil {
			ews.add(t, `%s,%s,15,1,2507,2,,,Negotiate,true,CORP\EX1$,,python-requests/2.25,,%s,EX1,EX1,%s,200,,48102,,,,`, stamp(t), id(), ip, action)
		}
		for _, m := range read {
			w.truth[m] = true
		}
		for _, m := range heads {
			w.seen[m] = true
		}
	}
	if !w.one(4) {
		relay(at.Add(10*time.Minute), ip, "ecp/DDI/DDIService.svc/SetObject?msExchEcpCanary=x&schema=ResetOABVirtualDirectory#", "200", 400)
		if w.one(2) { // and it is used
			for range 1 + w.rng.IntN(3) {
				t := at.Add(15*time.Minute + time.Duration(w.rng.Int64N(int64(w.end().Sub(at)-15*time.Minute)))).Truncate(time.Second)
				from := []string{ip, w.attacker.second, "192.0.2.150"}[w.rng.IntN(3)]
				request(t, "POST", "/owa/auth/RedirSuiteServerProxy.aspx", "-", "-", from, "python-requests/2.25", "200 0 0")
				ran(t, `C:\Windows\System32\inetsrv\w3wp.exe`, `C:\Windows\System32\cmd.exe`, "cmd /c powershell")
				b := w.boxes[w.rng.IntN(len(w.boxes))]
				for _, m := range w.some(b.there(t, t)) {
					w.truth[m], w.seen[m] = true, true
				}
			}
		} else if w.one(2) {
			request(at.Add(time.Hour), "GET", "/owa/auth/RedirSuiteServerProxy.aspx", "-", "-", "192.0.2.150", "curl", "200 0 0")
		}
	}
	if w.one(3) {
		w.addresses()
	}
}

// found is where one looks for a file of the list that a log names by more or less of its path.
func (w *world) found(id string) (item, bool) {
	for _, b := range w.boxes {
		if i := slices.IndexFunc(b.items, func(m item) bool { return m.id == id || strings.HasSuffix(m.id, id) && id[0] == '/' }); i >= 0 {
			return b.items[i], true
		}
	}
	return item{}, false
}
