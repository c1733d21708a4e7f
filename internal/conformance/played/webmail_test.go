package played_test

import (
	"fmt"
	"time"
)

// webmail plays Roundcube behind nginx, before a Dovecot server that is reached by IMAP as well. Dovecot sees the web server's
// address only, so that who it was stands in nginx' log and in Roundcube's own of logins, if there is one.
func webmail(w *world) {
	w.jump()
	host := "10.0.0.7"
	if w.one(3) || len(w.boxes) < 3 {
		host = "192.0.2.25"
		w.serviceIPs = append(w.serviceIPs, host)
	} else if w.one(4) {
		host = "127.0.0.1"
	}
	mail := &log{name: func(day time.Time) string { return "mx1/mail.log-" + day.Format("20060102") }, silence: 50 * time.Minute}
	w.logs["mail.log"] = mail
	web := &log{name: func(day time.Time) string { return "web1/access.log-" + day.Format("20060102") }, silence: 40 * time.Minute}
	if !w.one(5) {
		w.logs["nginx"] = web
	}
	// Nobody signs in so often that a hole in it would show; it is lost as a whole or by files.
	logins := &log{name: func(day time.Time) string { return "web1/userlogins.log-" + day.Format("20060102") }, silence: 20 * 24 * time.Hour}
	if w.one(2) {
		w.logs["userlogins"] = logins
	}
	if w.logs["nginx"] == nil && w.logs["userlogins"] == nil {
		w.lost = append(w.lost, "no log of web mail")
	}
	stamp := func(at time.Time) string { return w.now(at).Format("Jan _2 15:04:05") }
	mail.every(w.begin, w.to.Add(time.Hour), 5*time.Minute, func(t time.Time) string {
		return stamp(t) + " mx1 systemd[1]: Started Session of user root."
	})
	request := func(at time.Time, ip, method, query string, status, bytes int, agent string) {
		web.add(at, `%s - - [%s] "%s /?%s HTTP/1.1" %d %d "-" "%s"`, ip, w.now(at).Format("02/Jan/2006:15:04:05 -0700"), method, query, status, bytes, agent)
	}
	web.every(w.begin, w.to.Add(time.Hour), 5*time.Minute, func(t time.Time) string {
		return fmt.Sprintf(`192.0.2.77 - - [%s] "GET /status.php HTTP/1.1" 200 180 "-" "monitor"`, w.now(t).Format("02/Jan/2006:15:04:05 -0700"))
	})
	sessions := 0
	connect := func(at time.Time, b *box, ip string, long time.Duration, heads, bodies, bytes int) {
		sessions++
		s := fmt.Sprintf("SES%d", sessions)
		mail.add(at, "%s mx1 dovecot: imap-login: Login: user=<%s>, method=PLAIN, rip=%s, lip=192.0.2.10, mpid=%d, TLS, session=<%s>", stamp(at), b.account, ip, 1000+sessions, s)
		at = at.Add(long)
		mail.add(at, "%s mx1 dovecot: imap(%s)<%d><%s>: Logged out in=200 out=%d deleted=0 expunged=0 trashed=0 hdr_count=%d hdr_bytes=%d body_count=%d body_bytes=%d",
			stamp(at), b.account, 1000+sessions, s, 600+400*heads+bytes, heads, 400*heads, bodies, bytes)
	}
	uid := func(b *box, m item) int {
		for i, x := range b.items {
			if x == m {
				return i + 1
			}
		}
		return 0
	}
	// browse is a visit through the browser: a login, the list, and some messages, for each of which the web server connects anew.
	browse := func(at time.Time, b *box, ip, agent string, read, listed []item) {
		request(at, ip, "POST", "_task=login", 302, 0, agent)
		logins.add(at, "[%s]: <%08x> Successful login for %s (ID: %d) from %s in session %08x%08x", w.now(at).Format("02-Jan-2006 15:04:05 -0700"), at.Unix(), b.account, len(b.home), ip, at.Unix(), at.Unix())
		connect(at, b, host, time.Second, 0, 0, 0)
		at = at.Add(2 * time.Second)
		request(at, ip, "GET", "_task=mail&_mbox=INBOX&_action=list&_remote=1", 200, 300*len(listed)+2000, agent)
		connect(at, b, host, time.Second, len(listed), 0, 0)
		for i, m := range read {
			at := at.Add(time.Duration(i+1) * 7 * time.Second)
			switch w.rng.IntN(5) {
			case 0:
				request(at, ip, "GET", fmt.Sprintf("_task=mail&_mbox=%s&_uid=%d&_part=2&_download=1&_action=get", m.folder, uid(b, m)), 200, m.size, agent)
			case 1:
				request(at, ip, "GET", fmt.Sprintf("_task=mail&_mbox=%s&_uid=%d&_action=preview", m.folder, uid(b, m)), 200, m.size/2+3000, agent)
			default:
				request(at, ip, "GET", fmt.Sprintf("_task=mail&_mbox=%s&_uid=%d&_action=show", m.folder, uid(b, m)), 200, m.size/2+3000, agent)
			}
			connect(at, b, host, time.Second, 1, 1+w.rng.IntN(3), m.size)
		}
	}
	byWeb := w.one(2) // guesses
	w.owners(func(at time.Time, b *box, ip string) {
		items := b.there(at, at)
		if len(items) == 0 {
			return
		}
		if w.one(3) {
			connect(at, b, ip, 3*time.Minute, len(items), 1, 5000)
			return
		}
		browse(at, b, ip, b.agent, w.some(items)[:1], items)
	})
	w.attacks(func(at time.Time, b *box, ip string) {
		listed := b.there(at, at)
		read := w.some(listed)
		if w.one(4) {
			read = nil
		}
		switch w.rng.IntN(5) {
		case 0:
			bytes := 0
			for _, m := range read {
				bytes += m.size
			}
			connect(at, b, ip, time.Duration(1+w.rng.IntN(500))*time.Second, len(listed), 2*len(read), bytes)
		case 1: // a folder as an archive
			browse(at, b, ip, w.attacker.agent, nil, listed)
			var all []item
			bytes := 0
			for _, m := range listed {
				if m.folder == "F-INBOX" {
					all = append(all, m)
					bytes += m.size
				}
			}
			read = all
			at = at.Add(time.Minute)
			request(at, ip, "POST", "_task=mail&_action=plugin.zipdownload.messages", 200, bytes, w.attacker.agent)
			connect(at, b, host, 5*time.Second, 0, len(all), bytes)
		default:
			browse(at, b, ip, w.attacker.agent, read, listed)
		}
		w.got(b.account, read, listed)
	}, func(at time.Time, b *box) {
		if byWeb {
			request(at, w.attacker.ip, "POST", "_task=login", 401, 4000, w.attacker.agent)
			logins.add(at, "[%s]: <%08x> Failed login for %s from %s in session %08x (error: 0)", w.now(at).Format("02-Jan-2006 15:04:05 -0700"), at.Unix(), b.account, w.attacker.ip, at.Unix())
			mail.add(at, "%s mx1 dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<%s>, method=PLAIN, rip=%s, lip=192.0.2.10, TLS, session=<F%d>", stamp(at), b.account, host, at.Unix())
			return
		}
		mail.add(at, "%s mx1 dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<%s>, method=PLAIN, rip=%s, lip=192.0.2.10, TLS, session=<F%d>", stamp(at), b.account, w.attacker.ip, at.Unix())
	})
	if w.one(3) {
		w.addresses()
	}
}
