package played_test

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	iisHead    = "#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken\n"
	mapiFields = "DateTime,MapiRequestId,RequestType,AuthenticatedUserEmail,MailboxId,ActAsUserEmail,ClientIP,SourceCafeServer,SessionCookie,ClientSoftware,ClientMode,RequestId"
	imapFields = "dateTime,sessionId,seqNumber,sIp,cIp,user,duration,rqsize,rpsize,command,parameters,context,puid"
)

// server is an Exchange server of a farm.
type server struct {
	name, address string
	front, back   *log            // IIS
	proxies       map[string]*log // HttpProxy, by protocol; nil for one that is not kept
	ews, mapi     *log
	imap, imapBE  *log
	clock         func(time.Time) time.Time
}

// farm plays one or two Exchange servers that are used through the browser, web services, Outlook, phones and IMAP; people come in by
// either server, and their mailboxes are on one of them.
func farm(w *world) {
	names := []string{"EX1", "EX2"}[:1+w.rng.IntN(2)]
	since := w.from.Add(-6 * time.Hour)
	stamp := func(s *server, at time.Time) string { return s.clock(at).Format("2006-01-02T15:04:05.000Z") }
	n := 0
	id := func() string { n++; return fmt.Sprintf("f0000000-0000-4000-8000-%012d", n) }
	var servers []*server
	protocols := []string{"Owa", "Ews", "Mapi", "Eas"}
	kept := map[string]bool{}
	for _, p := range append(protocols, "ews", "mapihttp") {
		kept[p] = w.one(2)
	}
	imapOn := w.one(3)
	if !imapOn {
		w.facts = append(w.facts, `channels_off: [{channel: imap, scope: "*", proof: "Get-Service"}, {channel: pop3, scope: "*", proof: "Get-Service"}]`)
	} else {
		w.facts = append(w.facts, `channels_off: [{channel: pop3, scope: "*", proof: "Get-Service"}]`)
	}
	line := func(s *server, l *log, at time.Time, method, stem, query, port, user, ip, agent, status string) {
		l.add(at, "%s %s %s %s %s %s %s %s %s - %s 15", s.clock(at).Format("2006-01-02 15:04:05"), s.address, method, stem, query, port, user, ip, agent, status)
	}
	for i, name := range names {
		s := &server{name: name, address: fmt.Sprintf("10.0.0.%d", 5+i), proxies: map[string]*log{}, clock: w.now}
		servers = append(servers, s)
		daily := func(key, folder string) *log {
			l := &log{name: func(day time.Time) string { return name + "/" + folder + "/u_ex" + day.Format("060102") + ".log" }, silence: 40 * time.Minute, head: func(time.Time) string { return iisHead }}
			w.logs[name+" "+key] = l
			return l
		}
		s.front, s.back = daily("iis", "W3SVC1"), daily("iis back end", "W3SVC2")
		for t := w.begin; t.Before(w.to.Add(time.Hour)); t = t.Add(5 * time.Minute) {
			line(s, s.front, t, "GET", "/owa/healthcheck.htm", "-", "443", "-", "::1", "AMProbe/Local/ClientAccess", "200 0 0")
			line(s, s.back, t, "GET", "/ews/healthcheck.htm", "-", "444", "-", "::1", "AMProbe/Local/ClientAccess", "200 0 0")
		}
		hourly := func(key, folder, prefix, kind, fields string, beat func(t time.Time) string) *log {
			l := &log{name: func(hour time.Time) string {
				return name + "/" + folder + "/" + prefix + hour.Format("2006010215") + "-1.LOG"
			}, per: time.Hour, silence: 40 * time.Minute, head: exchangeHead(kind, fields)}
			w.logs[name+" "+key] = l
			l.every(since, w.to.Add(time.Hour), 5*time.Minute, beat)
			return l
		}
		for _, p := range protocols {
			if kept[p] {
				s.proxies[p] = hourly("httpproxy."+p, "HttpProxy/"+p, "HttpProxy_", "HttpProxy", proxyFields, func(t time.Time) string {
					rid := id() // the probe stands in IIS, too
					line(s, s.front, t.Add(2*time.Second), "GET", "/"+p+"/healthcheck.htm", "&cafeReqId="+rid+";", "443", "-", "::1", "AMProbe/Local/ClientAccess", "200 0 0")
					return stamp(s, t.Add(2*time.Second)) + "," + rid + ",15,1,2507,2,," + p + ",mail.example.org,/" + p + "/healthcheck.htm,,Basic,true,HealthMailbox1@corp.example,,,AMProbe/Local/ClientAccess,::1," + name + ",200,,,GET,,,,,40,,,"
				})
			}
		}
		if kept["ews"] {
			s.ews = hourly("ews", "Ews", "Ews_", "EWS", ewsFields, func(t time.Time) string {
				return stamp(s, t.Add(3*time.Second)) + "," + id() + ",15,1,2507,2,,,Logon,true,HealthMailbox1@corp.example,,Ews_AM_Probe/Local (ExchangeServicesClient/15.01.2176.002),,::1," + name + ",,GetFolder,200,,666,,,,"
			})
		}
		if kept["mapihttp"] {
			s.mapi = hourly("mapihttp", "MapiHttp/Mailbox", "MapiHttp_", "MapiHttp", mapiFields, func(t time.Time) string {
				return stamp(s, t.Add(4*time.Second)) + "," + id() + ",Connect,HealthMailbox1@corp.example,1-2@corp.example,,::1," + name + ",C0,MapiHttpClient,Unknown," + id()
			})
		}
		if imapOn {
			s.imap = hourly("imap", "Imap4", "IMAP4", "IMAP4", imapFields, func(t time.Time) string {
				return stamp(s, t.Add(5*time.Second)) + ",0000000000000001,1," + s.address + ":143,127.0.0.1:5000,HealthMailbox1,1,1,1,login,HealthMailbox1 *****,R=OK,"
			})
			s.imapBE = hourly("imap back end", "Imap4", "IMAP4BE", "IMAP4", imapFields, func(t time.Time) string {
				return stamp(s, t.Add(5*time.Second)) + ",0000000000000001,1," + s.address + ":1993,127.0.0.1:5000,HealthMailbox1,1,1,1,login,HealthMailbox1 *****,R=OK,"
			})
		}
	}
	home := map[*box]*server{}
	guid := map[*box]string{}
	listed := w.one(2)
	for i, b := range w.boxes {
		home[b] = servers[w.rng.IntN(len(servers))]
		b.server = home[b].name
		guid[b] = fmt.Sprintf("5f3c0000-0000-4000-9000-%012d", i)
		w.names[guid[b]], w.names[guid[b]+"@example.org"] = b.account, b.account
		if listed {
			b.guid = guid[b]
		}
	}
	dead := map[string]bool{}
	proxied := func(s *server, at time.Time, p, method, stem, query, user, anchor, ip, agent, status, rid, client string, bytes int) {
		if l := s.proxies[p]; l != nil && !at.Before(since) && status != "401" {
			l.add(at, "%s,%s,15,1,2507,2,%s,%s,mail.example.org,%s,,FBA,true,%s,,%s,%s,%s,%s,%s,%s,,%s,,%s,,%d,40,%s,,", stamp(s, at), rid, client, p, stem, user, anchor, agent, ip, s.name, status, status, method, s.name, bytes, query)
		}
	}
	request := func(s *server, at time.Time, p, method, stem, query, user, anchor, ip, agent, status, client string, bytes int) string {
		rid := id()
		q := "&cafeReqId=" + rid + ";"
		if query != "" {
			q = query + q
		}
		line(s, s.front, at, method, stem, q, "443", user, ip, agent, status+" 0 0")
		if query != "" {
			query = "?" + query
		}
		proxied(s, at, p, method, stem, query, user, anchor, ip, agent, status, rid, client, bytes)
		return rid
	}
	// visit is how somebody uses a mailbox, his own or another's that he may use. It returns what he did not read after all.
	visit := func(at time.Time, b, other *box, ip, agent string, channel int, read []item) {
		s, back := servers[w.rng.IntN(len(servers))], home[other]
		user, sid := `CORP\`+b.account, "Sid~S-1-5-21-1-2-3-1107"
		switch channel {
		case 0, 1: // the browser
			in := ""
			if other != b {
				in = other.account + "@example.org/"
			}
			request(s, at, "Owa", "POST", "/owa/auth.owa", "", user, sid, ip, agent, "302", "", 0)
			request(s, at.Add(5*time.Second), "Owa", "POST", "/owa/"+in+"service.svc", "action=FindConversation", user, sid, ip, agent, "200", "", 20000)
			for i := range read {
				request(s, at.Add(time.Duration(i+2)*5*time.Second), "Owa", "POST", "/owa/"+in+"service.svc", "action=GetConversationItems", user, sid, ip, agent, "200", "", 40000)
			}
		case 2: // Outlook, which names the mailbox by its GUID
			session := id()
			ask := func(at time.Time, what string, bytes int) {
				rid := request(s, at, "Mapi", "POST", "/mapi/emsmdb/", "MailboxId="+guid[other]+"@example.org", user, "MailboxGuid~"+guid[other], ip, "Microsoft+Office/16.0", "200", "R:{1}:1;RT:"+what+";CI:{"+session+"}:1", bytes)
				if back.mapi != nil && !at.Before(since) {
					back.mapi.add(at, "%s,%s,%s,%s@example.org,%s@example.org,,%s,%s,C%s,OUTLOOK.EXE,Cached,%s", stamp(back, at), id(), what, b.account, guid[other], ip, s.name, b.account, rid)
				}
			}
			ask(at, "Connect", 800)
			ask(at.Add(time.Second), "Execute", 30000)
			for i, m := range read {
				ask(at.Add(time.Duration(2+i)*time.Second), "Execute", m.size+2000)
			}
		case 3: // web services
			ask := func(at time.Time, action string, bytes int) {
				rid := request(s, at, "Ews", "POST", "/EWS/Exchange.asmx", "", user, sid, ip, agent, "200", "", bytes)
				if back.ews != nil && !at.Before(since) {
					back.ews.add(at, "%s,%s,15,1,2507,2,,,Basic,true,%s,,%s,,%s,%s,%s,%s,200,,%d,,,,", stamp(back, at), rid, user, agent, ip, back.name, s.name, action, bytes)
				}
			}
			ask(at, "FindItem", 20000)
			for i, m := range read {
				ask(at.Add(time.Duration(1+i)*4*time.Second), "GetItem", m.size+3000)
			}
		case 4: // a phone
			device := "PHONE" + strings.ReplaceAll(ip, ".", "")
			ask := func(at time.Time, cmd, what string) {
				query := "Cmd=" + cmd + "&User=" + b.account + "&DeviceId=" + device + "&DeviceType=iPhone"
				rid := request(s, at, "Eas", "POST", "/Microsoft-Server-ActiveSync/default.eas", query, user, sid, ip, "Apple-iPhone9C1/1602.92", "200", "", 20000)
				if what != "" {
					line(back, back.back, at, "POST", "/Microsoft-Server-ActiveSync/Proxy/default.eas", query+"&Log="+what+"&cafeReqId="+rid+";", "444", user, s.address, "Apple-iPhone9C1/1602.92", "200 0 0")
				} else {
					line(back, back.back, at, "POST", "/Microsoft-Server-ActiveSync/Proxy/default.eas", query+"&cafeReqId="+rid+";", "444", user, s.address, "Apple-iPhone9C1/1602.92", "200 0 0")
				}
			}
			ask(at, "FolderSync", "")
			if len(read) > 0 {
				ask(at.Add(2*time.Second), "Sync", fmt.Sprintf("V141_Fc1_Fid:5_Ty:Em_Filt0_St:F_Sk:1_Cli:0A0C0D0F0E_Svr:%dA0C0D0S0E_LdapC1", len(read)))
			}
		case 5: // IMAP
			n++
			sid := fmt.Sprintf("%016X", n)
			for k, command := range append([]string{"login", "select", "fetch"}, make([]string, len(read))...) {
				at := at.Add(time.Duration(k) * time.Second)
				args, size := `"INBOX"`, 40
				switch {
				case command == "login":
					args = b.account + " *****"
				case command == "fetch":
					args, size = `"1:* (UID FLAGS ENVELOPE)"`, 9000
				case command == "":
					command, args, size = "fetch", fmt.Sprintf(`"%d (BODY.PEEK[])"`, k), read[k-3].size
				}
				if at.Before(since) {
					continue
				}
				s.imap.add(at, "%s,%s,%d,%s:143,%s:5001,%s,1,30,%d,%s,%s,R=OK,", stamp(s, at), sid, k, s.address, ip, b.account, size, command, args)
				back.imapBE.add(at, "%s,%s,%d,%s:1993,%s:5001,%s,1,30,%d,%s,%s,R=OK,", stamp(back, at), sid, k, back.address, s.address, b.account, size, command, args)
			}
		}
	}
	ways := 5
	if imapOn {
		ways = 6
	}
	w.owners(func(at time.Time, b *box, ip string) {
		channel := w.rng.IntN(ways)
		visit(at, b, b, ip, b.agent, channel, w.some(b.there(at, at)))
	})
	w.attacks(func(at time.Time, b *box, ip string) {
		channel, other := w.rng.IntN(ways), b
		if (channel == 1 || channel == 2) && w.one(2) {
			other = w.boxes[w.rng.IntN(len(w.boxes))]
		}
		heads := other.there(at, at)
		read := w.some(heads)
		if w.one(4) {
			read = nil
		}
		if channel == 4 {
			heads = read
		}
		visit(at, b, other, ip, w.attacker.agent, channel, read)
		w.got(b.account, read, heads)
	}, func(at time.Time, b *box) {
		s := servers[w.rng.IntN(len(servers))]
		line(s, s.front, at, "POST", "/EWS/Exchange.asmx", "-", "443", `CORP\`+b.account, w.attacker.ip, w.attacker.agent, "401 1 2148074252")
	})
	if len(servers) > 1 {
		w.losses = append(w.losses, func() string { // nobody collected a server's logs
			gone := names[w.rng.IntN(len(names))]
			if len(dead) > 0 || !slices.ContainsFunc(w.boxes, func(b *box) bool { return b.server == gone }) {
				return "nothing"
			}
			dead[gone] = true
			for key, l := range w.logs {
				if strings.HasPrefix(key, gone+" ") {
					l.lines = nil
				}
			}
			return "all of " + gone
		})
	}
	if w.one(2) {
		w.addresses()
	} else { // the list has the names only
		for _, b := range w.boxes {
			w.names[b.account+"@example.org"] = b.account
		}
	}
}
