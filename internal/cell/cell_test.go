package cell

import (
	"encoding/csv"
	"strings"
	"testing"
)

func TestAppend(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if got := string(Append(nil, in)); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
	f("", "")
	f("plain", "plain")
	f(`"`, `""""`)
	f(`a"b"`, `"a""b"""`)
	f("a,b", `"a,b"`)
	f(" a", `" a"`)
	f("=1", "'=1")
	f("+1", "'+1")
	f("-1", "'-1")
	f("@a", "'@a")
	f("\t=1", "'[U+0009]=1")
	f("\r\n", "'[U+000D][U+000A]")
	f("  =1", "'  =1")
	f("＝1", "'＝1")
	f(`=a"b`, `"'=a""b"`)
	f("a\u202eb", "a[U+202E]b")
}

func FuzzReadsBackAsOneCellThatIsNoFormula(f *testing.F) {
	for _, s := range []string{"=1+1", `a"b,c`, "\r\n", "\xff\u202e", "'=1", ` " `, "\ufeff=1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		line := append(Append([]byte("x,"), s), ",y\r\n"...)
		rows, err := csv.NewReader(strings.NewReader(string(line))).ReadAll()
		if err != nil || len(rows) != 1 || len(rows[0]) != 3 {
			t.Fatalf("%q: %v %v", line, rows, err)
		}
		cell := strings.TrimLeft(rows[0][1], " ")
		if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r\n") {
			t.Fatalf("%q is a formula", cell)
		}
		if !strings.ContainsAny(s, "\"") && rows[0][1] != string(line[2:len(line)-4]) && line[2] != '"' {
			t.Fatalf("%q became %q", s, rows[0][1])
		}
	})
}
