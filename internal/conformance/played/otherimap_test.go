package played_test

import (
	"fmt"
	"strings"
	"time"
)

// sizes returns how large some messages are together.
func sizes(items []item) (n int) {
	for _, m := range items {
		n += m.size
	}
	return n
}

// inbox returns those that POP3 hands out.
func inbox(items []item) (out []item) {
	for _, m := range items {
		if m.folder == "F-INBOX" {
			out = append(out, m)
		}
	}
	return out
}

// habits are how an attacker reads mail: that he stays for up to so many minutes, uses POP3, and that the end of his session is not told,
// each once in so many times.
type habits struct{ stays, minutes, pop3, unended int }

var usualHabits = habits{stays: 6, minutes: 10 * 60, pop3: 4, unended: 7}

// mailServer lets people and the attacker use a server of IMAP and POP3, whose log is also that of whatever else runs on it.
func mailServer(w *world, h habits, visit func(at time.Time, b *box, ip, protocol string, long time.Duration, read, heads []item, ends bool), fail func(at time.Time, b *box)) {
	w.owners(func(at time.Time, b *box, ip string) {
		if items := b.there(at, at); len(items) > 0 {
			visit(at, b, ip, "imap", 3*time.Minute, w.some(items)[:1], items, true)
		}
	})
	w.attacks(func(at time.Time, b *box, ip string) {
		long := time.Duration(10+w.rng.IntN(400)) * time.Second
		if w.one(h.stays) {
			long = min(time.Duration(1+w.rng.IntN(h.minutes))*time.Minute, w.end().Sub(at))
		}
		heads := b.there(at, at.Add(long))
		read, protocol := w.some(heads), "imap"
		if w.one(4) {
			read = nil
		}
		if w.one(h.pop3) {
			protocol, read, heads = "pop3", inbox(w.some(b.there(at, at))), nil
		}
		visit(at, b, ip, protocol, long, read, heads, !w.one(h.unended))
		w.got(b.account, read, heads)
	}, fail)
}

// busy makes a log's silence show: cron writes to it.
func (w *world) busy(l *log) {
	l.every(w.begin, w.to.Add(time.Hour), 5*time.Minute, func(t time.Time) string {
		return w.now(t).Format("Jan _2 15:04:05") + " mx1 CRON[991]: pam_unix(cron:session): session opened for user root by (uid=0)"
	})
}

// cyrus plays a server of Cyrus, with or without its log of traffic.
func cyrus(w *world) {
	w.jump()
	l := &log{name: func(day time.Time) string { return "mx1/syslog-" + day.Format("20060102") }, silence: 50 * time.Minute}
	if w.one(2) {
		l.name = func(day time.Time) string { return "mx1/mail.log-" + day.Format("20060102") }
	}
	w.logs["mail.log"] = l
	audit := w.one(2)
	syslog := func(at time.Time, format string, args ...any) {
		l.add(at, "%s mx1 %s", w.now(at).Format("Jan _2 15:04:05"), fmt.Sprintf(format, args...))
	}
	w.busy(l)
	n := 0
	mailServer(w, usualHabits, func(at time.Time, b *box, ip, protocol string, long time.Duration, read, heads []item, ends bool) {
		n++
		session := fmt.Sprintf("cyrus-%d-%d-1-%d", 700+n, at.Unix(), n)
		program := map[string]string{"imap": "imaps", "pop3": "pop3s"}[protocol]
		syslog(at, "cyrus/%s[%d]: login: host.example.net [%s] %s PLAIN+TLS User logged in SESSIONID=<%s>", program, 700+n, ip, b.account, session)
		if audit && ends {
			syslog(at.Add(long), "cyrus/%s[%d]: auditlog: traffic sessionid=<%s> bytes_in=3000 bytes_out=%d", program, 700+n, session, 700+400*len(heads)+sizes(read))
		}
	}, func(at time.Time, b *box) {
		syslog(at, "cyrus/imaps[%d]: badlogin: [%s] plaintext %s SASL(-13): authentication failure: checkpass failed", at.Unix()%30000, w.attacker.ip, b.account)
	})
	if w.one(3) {
		w.addresses()
	}
}

// courier plays a server of Courier.
func courier(w *world) {
	w.jump()
	l := &log{name: func(day time.Time) string { return "mx1/mail.log-" + day.Format("20060102") }, silence: 50 * time.Minute}
	w.logs["mail.log"] = l
	syslog := func(at time.Time, format string, args ...any) {
		l.add(at, "%s mx1 %s", w.now(at).Format("Jan _2 15:04:05"), fmt.Sprintf(format, args...))
	}
	w.busy(l)
	ssl := map[bool]string{true: "-ssl"}[w.one(2)]
	mailServer(w, usualHabits, func(at time.Time, b *box, ip, protocol string, long time.Duration, read, heads []item, ends bool) {
		program := map[string]string{"imap": "imapd", "pop3": "pop3d"}[protocol] + ssl
		syslog(at, "%s: Connection, ip=[::ffff:%s]", program, ip)
		syslog(at, "%s: LOGIN, user=%s, ip=[::ffff:%s], port=[4711], protocol=%s", program, b.account, ip, strings.ToUpper(protocol))
		if !ends {
			return
		}
		how := []string{"LOGOUT", "LOGOUT", "DISCONNECTED", "TIMEOUT"}[w.rng.IntN(4)]
		if protocol == "pop3" {
			syslog(at.Add(long), "%s: %s, user=%s, ip=[::ffff:%s], port=[4711], top=0, retr=%d, rcvd=60, sent=%d, time=%d", program, how, b.account, ip, sizes(read), sizes(read)+500, int(long.Seconds()))
			return
		}
		syslog(at.Add(long), "%s: %s, user=%s, ip=[::ffff:%s], headers=%d, body=%d, rcvd=500, sent=%d, time=%d", program, how, b.account, ip, 400*len(heads), sizes(read), 900+400*len(heads)+sizes(read), int(long.Seconds()))
	}, func(at time.Time, b *box) {
		syslog(at, "imapd%s: LOGIN FAILED, user=%s, ip=[::ffff:%s], port=[4711]", ssl, b.account, w.attacker.ip)
	})
	if w.one(3) {
		w.addresses()
	}
}

// events plays a Dovecot server that writes its events beside its log: which message was opened for what.
func events(w *world) {
	l := &log{name: func(day time.Time) string { return "mx1/mail.log-" + day.Format("20060102") }, silence: 50 * time.Minute}
	e := &log{name: func(day time.Time) string { return "mx1/events-" + day.Format("20060102") + ".jsonl" }, silence: 50 * time.Minute}
	w.logs["mail.log"], w.logs["events"] = l, e
	w.busy(l)
	syslog := func(at time.Time, format string, args ...any) {
		l.add(at, "%s mx1 %s", at.Format("Jan _2 15:04:05"), fmt.Sprintf(format, args...))
	}
	record := func(at time.Time, name string, fields map[string]any) {
		e.add(at, "%s", encode(map[string]any{"event": name, "hostname": "mx1", "start_time": at.Format("2006-01-02T15:04:05.000000Z"), "end_time": at.Format("2006-01-02T15:04:05.000000Z"),
			"categories": []string{"mail", "storage"}, "fields": fields}))
	}
	reasons := w.one(2) // since 2.3.18
	record(w.begin, "imap_command_finished", map[string]any{"user": "monitor", "session": "MON", "cmd_name": "NOOP", "tagged_reply_state": "OK", "net_in_bytes": 30, "net_out_bytes": 12})
	w.again(e, w.to.Add(time.Hour), 5*time.Minute, nil, "2006-01-02T15:04:05.000000Z")
	n := 0
	mailServer(w, usualHabits, func(at time.Time, b *box, ip, protocol string, long time.Duration, read, heads []item, ends bool) {
		n++
		s := fmt.Sprintf("SES%d", n)
		syslog(at, "dovecot: %s-login: Login: user=<%s>, method=PLAIN, rip=%s, lip=192.0.2.10, mpid=%d, TLS, session=<%s>", protocol, b.account, ip, 1000+n, s)
		record(at, "auth_request_finished", map[string]any{"user": b.account, "protocol": protocol, "remote_ip": ip, "session": s, "mechanism": "PLAIN", "success": "yes"})
		open := func(m item, why string) {
			uid := 0
			for i := range b.items {
				if b.items[i] == m {
					uid = i + 1
				}
			}
			fields := map[string]any{"user": b.account, "session": s, "mailbox": m.folder, "uid": uid}
			if reasons {
				fields["reason_code"] = []string{why}
			}
			record(at.Add(time.Second), "mail_opened", fields)
		}
		for _, m := range heads {
			open(m, "imap:fetch_header_fields")
		}
		for _, m := range read {
			open(m, map[string]string{"imap": "imap:fetch_body", "pop3": "pop3:cmd_retr"}[protocol])
		}
		if !ends {
			return
		}
		at = at.Add(long)
		if protocol == "pop3" {
			syslog(at, "dovecot: pop3(%s)<%d><%s>: Disconnected: Logged out top=0/0, retr=%d/%d, del=0/%d, size=%d", b.account, 1000+n, s, len(read), sizes(read), len(read), sizes(read))
			return
		}
		syslog(at, "dovecot: imap(%s)<%d><%s>: Logged out in=900 out=%d deleted=0 expunged=0 trashed=0 hdr_count=%d hdr_bytes=%d body_count=%d body_bytes=%d",
			b.account, 1000+n, s, 800+sizes(read)+400*len(heads), len(heads), 400*len(heads), len(read), sizes(read))
	}, func(at time.Time, b *box) {
		syslog(at, "dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<%s>, method=PLAIN, rip=%s, lip=192.0.2.10, TLS, session=<F%d>", b.account, w.attacker.ip, at.Unix())
		record(at, "auth_request_finished", map[string]any{"user": b.account, "protocol": "imap", "remote_ip": w.attacker.ip, "session": fmt.Sprintf("F%d", at.Unix()), "mechanism": "PLAIN"})
	})
	if w.one(3) {
		w.addresses()
	}
}
