package m365

import (
	"bytes"
	"strings"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/json"
	"github.com/barid-dfir/barid/internal/logs/logsource"
)

// NewAzure returns the Format "azure.logs": the sign-in and audit logs of Entra ID and the activity log of Azure in JSON, as Microsoft
// Graph returns them (resource types signIn and directoryAudit), as diagnostic settings write them (with their fields under
// "properties"), and as tables of Log Analytics. The Shapes' Formats are "entra.signin", "entra.audit" and "azure.activity".
//
// A field answers to its own name and to that of the other two forms, since rules use all of them.
func NewAzure() logs.Format {
	cache := json.NewCache(buildAzure)
	return logs.Format{
		Name:   "azure.logs",
		Sniff:  sniffAzure,
		Cutter: func(s *logs.Source) logs.Cutter { return json.CutterOf(s) },
		Parser: func() logs.Parser { return &azureParser{front: cache.Front()} },
	}
}

func sniffAzure(s *logs.Source) logs.Certainty {
	var r json.Record
	if !json.First(s.Head, &r) {
		return logs.No
	}
	switch {
	case r.Has("userPrincipalName", 1) && r.Has("conditionalAccessStatus", 1),
		r.Has("activityDisplayName", 1) && (r.Has("targetResources", 1) || r.Has("initiatedBy", 1)),
		r.Has("resourceId", 0) && r.Has("operationName", 0) && r.Has("category", 0):
		return logs.Certain
	}
	return logs.No
}

// The classes of records.
const (
	azureOther    = 'o'
	azureSignIn   = 's'
	azureAudit    = 'a'
	azureActivity = 'v'
)

type azureShape struct {
	shape *event.Shape
	time  int
}

type azureParser struct {
	front  *json.Front[azureShape]
	record json.Record
	also   [3]byte

	observer observer
}

// azureSeen is what a record says that decides its Shape.
type azureSeen struct {
	category, operation, activity, result event.Value
	names                                 int // bits of the names that mark a class
}

const (
	sawAccess = 1 << iota
	sawPrincipal
	sawActivity
	sawResource
	sawOperation
)

// Parse implements [logs.Parser].
func (p *azureParser) Parse(b *logs.Block, out *event.Batch) {
	r := &p.record
	for w := json.Walk(b, out); w.Next(r); {
		p.classify()
		s := p.front.Get(r, p.also[:])
		e := out.Add(s.shape)
		copy(e.Values, r.Values)
		if s.time >= 0 {
			e.Time = json.Time(e.Values[s.time])
		}
		e.Raw, e.Offset, e.Line = w.Raw, w.Offset, w.Line
	}
}

// classify sets also: the class of the record, its outcome and what its operation means.
func (p *azureParser) classify() {
	var s azureSeen
	n := 0
	for i := range p.record.Keys {
		k := &p.record.Keys[i]
		if k.Open {
			continue
		}
		v := p.record.Values[n]
		n++
		if k.Depth > 2 {
			continue
		}
		switch len(k.Name) {
		case 6:
			if string(k.Name) == "result" || string(k.Name) == "Result" {
				s.result = v
			}
		case 8:
			if k.Depth == 0 && fold(k.Name, "category") {
				s.category = v
			}
		case 9:
			if fold(k.Name, "errorcode") {
				s.result = v
			}
		case 10:
			if fold(k.Name, "resulttype") {
				s.result = v
			} else if fold(k.Name, "resourceid") {
				s.names |= sawResource
			}
		case 13:
			if fold(k.Name, "operationname") {
				s.operation = v
				s.names |= sawOperation
			}
		case 17:
			if fold(k.Name, "userprincipalname") {
				s.names |= sawPrincipal
			}
		case 19:
			if fold(k.Name, "activitydisplayname") {
				s.activity = v
				s.names |= sawActivity
			}
		case 23:
			if fold(k.Name, "conditionalaccessstatus") {
				s.names |= sawAccess
			}
		}
	}
	p.also = [3]byte{azureOther, 0, byte(meansNothing)}
	switch c := s.category.Data; {
	case bytes.HasSuffix(c, []byte("SignInLogs")), s.names&(sawAccess|sawPrincipal) == sawAccess|sawPrincipal:
		p.also[0] = azureSignIn
		switch string(s.result.Data) {
		case "0":
			p.also[1], p.also[2] = 's', byte(meansLogin)
		case "50126", "50053":
			p.also[1], p.also[2] = 'f', byte(meansLoginFailed)
		case "":
		default:
			p.also[1] = 'f'
		}
	case s.names&sawActivity != 0 || string(c) == "AuditLogs":
		p.also[0] = azureAudit
		op := s.activity
		if op.IsAbsent() {
			op = s.operation
		}
		p.also[1] = outcome(s.result)
		if op.Kind == event.UTF8 {
			p.also[2] = byte(meaning(string(op.Data), nil))
		}
	case s.names&(sawResource|sawOperation) == sawResource|sawOperation:
		p.also[0] = azureActivity
	}
}

// fold reports whether p is s, which is in lower case, in any case. They have the same length.
func fold(p []byte, s string) bool {
	for i, c := range p {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != s[i] {
			return false
		}
	}
	return true
}

func buildAzure(r *json.Record, also []byte) azureShape {
	names := r.Names()
	own := make(map[string]bool, len(names))
	for _, n := range names {
		own[n] = true
	}
	fields := make([]event.Field, len(names))
	for i, n := range names {
		fields[i] = event.Field{Name: n, Aliases: azureAliases(n, also[0], own)}
	}
	if status := map[byte]string{'s': "Success", 'f': "Failure"}[also[1]]; status != "" && !own["Status"] && !own["status"] {
		fields = append(fields, event.Field{Name: "Status", Const: event.Text(status)})
	}
	format := "azure.other"
	switch also[0] {
	case azureSignIn:
		format = "entra.signin"
	case azureAudit:
		format = "entra.audit"
	case azureActivity:
		format = "azure.activity"
	}
	s := azureShape{shape: logsource.Builtin().NewShape(format, "", fields), time: -1}
	s.shape.Tag = uint32(also[2])
	first := func(names ...string) string {
		for _, n := range names {
			for _, form := range [...]string{n, "properties." + n, upperFirst(n)} {
				if own[form] {
					return form
				}
			}
		}
		return ""
	}
	if n := first("time", "createdDateTime", "activityDateTime", "timeGenerated", "eventTimestamp"); n != "" {
		for i := range names {
			if names[i] == n {
				s.time = i
				break
			}
		}
	}
	s.shape.SetRole(event.Account, first("userPrincipalName", "initiatedBy.user.userPrincipalName", "initiatingUserOrApp", "caller", "identity"))
	s.shape.SetRole(event.Client, first("ipAddress", "callerIpAddress", "initiatedBy.user.ipAddress", "iPAddress"))
	s.shape.SetRole(event.Session, first("sessionId", "uniqueTokenIdentifier"))
	s.shape.SetRole(event.UserAgent, first("userAgent"))
	return s
}

// azureAliases returns the names of a field in the other forms of the log.
func azureAliases(name string, class byte, own map[string]bool) []string {
	var out []string
	add := func(n string) {
		if n != name && !own[n] {
			out = append(out, n)
		}
	}
	bare := strings.TrimPrefix(name, "properties.")
	camel := lowerFirst(bare)
	for _, n := range [...]string{bare, camel, upperFirst(bare), pascal(bare), "properties." + camel} {
		add(n)
	}
	switch {
	case class != azureAudit:
	case camel == "operationName" && !own["activityDisplayName"] && !own["ActivityDisplayName"] && !own["properties.activityDisplayName"]:
		add("activityDisplayName")
		add("ActivityDisplayName")
	case camel == "result":
		add("properties.result")
	}
	return out
}

func lowerFirst(s string) string {
	if s == "" || s[0] < 'A' || s[0] > 'Z' {
		return s
	}
	return string(s[0]+'a'-'A') + s[1:]
}

func upperFirst(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return string(s[0]-'a'+'A') + s[1:]
}

// pascal returns a dotted name with every part beginning in upper case.
func pascal(s string) string {
	parts := strings.Split(s, ".")
	for i := range parts {
		parts[i] = upperFirst(parts[i])
	}
	return strings.Join(parts, ".")
}

// Observe implements [logs.Parser].
func (p *azureParser) Observe(e *event.Event, obs []logs.Observation) []logs.Observation {
	m := means(e.Shape.Tag)
	if m == meansNothing {
		return obs
	}
	o := &p.observer
	o.buf = o.buf[:0]
	x := logs.Observation{
		OK:      string(get(e, "Status").Data) != "Failure",
		Account: o.text(e.Role(event.Account)),
		IP:      event.Address(o.text(e.Role(event.Client))),
		Agent:   o.text(e.Role(event.UserAgent)),
		Channel: "m365",
		Action:  o.text(get(e, "ActivityDisplayName")),
		Bytes:   -1,
		Count:   -1,
	}
	switch m {
	case meansLogin, meansLoginFailed:
		x.Kind, x.OK = logs.Login, m == meansLogin
		if x.OK {
			x.Inference, x.Target = o.manner(e), o.place(e)
		}
		// The identifier of a token is another for each; it holds no session together.
		if x.Session = o.first(e, "sessionId", "SessionId"); string(x.Session) == zeroID {
			x.Session = nil
		}
		x.App, x.Device = application(e), o.first(e, "deviceDetail.deviceId", "DeviceDetail.deviceId")
		x.Action = o.first(e, "AppDisplayName")
		if c := o.first(e, "clientAppUsed", "ClientAppUsed", "properties.clientAppUsed"); len(c) > 0 && string(c) != "Browser" && string(c) != "Mobile Apps and Desktop clients" {
			x.Action = c // a protocol: IMAP4, Exchange ActiveSync
		}
		if len(x.Account) == 0 { // an application itself, or a managed identity
			x.Account = o.first(e, "servicePrincipalName", "ServicePrincipalName", "servicePrincipalId", "ServicePrincipalId")
		}
		return append(obs, x)
	}
	o.audited(e, m, &x)
	if x.Kind == logs.Gap {
		return obs
	}
	return append(obs, x)
}

// audited sets what a record of the audit log of Entra ID tells of a power. What was acted on stands in a list, as does what was changed of it.
func (o *observer) audited(e *event.Event, m means, x *logs.Observation) {
	var id, user, name []byte
	for _, n := range [...]string{"targetResources", "properties.targetResources", "TargetResources"} {
		each(o.list(get(e, n)), func(resource event.Value) {
			if _, why := o.outer.Scan(resource.Data); why != "" || len(user) > 0 {
				return
			}
			user = o.text(member(&o.outer, "userPrincipalName"))
			if id == nil {
				id, name = o.text(member(&o.outer, "id")), o.text(member(&o.outer, "displayName"))
			}
		})
	}
	target := user
	if len(target) == 0 {
		target = id
	}
	x.Kind = logs.Capability
	switch m {
	case meansConsent, meansPermissionGrant, meansAppRole, meansAppSecret, meansGrantPart, meansGrantRemoved:
		o.grant(e, m, x)
		if len(x.App) == 0 {
			x.App = id
		}
		if m == meansGrantPart {
			x.Target = target
		}
	case meansRole, meansRoleRemoved:
		x.Power, x.Inference, x.Target, x.ObjectKind = logs.Delegation, logs.RoleGiven, target, "role"
		if x.Object = o.changed(e, "Role.DisplayName"); len(x.Object) == 0 {
			x.Object = name
		}
		if m == meansRoleRemoved {
			x.Kind, x.Inference = logs.Containment, logs.PowerRemoved
		}
	case meansFederation:
		x.Power, x.Inference, x.Target = logs.Token, logs.RoleGiven, name
	case meansPassword:
		x.Kind, x.Power, x.Inference, x.Target = logs.Containment, logs.Password, logs.PasswordChanged, target
	case meansTokens:
		x.Kind, x.Power, x.Inference, x.Target = logs.Containment, logs.Token, logs.TokensRevoked, target
	case meansDisabled:
		x.Kind, x.Power, x.Inference, x.Target = logs.Containment, logs.Password, logs.AccountDisabled, target
	default:
		x.Kind = logs.Gap // of another log
	}
}
