package judge

// mostBetween is how many addresses a pair of servers before a mail server has, of which one stands in for the other.
const mostBetween = 2

// serversBetween returns the public addresses of what stands between a mail server and everybody: where all logs of mail together have no more than a
// server and its stand-in, each used by a crowd, and nobody failed to come in from another, they do not see people's own. An office behind one
// address, whose mail nobody reads from elsewhere, looks the same: the facts (ours) name it.
func (in *Input) serversBetween(who *people) (map[string]bool, error) {
	if in.between != nil {
		return in.between, nil
	}
	in.between = make(map[string]bool)
	facts := in.Facts.parsed()
	from := make(map[string]map[string]bool) // accounts by address
	contexts := in.Store.Contexts()
	for i := range contexts {
		c := &contexts[i]
		if !relays(c) || c.IP == "" || c.Account == "" || isMachine(c.Account) || !remoteOf(facts, c.IP).unknown() {
			continue
		}
		if from[c.IP] == nil {
			if len(from) == mostBetween {
				return in.between, nil
			}
			from[c.IP] = make(map[string]bool)
		}
		if known := from[c.IP]; len(known) < crowd {
			known[who.key(c.Account)] = true
		}
	}
	failed, err := in.attempts()
	if err != nil {
		return nil, err
	}
	for _, ip := range failed.ips {
		if from[ip] == nil && remoteOf(facts, ip).unknown() {
			return in.between, nil
		}
	}
	for _, accounts := range from {
		if len(accounts) < crowd {
			return in.between, nil
		}
	}
	for ip := range from {
		in.between[ip] = true
	}
	return in.between, nil
}

// unknown reports whether an address is of the Internet, and nobody says whose it is.
func (a remote) unknown() bool {
	return !a.none && !a.private && !a.provider && a.role&^RoleAttacker == 0
}
