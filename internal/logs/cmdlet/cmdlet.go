// Package cmdlet says what a cmdlet of Exchange did, whichever log tells of it: the powers that it gave or took away, the mail that
// it let out, the logs that it switched off.
//
// What the parameters mean is from the reference of Exchange PowerShell (learn.microsoft.com/powershell/module/exchange).
package cmdlet

import (
	"bytes"

	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/fold"
)

// Call is one use of a cmdlet. All slices are views.
type Call struct {
	Name       []byte
	Parameters []byte
	Syntax     Syntax
}

// Observe appends what the call means to obs and returns the longer slice. base says what the log tells besides: who called, from
// where, through which channel, and whether it succeeded. A call that means nothing costs no allocation.
func Observe(c *Call, base logs.Observation, obs []logs.Observation) []logs.Observation {
	for i := range verbs {
		v := &verbs[i]
		if fold.Equal(c.Name, v.cmdlet) {
			base.Action, base.Bytes, base.Count = c.Name, -1, -1
			return v.does(c, base, obs)
		}
	}
	if fold.HasPrefix(c.Name, "set-") && fold.HasSuffix(c.Name, "virtualdirectory") {
		base.Action, base.Bytes, base.Count = c.Name, -1, -1
		return virtualDirectory(c, base, obs)
	}
	return obs
}

// verbs are in lower case.
var verbs = [...]struct {
	cmdlet string
	does   func(*Call, logs.Observation, []logs.Observation) []logs.Observation
}{
	{"new-inboxrule", newInboxRule},
	{"set-inboxrule", changeInboxRule},
	{"enable-inboxrule", changeInboxRule},
	{"disable-inboxrule", endInboxRule},
	{"remove-inboxrule", endInboxRule},
	{"new-transportrule", newTransportRule},
	{"set-transportrule", changeTransportRule},
	{"enable-transportrule", changeTransportRule},
	{"disable-transportrule", endTransportRule},
	{"remove-transportrule", endTransportRule},
	{"new-journalrule", journalRule},
	{"set-journalrule", journalRule},
	{"enable-journalrule", journalRule},
	{"disable-journalrule", endTransportRule},
	{"remove-journalrule", endTransportRule},
	{"install-transportagent", transportAgent},
	{"set-mailbox", setMailbox},
	{"set-casmailbox", noPower},
	{"add-mailboxpermission", permission},
	{"add-recipientpermission", permission},
	{"add-adpermission", permission},
	{"remove-mailboxpermission", endPermission},
	{"remove-recipientpermission", endPermission},
	{"remove-adpermission", endPermission},
	{"add-mailboxfolderpermission", folderPermission},
	{"set-mailboxfolderpermission", folderPermission},
	{"remove-mailboxfolderpermission", endFolderPermission},
	{"new-managementroleassignment", role},
	{"remove-managementroleassignment", endRole},
	{"add-rolegroupmember", role},
	{"update-rolegroupmember", role},
	{"new-rolegroup", role},
	{"remove-rolegroupmember", endRole},
	{"remove-rolegroup", endRole},
	{"new-mailboxexportrequest", export},
	{"search-mailbox", searchMailbox},
	{"new-mailboxsearch", searchMailbox},
	{"new-compliancesearchaction", searchAction},
	{"new-exchangecertificate", certificate},
	{"new-app", app},
	{"set-mailboxauditbypassassociation", auditBypass},
	{"set-adminauditlogconfig", auditConfig},
	{"set-organizationconfig", auditConfig},
	{"set-imapsettings", protocolLog},
	{"set-popsettings", protocolLog},
	{"set-adaccountpassword", password},
	{"set-user", password},
	{"disable-adaccount", disabled},
	{"disable-mailbox", disabled},
	{"revoke-spousersession", revoked},
	{"revoke-azureaduserallrefreshtoken", revoked},
	{"revoke-mgusersigninsession", revoked},
}

// get returns the value of the first of the parameters that is there and not null, names in lower case.
func (c *Call) get(names ...string) []byte {
	for _, want := range names {
		var found []byte
		c.Syntax.each(c.Parameters, func(name, value []byte) bool {
			if fold.Equal(name, want) && !null(value) {
				found = value
			}
			return found == nil
		})
		if found != nil {
			return found
		}
	}
	return nil
}

// has reports whether the parameter is there, whatever its value.
func (c *Call) has(want string) bool {
	there := false
	c.Syntax.each(c.Parameters, func(name, _ []byte) bool {
		there = there || fold.Equal(name, want)
		return !there
	})
	return there
}

// is reports whether a parameter that is a switch is there and on; off the like.
func (c *Call) is(name string) bool  { return truth(c.get(name)) == 1 }
func (c *Call) off(name string) bool { return truth(c.get(name)) == 0 }

func truth(v []byte) int {
	switch {
	case fold.Equal(v, "true"), fold.Equal(v, "$true"), string(v) == "1":
		return 1
	case fold.Equal(v, "false"), fold.Equal(v, "$false"), string(v) == "0":
		return 0
	}
	return -1
}

// null reports whether a value takes a setting away.
func null(v []byte) bool {
	return len(v) == 0 || fold.Equal(v, "$null") || string(v) == "null" || string(v) == "''" || string(v) == `""`
}

// noPower keeps that a setting was changed which lets nobody read by itself.
func noPower(c *Call, o logs.Observation, obs []logs.Observation) []logs.Observation {
	o.Kind, o.Target = logs.Capability, c.get("identity", "mailbox")
	return append(obs, o)
}

// where sets the mailbox and the name of an inbox rule: Identity may be mailbox\rule.
func where(c *Call, o *logs.Observation) {
	o.In, o.Object, o.ObjectKind = c.get("mailbox"), c.get("name", "identity"), "rule"
	if id := c.get("identity"); id != nil {
		o.Object = id
		if i := bytes.LastIndexByte(id, '\\'); i > 0 {
			o.Object = id[i+1:]
			if o.In == nil {
				o.In = id[:i]
			}
		}
	}
	if o.In == nil {
		o.In = o.Account // one's own
	}
}

var inboxTo = [...]string{"forwardto", "redirectto", "forwardasattachmentto", "sendtextmessagenotificationto"}

func newInboxRule(c *Call, o logs.Observation, obs []logs.Observation) []logs.Observation {
	o.Kind, o.Inference = logs.Capability, logs.RuleMade
	where(c, &o)
	return rules(c, o, obs, inboxTo[:], false)
}

// changeInboxRule reads a change of a rule that is there: it may forward although nothing is said of it.
func changeInboxRule(c *Call, o logs.Observation, obs []logs.Observation) []logs.Observation {
	o.Kind, o.Inference = logs.Capability, logs.RuleMade
	where(c, &o)
	return rules(c, o, obs, inboxTo[:], true)
}

// rules appends one observation for each of the parameters that says to whom mail goes. Where there is none, the rule has no power;
// or one to nobody knows whom, if it was there before.
func rules(c *Call, o logs.Observation, obs []logs.Observation, to []string, before bool) []logs.Observation {
	n := len(obs)
	for _, name := range to {
		if v := c.get(name); v != nil {
			o.Power, o.Target = logs.Rule, v
			obs = append(obs, o)
		}
	}
	if len(obs) > n {
		return obs
	}
	if before {
		o.Power = logs.Rule
	}
	return append(obs, o)
}

func endInboxRule(c *Call, o logs.Observation, obs []logs.Observation) []logs.Observation {
	o.Kind, o.Inference, o.Power = logs.Containment, logs.PowerRemoved, logs.Rule
	where(c, &o)
	o.Target = o.Object
	return append(obs, o)
}

var transportTo = [...]string{"blindcopyto", "copyto", "redirectmessageto", "addtorecipients", "moderatemessagebyuser", "generateincidentreport"}

func newTransportRule(c *Call, o logs.Observation, obs []logs.Observation) []logs.Observation {
	o.Kind, o.Inference, o.Object, o.ObjectKind = logs.Capability, logs.RuleMade, c.get("name"), "rule"
	return rules(c, o, obs, transportTo[:], false)
}

func changeTransportRule(c *Call, o logs.Observation, obs []logs.Observation) []logs.Observation {
	o.Kind, o.Inference, o.Object, o.ObjectKind = logs.Capability, logs.RuleMade, c.get("identity", "name"), "rule"
	return rules(c, o, obs, transportTo[:], true)
}

func journalRule(c *Call, o logs.Observation, obs []logs.Observation) []logs.Observation {
	o.Kind, o.Inference, o.Power = logs.Capability, logs.RuleMade, logs.Rule
	o.Object, o.ObjectKind = c.get("identity", "name"), "rule"
	o.In, o.Target = c.get("recipient"), c.get("journalemailaddress")
	return append(obs, o)
}

func endTransportRule(c *Call, o logs.Observation, obs []logs.Observation) []logs.Observation {
	o.Kind, o.Inference, o.Power = logs.Containment, logs.PowerRemoved, logs.Rule
	o.Object, o.ObjectKind = c.get("identity"), "rule"
	o.Target = o.Object
	return append(obs, o)
}

// transportAgent reads the installation of code that sees all mail.
func transportAgent(c *Call, o logs.Observation, obs []logs.Observation) []logs.Observation {
	o.Kind, o.Inference, o.Power = logs.Capability, logs.RuleMade, logs.Rule
	o.Object, o.ObjectKind, o.Target = c.get("name"), "rule", c.get("assemblypath")
	return append(obs, o)
}

func setMailbox(c *Call, o logs.Observation, obs []logs.Observation) []logs.Observation {
	o.In = c.get("identity")
	if o.In == nil {
		o.In = o.Account
	}
	n := len(obs)
	for _, name := range [...]string{"forwardingsmtpaddress", "forwardingaddress"} {
		r := o
		if r.Target = c.get(name); r.Target != nil {
			r.Kind, r.Inference, r.Power = logs.Capability, logs.RuleMade, logs.Rule
			obs = append(obs, r)
		}
	}
	if len(obs) == n {
		r := o
		switch {
		case c.is("delivertomailboxandforward"):
			r.Kind, r.Inference, r.Power = logs.Capability, logs.RuleMade, logs.Rule
			obs = append(obs, r)
		case c.has("forwardingsmtpaddress") || c.has("forwardingaddress"):
			r.Kind, r.Inference, r.Power = logs.Containment, logs.PowerRemoved, logs.Rule
			obs = append(obs, r)
		}
	}
	if to := c.get("grantsendonbehalfto"); to != nil {
		r := o
		r.Kind, r.Inference, r.Power, r.Target = logs.Capability, logs.DelegationGiven, logs.Delegation, to
		obs = append(obs, r)
	}
	if c.get("password", "roommailboxpassword") != nil {
		r := o
		r.Kind, r.Inference, r.Power, r.Target, r.In = logs.Containment, logs.PasswordChanged, logs.Password, o.In, nil
		obs = append(obs, r)
	}
	gap := func(reason string) {
		r := o
		r.Kind, r.Inference, r.Target, r.In = logs.Gap, reason, o.In, nil
		r.Object, r.ObjectKind = mailboxLog, "log"
		obs = append(obs, r)
	}
	age := c.get("auditlogagelimit")
	switch {
	case age != nil && !bytes.ContainsAny(age, "123456789"):
		gap(logs.GapCleared)
	case c.off("auditenabled"):
		gap(logs.GapDisabled)
	default:
		if c.is("auditenabled") {
			gap(logs.GapEnabled)
		}
		if c.has("auditowner") || c.has("auditdelegate") || c.has("auditadmin") {
			gap(logs.GapNarrowed)
		}
	}
	return obs
}

func permission(c *Call, o logs.Observation, obs []logs.Observation) []logs.Observation {
	o.Kind, o.Inference, o.Power = logs.Capability, logs.DelegationGiven, logs.Delegation
	if c.is("deny") {
		return obs
	}
	o.In, o.Target = c.get("identity"), c.get("user", "trustee", "owner")
	return append(obs, o)
}

func endPermission(c *Call, o logs.Observation, obs []logs.Observation) []logs.Observation {
	o.Kind, o.Inference, o.Power = logs.Containment, logs.PowerRemoved, logs.Delegation
	if c.is("deny") {
		return obs
	}
	o.In, o.Target = c.get("identity"), c.get("user", "trustee")
	return append(obs, o)
}

// folder sets the mailbox and folder of an identity such as ana:\Inbox.
func folder(c *Call, o *logs.Observation) {
	o.In, o.Target = c.get("identity"), c.get("user")
	if i := bytes.Index(o.In, []byte(`:\`)); i > 0 {
		o.In, o.Folder = o.In[:i], o.In[i+1:]
	}
}

func folderPermission(c *Call, o logs.Observation, obs []logs.Observation) []logs.Observation {
	folder(c, &o)
	o.Kind, o.Inference, o.Power = logs.Capability, logs.DelegationGiven, logs.Delegation
	if fold.Equal(c.get("accessrights"), "none") {
		o.Kind, o.Inference = logs.Containment, logs.PowerRemoved
	}
	return append(obs, o)
}

func endFolderPermission(c *Call, o logs.Observation, obs []logs.Observation) []logs.Observation {
	folder(c, &o)
	o.Kind, o.Inference, o.Power = logs.Containment, logs.PowerRemoved, logs.Delegation
	return append(obs, o)
}

// role reads the gift of an administrator's role: with it, every mailbox can be opened, or the right to be given to oneself.
// The roles of users over their own mailbox, whose names begin with My, are none.
func role(c *Call, o logs.Observation, obs []logs.Observation) []logs.Observation {
	o.Kind, o.Inference, o.Power = logs.Capability, logs.RoleGiven, logs.Delegation
	o.Object, o.ObjectKind = c.get("role", "identity", "name"), "role"
	o.Target = c.get("user", "member", "members", "securitygroup", "computer")
	if a := c.get("app"); a != nil && o.Target == nil {
		o.Power, o.App = logs.Grant, a
	}
	if len(o.Object) > 2 && string(o.Object[:2]) == "My" && 'A' <= o.Object[2] && o.Object[2] <= 'Z' {
		o.Power = logs.NoPower
	}
	return append(obs, o)
}

func endRole(c *Call, o logs.Observation, obs []logs.Observation) []logs.Observation {
	o.Kind, o.Inference, o.Power = logs.Containment, logs.PowerRemoved, logs.Delegation
	o.Object, o.ObjectKind = c.get("identity"), "role"
	if o.Target = c.get("member"); o.Target == nil {
		o.Target = o.Object
	}
	return append(obs, o)
}

// export reads New-MailboxExportRequest. With the path of a web page, it is no theft of mail but the writing of a web shell.
func export(c *Call, o logs.Observation, obs []logs.Observation) []logs.Observation {
	o.Object, o.ObjectKind, o.Target = c.get("mailbox"), "mailbox", c.get("filepath")
	o.Kind, o.Inference, o.Exposure = logs.Access, logs.ExportRequested, logs.Content
	page := script(o.Target)
	if page || c.get("contentfilter", "includefolders", "excludefolders", "sourcerootfolder") != nil {
		o.Inference = logs.ExportFiltered
	}
	if page {
		o.Exposure = logs.NoExposure
	}
	obs = append(obs, o)
	if page {
		obs = shell(o, obs)
	}
	return obs
}

// script reports whether a server runs a file of that name. Exchange may leave a bracket or quotation mark behind it.
func script(path []byte) bool {
	path = bytes.TrimRight(path, `"'<> .`)
	for _, end := range [...]string{".aspx", ".ashx", ".asmx", ".asp", ".cshtml", ".php", ".jsp"} {
		if fold.HasSuffix(path, end) {
			return true
		}
	}
	return false
}

// shell appends that a web shell was written. o says who and how; its Target is the file, or nil.
func shell(o logs.Observation, obs []logs.Observation) []logs.Observation {
	o.Kind, o.Inference, o.Power = logs.Capability, logs.ShellWritten, logs.HostPower
	o.Object, o.ObjectKind, o.Exposure = nil, "host", logs.NoExposure
	return append(obs, o)
}

func certificate(c *Call, o logs.Observation, obs []logs.Observation) []logs.Observation {
	if o.Target = c.get("requestfile"); !script(o.Target) {
		return obs
	}
	return shell(o, obs)
}

// virtualDirectory reads a URL that is no URL but a script: CVE-2021-27065.
func virtualDirectory(c *Call, o logs.Observation, obs []logs.Observation) []logs.Observation {
	for _, name := range [...]string{"externalurl", "internalurl"} {
		v := c.get(name)
		if i := bytes.IndexByte(v, '<'); i >= 0 {
			code := bytes.TrimLeft(v[i+1:], " ")
			if fold.HasPrefix(code, "script") || len(code) > 0 && code[0] == '%' {
				if p := ShellParameter(code); p != nil {
					o.Action = p
				}
				return shell(o, obs)
			}
		}
	}
	return obs
}

// ShellParameter returns the name of the request's parameter that the code of a web shell runs: x of Request["x"], Request.Form['x'] and
// the like; nil if it names none.
func ShellParameter(code []byte) []byte {
	for rest := code; ; {
		i := bytes.Index(rest, []byte("equest"))
		if i < 0 {
			return nil
		}
		rest = rest[i+len("equest"):]
		p := rest
		if len(p) > 0 && p[0] == '.' {
			n := 1
			for n < len(p) && letter(p[n]) {
				n++
			}
			p = p[n:]
		}
		p = bytes.TrimLeft(p, `[(\"' `)
		n := 0
		for n < len(p) && (letter(p[n]) || '0' <= p[n] && p[n] <= '9' || p[n] == '_' || p[n] == '-') {
			n++
		}
		if n > 0 && n < len(p) && n <= 64 && len(rest) > len(p) && bytes.IndexByte([]byte(`\"'`), p[n]) >= 0 {
			return p[:n:n]
		}
	}
}

// searchMailbox reads a copy of what was found in mailboxes into another.
func searchMailbox(c *Call, o logs.Observation, obs []logs.Observation) []logs.Observation {
	o.Kind, o.Inference, o.Exposure = logs.Access, logs.ExportRequested, logs.Content
	o.Object, o.ObjectKind, o.Target = c.get("identity", "sourcemailboxes"), "mailbox", c.get("targetmailbox")
	if o.Target == nil {
		return obs // only an estimate, or a deletion
	}
	if c.get("searchquery") != nil {
		o.Inference = logs.ExportFiltered
	}
	if c.is("logonly") {
		o.Exposure = logs.Metadata
	}
	return append(obs, o)
}

func searchAction(c *Call, o logs.Observation, obs []logs.Observation) []logs.Observation {
	o.Kind, o.Exposure, o.ObjectKind, o.Target = logs.Access, logs.Content, "mailbox", c.get("searchname")
	switch {
	case c.is("export"):
		o.Inference = logs.SearchExported
	case c.is("preview"):
		o.Inference, o.Exposure = logs.Searched, logs.Partial
	default:
		return obs
	}
	return append(obs, o)
}

func app(c *Call, o logs.Observation, obs []logs.Observation) []logs.Observation {
	o.Kind, o.Inference, o.Power = logs.Capability, logs.ConsentGiven, logs.Grant
	o.In, o.App = c.get("mailbox"), c.get("url", "etoken", "filedata")
	if len(o.App) > 200 {
		o.App = nil // the add-in itself
	}
	if o.In == nil && !c.is("organizationapp") {
		o.In = o.Account
	}
	return append(obs, o)
}

func auditBypass(c *Call, o logs.Observation, obs []logs.Observation) []logs.Observation {
	switch {
	case c.is("auditbypassenabled"):
		o.Inference = logs.GapBypass
	case c.off("auditbypassenabled"):
		o.Inference = logs.GapBypassEnded
	default:
		return obs
	}
	o.Kind, o.Target, o.Object, o.ObjectKind = logs.Gap, c.get("identity"), mailboxLog, "log"
	return append(obs, o)
}

func auditConfig(c *Call, o logs.Observation, obs []logs.Observation) []logs.Observation {
	o.Kind, o.ObjectKind = logs.Gap, "log"
	say := func(reason string, log []byte) {
		o.Inference, o.Object = reason, log
		obs = append(obs, o)
	}
	switch truth(c.get("unifiedauditlogingestionenabled")) {
	case 0:
		say(logs.GapDisabled, unifiedLog)
	case 1:
		say(logs.GapEnabled, unifiedLog)
	}
	switch truth(c.get("auditdisabled")) {
	case 1:
		say(logs.GapDisabled, mailboxLog)
	case 0:
		say(logs.GapEnabled, mailboxLog)
	}
	switch truth(c.get("adminauditlogenabled")) {
	case 0:
		say(logs.GapDisabled, adminLog)
	case 1:
		say(logs.GapEnabled, adminLog)
	}
	if c.has("adminauditlogcmdlets") || c.has("adminauditlogparameters") || c.has("adminauditlogexcludedcmdlets") {
		say(logs.GapNarrowed, adminLog)
	}
	return obs
}

// The logs that a switch is for.
var (
	unifiedLog = []byte(logs.UnifiedAuditLog)
	mailboxLog = []byte(logs.MailboxAuditLog)
	adminLog   = []byte(logs.AdminAuditLog)
	imapLog    = []byte(logs.IMAPLog)
	popLog     = []byte(logs.POPLog)
)

func protocolLog(c *Call, o logs.Observation, obs []logs.Observation) []logs.Observation {
	switch truth(c.get("protocollogenabled")) {
	case 0:
		o.Inference = logs.GapDisabled
	case 1:
		o.Inference = logs.GapEnabled
	default:
		return obs
	}
	o.Kind, o.Object, o.ObjectKind, o.In = logs.Gap, imapLog, "log", c.get("server")
	if fold.Equal(c.Name, "set-popsettings") {
		o.Object = popLog
	}
	return append(obs, o)
}

func password(c *Call, o logs.Observation, obs []logs.Observation) []logs.Observation {
	if fold.Equal(c.Name, "set-user") && c.get("password") == nil {
		return obs
	}
	o.Kind, o.Inference, o.Power, o.Target = logs.Containment, logs.PasswordChanged, logs.Password, c.get("identity")
	return append(obs, o)
}

func disabled(c *Call, o logs.Observation, obs []logs.Observation) []logs.Observation {
	o.Kind, o.Inference, o.Power, o.Target = logs.Containment, logs.AccountDisabled, logs.Password, c.get("identity")
	return append(obs, o)
}

func revoked(c *Call, o logs.Observation, obs []logs.Observation) []logs.Observation {
	o.Kind, o.Inference, o.Power, o.Target = logs.Containment, logs.TokensRevoked, logs.Token, c.get("identity", "user", "objectid", "userid")
	return append(obs, o)
}
