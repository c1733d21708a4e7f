package judge

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// gapOn is a gap in the logs of some channels.
type gapOn struct {
	hole
	channels []string // in order
}

// mostGaps is how many gaps are kept of a way.
const mostGaps = 24

// addGap adds a gap of a channel to a list in order of time. What overlaps for the same reason is one gap.
func addGap(list []gapOn, channel string, h hole) []gapOn {
	g := gapOn{hole: h, channels: []string{channel}}
	for i := 0; i < len(list); {
		o := &list[i]
		if o.reason != g.reason || o.why != g.why || o.certain != g.certain || o.from > g.to || g.from > o.to {
			i++
			continue
		}
		g.from, g.to = min(g.from, o.from), max(g.to, o.to)
		for _, c := range o.channels {
			if at, ok := slices.BinarySearch(g.channels, c); !ok {
				g.channels = slices.Insert(g.channels, at, c)
			}
		}
		list = slices.Delete(list, i, i+1)
		i = 0 // it may now overlap one that it did not
	}
	if len(list) == mostGaps {
		return list
	}
	at, _ := slices.BinarySearchFunc(list, g, func(a, b gapOn) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to), strings.Compare(a.why, b.why), strings.Compare(a.reason, b.reason), slices.Compare(a.channels, b.channels))
	})
	return slices.Insert(list, at, g)
}

// words says the gap: imap and pop3: files of the log are missing, from … to … (why).
func (g *gapOn) words() string { return andList(g.channels) + ": " + describeHole(g.hole) }

// sought says what somebody has to look for who wants to close the gap.
func (g *gapOn) sought() string {
	s := andList(g.channels)
	if t := g.span(); t != "" {
		s += ", " + t
	}
	if g.why != "" {
		s += " (" + g.why + ")"
	}
	return s
}

// span says from when to when, as far as that is known.
func (h *hole) span() string {
	from, to := moment(h.from), moment(h.to)
	switch {
	case from == nil && to == nil:
		return ""
	case from == nil:
		return "until " + to.Format("2006-01-02 15:04")
	case to == nil:
		return "from " + from.Format("2006-01-02 15:04")
	}
	return fromTo(*from, to, "15:04")
}

// mostSessions is how many sessions a sentence names.
const mostSessions = 3

// sessionNames names sessions for people. The ids themselves stand in the entry.
func sessionNames(ids []string, most int) string {
	var s strings.Builder
	for i, id := range ids[:min(len(ids), most)] {
		if i > 0 {
			s.WriteString(", ")
		}
		s.WriteString(sessionName(id))
	}
	if len(ids) > most {
		fmt.Fprintf(&s, " and %d more", len(ids)-most)
	}
	return s.String()
}

// unnamedSession is what a session is called of which no log tells the account.
const unnamedSession = "a session"

// sessionName says a session by the account, the address and the time that its id is made of; an id of the log stays as it is.
func sessionName(id string) string {
	p := strings.Split(id, "|")
	switch len(p) {
	case 2:
		return p[0] + " (" + p[1] + ")"
	case 3:
		t, err := time.Parse(time.RFC3339, p[2])
		if err != nil {
			return id
		}
		return cmp.Or(p[0], unnamedSession) + " from " + cmp.Or(p[1], "an unknown address") + " since " + t.Format("2006-01-02 15:04:05")
	}
	return id
}

// asSentence begins with a capital letter, unless that is a name of something, and ends with a full stop.
func asSentence(s string) string {
	for _, word := range [...]string{"a ", "an ", "the ", "there ", "then ", "no ", "not ", "it ", "session ", "sessions "} {
		if strings.HasPrefix(s, word) {
			s = strings.ToUpper(s[:1]) + s[1:]
			break
		}
	}
	if strings.HasSuffix(s, ".") {
		return s
	}
	return s + "."
}

func andList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}
