package main

import (
	"fmt"
	"time"
)

// imapTheft writes the mail log of a server, mx1, on which somebody guesses the password of ana, reads her mailbox and
// sends mail in her name.
func imapTheft(w *world) []byte {
	var j journal
	from := time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)
	to := time.Date(2026, 3, 4, 16, 0, 0, 0, time.UTC)
	stamp := func(t time.Time) string { return t.Format("2006-01-02T15:04:05.000000+00:00") + " mx1" }
	pid := func() int { return 1000 + w.IntN(60000) }
	session := func() string {
		const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
		s := make([]byte, 16)
		for i := range s {
			s[i] = letters[w.IntN(len(letters))]
		}
		return string(s)
	}
	visit := func(t time.Time, user, ip string, long time.Duration, out, bodies, bytes int) {
		s, p := session(), pid()
		j.add(t, "%s dovecot: imap-login: Login: user=<%s>, method=PLAIN, rip=%s, lip=10.1.0.25, mpid=%d, TLS, session=<%s>", stamp(t), user, ip, p, s)
		end := t.Add(long)
		j.add(end, "%s dovecot: imap(%s)<%d><%s>: Logged out in=%d out=%d deleted=0 expunged=0 trashed=0 hdr_count=%d hdr_bytes=%d body_count=%d body_bytes=%d",
			stamp(end), user, p, s, 300+w.IntN(900), out, bodies*2, bodies*410, bodies, bytes)
	}
	for t := from; t.Before(to); t = t.Add(time.Duration(20+w.IntN(160)) * time.Second) {
		p := w.people[w.IntN(len(w.people))]
		ip := p.office
		if h := t.Hour(); h < 6 || h > 17 {
			ip = p.home
		}
		n := w.IntN(12)
		visit(t, p.name, ip, time.Duration(2+w.IntN(900))*time.Second, 2_000+n*31_000, n, n*29_000)
		switch w.IntN(25) {
		case 0:
			j.add(t, "%s dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<%s>, method=PLAIN, rip=%s, lip=10.1.0.25, TLS, session=<%s>", stamp(t), p.name, ip, session())
		case 1, 2:
			id := fmt.Sprintf("%010X", w.Uint64()>>24)
			j.add(t, "%s postfix/submission/smtpd[%d]: %s: client=unknown[%s], sasl_method=PLAIN, sasl_username=%s", stamp(t), pid(), id, ip, p.name)
			j.add(t.Add(time.Second), "%s postfix/qmgr[812]: %s: from=<%s@corp.example>, size=%d, nrcpt=1 (queue active)", stamp(t.Add(time.Second)), id, p.name, 2000+w.IntN(90000))
			j.add(t.Add(2*time.Second), "%s postfix/smtp[%d]: %s: to=<office@partner.example>, relay=mx.partner.example[192.0.2.200]:25, delay=1.2, delays=0.1/0/0.5/0.6, dsn=2.0.0, status=sent (250 2.0.0 Ok)", stamp(t.Add(2*time.Second)), pid(), id)
		}
	}
	// Somebody guesses.
	const thief = "203.0.113.9"
	t := time.Date(2026, 3, 3, 1, 2, 0, 0, time.UTC)
	for range 46 {
		j.add(t, "%s dovecot: imap-login: Disconnected (auth failed, 2 attempts in 6 secs): user=<ana>, method=PLAIN, rip=%s, lip=10.1.0.25, TLS, session=<%s>", stamp(t), thief, session())
		t = t.Add(time.Duration(9+w.IntN(30)) * time.Second)
	}
	visit(t, "ana", thief, 27*time.Second, 9_120, 0, 0)
	visit(t.Add(3*time.Minute), "ana", thief, 345*time.Second, 18_400_233, 212, 18_214_400)
	at := t.Add(11 * time.Minute)
	for range 30 {
		id := fmt.Sprintf("%010X", w.Uint64()>>24)
		j.add(at, "%s postfix/submission/smtpd[%d]: %s: client=unknown[%s], sasl_method=LOGIN, sasl_username=ana", stamp(at), pid(), id, thief)
		j.add(at.Add(time.Second), "%s postfix/qmgr[812]: %s: from=<ana@corp.example>, size=4218, nrcpt=40 (queue active)", stamp(at.Add(time.Second)), id)
		at = at.Add(time.Duration(3+w.IntN(5)) * time.Second)
	}
	return j.all("\n")
}

// flood writes the access log of a public service that is flooded from many addresses.
func flood(w *world) []byte {
	var j journal
	from := time.Date(2026, 3, 9, 9, 30, 0, 0, time.UTC)
	add := func(t time.Time, ip, method, path string, status, size int, agent string) {
		j.add(t, `%s - - [%s] "%s %s HTTP/1.1" %d %d "-" "%s"`, ip, t.Format("02/Jan/2006:15:04:05 +0000"), method, path, status, size, agent)
	}
	paths := []string{"/", "/track", "/track?id=EX123456789", "/offices", "/assets/app.js", "/assets/app.css", "/api/tariffs", "/login"}
	for t := from; t.Before(from.Add(25 * time.Minute)); t = t.Add(time.Duration(100+w.IntN(900)) * time.Millisecond) {
		add(t, fmt.Sprintf("198.51.100.%d", w.IntN(250)), "GET", w.pick(paths), 200, 900+w.IntN(20000), w.pick(browsers))
	}
	begin := from.Add(18*time.Minute + 12*time.Second)
	for i := range 160 {
		ip := fmt.Sprintf("203.0.113.%d", 1+i)
		for range 90 {
			t := w.between(begin, begin.Add(100*time.Second))
			status, size := 200, 912
			if t.After(begin.Add(25 * time.Second)) {
				status, size = 503, 190
			}
			add(t, ip, "GET", "/", status, size, w.pick(browsers))
		}
	}
	return gzipOf(j.all("\n"))
}
