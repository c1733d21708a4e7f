package played_test

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// director plays two Dovecot servers behind a third one that passes sessions on to them. They see whence people come, or the address of
// the one before them; the logs of all may be in one file, as a server of logs writes it.
func director(w *world) {
	if len(w.boxes) > 3 && w.one(2) {
		w.boxes = w.boxes[:3] // of so few nobody can tell from a private address whether it is many people's
	}
	w.jump()
	const front, frontIP = "dir1", "10.0.0.3"
	names := []string{"mx1", "mx2"}
	trusted, central := w.one(2), w.one(2)
	home := map[*box]int{}
	listed := w.one(2)
	for _, b := range w.boxes {
		home[b] = w.rng.IntN(2)
		if listed {
			b.server = names[home[b]]
		}
	}
	logs := map[string]*log{}
	all := append([]string{front}, names...)
	for _, host := range all {
		if central {
			if w.logs["mail.log"] == nil {
				w.logs["mail.log"] = &log{name: func(day time.Time) string { return "loghost/mail.log-" + day.Format("20060102") }, silence: 50 * time.Minute}
			}
			logs[host] = w.logs["mail.log"]
			continue
		}
		logs[host] = &log{name: func(day time.Time) string { return host + "/mail.log-" + day.Format("20060102") }, silence: 50 * time.Minute}
		w.logs[host] = logs[host]
	}
	say := func(at time.Time, host, format string, args ...any) {
		logs[host].tagged(host, at, w.now(at).Format("Jan _2 15:04:05")+" "+host+" "+fmt.Sprintf(format, args...))
	}
	for _, host := range all {
		for t := w.begin; t.Before(w.to.Add(time.Hour)); t = t.Add(5 * time.Minute) {
			say(t, host, "systemd[1]: Started Session of user root.")
		}
	}
	pid := 1000
	visit := func(at time.Time, b *box, ip string, long time.Duration, read, heads []item) {
		pid += 2
		host, s := names[home[b]], fmt.Sprintf("SES%d", pid)
		to := fmt.Sprintf("10.0.0.%d", 11+home[b])
		say(at, front, "dovecot: imap-login: proxy(%s): started proxying to %s:143: user=<%s>, method=PLAIN, rip=%s, lip=192.0.2.10, TLS, session=<%s>", b.account, to, b.account, ip, s)
		rip, inner := ip, s
		if !trusted {
			rip, inner = frontIP, fmt.Sprintf("INNER%d", pid)
		}
		say(at, host, "dovecot: imap-login: Login: user=<%s>, method=PLAIN, rip=%s, lip=%s, mpid=%d, session=<%s>", b.account, rip, to, pid, inner)
		bytes, bodies := 0, 0
		for _, m := range read {
			bytes += m.size
			bodies += 1 + w.rng.IntN(3)
		}
		out := 800 + bytes + 400*len(heads)
		at = at.Add(long)
		say(at, host, "dovecot: imap(%s)<%d><%s>: Logged out in=%d out=%d deleted=0 expunged=0 trashed=0 hdr_count=%d hdr_bytes=%d body_count=%d body_bytes=%d",
			b.account, pid, inner, 200+len(read)*40, out, len(heads), 400*len(heads), bodies, bytes)
		say(at, front, "dovecot: imap-login: proxy(%s): disconnecting %s (Disconnected by server(0s idle, in=%d, out=%d)): user=<%s>, method=PLAIN, rip=%s, lip=192.0.2.10, TLS, session=<%s>",
			b.account, ip, 200+len(read)*40, out, b.account, ip, s)
	}
	w.owners(func(at time.Time, b *box, ip string) {
		if items := b.there(at, at); len(items) > 0 {
			visit(at, b, ip, 3*time.Minute, w.some(items)[:1], items)
		}
	})
	w.attacks(func(at time.Time, b *box, ip string) {
		long := time.Duration(10+w.rng.IntN(400)) * time.Second
		heads := b.there(at, at.Add(long))
		read := w.some(heads)
		if w.one(4) {
			read = nil
		}
		visit(at, b, ip, long, read, heads)
		w.got(b.account, read, heads)
	}, func(at time.Time, b *box) {
		say(at, front, "dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<%s>, method=PLAIN, rip=%s, lip=192.0.2.10, TLS, session=<F%d>", b.account, w.attacker.ip, at.Unix())
	})
	// Of a server behind tell the one before it, and the list of mailboxes; of the one before it the address that those behind see.
	left := func(host string) bool {
		return slices.ContainsFunc(logs[host].lines, func(e entry) bool { return e.tag == host })
	}
	alone := func(host string) bool {
		if host == front {
			return w.anonymous || !left(names[0]) || !left(names[1]) // who guessed nothing else shows
		}
		return !left(front) && (!listed || !slices.ContainsFunc(w.boxes, func(b *box) bool { return b.server == host }))
	}
	for _, host := range all {
		logs[host].alone = func() bool { return !central && alone(host) }
	}
	w.losses = append(w.losses, func() string { // one of the servers sends nothing any more, or was never collected
		host := all[w.rng.IntN(len(all))]
		from, to := w.begin.Add(-time.Hour), w.to.AddDate(0, 0, 1)
		if w.one(2) {
			from = w.moment(time.Hour)
			to = from.Add(time.Duration(1+w.rng.IntN(48)) * time.Hour)
		} else if alone(host) {
			return "nothing"
		}
		l := logs[host]
		l.lines = slices.DeleteFunc(l.lines, func(e entry) bool { return e.tag == host && !e.at.Before(from) && e.at.Before(to) })
		return fmt.Sprintf("%s: nothing from %s to %s", host, from.Format(time.RFC3339), to.Format(time.RFC3339))
	})
}

// nodes plays Nextcloud on two servers behind nginx, each with its own logs: they have people's own addresses, or that of nginx, or both.
func nodes(w *world) {
	if len(w.boxes) > 3 && w.one(2) {
		w.boxes = w.boxes[:3]
	}
	w.named("/of-%[1]s/%[1]s-%[2]d.pdf")
	w.jump()
	w.opened = true
	w.facts = append(w.facts, `channels_off: [{channel: smb, scope: "*", proof: "not installed"}, {channel: ssh, scope: "*", proof: "refused"}]`)
	const balancer = "10.0.0.4"
	sees := w.rng.IntN(3) // 0: people's own addresses; 1: the balancer's, and theirs behind; 2: the balancer's only
	daily := func(key, path string) *log {
		l := &log{name: func(day time.Time) string { return path + "-" + day.Format("20060102") }, silence: 40 * time.Minute}
		w.logs[key] = l
		return l
	}
	front := daily("front", "lb1/access.log")
	var access, audit [2]*log
	for i := range access {
		access[i] = daily(fmt.Sprintf("node%d", i+1), fmt.Sprintf("node%d/access.log", i+1))
		audit[i] = daily(fmt.Sprintf("audit%d", i+1), fmt.Sprintf("node%d/audit.log", i+1))
	}
	request := 0
	ask := func(at time.Time, i int, ip, user, method, path, message string, status, bytes int, agent string) {
		stamp := w.now(at).Format("02/Jan/2006:15:04:05 -0700")
		request++
		front.add(at, `%s - %s [%s] "%s %s HTTP/1.1" %d %d "-" "%s"`, ip, user, stamp, method, path, status, bytes, agent)
		from, tail, remote := ip, "", ip
		if sees > 0 {
			from = balancer
		}
		if sees == 1 {
			tail = ` "` + ip + `"`
		}
		if sees == 2 {
			remote = balancer
		}
		access[i].add(at, `%s - %s [%s] "%s %s HTTP/1.1" %d %d "-" "%s"%s`, from, user, stamp, method, path, status, bytes, agent, tail)
		if message != "" {
			who := user
			if status == 401 {
				who = "--"
			}
			audit[i].add(at, `{"reqId":"r%d","level":1,"time":%q,"remoteAddr":%q,"user":%q,"app":"admin_audit","method":%q,"url":%q,"message":%q,"userAgent":%q,"version":"31.0.4.1","data":{"app":"admin_audit"}}`,
				request, w.now(at).Format("2006-01-02T15:04:05-07:00"), remote, who, method, path, message, agent)
		}
	}
	for t := w.begin; t.Before(w.to.Add(time.Hour)); t = t.Add(5 * time.Minute) {
		for i := range access {
			ask(t.Add(time.Duration(i)*time.Second), i, "192.0.2.77", "-", "GET", "/status.php", `Login attempt: "monitor"`, 200, 180, "monitor")
		}
	}
	number := func(b *box, m item) int { return slices.Index(b.items, m) + 1000*slices.Index(w.boxes, b) }
	get := func(at time.Time, b *box, ip, agent string, items []item) {
		for k, m := range items {
			ask(at.Add(time.Duration(k)*time.Second), w.rng.IntN(2), ip, b.account, "GET", "/remote.php/dav/files/"+b.account+m.id, fmt.Sprintf("File with id \"%d\" accessed: \"%s\"", number(b, m), m.id), 200, m.size, agent)
		}
	}
	w.owners(func(at time.Time, b *box, ip string) { get(at, b, ip, b.agent, w.some(b.items)) })
	w.attacks(func(at time.Time, b *box, ip string) {
		read := w.some(b.items)
		get(at, b, ip, w.attacker.agent, read)
		w.got(b.account, read, nil)
	}, func(at time.Time, b *box) {
		ask(at, w.rng.IntN(2), w.attacker.ip, b.account, "PROPFIND", "/remote.php/dav/files/"+b.account+"/", `Login failed: "`+b.account+`"`, 401, 200, w.attacker.agent)
	})
	// Of a node tells the one before it only.
	empty := func(l *log) bool { return len(l.lines) == 0 }
	front.alone = func() bool { return w.anonymous || empty(access[0]) || empty(access[1]) }
	for _, l := range access {
		l.alone = func() bool { return empty(front) }
	}
	w.losses = append(w.losses, func() string { // nobody collected the logs of one of them
		hosts := []string{"front", "1", "2"}
		gone := hosts[w.rng.IntN(len(hosts))]
		if gone == "front" && front.alone() || gone != "front" && empty(front) {
			return "nothing"
		}
		for key, l := range w.logs {
			if strings.HasSuffix(key, gone) {
				l.lines = nil
			}
		}
		return "all of " + gone
	})
}
