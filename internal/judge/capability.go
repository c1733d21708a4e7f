package judge

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

// capability is a power that an attacker held, or may have held, for a time.
type capability struct {
	power     logs.Power
	principal string // the account, host or application, as people.key writes it; "" for whoever comes
	// earliest is when it may first have been held, from when that is proven, to when it ended or the window does:
	// nanoseconds since 1970 UTC, or event.UnknownTime.
	earliest, from, to int64
	ends               string
	certain            bool // that an attacker held it: otherwise it is suspected, as after guessing that no log shows to have failed
	// reach says what it gave access to.
	reach []scope
	// channels are the ways in that it opens; nil for all of the system of what it reaches.
	channels []string
	rule     string // inference
	why      []string
	evidence []casefile.Proof

	object, folder string // what a containment must name to end it
	inside, onto   string
	lastLogin      int64 // of the attacker with a password; event.UnknownTime if none is in the logs
	doubt          int64 // by how much from may be off: the clock of its log is
}

// scope is what a capability reaches.
type scope struct {
	kind string // mailbox, file, host, everything
	in   string // the mailbox, site or share, "" for all of them; the host of all mailboxes on it
}

// tokenLasts is for how long an access token works after its session was revoked or the application's consent taken back.
const tokenLasts = int64(90 * time.Minute)

// webChannels are the ways into Exchange that one web server offers, and whose failures its log shows.
var webChannels = []string{"owa", "ecp", "ews", "eas", "mapi", "rpc", "powershell", "autodiscover", "oab", "rest"}

// tokenChannels are those whose sessions live on by a token or cookie when the password is changed.
var tokenChannels = map[string]bool{"m365": true, "graph": true, "sharepoint": true, "onedrive": true, "owa": true, "ecp": true, "web": true, "webmail": true, "dav": true}

// shells are the channels by which whoever logs in runs programs on the host.
var shells = map[string]bool{"ssh": true, "rdp": true, "anydesk": true, "teamviewer": true, "winrm": true, "telnet": true}

// holding is the work of finding out what an attacker held.
type holding struct {
	in       *Input
	facts    *Facts
	who      *people
	s        *sessions
	contexts []tally.Context
	list     []capability
	// hosts are the capabilities over hosts, by the host in lower case.
	hosts map[string]int
}

// capabilities finds them.
func capabilities(in *Input, who *people, s *sessions) ([]capability, error) {
	h := &holding{in: in, facts: in.Facts.parsed(), who: who, s: s, contexts: in.Store.Contexts(), hosts: make(map[string]int)}
	h.credentials()
	h.exposed()
	h.exploited()
	if err := h.shellsUsed(); err != nil {
		return nil, err
	}
	h.hostsBefore()
	h.hybrid()
	for _, step := range []func() error{h.tried, h.given, h.contained} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	h.evicted()
	slices.SortStableFunc(h.list, func(a, b capability) int {
		return cmp.Or(cmp.Compare(a.power, b.power), -compareBools(a.certain, b.certain), strings.Compare(a.principal, b.principal), cmp.Compare(a.from, b.from),
			strings.Compare(a.inside, b.inside), strings.Compare(a.object, b.object))
	})
	return h.list, nil
}

func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// earlier returns the earlier of two times; one that nobody knows counts for nothing.
func earlier(a, b int64) int64 {
	if a == event.UnknownTime || b == event.UnknownTime {
		return max(a, b)
	}
	return min(a, b)
}

// listCapabilities returns them as they stand in a case.
func listCapabilities(list []capability) []casefile.Capability {
	out := make([]casefile.Capability, 0, len(list))
	for i := range list {
		k := &list[i]
		c := casefile.Capability{Kind: k.power.String(), Principal: k.principal, Suspected: !k.certain, Reach: []string{}, Ends: k.ends, Why: slices.Clone(k.why), Evidence: k.evidence}
		if !k.certain {
			c.Why = append([]string{"not certain: it is suspected"}, c.Why...)
		}
		for _, s := range k.reach {
			c.Reach = append(c.Reach, s.words(k.principal))
		}
		if k.from != event.UnknownTime && k.from != math.MaxInt64 {
			c.From = time.Unix(0, k.from).UTC()
		}
		if k.earliest != k.from {
			c.Earliest = moment(k.earliest)
		}
		if k.ends != "" {
			c.To = moment(k.to)
		}
		out = append(out, c)
	}
	return out
}

// words says what a scope is.
func (s scope) words(principal string) string {
	switch {
	case s.kind == "cloud":
		return "every mailbox of Microsoft 365"
	case s.kind == "mailbox" && s.in == "":
		return "every mailbox"
	case s.kind == "file" && s.in == "":
		return "files that " + cmp.Or(principal, "anybody") + " may open"
	case s.kind == "host":
		return "host " + cmp.Or(s.in, "of unknown name") + " and what lies on it"
	case s.in == "":
		return s.kind
	}
	return s.kind + " " + s.in
}
