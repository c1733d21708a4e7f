package m365

import (
	"bytes"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
)

// power observes what gives a power or takes it away.
func (o *observer) power(e *event.Event, m means, x logs.Observation, obs []logs.Observation) []logs.Observation {
	if isService(x.Account) { // Exchange Online does these things by itself all day long
		return obs
	}
	x.Kind = logs.Capability
	switch m {
	case meansInboxRule:
		x.In, x.Target = o.ruleMailbox(e, x.Account), o.first(e, "Parameters.ForwardTo", "Parameters.RedirectTo", "Parameters.ForwardAsAttachmentTo")
		x.Object, x.ObjectKind = o.first(e, "Parameters.Name", "Parameters.Identity"), "rule"
		// A new rule says all that it does; a changed one may forward as it did before.
		if len(x.Target) > 0 || string(x.Action) != "New-InboxRule" && string(x.Action) != "New-SweepRule" {
			x.Power, x.Inference = logs.Rule, logs.RuleMade
		}
	case meansMailRule:
		x.Object, x.ObjectKind = o.first(e, "Parameters.Name", "Parameters.Identity"), "rule"
		x.Target = o.first(e, "Parameters.BlindCopyTo", "Parameters.RedirectMessageTo", "Parameters.CopyTo", "Parameters.AddToRecipients",
			"Parameters.JournalEmailAddress", "Parameters.SmartHosts", "Parameters.ModerateMessageByUser", "Parameters.RouteMessageOutboundConnector")
		if len(x.Target) > 0 || !bytes.HasPrefix(x.Action, []byte("New-")) {
			x.Power, x.Inference = logs.Rule, logs.RuleMade
		}
	case meansOutlookRules:
		o.outlookRule(e, &x)
	case meansForwarding:
		return o.forwarding(e, x, obs)
	case meansRuleRemoved:
		x.Kind, x.Power, x.Inference = logs.Containment, logs.Rule, logs.PowerRemoved
		x.Object, x.ObjectKind = o.first(e, "Parameters.Identity", "ObjectId"), "rule"
		x.Target = x.Object
		if string(x.Action) == "Remove-InboxRule" || string(x.Action) == "Disable-InboxRule" || string(x.Action) == "Remove-SweepRule" {
			x.In = o.ruleMailbox(e, x.Account)
		}
	case meansPermission, meansPermissionRemoved:
		x.In = o.target(e)
		x.Target = shortName(o.first(e, "Parameters.User", "Parameters.Trustee", "Parameters.GrantSendOnBehalfTo", "Item.ParentFolder.MemberUpn"))
		x.Object, x.ObjectKind = x.In, "mailbox"
		if i := bytes.Index(x.In, []byte(`:\`)); i > 0 { // ana@example.org:\Calendar
			x.In, x.Folder = x.In[:i], x.In[i+1:]
			x.Object, x.ObjectKind = x.Folder, "folder"
		}
		x.Power, x.Inference = logs.Delegation, logs.DelegationGiven
		if m == meansPermissionRemoved {
			x.Kind, x.Inference = logs.Containment, logs.PowerRemoved
		} else if is(e, "Parameters.AccessRights", "None") {
			return obs
		}
	case meansFolderPermission:
		return o.folderPermission(e, x, obs)
	case meansConsent, meansPermissionGrant, meansAppRole, meansAppSecret, meansGrantPart, meansGrantRemoved:
		o.grant(e, m, &x)
	case meansRole, meansRoleRemoved:
		x.Power, x.Inference = logs.Delegation, logs.RoleGiven
		if m == meansRoleRemoved {
			x.Kind, x.Inference = logs.Containment, logs.PowerRemoved
		}
		x.Object = o.first(e, "Parameters.Role", "ModifiedProperties.Role.DisplayName.NewValue", "Parameters.Identity")
		x.ObjectKind = "role"
		x.Target = shortName(o.first(e, "Parameters.User", "Parameters.Member", "Parameters.SecurityGroup", "ObjectId"))
	case meansFederation:
		x.Power, x.Inference, x.Target = logs.Token, logs.RoleGiven, o.first(e, "ObjectId")
	case meansPassword:
		x.Kind, x.Power, x.Inference, x.Target = logs.Containment, logs.Password, logs.PasswordChanged, o.first(e, "ObjectId")
	case meansTokens:
		x.Kind, x.Power, x.Inference, x.Target = logs.Containment, logs.Token, logs.TokensRevoked, o.first(e, "ObjectId")
	case meansDisabled:
		x.Kind, x.Power, x.Inference, x.Target = logs.Containment, logs.Password, logs.AccountDisabled, o.first(e, "ObjectId")
	default:
		return obs
	}
	return append(obs, x)
}

// forwardings are the two ways in which a mailbox forwards all that arrives.
var forwardings = [...]struct{ field, name string }{
	{"Parameters.ForwardingSmtpAddress", "ForwardingSmtpAddress"}, {"Parameters.ForwardingAddress", "ForwardingAddress"},
}

// forwarding observes Set-Mailbox: each way to forward that was set or emptied.
func (o *observer) forwarding(e *event.Event, x logs.Observation, obs []logs.Observation) []logs.Observation {
	x.In, x.ObjectKind, x.Power = o.target(e), "rule", logs.Rule
	n := len(obs)
	for _, f := range forwardings {
		if e.Shape.Slot(f.field) < 0 {
			continue
		}
		x.Object, x.Target = []byte(f.name), o.first(e, f.field)
		x.Kind, x.Inference = logs.Capability, logs.RuleMade
		if len(x.Target) == 0 {
			x.Kind, x.Inference = logs.Containment, logs.PowerRemoved
		}
		obs = append(obs, x)
	}
	if len(obs) == n && is(e, "Parameters.DeliverToMailboxAndForward", "true") { // to where was set before
		x.Inference = logs.RuleMade
		obs = append(obs, x)
	}
	return obs
}

// ruleMailbox returns whose mailbox an inbox rule is of: the one that was named, else that of whoever made it.
func (o *observer) ruleMailbox(e *event.Event, account []byte) []byte {
	if m := o.first(e, "Parameters.Mailbox", "MailboxOwnerUPN"); len(m) > 0 {
		return shortName(m)
	}
	// ana@example.org\1234567890, or a path that ends with the mailbox and the rule.
	for _, n := range [...]string{"Parameters.Identity", "ObjectId"} {
		id := o.first(e, n)
		if i := bytes.LastIndexByte(id, '\\'); i > 0 {
			return shortName(id[:i])
		}
	}
	return account
}

// target returns over which mailbox or account a power was given.
func (o *observer) target(e *event.Event) []byte {
	return shortName(o.first(e, "MailboxOwnerUPN", "Parameters.Identity", "ObjectId"))
}

// shortName returns the last part of a path of the directory: "ana" of "EURPR01.PROD/Microsoft Exchange Hosted Organizations/example.org/ana".
func shortName(p []byte) []byte {
	if bytes.Contains(p, []byte("/Microsoft Exchange Hosted Organizations/")) {
		return p[bytes.LastIndexByte(p, '/')+1:]
	}
	return p
}

// outlookRule observes UpdateInboxRules, the rules that Outlook writes.
func (o *observer) outlookRule(e *event.Event, x *logs.Observation) {
	x.In = o.mailbox(e, x.Account)
	x.Object, x.ObjectKind = o.first(e, "OperationProperties.RuleName", "OperationProperties.RuleId"), "rule"
	operation := o.first(e, "OperationProperties.RuleOperation")
	actions := o.first(e, "OperationProperties.RuleActions", "OperationProperties.ServerRule")
	switch {
	case bytes.HasPrefix(operation, []byte("Remove")), bytes.HasPrefix(operation, []byte("Delete")):
		x.Kind, x.Power, x.Inference, x.Target = logs.Containment, logs.Rule, logs.PowerRemoved, x.Object
	case len(actions) == 0:
		x.Power, x.Inference = logs.Rule, logs.RuleMade
	case bytes.Contains(actions, []byte("orward")), bytes.Contains(actions, []byte("edirect")), bytes.Contains(actions, []byte("elegate")):
		x.Power, x.Inference, x.Target = logs.Rule, logs.RuleMade, actions
	}
}

// folderPermission observes rights over one folder. Outlook on the web and new groups give such to nobody and to everybody of theirs by themselves.
func (o *observer) folderPermission(e *event.Event, x logs.Observation, obs []logs.Observation) []logs.Observation {
	var rights []byte
	if o.scanItem(e) {
		rights, x.Target = o.text(member(&o.item, "ParentFolder.MemberRights")), o.text(member(&o.item, "ParentFolder.MemberUpn"))
		x.Folder = o.text(member(&o.item, "ParentFolder.Id"))
	} else {
		rights, x.Target = o.first(e, "Item.ParentFolder.MemberRights"), o.first(e, "Item.ParentFolder.MemberUpn")
		x.Folder = o.first(e, "Item.ParentFolder.Id", "Item.Id")
	}
	if len(rights) == 0 || string(rights) == "None" || bytes.HasSuffix(x.Target, []byte("@local")) {
		return obs
	}
	x.In, x.Channel = o.mailbox(e, x.Account), client(e)
	x.Object, x.ObjectKind = x.Folder, "folder"
	if len(x.Folder) == 0 {
		x.Object, x.ObjectKind = x.In, "mailbox"
	}
	x.Power, x.Inference = logs.Delegation, logs.DelegationGiven
	return append(obs, x)
}

// grant observes what an application was allowed.
func (o *observer) grant(e *event.Event, m means, x *logs.Observation) {
	x.Power, x.Inference = logs.Grant, logs.ConsentGiven
	changed := func(name string) []byte { return o.changed(e, name) }
	switch m {
	case meansConsent:
		if x.App = o.first(e, "ObjectId"); len(x.App) == 0 { // Entra ID's own log has the identifier among the names
			x.App, _, _ = bytes.Cut(changed("TargetId.ServicePrincipalNames"), []byte(";"))
		}
		permissions := changed("ConsentAction.Permissions")
		x.Target = scopes(permissions)
		alone := bytes.EqualFold(changed("ConsentContext.OnBehalfOfAll"), []byte("false")) || bytes.Contains(permissions, []byte("ConsentType: Principal"))
		if alone && !bytes.EqualFold(changed("ConsentContext.IsAppOnly"), []byte("true")) && !bytes.Contains(permissions, []byte("AllPrincipals")) {
			x.In = x.Account
		}
	case meansPermissionGrant:
		x.App, x.Target = changed("ServicePrincipal.AppId"), bytes.TrimSpace(changed("DelegatedPermissionGrant.Scope"))
		if len(x.App) == 0 {
			x.App = changed("ServicePrincipal.ObjectID")
		}
		if kind := changed("DelegatedPermissionGrant.ConsentType"); bytes.EqualFold(bytes.Trim(kind, `" `), []byte("Principal")) {
			x.In = x.Account
		}
	case meansAppRole:
		x.App, x.Target = changed("ServicePrincipal.AppId"), changed("AppRole.Value")
		if len(x.App) == 0 {
			x.App = changed("ServicePrincipal.ObjectID")
		}
	case meansAppSecret:
		x.App = o.first(e, "ObjectId")
		if i := bytes.LastIndexByte(x.App, '_'); i > 0 { // Application_<identifier>
			x.App = x.App[i+1:]
		}
	case meansGrantPart:
		x.Power, x.Inference = logs.NoPower, ""
		x.Target = o.first(e, "ObjectId")
	case meansGrantRemoved:
		x.Kind, x.Inference = logs.Containment, logs.PowerRemoved
		x.App = changed("ServicePrincipal.AppId")
		if x.Target = o.first(e, "ObjectId"); len(x.App) == 0 {
			x.App = x.Target
		}
	}
	x.App, x.Target = unquote(x.App), unquote(x.Target)
}

// unquote returns a value that Entra ID writes as "x" or ["x"] without these.
func unquote(p []byte) []byte { return bytes.Trim(p, "[]\" \r\n") }

// changed returns the new value of a modified property: a field of the unified audit log; in the log of Entra ID it stands in the list of what was changed.
func (o *observer) changed(e *event.Event, name string) []byte {
	if v := o.first(e, "ModifiedProperties."+name+".NewValue"); len(v) > 0 {
		return v
	}
	var found []byte
	for _, n := range [...]string{"targetResources", "properties.targetResources", "TargetResources"} {
		each(o.list(get(e, n)), func(resource event.Value) {
			if _, why := o.outer.Scan(resource.Data); why != "" || found != nil {
				return
			}
			each(member(&o.outer, "modifiedProperties"), func(property event.Value) {
				if _, why := o.item.Scan(property.Data); why == "" && string(o.text(member(&o.item, "displayName"))) == name && found == nil {
					found = unquote(o.text(member(&o.item, "newValue")))
				}
			})
		})
	}
	return found
}

// scopes returns the scopes in "[] => [[Id: x, …, ConsentType: Principal, Scope:  Mail.Read openid]]; ", or all of the text where it lists several grants.
func scopes(p []byte) []byte {
	i := bytes.LastIndex(p, []byte("Scope:"))
	if i < 0 || bytes.Count(p, []byte("Scope:")) > 1 {
		return p
	}
	p = p[i+len("Scope:"):]
	if end := bytes.IndexAny(p, "],"); end >= 0 {
		p = p[:end]
	}
	return bytes.TrimSpace(p)
}

// auditing observes what is recorded no more from now on, or again.
func (o *observer) auditing(e *event.Event, x logs.Observation, obs []logs.Observation) []logs.Observation {
	if isService(x.Account) {
		return obs
	}
	x.Kind, x.ObjectKind = logs.Gap, "log"
	say := func(reason string, log, whom []byte) {
		x.Inference, x.Target, x.Object = reason, whom, log
		obs = append(obs, x)
	}
	for _, s := range [...]struct {
		parameter, on, off string
		log                []byte
	}{
		{"Parameters.UnifiedAuditLogIngestionEnabled", "true", "false", unifiedLog},
		{"Parameters.AdminAuditLogEnabled", "true", "false", adminLog},
		{"Parameters.AuditDisabled", "false", "true", mailboxLog},
	} {
		switch {
		case is(e, s.parameter, s.off):
			say(logs.GapDisabled, s.log, nil)
		case is(e, s.parameter, s.on):
			say(logs.GapEnabled, s.log, nil)
		}
	}
	switch {
	case is(e, "Parameters.AuditEnabled", "false"):
		say(logs.GapDisabled, mailboxLog, o.target(e))
	case is(e, "Parameters.AuditEnabled", "true"):
		say(logs.GapEnabled, mailboxLog, o.target(e))
	}
	switch {
	case is(e, "Parameters.AuditBypassEnabled", "true"):
		say(logs.GapBypass, mailboxLog, o.target(e))
	case is(e, "Parameters.AuditBypassEnabled", "false"):
		say(logs.GapBypassEnded, mailboxLog, o.target(e))
	}
	if narrowed(e) {
		say(logs.GapNarrowed, mailboxLog, o.target(e))
	}
	return obs
}

// The logs that a switch is for.
var (
	unifiedLog = []byte(logs.UnifiedAuditLog)
	mailboxLog = []byte(logs.MailboxAuditLog)
	adminLog   = []byte(logs.AdminAuditLog)
)

// narrowed reports whether a set of audited actions of a mailbox was set without MailItemsAccessed, or something was taken out of it.
func narrowed(e *event.Event) bool {
	for _, n := range [...]string{"Parameters.AuditOwner", "Parameters.AuditDelegate", "Parameters.AuditAdmin"} {
		if e.Shape.Slot(n) < 0 {
			continue
		}
		v := get(e, n).Data
		if !bytes.Contains(v, []byte("MailItemsAccessed")) || bytes.Contains(v, []byte("emove")) {
			return true
		}
	}
	return false
}
