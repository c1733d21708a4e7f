package played_test

import (
	"fmt"
	"time"
)

// dovecot plays an IMAP and POP3 server with syslog.
func dovecot(w *world) {
	if w.one(4) {
		east := w.rng.IntN(27) - 12
		w.zone = time.FixedZone(fmt.Sprintf("Etc/GMT%+d", -east), east*3600)
		w.zoneStated = !w.one(3)
	}
	w.jump()
	l := &log{name: func(day time.Time) string { return "mx1/mail.log-" + day.Format("20060102") }, silence: 50 * time.Minute}
	w.logs["mail.log"] = l
	age := w.rng.IntN(4) // 0: before 2.3, sessions end with bytes only; 3: 2.4
	pid, session := 1000, 0
	syslog := func(at time.Time, format string, args ...any) {
		l.add(at, "%s mx1 %s", w.now(at).In(w.zone).Format("Jan _2 15:04:05"), fmt.Sprintf(format, args...))
	}
	l.every(w.begin, w.to.Add(time.Hour), 5*time.Minute, func(t time.Time) string {
		return w.now(t).In(w.zone).Format("Jan _2 15:04:05") + " mx1 systemd[1]: Started Session of user root."
	})
	in := map[int]string{3: "Logged in"}[age]
	if in == "" {
		in = "Login"
	}
	// Of each message read in a session a number of parts is asked for, each of which counts.
	mailServer(w, habits{stays: 5, minutes: 14 * 60, pop3: 5, unended: 6}, func(at time.Time, b *box, ip, protocol string, long time.Duration, read, heads []item, ends bool) {
		pid++
		session++
		s := fmt.Sprintf("SES%d", session)
		syslog(at, "dovecot: %s-login: %s: user=<%s>, method=PLAIN, rip=%s, lip=192.0.2.10, mpid=%d, TLS, session=<%s>", protocol, in, b.account, ip, pid, s)
		bytes, out, bodies := 0, 800, 0
		for _, m := range read {
			bytes += m.size
			out += m.size + 60
			if protocol == "imap" {
				bodies += w.rng.IntN(4)
			}
			bodies++
		}
		out += 400 * len(heads)
		if !ends {
			return
		}
		end := at.Add(long)
		switch {
		case protocol == "pop3" && age == 0:
			syslog(end, "dovecot: pop3(%s): Disconnected: Logged out top=0/0, retr=%d/%d, del=0/%d, size=%d", b.account, len(read), bytes, len(heads), bytes)
		case protocol == "pop3":
			syslog(end, "dovecot: pop3(%s)<%d><%s>: Disconnected: Logged out top=0/0, retr=%d/%d, del=0/%d, size=%d", b.account, pid, s, len(read), bytes, len(heads), bytes)
		case age == 0 && pid%2 == 0:
			syslog(end, "dovecot: imap(%s): Disconnected: Logged out bytes=%d/%d", b.account, 200+len(read)*40, out)
		case age == 0:
			syslog(end, "dovecot: imap(%s): Logged out in=%d out=%d", b.account, 200+len(read)*40, out)
		default:
			reason := "Logged out"
			if age == 3 && w.one(3) {
				reason = "Disconnected: Connection closed (IDLE running for 0.001 + waiting input for 20.1 secs, 2 B in + 10 B out, state=wait-input)"
			}
			syslog(end, "dovecot: imap(%s)<%d><%s>: %s in=%d out=%d deleted=0 expunged=0 trashed=0 hdr_count=%d hdr_bytes=%d body_count=%d body_bytes=%d",
				b.account, pid, s, reason, 200+len(read)*40, out, len(heads), 400*len(heads), bodies, bytes)
		}
	}, func(at time.Time, b *box) {
		if age == 3 {
			syslog(at, "dovecot: imap-login: Login aborted: Connection closed (auth failed, 1 attempts in 2 secs) (auth_failed): user=<%s>, method=PLAIN, rip=%s, lip=192.0.2.10, TLS, session=<F%d>", b.account, w.attacker.ip, at.Unix())
			return
		}
		syslog(at, "dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<%s>, method=PLAIN, rip=%s, lip=192.0.2.10, TLS, session=<F%d>", b.account, w.attacker.ip, at.Unix())
	})
}
