package share_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/report/input"
	"github.com/barid-dfir/barid/internal/report/reporttest"
	"github.com/barid-dfir/barid/internal/report/share"
)

func of(t *testing.T, c *casefile.Case) *share.View {
	t.Helper()
	v, err := share.Of(input.Of(c, reporttest.Findings(c)))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// An address of the organisation, or that others came from too, is never named as an attacker's, whatever the case says of it.
func TestAddressesThatAreNotTheAttackers(t *testing.T) {
	for _, x := range []struct {
		ip   string
		left share.Left
	}{
		{"203.0.113.9", share.Left{}},
		{"::ffff:203.0.113.9", share.Left{}},
		{"2001:db8::1", share.Left{}},
		{"198.51.100.200", share.Left{Ours: 1}},
		{"::ffff:198.51.100.200", share.Left{Ours: 1}},
		{"10.0.0.1", share.Left{Internal: 1}},
		{"100.64.3.2", share.Left{Internal: 1}},
		{"127.0.0.1", share.Left{Internal: 1}},
		{"fe80::1%eth0", share.Left{Internal: 1}},
		{"fd00::1", share.Left{Internal: 1}},
		{"0.0.0.0", share.Left{Internal: 1}},
		{"224.0.0.1", share.Left{Internal: 1}},
		{"192.0.2.77", share.Left{Shared: 1}},
		{"ana", share.Left{}},
		{"203.0.113.9:443", share.Left{}},
	} {
		for _, attribution := range []string{"attacker", ""} {
			c := reporttest.Nothing()
			c.Ours = []string{"198.51.100.0/24"}
			c.Sessions = []casefile.Session{{Attribution: "owner", IPs: []string{"192.0.2.77"}}, {Attribution: attribution, IPs: []string{x.ip, x.ip}}}
			c.Incidents = []casefile.Incident{{Severity: "high", Actors: []string{x.ip}, First: reporttest.At("03-03 00:00:00"), Last: reporttest.At("03-03 00:00:00")}}
			v := of(t, c)
			if diff := cmp.Diff(x.left, v.Left); diff != "" {
				t.Errorf("%s: %s", x.ip, diff)
			}
			named := x.left == share.Left{} && x.ip != "ana" && x.ip != "203.0.113.9:443"
			if named != (len(v.Addresses) == 1) || named && v.Addresses[0].Proven != (attribution == "attacker") {
				t.Errorf("%s: %+v", x.ip, v.Addresses)
			}
		}
	}
}

func TestSmall(t *testing.T) {
	v := of(t, reporttest.Small())
	var got []string
	for _, a := range v.Addresses {
		got = append(got, fmt.Sprint(a.IP, " ", a.Proven, " ", a.Seen))
	}
	for _, a := range v.Agents {
		got = append(got, a.Name)
	}
	for _, f := range v.Files {
		got = append(got, f.Path)
	}
	for _, in := range v.Incidents {
		got = append(got, in.Name)
	}
	want := []string{"203.0.113.9 true 1", "203.0.113.21 false 1", "2001:db8::9 false 0", `it's a \ client`, "python-requests/2.31.0", "/owa/auth/it's.aspx",
		"Web Shell Used in an Exchange Folder", "Login Succeeded from an Address That Had Been Guessing Passwords"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"CVE-2021-26855"}, v.CVEs); diff != "" {
		t.Error(diff)
	}
	if i := slices.IndexFunc(v.Reached, func(k share.Kind) bool { return k.Kind == "file" }); i >= 0 {
		t.Errorf("a web shell is a file that was read: %+v", v.Reached[i])
	}
}

// An incident of as many actors as a case lists may have had more.
func TestActorsThatTheCaseDoesNotList(t *testing.T) {
	for n, want := range map[int]int{199: 0, 200: 1} {
		c := reporttest.Nothing()
		c.Incidents = []casefile.Incident{{Actors: make([]string, n)}}
		if v := of(t, c); v.Left.Actors != want {
			t.Errorf("%d actors: %+v", n, v.Left)
		}
	}
}

func TestCVEs(t *testing.T) {
	got := share.CVEs([]string{"cve.2021-26855", "cve.2021-1", "cve.21-26855", "cve.2021-26855x", "attack.t1190", "2021-26855", "cve.2024-123456789"})
	if diff := cmp.Diff([]string{"CVE-2021-26855", "CVE-2024-123456789"}, got); diff != "" {
		t.Error(diff)
	}
}
