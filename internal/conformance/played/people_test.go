package played_test

import (
	"fmt"
	"strings"
	"time"
)

// people plays a Dovecot server to which people come by several names: their address, a login name that is not like it, the same in
// capitals or with a Windows domain. The list of mailboxes may know of these names or not.
func people(w *world) {
	known := w.one(2)
	names := map[*box][]string{}
	for i, b := range w.boxes {
		login := fmt.Sprintf("%c.person%d", 'k'+i, 70+i)
		list := [][]string{
			{login},
			{login, b.account + "@example.org"},
			{strings.ToUpper(login[:1]) + login[1:], login},
			{`CORP\` + login, login},
			{b.account + "@EXAMPLE.org", b.account + "@example.org"},
			{login, strings.ToUpper(login) + "@example.org"},
		}[w.rng.IntN(6)]
		names[b] = list
		for _, n := range list {
			w.names[n] = b.account
			w.names[strings.ToLower(n)] = b.account
		}
		if known {
			b.accounts = strings.Join(list, " ")
		}
	}
	l := &log{name: func(day time.Time) string { return "mx1/mail.log-" + day.Format("20060102") }, silence: 50 * time.Minute}
	w.logs["mail.log"] = l
	syslog := func(at time.Time, format string, args ...any) {
		l.add(at, "%s mx1 %s", at.Format("Jan _2 15:04:05"), fmt.Sprintf(format, args...))
	}
	l.every(w.begin, w.to.Add(time.Hour), 5*time.Minute, func(t time.Time) string {
		return t.Format("Jan _2 15:04:05") + " mx1 systemd[1]: Started Session of user root."
	})
	session := 0
	visit := func(at time.Time, b *box, ip string, read, heads []item) {
		session++
		name := names[b][w.rng.IntN(len(names[b]))]
		syslog(at, "dovecot: imap-login: Login: user=<%s>, method=PLAIN, rip=%s, lip=192.0.2.10, mpid=%d, TLS, session=<SES%d>", name, ip, 1000+session, session)
		bytes := 0
		for _, m := range read {
			bytes += m.size
		}
		syslog(at.Add(time.Minute), "dovecot: imap(%s)<%d><SES%d>: Logged out in=900 out=%d deleted=0 expunged=0 trashed=0 hdr_count=%d hdr_bytes=%d body_count=%d body_bytes=%d",
			name, 1000+session, session, 800+bytes+400*len(heads), len(heads), 400*len(heads), len(read), bytes)
	}
	w.owners(func(at time.Time, b *box, ip string) {
		if items := b.there(at, at); len(items) > 0 {
			visit(at, b, ip, w.some(items)[:1], items)
		}
	})
	w.attacks(func(at time.Time, b *box, ip string) {
		heads := b.there(at, at.Add(time.Minute))
		read := w.some(b.there(at, at.Add(time.Minute)))
		if w.one(4) {
			read = nil
		}
		visit(at, b, ip, read, heads)
		w.got(b.account, read, heads)
	}, func(at time.Time, b *box) {
		name := names[b][w.rng.IntN(len(names[b]))]
		syslog(at, "dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<%s>, method=PLAIN, rip=%s, lip=192.0.2.10, TLS, session=<F%d>", name, w.attacker.ip, at.Unix())
	})
	w.addresses()
}
