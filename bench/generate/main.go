// Generate writes an invented log of any length: for measuring how much memory and time Barid takes for what the largest
// organisations have. It writes the same for the same flags.
//
//	go run ./bench/generate -log ual -n 10000000 | barid assess -o /tmp/case -
//	go run ./bench/generate -log iis -n 100000000 | barid assess -o /tmp/case -
//	go run ./bench/generate -log messages -n 1000000 -people 500 > messages.csv
package main

import (
	"bufio"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"time"
)

func main() {
	kind := flag.String("log", "ual", "which `log`: ual (Microsoft 365, MailItemsAccessed), iis (Exchange: OWA, EWS, ActiveSync), or messages (the list of an inventory)")
	n := flag.Int("n", 1_000_000, "how many `records`")
	people := flag.Int("people", 5000, "how many `people` use it")
	days := flag.Int("days", 90, "over how many `days`")
	flag.Parse()
	g := generator{random: rand.New(rand.NewPCG(1, uint64(*n))), people: *people, days: *days, n: *n, out: bufio.NewWriterSize(os.Stdout, 1<<20)}
	switch *kind {
	case "ual":
		g.ual()
	case "iis":
		g.iis()
	case "messages":
		g.messages()
	default:
		fmt.Fprintln(os.Stderr, "generate: no such log:", *kind)
		os.Exit(2)
	}
	if err := g.out.Flush(); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

type generator struct {
	random          *rand.Rand
	people, days, n int
	out             *bufio.Writer
	line            []byte
}

var begin = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// at returns when record i was written: they are in order, and spread evenly.
func (g *generator) at(i int) time.Time {
	span := time.Duration(g.days) * 24 * time.Hour
	return begin.Add(time.Duration(float64(span) / float64(g.n) * float64(i)))
}

func (g *generator) text(s string) { g.line = append(g.line, s...) }

func (g *generator) number(n int) { g.line = strconv.AppendInt(g.line, int64(n), 10) }

// hex appends so many digits of which n is the beginning.
func (g *generator) hex(n uint64, digits int) {
	const figures = "0123456789abcdef"
	for range digits {
		g.line = append(g.line, figures[n>>60])
		n = n<<4 | n>>60*0x9E3779B97F4A7C15>>59
	}
}

// guid appends an identifier that belongs to n.
func (g *generator) guid(n uint64) {
	n *= 0x9E3779B97F4A7C15
	for i, digits := range [...]int{8, 4, 4, 4, 12} {
		if i > 0 {
			g.line = append(g.line, '-')
		}
		g.hex(n*uint64(2*i+1)^n>>7, digits)
	}
}

func (g *generator) address(n int) {
	g.text("198.51.")
	g.number(n / 250 % 250)
	g.line = append(g.line, '.')
	g.number(n%250 + 1)
}

var agents = [...]string{"Client=OWA;Action=ViaProxy", "Client=MSExchangeRPC", "Client=REST;Client=RESTSystem;;", "Client=OutlookService;Outlook-iOS/2.0;"}

// who returns somebody who is at work: everybody is in one half hour of twelve.
func (g *generator) who(t time.Time) int {
	slot := uint64(t.Sub(begin) / (30 * time.Minute))
	for {
		person := g.random.IntN(g.people)
		if (uint64(person)*0x9E3779B97F4A7C15^slot*0xC2B2AE3D27D4EB4F)*0x9E3779B97F4A7C15>>32%12 == 0 {
			return person
		}
	}
}

// ual writes MailItemsAccessed as the Office 365 Management API hands it out, a record a line: everybody has two sessions a week, and a
// few folders; a record in ten is of a synchronisation.
func (g *generator) ual() {
	for i := range g.n {
		t := g.at(i)
		person := g.who(t)
		session := uint64(person)<<16 | uint64(t.Sub(begin)/(84*time.Hour))
		g.line = append(g.line[:0], `{"CreationTime":"`...)
		g.line = t.AppendFormat(g.line, "2006-01-02T15:04:05")
		g.text(`","Id":"`)
		g.guid(uint64(i) + 1<<40)
		sync := i%10 == 0
		if sync {
			g.text(`","Operation":"MailItemsAccessed","OrganizationId":"3c1d3a3e-6c53-4b6e-9f0a-1b8ed3f5a111","RecordType":2`)
		} else {
			g.text(`","Operation":"MailItemsAccessed","OrganizationId":"3c1d3a3e-6c53-4b6e-9f0a-1b8ed3f5a111","RecordType":50`)
		}
		g.text(`,"ResultStatus":"Succeeded","UserKey":"10032000F`)
		g.number(100000 + person)
		g.text(`","UserType":0,"Version":1,"Workload":"Exchange","UserId":"person`)
		g.number(person)
		g.text(`@example.org","AppId":"00000002-0000-0ff1-ce00-000000000000","ClientAppId":"","ClientIPAddress":"`)
		g.address(person + int(session)%3)
		g.text(`","ClientInfoString":"`)
		g.text(agents[session%uint64(len(agents))])
		g.text(`","ExternalAccess":false,"InternalLogonType":0,"LogonType":0,"LogonUserSid":"S-1-5-21-1-2-3-`)
		g.number(person)
		g.text(`","MailboxGuid":"`)
		g.guid(uint64(person))
		g.text(`","MailboxOwnerSid":"S-1-5-21-1-2-3-`)
		g.number(person)
		g.text(`","MailboxOwnerUPN":"person`)
		g.number(person)
		g.text(`@example.org","OperationProperties":[{"Name":"MailAccessType","Value":"`)
		if sync {
			g.text(`Sync`)
		} else {
			g.text(`Bind`)
		}
		g.text(`"},{"Name":"IsThrottled","Value":"False"}],"OrganizationName":"example.onmicrosoft.com","OriginatingServer":"AM0PR01MB0001 (15.20.4200.000)\r\n","SessionId":"`)
		g.guid(session)
		folder := uint64(person)<<8 | uint64(g.random.IntN(6))
		if sync {
			g.text(`","ClientProcessName":"OUTLOOK.EXE","ClientVersion":"16.0.1","Item":{"Id":"`)
			g.folder(folder)
			g.text(`","ParentFolder":{"Id":"`)
			g.folder(folder)
			g.text(`","Name":"Inbox","Path":"Not Available"}}}`)
		} else {
			g.text(`","Folders":[{"FolderItems":[`)
			items := 1 + g.random.IntN(3)
			for k := range items {
				if k > 0 {
					g.line = append(g.line, ',')
				}
				message := uint64(person)<<20 | uint64(g.random.IntN(2000))
				g.text(`{"Id":"RgAAAAD`)
				g.hex(message*0x9E3779B97F4A7C15, 60)
				g.text(`","InternetMessageId":"<`)
				g.hex(message*0xC2B2AE3D27D4EB4F, 32)
				g.text(`@mail.example.org>","SizeInBytes":`)
				g.number(2000 + int(message%90000))
				g.line = append(g.line, '}')
			}
			g.text(`],"Id":"`)
			g.folder(folder)
			g.text(`","Path":"\\Inbox"}],"OperationCount":`)
			g.number(items)
			g.line = append(g.line, '}')
		}
		g.line = append(g.line, '\n')
		if _, err := g.out.Write(g.line); err != nil {
			return
		}
	}
}

var folders = [...]string{"Inbox", "Sent Items", "Archive", "Deleted Items", "Projects", "Private"}

// messages writes the list of messages of an inventory: as many of each mailbox, of the year before the days.
func (g *generator) messages() {
	g.out.WriteString("mailbox,message_id,folder_id,folder,size,received\n")
	for i := range g.n {
		person, folder := i%g.people, g.random.IntN(len(folders))
		g.line = append(g.line[:0], "person"...)
		g.number(person)
		g.text("@example.org,<")
		g.hex(uint64(i+1)*0xC2B2AE3D27D4EB4F, 32)
		g.text("@mail.example.org>,")
		g.folder(uint64(person)<<8 | uint64(folder))
		g.text("," + folders[folder] + ",")
		g.number(2000 + g.random.IntN(90000))
		g.line = append(g.line, ',')
		received := begin.Add(-time.Duration(float64(365*24*time.Hour) / float64(g.n) * float64(g.n-i)))
		g.line = received.AppendFormat(g.line, "2006-01-02T15:04:05Z")
		g.line = append(g.line, '\n')
		if _, err := g.out.Write(g.line); err != nil {
			return
		}
	}
}

func (g *generator) folder(n uint64) {
	g.text("LgAAAAC")
	g.hex(n*0x9E3779B97F4A7C15, 56)
	g.text("AAAB")
}

const iisHead = "#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Date: 2026-01-05 00:00:00\n" +
	"#Fields: date time s-computername s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken\n"

// iis writes requests to four servers: most of a person's phone and web mail, some refused ones of guessers, the servers' own probes.
func (g *generator) iis() {
	g.out.WriteString(iisHead)
	for i := range g.n {
		t := g.at(i)
		person := g.who(t)
		server := person % 4
		g.line = t.AppendFormat(g.line[:0], "2006-01-02 15:04:05")
		g.text(" EX")
		g.number(server + 1)
		g.text(" 10.0.0.")
		g.number(server + 1)
		what := g.random.IntN(100)
		name := func() {
			g.text(" 443 EXAMPLE\\person")
			g.number(person)
			g.line = append(g.line, ' ')
			g.address(person + g.random.IntN(2))
		}
		switch {
		case what < 40:
			g.text(" POST /Microsoft-Server-ActiveSync/default.eas Cmd=Ping&User=person")
			g.number(person)
			g.text("&DeviceId=")
			g.hex(uint64(person+1)*0x9E3779B97F4A7C15, 20)
			g.text("&DeviceType=iPhone")
			g.reqID(i)
			name()
			g.text(" Apple-iPhone12C1/1801.85 - 200 0 0 ")
		case what < 65:
			g.text(" POST /owa/service.svc action=")
			g.text([...]string{"GetItem", "FindConversation", "GetConversationItems", "FindItem"}[what%4])
			g.reqID(i)
			name()
			g.text(" Mozilla/5.0+(Windows+NT+10.0;+Win64;+x64)+AppleWebKit/537.36 https://mail.example.org/owa/ 200 0 0 ")
		case what < 90:
			g.text(" POST /EWS/Exchange.asmx ")
			g.reqID(i)
			name()
			g.text(" Microsoft+Office/16.0+(Windows+NT+10.0;+Microsoft+Outlook+16.0.1) - 200 0 0 ")
		case what < 95:
			g.text(" GET /owa/healthcheck.htm ")
			g.reqID(i)
			g.text(" 443 - 127.0.0.1 AMProbe/Local/ClientAccess - 200 0 0 ")
		default:
			g.text(" POST /EWS/Exchange.asmx ")
			g.reqID(i)
			g.text(" 443 - 203.0.113.")
			g.number(g.random.IntN(250))
			g.text(" Go-http-client/1.1 - 401 1 1326 ")
		}
		g.number(g.random.IntN(900))
		g.line = append(g.line, '\n')
		if _, err := g.out.Write(g.line); err != nil {
			return
		}
	}
}

func (g *generator) reqID(i int) {
	g.text("&cafeReqId=")
	g.guid(uint64(i) + 1<<50)
	g.text(";")
}
