package played_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// dovecot plays an IMAP server with syslog.
func dovecot(w *world) {
	l := &log{name: func(day time.Time) string { return "mx1/mail.log-" + day.Format("20060102") }, silence: 50 * time.Minute}
	w.logs["mail.log"] = l
	old := w.rng.IntN(4) == 0 // before 2.3: sessions end with bytes only
	pid, session := 1000, 0
	syslog := func(at time.Time, format string, args ...any) {
		l.add(at, "%s mx1 %s", at.Format("Jan _2 15:04:05"), fmt.Sprintf(format, args...))
	}
	l.every(w.begin, w.to.Add(time.Hour), 5*time.Minute, func(t time.Time) string {
		return t.Format("Jan _2 15:04:05") + " mx1 systemd[1]: Started Session of user root."
	})
	// visit is one IMAP session.
	visit := func(at time.Time, b *box, ip string, read, heads []item, ends bool) {
		pid++
		session++
		s := fmt.Sprintf("SES%d", session)
		syslog(at, "dovecot: imap-login: Login: user=<%s>, method=PLAIN, rip=%s, lip=192.0.2.10, mpid=%d, TLS, session=<%s>", b.account, ip, pid, s)
		bytes, out := 0, 800
		for _, m := range read {
			bytes += m.size
			out += m.size + 60
		}
		out += 400 * len(heads)
		if !ends {
			return
		}
		end := at.Add(time.Duration(10+w.rng.IntN(400)) * time.Second)
		if old {
			syslog(end, "dovecot: imap(%s): Logged out in=%d out=%d", b.account, 200+len(read)*40, out)
			return
		}
		syslog(end, "dovecot: imap(%s)<%d><%s>: Logged out in=%d out=%d deleted=0 expunged=0 trashed=0 hdr_count=%d hdr_bytes=%d body_count=%d body_bytes=%d",
			b.account, pid, s, 200+len(read)*40, out, len(heads), 400*len(heads), len(read), bytes)
	}
	w.owners(func(at time.Time, b *box) { visit(at, b, b.home, w.some(b.items)[:1], b.items, true) })
	w.attacks(func(at time.Time, b *box, ip string) {
		read := w.some(b.items)
		if w.rng.IntN(4) == 0 {
			read = nil
		}
		visit(at, b, ip, read, b.items, w.rng.IntN(6) > 0)
		w.got(read, b.items)
	}, func(at time.Time, b *box) {
		syslog(at, "dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<%s>, method=PLAIN, rip=%s, lip=192.0.2.10, TLS, session=<F%d>", b.account, w.attacker.ip, at.Unix())
	})
}

// owners lets everybody use his own mailbox twice a day.
func (w *world) owners(use func(at time.Time, b *box)) {
	for _, b := range w.boxes {
		for day := w.begin; day.Before(w.to); day = day.AddDate(0, 0, 1) {
			for _, hour := range []int{8, 16} {
				at := day.Add(time.Duration(hour)*time.Hour + time.Duration(w.rng.IntN(3000))*time.Second)
				if at.Before(w.to) {
					use(at, b)
				}
			}
		}
	}
}

// attacks lets the attacker use some mailboxes, from his known address or, if he has used it from there as well, from
// another; and guess at others' passwords.
func (w *world) attacks(use func(at time.Time, b *box, ip string), fail func(at time.Time, b *box)) {
	victims := 1 + w.rng.IntN(len(w.boxes))
	for _, i := range w.rng.Perm(len(w.boxes))[:victims] {
		for n := range 1 + w.rng.IntN(3) {
			ip := w.attacker.ip
			if n > 0 && w.rng.IntN(2) == 0 {
				ip = w.attacker.second
			}
			use(w.moment(30*time.Minute), w.boxes[i], ip)
		}
	}
	if w.rng.IntN(2) == 0 {
		at := w.moment(time.Hour)
		for i, b := range w.boxes {
			for n := range 3 {
				fail(at.Add(time.Duration(30*i+7*n)*time.Second), b)
			}
		}
	}
}

// got notes what the attacker got.
func (w *world) got(read, listed []item) {
	for _, m := range read {
		w.truth[m] = true
	}
	for _, m := range listed {
		w.seen[m] = true
	}
}

// m365 plays a tenant whose audit log was exported day by day.
func m365(w *world) {
	w.exact = true
	l := &log{name: func(day time.Time) string { return "audit-" + day.Format("2006-01-02") + ".jsonl" }, silence: 45 * time.Minute}
	w.logs["audit"] = l
	n := 0
	record := func(at time.Time, account string, fields map[string]any) {
		n++
		all := map[string]any{"CreationTime": at.Format("2006-01-02T15:04:05"), "Id": fmt.Sprintf("a0000000-0000-4000-8000-%012d", n), "OrganizationId": "0873ee4d-0000-0000-0000-000000000000",
			"RecordType": 50, "ResultStatus": "Succeeded", "UserType": 0, "Version": 1, "Workload": "Exchange", "UserId": account + "@example.org"}
		for k, v := range fields {
			all[k] = v
		}
		p, err := json.Marshal(all)
		if err != nil {
			panic(err)
		}
		l.add(at, "%s", p)
	}
	login := func(at time.Time, b *box, ip, session string) {
		record(at, b.account, map[string]any{"Operation": "UserLoggedIn", "RecordType": 15, "Workload": "AzureActiveDirectory", "ClientIP": ip, "ActorIpAddress": ip, "ErrorNumber": "0",
			"ApplicationId": "00000002-0000-0ff1-ce00-000000000000", "DeviceProperties": []any{map[string]any{"Name": "SessionId", "Value": session}}})
	}
	throttled := map[string]time.Time{} // until when, by mailbox
	access := func(at time.Time, b *box, ip, session, agent, kind string, throttle bool, more map[string]any) {
		fields := map[string]any{"Operation": "MailItemsAccessed", "ClientIPAddress": ip, "ClientInfoString": agent, "SessionId": session, "LogonType": 0, "InternalLogonType": 0, "ExternalAccess": false,
			"MailboxOwnerUPN": b.account + "@example.org", "MailboxGuid": "96ab9c16-4d14-4711-8ee4-94cdd6434873",
			"OperationProperties": []any{map[string]any{"Name": "MailAccessType", "Value": kind}, map[string]any{"Name": "IsThrottled", "Value": map[bool]string{true: "True", false: "False"}[throttle]}}}
		for k, v := range more {
			fields[k] = v
		}
		record(at, b.account, fields)
	}
	bind := func(at time.Time, b *box, ip, session, agent string, items []item, throttle bool) {
		if at.Before(throttled[b.account]) {
			return
		}
		folders := map[string][]any{}
		for _, m := range items {
			folders[m.folder] = append(folders[m.folder], map[string]any{"InternetMessageId": m.id})
		}
		var list []any
		for _, f := range []string{"F-ARCHIVE", "F-INBOX", "F-SENT"} {
			if len(folders[f]) > 0 {
				list = append(list, map[string]any{"Id": f, "Path": "\\" + f, "FolderItems": folders[f]})
			}
		}
		access(at, b, ip, session, "Client=OWA;"+agent, "Bind", throttle, map[string]any{"Folders": list, "OperationCount": len(items)})
		if throttle {
			throttled[b.account] = at.Add(24 * time.Hour)
		}
	}
	// What keeps the log busy, so that a hole in it shows: a service that signs in.
	keeper := &box{account: "backup", home: "198.51.100.200"}
	for t := w.begin; t.Before(w.to.Add(time.Hour)); t = t.Add(5 * time.Minute) {
		login(t, keeper, keeper.home, "SKEEP")
	}
	w.owners(func(at time.Time, b *box) {
		s := "HOME-" + b.account
		login(at, b, b.home, s)
		bind(at.Add(time.Minute), b, b.home, s, b.agent, w.some(b.items), false)
	})
	session := 0
	w.attacks(func(at time.Time, b *box, ip string) {
		session++
		s := fmt.Sprintf("EVIL-%d", session)
		login(at, b, ip, s)
		for range 1 + w.rng.IntN(3) {
			at = at.Add(time.Duration(1+w.rng.IntN(6)) * time.Minute)
			switch w.rng.IntN(5) {
			case 0: // Outlook fetches a folder
				f := b.items[w.rng.IntN(len(b.items))].folder
				access(at, b, ip, s, "Client=MSExchangeRPC", "Sync", false, map[string]any{"RecordType": 2, "ClientProcessName": "OUTLOOK.EXE",
					"Item": map[string]any{"Id": f, "ParentFolder": map[string]any{"Id": f, "Name": f, "Path": "Not Available"}}})
				w.exact = false // the rest of the mailbox is possible, too
				var in []item
				for _, m := range b.items {
					if m.folder == f {
						in = append(in, m)
					}
				}
				w.got(in, in)
			default:
				read := w.some(b.items)
				throttle := w.rng.IntN(8) == 0
				bind(at, b, ip, s, w.attacker.agent, read, throttle)
				if throttle {
					w.exact = false
				}
				w.got(read, read)
			}
		}
		if ip != w.attacker.ip {
			w.exact = false // nobody knows whose it was
		}
	}, func(at time.Time, b *box) {
		record(at, b.account, map[string]any{"Operation": "UserLoginFailed", "RecordType": 15, "Workload": "AzureActiveDirectory", "ClientIP": w.attacker.ip, "ActorIpAddress": w.attacker.ip,
			"ErrorNumber": "50126", "LogonError": "InvalidUserNameOrPassword"})
	})
	for i := range w.boxes { // addresses are whole here
		w.boxes[i].account += "@example.org"
		for j := range w.boxes[i].items {
			w.rename(&w.boxes[i].items[j], w.boxes[i].account)
		}
	}
}

// rename gives an item another container, in the truth as well.
func (w *world) rename(m *item, in string) {
	old := *m
	m.in = in
	for _, set := range []map[item]bool{w.truth, w.seen} {
		if set[old] {
			delete(set, old)
			set[*m] = true
		}
	}
}

// owa plays an Exchange server that is used through the browser: IIS and HttpProxy.
func owa(w *world) {
	iis := &log{name: func(day time.Time) string { return "EX1/W3SVC1/u_ex" + day.Format("060102") + ".log" }, silence: 40 * time.Minute,
		head: "#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken\n"}
	w.logs["iis"] = iis
	request := func(at time.Time, method, stem, query, user, ip, agent, status string) {
		iis.add(at, "%s 10.0.0.5 %s %s %s 443 %s %s %s - %s 15", at.Format("2006-01-02 15:04:05"), method, stem, query, user, ip, agent, status)
	}
	for t := w.begin; t.Before(w.to.Add(time.Hour)); t = t.Add(5 * time.Minute) {
		request(t, "GET", "/owa/healthcheck.htm", "-", "-", "::1", "AMProbe/Local/ClientAccess", "200 0 0")
	}
	w.facts = append(w.facts, `channels_off: [{channel: imap, scope: "*", proof: "Get-Service"}, {channel: pop3, scope: "*", proof: "Get-Service"}]`)
	visit := func(at time.Time, b *box, ip, agent string, actions ...string) {
		request(at, "POST", "/owa/auth.owa", "-", `CORP\`+b.account, ip, agent, "302 0 0")
		for i, a := range actions {
			request(at.Add(time.Duration(i+1)*5*time.Second), "POST", "/owa/service.svc", "action="+a, `CORP\`+b.account, ip, agent, "200 0 0")
		}
	}
	w.owners(func(at time.Time, b *box) { visit(at, b, b.home, b.agent, "FindConversation", "GetConversationItems") })
	w.attacks(func(at time.Time, b *box, ip string) {
		read := w.some(b.items)
		actions := []string{"FindConversation"}
		if w.rng.IntN(4) == 0 {
			read = nil
		}
		for range read {
			actions = append(actions, "GetConversationItems")
		}
		visit(at, b, ip, w.attacker.agent, actions...)
		w.got(read, b.items)
	}, func(at time.Time, b *box) {
		request(at, "POST", "/EWS/Exchange.asmx", "-", `CORP\`+b.account, w.attacker.ip, w.attacker.agent, "401 1 2148074252")
	})
}

// files plays a file server behind nginx.
func files(w *world) {
	w.exact = true
	l := &log{name: func(day time.Time) string { return "web1/access.log-" + day.Format("20060102") }, silence: 40 * time.Minute}
	w.logs["nginx"] = l
	w.facts = append(w.facts, `channels_off: [{channel: smb, scope: "*", proof: "not installed"}, {channel: ssh, scope: "*", proof: "refused"}]`)
	for _, b := range w.boxes {
		for j := range b.items {
			b.items[j].id = fmt.Sprintf("/%s-%d.pdf", b.account, j)
			b.items[j].in = b.account
		}
	}
	line := func(at time.Time, ip, user, method, path string, status, bytes int, agent string) {
		l.add(at, `%s - %s [%s] "%s %s HTTP/1.1" %d %d "-" "%s"`, ip, user, at.Format("02/Jan/2006:15:04:05 -0700"), method, path, status, bytes, agent)
	}
	for t := w.begin; t.Before(w.to.Add(time.Hour)); t = t.Add(5 * time.Minute) {
		line(t, "192.0.2.77", "-", "GET", "/status.php", 200, 180, "monitor")
	}
	get := func(at time.Time, b *box, ip, agent string, items []item) {
		for i, m := range items {
			line(at.Add(time.Duration(i)*time.Second), ip, b.account, "GET", "/remote.php/dav/files/"+b.account+m.id, 200, m.size, agent)
		}
	}
	w.owners(func(at time.Time, b *box) { get(at, b, b.home, b.agent, w.some(b.items)) })
	w.attacks(func(at time.Time, b *box, ip string) {
		read := w.some(b.items)
		get(at, b, ip, w.attacker.agent, read)
		w.got(read, nil)
		if ip != w.attacker.ip {
			w.exact = false
		}
	}, func(at time.Time, b *box) {
		line(at, w.attacker.ip, b.account, "PROPFIND", "/remote.php/dav/files/"+b.account+"/", 401, 200, w.attacker.agent)
	})
}

func isFile(m item) bool { return strings.HasPrefix(m.id, "/") }
