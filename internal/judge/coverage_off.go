package judge

import (
	"fmt"
	"strings"

	"github.com/barid-dfir/barid/internal/event"
)

// stateOff takes the ways in that people state to be off, unless logs show that somebody came in through them: then the statement is of another
// time, or of another way.
func (c *coverage) stateOff(f *Facts) {
	for _, o := range f.ChannelsOff {
		scope := strings.ToLower(strings.TrimSpace(o.Scope))
		if scope == "" {
			scope = "*"
		}
		off := []channelOff{{strings.ToLower(strings.TrimSpace(o.Channel)), scope, o.Proof}}
		if scope != "*" {
			off = append(off, channelOff{off[0].channel, c.who.key(scope), o.Proof})
			if host := c.in.Hosts.Of(scope); host != scope {
				off = append(off, channelOff{off[0].channel, hostLabel(host), o.Proof})
			}
		}
		if by, at, used := c.used(off); used {
			c.notes = append(c.notes, fmt.Sprintf("facts, channels_off: %s is not taken to be off: %s came in through it, first at %s", off[0].channel, by, inTime(at)))
			continue
		}
		c.off = append(c.off, off...)
	}
}

// used returns who came in through a way into mailboxes that is said to be off, and when first, in the window: a person, from an address that is
// not every machine's nor a service's.
func (c *coverage) used(off []channelOff) (by string, at int64, used bool) {
	if !isMail(off[0].channel) {
		return "", 0, false
	}
	facts := c.in.Facts.parsed()
	from, to := orAlways(c.in.From), orNever(c.in.To)
	contexts := c.in.Store.Contexts()
	for i := range contexts {
		x := &contexts[i]
		if x.Channel != off[0].channel || x.IP == "" || x.Account == "" || x.Account == "-" || isMachine(x.Account) {
			continue
		}
		if r := remoteOf(facts, x.IP); r.none || r.provider || r.role&RoleService != 0 {
			continue
		}
		concerned := false
		for _, o := range off {
			concerned = concerned || o.scope == "*" || o.scope == c.who.key(x.Account) || o.scope == c.in.hostOf(x.Host)
		}
		if !concerned {
			continue
		}
		for _, v := range c.in.Store.Visits(i) {
			if v.Acts > 0 && v.From != event.UnknownTime && v.From <= to && v.To >= from {
				if !used || v.From < at {
					by, at, used = x.Account, v.From, true
				}
				break
			}
		}
	}
	return by, at, used
}
