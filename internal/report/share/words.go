package share

import (
	"slices"

	"github.com/barid-dfir/barid/internal/lang"
)

// ReachedText says in numbers what was reached, a line for each kind of object.
func ReachedText(v *View, l *lang.Language) (lines []string) {
	for _, k := range v.Reached {
		lines = append(lines, l.Text("export.reached."+k.Kind, "confirmed", l.Between(k.ConfirmedLeast(), k.Confirmed), "possible", k.Possible, "ruled_out", k.RuledOut))
		if k.MetadataConfirmed > 0 || k.MetadataPossible > 0 {
			lines = append(lines, l.Text("export.reached.metadata", "confirmed", k.MetadataConfirmed, "possible", k.MetadataPossible))
		}
		if k.Kind == "mailbox" && k.Upper != 0 {
			lines = append(lines, l.Text("export.reached.interval", "interval", l.Between(k.Lower, k.Upper)))
		}
	}
	return lines
}

// OpenText says what is not known.
func OpenText(v *View, l *lang.Language) (lines []string) {
	switch {
	case len(v.Incidents) == 0:
		lines = append(lines, l.Text("export.report.nothing"))
	case len(v.Reached) == 0:
		lines = append(lines, l.Text("export.open.unjudged"))
	case slices.ContainsFunc(v.Reached, func(k Kind) bool { return k.Possible > 0 || k.MetadataPossible > 0 }):
		lines = append(lines, l.Text("export.open.possible"))
	}
	if v.Gaps > 0 {
		lines = append(lines, l.Text("export.open.gaps", "n", v.Gaps))
	}
	if !v.Dated {
		lines = append(lines, l.Text("export.undated"))
	}
	return lines
}

// LeftText counts what is not in the view.
func LeftText(v *View, l *lang.Language) (lines []string) {
	for _, x := range [...]struct {
		id string
		n  int
	}{
		{"ours", v.Left.Ours}, {"internal", v.Left.Internal}, {"shared", v.Left.Shared}, {"unusable", v.Left.Unusable}, {"common", v.Left.Common},
		{"actors", v.Left.Actors}, {"incidents", v.Left.Incidents}, {"addresses", v.Left.Addresses}, {"agents", v.Left.Agents}, {"files", v.Left.Files},
	} {
		if x.n > 0 {
			lines = append(lines, l.Text("export.left."+x.id, "n", x.n))
		}
	}
	return lines
}
