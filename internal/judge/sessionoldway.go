package judge

import (
	"fmt"
	"slices"

	"github.com/barid-dfir/barid/internal/logs"
)

// fewNetworks is from how many networks on a client is one that moves about.
const fewNetworks = 3

// oldWays finds sign-ins of one account, in order of time, by an old protocol or by a code for another device, from where it had not been
// before. The log must reach back as far as a baseline does. A client that had come by an old protocol from many networks moves about.
func (a *attributing) oldWays(group []signIn, out []suspicion) []suspicion {
	a.begin()
	familiar := a.familiarTo(group)
	var networks []string
	for i := range group {
		x := &group[i]
		if x.rule != logs.SignedInLegacy && x.rule != logs.SignedInByCode {
			continue
		}
		c := &a.contexts[x.context]
		began, ok := a.begins[logOf(c.Host, c.Format)]
		if ok && began < x.at-(a.days-1)*day && a.tells(c.IP) && !familiar(x) && (x.rule == logs.SignedInByCode || len(networks) < fewNetworks) {
			how := "by an old protocol, which asks for no second factor (LEGACY_SIGN_IN)"
			if x.rule == logs.SignedInByCode {
				how = "by a code for another device (DEVICE_CODE)"
			}
			out = append(out, suspicion{x.context, x.at, fmt.Sprintf("it signed in from %s, where the account had not been before, %s", c.IP, how)})
		}
		if x.rule == logs.SignedInLegacy && len(networks) < fewNetworks {
			if n := neighbourhood(c.IP); !slices.Contains(networks, n) {
				networks = append(networks, n)
			}
		}
	}
	return out
}
