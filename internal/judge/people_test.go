package judge

import (
	"slices"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

const (
	guidA = "3b8d1f00-1111-4222-8333-aaaaaaaaaaaa"
	guidB = "3b8d1f00-1111-4222-8333-bbbbbbbbbbbb"
	sidA  = "S-1-5-21-1004336348-1177238915-682003330-1105"
	sidB  = "S-1-5-21-1004336348-1177238915-682003330-1106"
)

func peopleOf(t *testing.T, list []Mailbox, identities ...[2]string) *people {
	t.Helper()
	m := &tally.Memory{}
	for _, i := range identities {
		m.AddIdentity(logs.Identity{Name: []byte(i[0]), ID: []byte(i[1])})
	}
	who, err := newPeople(&Input{Store: m, Inventory: &Inventory{Mailboxes: list}})
	if err != nil {
		t.Fatal(err)
	}
	return who
}

func TestNamesOfOneAccount(t *testing.T) {
	list := []Mailbox{{Name: "ana.silva@example.org", Accounts: `CORP\asilva asilva@corp.example`, GUIDs: []string{guidA}, SID: "s-1-5-21-1-2-3-1"}, {Name: "bo@example.org"}, {Name: "bo@example.net"}}
	who := peopleOf(t, list, [2]string{"m.rossi@example.org", guidA}, [2]string{"bo@example.org", sidA}, [2]string{`CORP\carl`, sidB}, [2]string{"carl@old.example", sidB}, [2]string{"dora@example.org", guidB},
		[2]string{"dora@old.example", guidB}, [2]string{"EX1$", "S-1-5-21-1004336348-1177238915-682003330-1001"}, [2]string{"eve", "S-1-5-18"})
	f := func(name, want string, all ...string) {
		t.Helper()
		if got := who.key(name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
		if got := who.keys(name); len(all) > 0 && !slices.Equal(got, all) {
			t.Errorf("%s may be %q, want %q", name, got, all)
		}
	}
	f(`CORP\ASILVA`, "ana.silva@example.org")
	f("asilva@corp.example", "ana.silva@example.org")
	f("asilva@other.example", "asilva@other.example")
	f("ana.silva", "ana.silva@example.org")
	f(guidA, "ana.silva@example.org")
	f("{3B8D1F00-1111-4222-8333-AAAAAAAAAAAA}", "ana.silva@example.org")
	f(guidA+"@example.org", "ana.silva@example.org")
	f("s-1-5-21-1-2-3-1", "ana.silva@example.org")
	f("m.rossi@example.org", "ana.silva@example.org") // has the GUID that the list tells
	f("bo", "bo", "bo", "bo@example.net", "bo@example.org")
	f(sidA, "bo@example.org")
	f(sidB, "s-1-5-21-1004336348-1177238915-682003330-1106", "s-1-5-21-1004336348-1177238915-682003330-1106", "carl", "carl@old.example")
	f(guidB, guidB, guidB, "dora@example.org", "dora@old.example")
	f("dora@old.example", "dora@old.example") // shares a GUID, and is not made one
	f("S-1-5-18", "s-1-5-18")
}

func TestIdentifiers(t *testing.T) {
	for name, want := range map[string]nameKind{
		guidA: guidOfMailbox, "s-1-5-21-1-2-3-4": sidOfAccount, "s-1-12-1-1-2-3-4": sidOfAccount, "s-1-5-18": nameOfMailbox, "s-1-5-21-1-2-3": nameOfMailbox,
		"s-1-5-21-1-2-3-": nameOfMailbox, "s-1-5-21--1-2-3": nameOfMailbox, "s-1-5-21-1-2-3-4-5": nameOfMailbox, "ana": nameOfMailbox, "": nameOfMailbox,
		"3b8d1f00x1111-4222-8333-aaaaaaaaaaaa": nameOfMailbox,
	} {
		if got := kindOf(name); got != want {
			t.Errorf("%q is %d, want %d", name, got, want)
		}
	}
}

func TestInventoryTellsIdentifiers(t *testing.T) {
	inv, err := read(t, "mailboxes", "PrimarySmtpAddress,mailbox,ExchangeGuid,ArchiveGuid,Guid,SID\nx,ana@example.org,{3B8D1F00-1111-4222-8333-AAAAAAAAAAAA},00000000-0000-0000-0000-000000000000,"+guidB+","+sidA+"\n"+
		"x,bo@example.org,"+guidB+",,,S-1-5-18\nx,cleo@example.org,00000000-0000-0000-0000-000000000000,"+guidA+",nonsense,\n")
	if err != nil || len(inv.Mailboxes) != 3 || len(inv.Problems) != 3 {
		t.Fatalf("%+v %v", inv, err)
	}
	for i, want := range []struct {
		ids []string
		all bool
		sid string
	}{{[]string{guidA, guidB}, true, identifierOf(sidA)}, {[]string{guidB}, false, ""}, {[]string{guidA}, false, ""}} {
		if m := &inv.Mailboxes[i]; !slices.Equal(m.GUIDs, want.ids) || m.AllGUIDs != want.all || m.SID != want.sid {
			t.Errorf("%+v, want %+v", m, want)
		}
	}
}

// TestAccountsOf reads a cell of the list as people fill it: a name that is not read would close the mailbox to it.
func TestAccountsOf(t *testing.T) {
	for cell, want := range map[string][]string{
		"ana a.dupont":       {"ana", "a.dupont"},
		"ana\na.dupont":      {"ana", "a.dupont"},
		"ana\u00a0a.dupont":  {"ana", "a.dupont"},
		"ana;a.dupont, adup": {"ana", "a.dupont", "adup"},
		"ana|a.dupont":       {"ana", "a.dupont"},
		"ana / a.dupont":     {"ana", "a.dupont"},
		"-":                  {"-"},
		"?":                  {},
		"N/A":                {},
		"unknown":            {},
		"":                   {},
	} {
		if got := accountsOf(&Mailbox{Accounts: cell}); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", cell, got, want)
		}
	}
}

// manyIdentities is a Store whose logs told more identities than are kept.
type manyIdentities struct{ *tally.Memory }

func (manyIdentities) Identities() (tally.Identities, error) {
	return tally.Identities{TooMany: true}, nil
}

func TestIdentitiesThatAreTooManyAreNoted(t *testing.T) {
	for _, many := range []bool{false, true} {
		var store tally.Store = &tally.Memory{}
		if many {
			store = manyIdentities{&tally.Memory{}}
		}
		j, err := Judge(&Input{Store: store, Facts: &Facts{}})
		if err != nil {
			t.Fatal(err)
		}
		if noted := slices.ContainsFunc(j.Notes, func(n string) bool { return strings.Contains(n, "more identifiers") }); noted != many {
			t.Errorf("too many: %v, notes %q", many, j.Notes)
		}
	}
}
