package played_test

import (
	"fmt"
	"time"
)

// The columns of Exchange's logs that matter here.
const (
	proxyFields = "DateTime,RequestId,MajorVersion,MinorVersion,BuildVersion,RevisionVersion,ClientRequestId,Protocol,UrlHost,UrlStem,ProtocolAction,AuthenticationType,IsAuthenticated,AuthenticatedUser,Organization,AnchorMailbox,UserAgent,ClientIpAddress,ServerHostName,HttpStatus,BackEndStatus,ErrorCode,Method,ProxyAction,TargetServer,RequestBytes,ResponseBytes,TotalRequestTime,UrlQuery,GenericInfo,GenericErrors"
	ewsFields   = "DateTime,RequestId,MajorVersion,MinorVersion,BuildVersion,RevisionVersion,Ring,ClientRequestId,AuthenticationType,IsAuthenticated,AuthenticatedUser,Organization,UserAgent,VersionInfo,ClientIpAddress,ServerHostName,FrontEndServer,SoapAction,HttpStatus,RequestSize,ResponseSize,ErrorCode,ImpersonatedUser,ProxyAsUser,ActAsUser"
)

// exchangeHead begins a log of Exchange.
func exchangeHead(kind, fields string) func(time.Time) string {
	return func(from time.Time) string {
		return "#Software: Microsoft Exchange Server\n#Version: 15.01.2507.006\n#Log-type: " + kind + " Logs\n#Date: " + from.Format("2006-01-02T15:04:05.000Z") + "\n#Fields: " + fields + "\n"
	}
}

// exchange plays an Exchange server that is used through the browser and web services. IIS tells of both; HttpProxy, hour by
// hour, of each by itself; the log of web services what was asked of them.
func exchange(w *world) {
	iis := &log{name: func(day time.Time) string { return "EX1/W3SVC1/u_ex" + day.Format("060102") + ".log" }, silence: 40 * time.Minute,
		head: func(time.Time) string {
			return "#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken\n"
		}}
	w.logs["iis"] = iis
	w.jump()
	request := func(at time.Time, method, stem, query, user, ip, agent, status string) {
		iis.add(at, "%s 10.0.0.5 %s %s %s 443 %s %s %s - %s 15", w.now(at).Format("2006-01-02 15:04:05"), method, stem, query, user, ip, agent, status)
	}
	for t := w.begin; t.Before(w.to.Add(time.Hour)); t = t.Add(5 * time.Minute) {
		request(t, "GET", "/owa/healthcheck.htm", "-", "-", "::1", "AMProbe/Local/ClientAccess", "200 0 0")
	}
	hourly := func(key, folder, prefix, kind, fields string) *log {
		l := &log{name: func(hour time.Time) string {
			return "EX1/" + folder + "/" + prefix + hour.Format("2006010215") + "-1.LOG"
		},
			per: time.Hour, silence: 40 * time.Minute, head: exchangeHead(kind, fields)}
		w.logs[key] = l
		return l
	}
	since := w.from.AddDate(0, 0, -1)
	n := 0
	id := func() string { n++; return fmt.Sprintf("f0000000-0000-4000-8000-%012d", n) }
	stamp := func(at time.Time) string { return w.now(at).Format("2006-01-02T15:04:05.000Z") }
	proxies := map[string]*log{}
	for _, p := range []string{"Owa", "Ews"} {
		if w.one(3) {
			continue
		}
		l := hourly("httpproxy."+p, "HttpProxy/"+p, "HttpProxy_", "HttpProxy", proxyFields)
		proxies[p] = l
		l.every(since, w.to.Add(time.Hour), 5*time.Minute, func(t time.Time) string {
			return stamp(t.Add(2*time.Second)) + "," + id() + ",15,1,2507,2,," + p + ",mail.example.org,/" + p + "/healthcheck.htm,,Basic,true,HealthMailbox1@corp.example,,,AMProbe/Local/ClientAccess,::1,EX1,200,,,GET,,,,,40,,,"
		})
	}
	proxy := func(at time.Time, p, method, stem, query, user, ip, agent, status string, bytes int) {
		if l := proxies[p]; l != nil && !at.Before(since) && status != "401" {
			l.add(at, "%s,%s,15,1,2507,2,,%s,mail.example.org,%s,,FBA,true,%s,,Sid~S-1-5-21-1-2-3-1107,%s,%s,EX1,%s,%s,,%s,,,,%d,40,%s,,", stamp(at), id(), p, stem, user, agent, ip, status, status, method, bytes, query)
		}
	}
	var ews *log
	if w.one(2) {
		ews = hourly("ews", "Ews", "Ews_", "EWS", ewsFields)
		ews.every(since, w.to.Add(time.Hour), 5*time.Minute, func(t time.Time) string {
			return stamp(t.Add(3*time.Second)) + "," + id() + ",15,1,2507,2,,,Logon,true,HealthMailbox1@corp.example,,Ews_AM_Probe/Local (ExchangeServicesClient/15.01.2176.002),,::1,EX1,,GetFolder,200,,666,,,,"
		})
	}
	w.facts = append(w.facts, `channels_off: [{channel: imap, scope: "*", proof: "Get-Service"}, {channel: pop3, scope: "*", proof: "Get-Service"}]`)
	browse := func(at time.Time, b *box, ip, agent, in string, actions ...string) {
		user := `CORP\` + b.account
		request(at, "POST", "/owa/auth.owa", "-", user, ip, agent, "302 0 0")
		proxy(at, "Owa", "POST", "/owa/auth.owa", "", user, ip, agent, "302", 0)
		for i, a := range actions {
			at := at.Add(time.Duration(i+1) * 5 * time.Second)
			request(at, "POST", "/owa/"+in+"service.svc", "action="+a, user, ip, agent, "200 0 0")
			proxy(at, "Owa", "POST", "/owa/"+in+"service.svc", "action="+a, user, ip, agent, "200", 40000)
		}
	}
	call := func(at time.Time, b *box, ip, agent, action string, bytes int) {
		user := `CORP\` + b.account
		request(at, "POST", "/EWS/Exchange.asmx", "-", user, ip, agent, "200 0 0")
		proxy(at, "Ews", "POST", "/EWS/Exchange.asmx", "", user, ip, agent, "200", bytes)
		if ews != nil && !at.Before(since) {
			ews.add(at, "%s,%s,15,1,2507,2,,,Basic,true,%s,,%s,,%s,EX1,EX1,%s,200,,%d,,,,", stamp(at), id(), user, agent, ip, action, bytes)
		}
	}
	w.owners(func(at time.Time, b *box, ip string) {
		browse(at, b, ip, b.agent, "", "FindConversation", "GetConversationItems")
	})
	// rule is one more thing to do: to have all sent on that comes in from then on.
	rule := func(at time.Time, b *box) bool {
		if !w.one(6) {
			return false
		}
		for _, m := range b.items {
			if m.received.After(at) && m.received.Before(w.end()) {
				w.got(b.account, []item{m}, nil)
			}
		}
		return true
	}
	w.attacks(func(at time.Time, b *box, ip string) {
		read := w.some(b.there(at, at))
		heads := b.there(at, at)
		if w.one(4) {
			read = nil
		}
		agent := w.attacker.agent
		switch w.rng.IntN(4) {
		case 0: // web services
			call(at, b, ip, agent, "FindItem", 20000)
			for i := range read {
				call(at.Add(time.Duration(i+1)*4*time.Second), b, ip, agent, "GetItem", 3000+read[i].size)
			}
			if at := at.Add(2 * time.Minute); rule(at, b) {
				call(at, b, ip, agent, "UpdateInboxRules", 1000)
			}
		case 1: // another's mailbox, by a right that he had before
			other := w.boxes[w.rng.IntN(len(w.boxes))]
			read, heads = w.some(other.there(at, at)), other.there(at, at)
			actions := []string{"FindConversation"}
			for range read {
				actions = append(actions, "GetConversationItems")
			}
			in := ""
			if other != b {
				in = other.account + "@example.org/"
			}
			browse(at, b, ip, agent, in, actions...)
		default:
			actions := []string{"FindConversation"}
			for range read {
				actions = append(actions, "GetConversationItems")
			}
			if rule(at, b) {
				actions = append(actions, "NewInboxRule")
			}
			browse(at, b, ip, agent, "", actions...)
		}
		w.got(b.account, read, heads)
	}, func(at time.Time, b *box) {
		request(at, "POST", "/EWS/Exchange.asmx", "-", `CORP\`+b.account, w.attacker.ip, w.attacker.agent, "401 1 2148074252")
	})
	if w.one(2) {
		w.addresses()
	}
}
