package json

import (
	"strings"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/logsource"
)

// New returns the Format "json.lines": JSON that no other reader knows. Every value becomes a field of its dotted name.
// The time is taken from the first of a few usual names that the record has; content/fields/logs.yml
// says which log source the records have by their names.
func New() logs.Format {
	cache := NewCache(build)
	return logs.Format{
		Name: "json.lines",
		Sniff: func(s *logs.Source) logs.Certainty {
			_, ok := Sniff(s.Head)
			if !ok {
				return logs.No
			}
			return logs.Possible
		},
		Cutter: func(s *logs.Source) logs.Cutter { return CutterOf(s) },
		Parser: func() logs.Parser { return &parser{front: cache.Front()} },
	}
}

// CutterOf returns a Cutter for a source by its Head.
func CutterOf(s *logs.Source) *Cutter {
	l, ok := Sniff(s.Head)
	if !ok {
		l = &Layout{Lines: true}
	}
	return NewCutter(l)
}

// shape is what is built for a sequence of names.
type shape struct {
	shape *event.Shape
	time  int // slot, or -1
}

type parser struct {
	front  *Front[shape]
	record Record
}

func (p *parser) Parse(b *logs.Block, out *event.Batch) {
	byPath := zeekPath(b.Source.Path)
	for w := Walk(b, out); w.Next(&p.record); {
		r := &p.record
		also := zeekStream(r)
		if also == nil {
			also = byPath
		}
		s := p.front.Get(r, also)
		e := out.Add(s.shape)
		copy(e.Values, r.Values)
		if s.time >= 0 {
			e.Time = Time(e.Values[s.time])
		}
		e.Raw, e.Offset, e.Line = w.Raw, w.Offset, w.Line
	}
}

func (p *parser) Observe(_ *event.Event, obs []logs.Observation) []logs.Observation { return obs }

// timeNames are the names of times, the surest first.
var timeNames = [...]string{
	"@timestamp", "ts", "eventTime", "TimeCreated", "CreationTime", "createdDateTime", "activityDateTime", "TimeGenerated",
	"timestamp", "Timestamp", "time", "Time", "time_iso8601", "datetime", "date", "event_time", "eventTimestamp", "EventTime",
	"__REALTIME_TIMESTAMP", "published", "p_event_time",
}

// roleNames are the names that play each part, the surest first.
var roleNames = [event.NumRoles][]string{
	event.Host:      {"@system", "hostname", "host.name", "Computer", "computer_name", "DeviceName", "_HOSTNAME", "agent.hostname"},
	event.Client:    {"id.orig_h", "id_orig_h", "sourceIPAddress", "remote_addr", "client_ip", "clientip", "ClientIP", "src_ip", "source.ip", "remoteAddr", "ipAddress"},
	event.Account:   {"userIdentity.arn", "userIdentity.userName", "user.name", "username", "user", "UserId", "AccountUpn", "remote_user"},
	event.Session:   {"SessionId", "session_id", "sessionId"},
	event.UserAgent: {"user_agent", "userAgent", "http_user_agent", "user_agent.original", "UserAgent"},
}

func build(r *Record, also []byte) shape {
	names := r.Names()
	fields := make([]event.Field, len(names))
	has := make(map[string]int, len(names))
	for i, n := range names {
		fields[i].Name = n
		if _, ok := has[n]; !ok {
			has[n] = i
		}
	}
	all := func(names ...string) bool {
		for _, n := range names {
			if _, ok := has[n]; !ok {
				return false
			}
		}
		return true
	}
	variant := ""
	if len(also) > 0 && all("ts") && (all("uid") || all("fuid") || all("id") || all("name") || all("note") || all("_path") || all("@stream")) {
		variant = string(also) // the log of Zeek
	}
	s := shape{shape: logsource.Builtin().NewShape("json.lines", variant, fields), time: -1}
	for _, n := range timeNames {
		if slot, ok := has[n]; ok {
			s.time = slot
			break
		}
	}
	for role, names := range roleNames {
		for _, n := range names {
			if _, ok := has[n]; ok {
				s.shape.SetRole(event.Role(role), n)
				break
			}
		}
	}
	return s
}

// zeekLogs are the logs of Zeek that a file may be named for (Zeek documentation, "Zeek Log Formats and Inspection").
var zeekLogs = [...]string{"conn", "dns", "http", "files", "ftp", "ssl", "x509", "smtp", "ssh", "pe", "dhcp", "ntp", "smb_files",
	"smb_mapping", "smb_cmd", "ntlm", "kerberos", "dce_rpc", "rdp", "rfb", "irc", "ldap", "ldap_search", "quic", "postgresql",
	"snmp", "socks", "syslog", "tunnel", "weird", "notice", "dpd", "known_hosts", "known_services", "known_certs", "software",
	"mysql", "radius", "modbus", "dnp3", "sip", "traceroute", "intel", "signatures", "ocsp", "mqtt_connect", "wireguard"}

// zeekStream returns the name of the log that a Zeek record names itself, or nil.
func zeekStream(r *Record) []byte {
	for i := range min(3, len(r.Keys), len(r.Values)) {
		k := &r.Keys[i]
		if k.Open {
			return nil
		}
		if len(k.Name) == 5 && string(k.Name) == "_path" || len(k.Name) == 7 && string(k.Name) == "@stream" {
			if v := r.Values[i]; v.Kind == event.UTF8 && len(v.Data) <= 32 {
				return v.Data
			}
			return nil
		}
	}
	return nil
}

// zeekPath returns the name of the Zeek log that a file is named for, such as day1_http.log or dns.2020-05-01.log; or nil.
func zeekPath(path string) []byte {
	name := path[strings.LastIndexAny(path, `/\!`)+1:]
	name, _, _ = strings.Cut(name, ".")
	longest := ""
	for _, z := range zeekLogs {
		if len(z) > len(longest) && (name == z || strings.HasSuffix(name, z) && strings.ContainsRune("_-", rune(name[len(name)-len(z)-1]))) {
			longest = z
		}
	}
	if longest == "" {
		return nil
	}
	return []byte(longest)
}
