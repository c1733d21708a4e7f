package played_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// m365 plays a tenant whose audit log was exported day by day.
func m365(w *world) {
	w.exact = true
	l := &log{name: func(day time.Time) string { return "audit-" + day.Format("2006-01-02") + ".jsonl" }, silence: 45 * time.Minute}
	w.logs["audit"] = l
	l.anyOrder = true
	n := 0
	record := func(at time.Time, account string, fields map[string]any) {
		n++
		all := map[string]any{"CreationTime": at.Format("2006-01-02T15:04:05"), "Id": fmt.Sprintf("a0000000-0000-4000-8000-%012d", n), "OrganizationId": "0873ee4d-0000-0000-0000-000000000000",
			"RecordType": 50, "ResultStatus": "Succeeded", "UserType": 0, "Version": 1, "Workload": "Exchange", "UserId": account + "@example.org"}
		for k, v := range fields {
			all[k] = v
		}
		l.tagged(account+" "+fmt.Sprint(all["Operation"]), at, encode(all))
	}
	type pairs = []any
	pair := func(name, value string) map[string]any { return map[string]any{"Name": name, "Value": value} }
	login := func(at time.Time, b *box, ip, session string) {
		record(at, b.account, map[string]any{"Operation": "UserLoggedIn", "RecordType": 15, "Workload": "AzureActiveDirectory", "ClientIP": ip, "ActorIpAddress": ip, "ErrorNumber": "0",
			"ApplicationId": "00000002-0000-0ff1-ce00-000000000000", "DeviceProperties": pairs{pair("SessionId", session)}})
	}
	admin := func(at time.Time, operation string, fields map[string]any) {
		all := map[string]any{"Operation": operation, "RecordType": 1, "ClientIP": "198.51.100.2:50001"}
		for k, v := range fields {
			all[k] = v
		}
		record(at, "admin", all)
	}
	throttled := map[*box][]time.Time{} // since when, for a day each
	access := func(at time.Time, actor, b *box, ip, session, agent, kind string, throttle bool, more map[string]any) {
		logon := 0
		if actor != b {
			logon = 2
		}
		fields := map[string]any{"Operation": "MailItemsAccessed", "ClientIPAddress": ip, "ClientInfoString": agent, "LogonType": logon, "InternalLogonType": 0, "ExternalAccess": false,
			"MailboxOwnerUPN": b.account + "@example.org", "MailboxGuid": "96ab9c16-4d14-4711-8ee4-94cdd6434873",
			"OperationProperties": pairs{pair("MailAccessType", kind), pair("IsThrottled", map[bool]string{true: "True", false: "False"}[throttle])}}
		if session != "" {
			fields["SessionId"] = session
		}
		for k, v := range more {
			fields[k] = v
		}
		record(at, actor.account, fields)
	}
	bind := func(at time.Time, actor, b *box, ip, session, agent string, items []item, throttle bool, more map[string]any) {
		if len(items) == 0 || slices.ContainsFunc(throttled[b], func(since time.Time) bool { return !at.Before(since) && at.Before(since.Add(24*time.Hour)) }) {
			return
		}
		folders := map[string]pairs{}
		for _, m := range items {
			folders[m.folder] = append(folders[m.folder], map[string]any{"InternetMessageId": m.id})
		}
		var list pairs
		for _, f := range []string{"F-ARCHIVE", "F-INBOX", "F-SENT"} {
			if len(folders[f]) > 0 {
				list = append(list, map[string]any{"Id": f, "Path": "\\" + f, "FolderItems": folders[f]})
			}
		}
		all := map[string]any{"Folders": list, "OperationCount": len(items)}
		for k, v := range more {
			all[k] = v
		}
		access(at, actor, b, ip, session, agent, "Bind", throttle, all)
		if throttle {
			throttled[b] = append(throttled[b], at)
		}
	}
	// What keeps the log busy, so that a hole in it shows: a service that signs in.
	keeper := &box{account: "backup", home: "198.51.100.200"}
	step := 5 * time.Minute
	if w.baselineDays > 5 {
		step = 14 * time.Minute
	}
	login(w.begin, keeper, keeper.home, "SKEEP")
	w.again(l, w.to.Add(time.Hour), step, func(text string) string {
		n++
		return strings.Replace(text, "8000-000000000001", fmt.Sprintf("8000-%012d", n), 1)
	}, "2006-01-02T15:04:05")
	// Two weeks of who else there is: ten accounts make the export one of everybody.
	if w.one(2) {
		for i := range 10 {
			login(w.begin.Add(time.Duration(i)*time.Minute), &box{account: fmt.Sprintf("extra%d", i)}, fmt.Sprintf("192.0.2.%d", 20+i), fmt.Sprintf("SX%d", i))
		}
	} else {
		w.exact = false
	}
	w.owners(func(at time.Time, b *box, ip string) {
		s := "HOME-" + b.account
		login(at, b, ip, s)
		bind(at.Add(time.Minute), b, b, ip, s, "Client=OWA;"+b.agent, w.some(b.there(at, at)), false, nil)
	})
	session := 0
	w.attacks(func(at time.Time, b *box, ip string) {
		session++
		s := fmt.Sprintf("EVIL-%d", session)
		login(at, b, ip, s)
		w.used[b.account] = true
		start := at
		for range 1 + w.rng.IntN(3) {
			at = at.Add(time.Duration(1+w.rng.IntN(6)) * time.Minute)
			switch w.rng.IntN(9) {
			case 0: // Outlook fetches a folder
				f := b.items[w.rng.IntN(len(b.items))].folder
				access(at, b, b, ip, s, "Client=MSExchangeRPC", "Sync", false, map[string]any{"RecordType": 2, "ClientProcessName": "OUTLOOK.EXE",
					"Item": map[string]any{"Id": f, "ParentFolder": map[string]any{"Id": f, "Name": f, "Path": "Not Available"}}})
				w.exact = false // the rest of the mailbox is possible, too
				var in []item
				for _, m := range b.there(at, at) {
					if m.folder == f {
						in = append(in, m)
					}
				}
				w.got(b.account, in, in)
			case 1: // a right to another mailbox, and its use
				other := w.boxes[w.rng.IntN(len(w.boxes))]
				if other == b {
					break
				}
				record(at, b.account, map[string]any{"Operation": "Add-MailboxPermission", "RecordType": 1, "ClientIP": ip + ":50001", "SessionId": s, "ObjectId": other.account + "@example.org",
					"Parameters": pairs{pair("Identity", other.account+"@example.org"), pair("User", b.account+"@example.org"), pair("AccessRights", "FullAccess")}})
				at = at.Add(time.Minute)
				read := w.some(other.there(at, at))
				bind(at, b, other, ip, s, "Client=OWA;"+w.attacker.agent, read, false, nil)
				w.got(b.account, read, read)
				w.exact = false
			case 2: // a rule that sends on all that comes in from now on
				record(at, b.account, map[string]any{"Operation": "New-InboxRule", "RecordType": 1, "ClientIP": ip + ":50001", "SessionId": s, "ObjectId": b.account + "@example.org",
					"Parameters": pairs{pair("Name", "."), pair("ForwardTo", "thief@example.net")}})
				for _, m := range b.items {
					if m.received.After(at) && m.received.Before(w.end()) {
						w.got(b.account, []item{m}, nil)
					}
				}
				w.exact = false
			case 3: // an application, which then reads on by itself, whatever becomes of the password
				app := fmt.Sprintf("11111111-2222-3333-4444-%012d", session)
				record(at, b.account, map[string]any{"Operation": "Consent to application.", "RecordType": 8, "Workload": "AzureActiveDirectory", "ClientIP": ip, "ObjectId": app, "SessionId": s,
					"ModifiedProperties": pairs{map[string]any{"Name": "ConsentAction.Permissions", "OldValue": "", "NewValue": "[] => [[Id: x, ClientId: " + app + ", PrincipalId: y, ResourceId: z, ConsentType: Principal, Scope: Mail.Read offline_access]]"}},
					"Target":             pairs{map[string]any{"ID": app, "Type": 2}}})
				for range 1 + w.rng.IntN(3) {
					t := at.Add(time.Duration(w.rng.Int64N(int64(w.end().Sub(at))))).Truncate(time.Second)
					read := w.some(b.there(t, t))
					bind(t, b, b, "203.0.113.60", "", "Client=REST;;", read, false, map[string]any{"ClientAppId": app, "AppId": app})
					w.got(b.account, read, read)
				}
				w.exact = false
			default:
				read := w.some(b.there(at, at))
				throttle := w.one(8)
				bind(at, b, b, ip, s, "Client=OWA;"+w.attacker.agent, read, throttle, nil)
				if throttle {
					w.exact = false
				}
				w.got(b.account, read, read)
			}
		}
		if w.one(5) { // the password is changed; what he has of a token works on
			t := start.Add(time.Duration(w.rng.Int64N(int64(w.end().Sub(start))))).Truncate(time.Second)
			admin(t, "Reset user password.", map[string]any{"RecordType": 8, "Workload": "AzureActiveDirectory", "ClientIP": "198.51.100.2", "ObjectId": b.account + "@example.org",
				"Target": pairs{map[string]any{"ID": b.account + "@example.org", "Type": 5}}})
			if t = t.Add(time.Hour); t.Before(w.end()) && w.one(2) {
				read := w.some(b.there(t, t))
				bind(t, b, b, ip, s, "Client=OWA;"+w.attacker.agent, read, false, nil)
				w.got(b.account, read, read)
			}
		}
	}, func(at time.Time, b *box) {
		record(at, b.account, map[string]any{"Operation": "UserLoginFailed", "RecordType": 15, "Workload": "AzureActiveDirectory", "ClientIP": w.attacker.ip, "ActorIpAddress": w.attacker.ip,
			"ErrorNumber": "50126", "LogonError": "InvalidUserNameOrPassword"})
	})
	w.losses = append(w.losses, func() string { // the whole log is switched off for a while
		at := w.moment(time.Hour)
		on := at.Add(time.Duration(1+w.rng.IntN(40)) * time.Hour)
		l.lines = slices.DeleteFunc(l.lines, func(e entry) bool { return e.at.After(at) && e.at.Before(on) })
		for i, t := range []time.Time{at, on} {
			if t.Before(w.to) {
				admin(t, "Set-AdminAuditLogConfig", map[string]any{"Parameters": pairs{pair("UnifiedAuditLogIngestionEnabled", []string{"False", "True"}[i])}})
			}
		}
		return "switched off at " + at.Format(time.RFC3339)
	}, func() string { // nothing that one account does in mailboxes is recorded any more
		at := w.moment(time.Hour)
		b := w.boxes[w.rng.IntN(len(w.boxes))]
		l.lines = slices.DeleteFunc(l.lines, func(e entry) bool {
			return e.at.After(at) && e.tag == b.account+" MailItemsAccessed"
		})
		name := b.account + "@example.org"
		admin(at, "Set-MailboxAuditBypassAssociation", map[string]any{"ObjectId": name, "Parameters": pairs{pair("Identity", name), pair("AuditBypassEnabled", "True")}})
		return b.account + " is bypassed from " + at.Format(time.RFC3339)
	})
	if w.one(2) { // exported some days later: nothing of the window is still to come
		for day := w.to; day.Before(w.to.AddDate(0, 0, 3)); day = day.AddDate(0, 0, 1) {
			for i, b := range w.boxes {
				at := day.Add(9*time.Hour + time.Duration(i)*time.Minute)
				login(at, b, b.home, "HOME-"+b.account)
				bind(at.Add(time.Minute), b, b, b.home, "HOME-"+b.account, "Client=OWA;"+b.agent, b.there(at, at), false, nil)
			}
			login(day.Add(time.Hour), keeper, keeper.home, "SKEEP")
			w.again(l, day.Add(25*time.Hour), step, func(text string) string {
				n++
				return idOf.ReplaceAllString(text, fmt.Sprintf("8000-%012d", n))
			}, "2006-01-02T15:04:05")
		}
	} else { // a record of what he read last may come after the export
		w.exact = false
	}
	w.addresses()
}

// idOf is what differs between the identifiers of records.
var idOf = regexp.MustCompile(`8000-\d{12}`)
