package judge

import (
	"maps"
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

// forwarded takes that a rule sent something on.
func (r *reacher) forwarded(b *box, a *tally.Act) {
	d := not
	for i := range r.powers {
		k := &r.powers[i]
		if k.power == logs.Rule && orAlways(k.earliest) <= orNever(a.To) && orNever(k.to) >= orAlways(a.From) && r.reaches(k, b) {
			d = may
		}
	}
	if d == not {
		return
	}
	for _, f := range r.forwards {
		if r.isFor(f, b) && f.From <= a.To && sendsTo(f.Target, a.Target) {
			d = was
		}
	}
	if a.ObjectKind == "message" && a.Object != "" {
		b.named(a, nil, reading{grasp: graspNamed}, d)
		return
	}
	b.coarse(a, nil, logs.Content, d, may, r)
}

// isFor reports whether a rule is for a mailbox, or for all.
func (r *reacher) isFor(rule *tally.Act, b *box) bool {
	return rule.In == "" || r.who.key(rule.In) == b.key
}

// sendsTo reports whether whom a rule sends to, as the rule writes it, holds an address.
func sendsTo(target, address string) bool {
	if list := addressesIn(target); len(list) > 0 && strings.Contains(address, "@") {
		return slices.ContainsFunc(addressesIn(address), func(a string) bool { return slices.Contains(list, a) })
	}
	return address != "" && strings.Contains(strings.ToLower(target), strings.ToLower(address))
}

// addressesIn returns the addresses of mail in a text such as "smtp:a@example.org;b@example.org", in lower case.
func addressesIn(text string) []string {
	words := strings.FieldsFunc(strings.ToLower(text), func(c rune) bool { return c <= ' ' || strings.ContainsRune(`"'<>[](){},;:`, c) })
	return slices.DeleteFunc(words, func(w string) bool { return strings.IndexByte(w, '@') < 1 })
}

// delivered takes that a message of a mailbox came to whom a rule sends its mail, by what a message trace tells: a redirected message has
// the identifier of the one that came in. A forwarded one has its own, and so may be any.
func (r *reacher) delivered() error {
	for _, f := range r.forwards {
		for _, to := range addressesIn(f.Target) {
			come := make(map[string]*tally.Act) // by messageKey
			for a, err := range r.in.Store.Touched(to) {
				if err != nil {
					return err
				}
				if a.Inference == logs.Delivered && a.OK && a.Object != "" && f.From <= a.To && come[messageKey(a.Object)] == nil {
					keep := *a
					keep.Inference, keep.Exposure, keep.Target = logs.Forwarded, logs.Content, to
					come[messageKey(a.Object)] = &keep
				}
			}
			if len(come) == 0 {
				continue
			}
			for _, b := range r.sorted() {
				if r.isFor(f, b) && b.key != r.who.key(to) {
					if err := r.cameTo(b, come); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// cameTo takes of what was sent on that which lay in a mailbox, by its list or by the message trace.
func (r *reacher) cameTo(b *box, come map[string]*tally.Act) error {
	lay := make(map[string]bool)
	for key := range come {
		lay[key] = b.lists(key, r)
	}
	for _, name := range r.spelled[b.key] {
		for a, err := range r.in.Store.Touched(name) {
			if err != nil {
				return err
			}
			if a.Inference == logs.Delivered && a.OK && come[messageKey(a.Object)] != nil {
				lay[messageKey(a.Object)] = true
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(come)) {
		if lay[key] {
			here := *come[key]
			here.In = b.key
			r.forwarded(b, &here)
		}
	}
	return nil
}
