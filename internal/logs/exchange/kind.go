package exchange

import (
	"strings"

	"github.com/barid-dfir/barid/internal/event"
)

// kind is one of Exchange's logs.
type kind struct {
	name    string // of the format
	logType string // what #Log-type says
	path    string // part of the path, in lower case, that tells it from a kind with the same columns; "" if none
	// marks are columns that only it has together.
	marks []string
	// layout is its columns, for a log without a header; "" if they are not known.
	layout string
	// service is what content/fields/logs.yml calls the log.
	service string
	roles   [event.NumRoles][]string // columns that play a role, best first
	web     bool                     // requests, on which rules for web servers run
	see     observer
}

// observer is how a kind's lines are understood.
type observer uint8

const (
	seeNothing observer = iota
	seeRequest
	seeEws
	seeMapi
	seeImap
	seePop
	seeSMTP
	seeTracking
	seeEcp
	seeCmdlet
	seeAudit
)

// kinds are the logs that are known. The first whose #Log-type or, failing that, whose marks fit is taken.
var kinds = []kind{
	{
		name: "exchange.httpproxy", logType: "HttpProxy Logs", path: "httpproxy",
		marks:   []string{"AnchorMailbox", "UrlStem"},
		layout:  httpProxyLayout,
		service: "httpproxy", web: true, see: seeRequest,
		roles: roles("ServerHostName", "ClientIpAddress", "AuthenticatedUser", "", "UserAgent"),
	}, {
		name: "exchange.ecp.activity", logType: "ECP Activity Context Log", path: "ecpactivity",
		marks: []string{"TimeStamp", "ServerName", "EventId", "EventData"}, layout: "TimeStamp,ServerName,EventId,EventData",
		service: "ecp-activity", see: seeNothing,
		roles: roles("ServerName", "", "PSA", "", ""),
	}, {
		name: "exchange.ecp.server", logType: "ECP Server Log",
		marks: []string{"TimeStamp", "ServerName", "EventId", "EventData"}, layout: "TimeStamp,ServerName,EventId,EventData",
		service: "ecp-server", see: seeEcp,
		roles: roles("ServerName", "", "", "", ""),
	}, {
		name: "exchange.ews", logType: "EWS Logs",
		marks:   []string{"SoapAction", "ImpersonatedUser"},
		service: "ews", see: seeEws,
		roles: roles("ServerHostName", "ClientIpAddress", "AuthenticatedUser", "", "UserAgent"),
	}, {
		name: "exchange.mapihttp", logType: "MapiHttp Logs",
		marks:   []string{"MapiRequestId", "RequestType"},
		service: "mapihttp", see: seeMapi,
		roles: roles("SourceCafeServer", "ClientIP", "AuthenticatedUserEmail|UPN", "SessionCookie", "ClientSoftware"),
	}, {
		name: "exchange.rps.cmdlet", logType: "Rps Cmdlet Logs",
		marks:   []string{"Cmdlet", "Parameters", "ExecutionResult"},
		service: "rps-cmdlet", see: seeCmdlet,
		roles: roles("ServerHostName", "", "AuthenticatedUser", "", "ClientApplication"),
	}, {
		name: "exchange.rps.http", logType: "Rps Http Logs", path: "rps_http",
		service: "rps-http",
		roles:   roles("ServerHostName", "ClientIpAddress|ClientIP", "AuthenticatedUser", "SessionId", "UserAgent"),
	}, {
		name: "exchange.messagetracking", logType: "Message Tracking Log",
		marks:   []string{"internal-message-id", "event-id"},
		layout:  "date-time,client-ip,client-hostname,server-ip,server-hostname,source-context,connector-id,source,event-id,internal-message-id,message-id,network-message-id,recipient-address,recipient-status,total-bytes,recipient-count,related-recipient-address,reference,message-subject,sender-address,return-path,message-info,directionality,tenant-id,original-client-ip,original-server-ip,custom-data,transport-traffic-type,log-id,schema-version",
		service: "messagetracking", see: seeTracking,
		roles: roles("server-hostname", "original-client-ip|client-ip", "sender-address", "", ""),
	}, {
		name: "exchange.pop3", logType: "POP3 Log", path: "pop",
		marks: []string{"dateTime", "sessionId", "seqNumber", "cIp"}, layout: clientLayout,
		service: "pop3", see: seePop,
		roles: roles("sIp", "cIp", "user", "sessionId", ""),
	}, {
		name: "exchange.imap4", logType: "IMAP4 Log",
		marks: []string{"dateTime", "sessionId", "seqNumber", "cIp"}, layout: clientLayout,
		service: "imap4", see: seeImap,
		roles: roles("sIp", "cIp", "user", "sessionId", ""),
	}, {
		name: "exchange.smtp.send", logType: "SMTP Send Protocol Log", path: "send",
		marks: []string{"connector-id", "session-id", "remote-endpoint"}, layout: smtpLayout,
		service: "smtp-send",
		roles:   roles("local-endpoint", "remote-endpoint", "", "session-id", ""),
	}, {
		name: "exchange.smtp.receive", logType: "SMTP Receive Protocol Log",
		marks: []string{"connector-id", "session-id", "remote-endpoint"}, layout: smtpLayout,
		service: "smtp-receive", see: seeSMTP,
		roles: roles("local-endpoint", "remote-endpoint", "auth-user", "session-id", ""),
	}, {
		name: "exchange.agentlog", logType: "Agent Log",
		marks:   []string{"P1FromAddress", "Agent", "SmtpResponse"},
		service: "agentlog",
		roles:   roles("", "EnteredOrgFromIP|RemoteEndpoint", "P1FromAddress", "SessionId", ""),
	}, {
		name: "exchange.auditqueue", logType: "audit",
		marks:   []string{"RecordType", "Workload", "Operation", "Data"},
		service: "auditqueue", see: seeAudit,
		roles: roles("Server", "", "UserKey", "", ""),
	},
}

const (
	clientLayout = "dateTime,sessionId,seqNumber,sIp,cIp,user,duration,rqsize,rpsize,command,parameters,context,puid"
	smtpLayout   = "date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context"

	// The columns up to RoutingHint stand in the same place in every version seen, 2013 to 2019; what follows does not.
	httpProxyLayout = "DateTime,RequestId,MajorVersion,MinorVersion,BuildVersion,RevisionVersion,ClientRequestId,Protocol,UrlHost,UrlStem,ProtocolAction,AuthenticationType,IsAuthenticated,AuthenticatedUser,Organization,AnchorMailbox,UserAgent,ClientIpAddress,ServerHostName,HttpStatus,BackEndStatus,ErrorCode,Method,ProxyAction,TargetServer,TargetServerVersion,RoutingType,RoutingHint"
	// What follows them in the builds of 2016 and later, which write 74 columns.
	httpProxyTail = ",BackEndCookie,ServerLocatorHost,ServerLocatorLatency,RequestBytes,ResponseBytes,TargetOutstandingRequests,AuthModulePerfContext,HttpPipelineLatency,CalculateTargetBackEndLatency,GlsLatencyBreakup,TotalGlsLatency,AccountForestLatencyBreakup,TotalAccountForestLatency,ResourceForestLatencyBreakup,TotalResourceForestLatency,ADLatency,SharedCacheLatencyBreakup,TotalSharedCacheLatency,ActivityContextLifeTime,ModuleToHandlerSwitchingLatency,ClientReqStreamLatency,BackendReqInitLatency,BackendReqStreamLatency,BackendProcessingLatency,BackendRespInitLatency,BackendRespStreamLatency,ClientRespStreamLatency,KerberosAuthHeaderLatency,HandlerCompletionLatency,RequestHandlerLatency,HandlerToModuleSwitchingLatency,ProxyTime,CoreLatency,RoutingLatency,HttpProxyOverhead,TotalRequestTime,RouteRefresherLatency,UrlQuery,BackEndGenericInfo,GenericInfo,GenericErrors,EdgeTraceId,DatabaseGuid,UserADObjectGuid,PartitionEndpointLookupLatency,RoutingStatus"
)

// roles returns the columns for host, client, account, session and user agent; alternatives are separated by '|'.
func roles(host, client, account, session, agent string) (r [event.NumRoles][]string) {
	for role, s := range map[event.Role]string{
		event.Host: host, event.Client: client, event.Account: account, event.Session: session, event.UserAgent: agent,
	} {
		if s != "" {
			r[role] = strings.Split(s, "|")
		}
	}
	return r
}

// protocols are those that HttpProxy serves, as the Protocol column and the folders name them, in lower case.
var protocols = []string{"autodiscover", "eas", "ecp", "ews", "mapi", "oab", "owa", "owacalendar", "powershell", "pushnotifications", "rest", "rpchttp"}

// webAliases are the names under which rules for web servers look for HttpProxy's columns. The last lines are
// of excerpts that people have made.
var webAliases = map[string][]string{
	"UrlStem":           {"cs-uri-stem"},
	"UrlQuery":          {"cs-uri-query"},
	"Method":            {"cs-method"},
	"ClientIpAddress":   {"c-ip"},
	"UserAgent":         {"cs-user-agent", "c-useragent", "cs(User-Agent)"},
	"HttpStatus":        {"sc-status"},
	"AuthenticatedUser": {"cs-username"},
	"UrlHost":           {"cs-host"},

	"urlpath":        {"UrlStem", "cs-uri-stem"},
	"useragent":      {"UserAgent", "cs-user-agent", "c-useragent", "cs(User-Agent)"},
	"httpstatuskode": {"HttpStatus", "sc-status"},
	"http-metode":    {"Method", "cs-method"},
	"hostname":       {"UrlHost", "cs-host"},
}

// parts are the items of ECP's EventData that become fields, and the other ways they are written.
var parts = []event.Field{
	{Name: "CMD"}, {Name: "URL"}, {Name: "EX"}, {Name: "ACTID", Aliases: []string{"ActID"}}, {Name: "PSA"},
	{Name: "SID"}, {Name: "REQID"}, {Name: "REFERRER"}, {Name: "TIME"}, {Name: "RS"},
	{Name: "BLD", Aliases: []string{"Bld"}}, {Name: "TNAME"}, {Name: "TID"}, {Name: "USID"}, {Name: "EDOID"}, {Name: "ACID"},
}

// timeColumns are the names that the column with the time has, in lower case.
var timeColumns = []string{"datetime", "date-time", "timestamp", "date"}
