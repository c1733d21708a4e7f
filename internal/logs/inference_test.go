package logs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/logs"
)

func TestEveryRuleOfInferenceIsExplained(t *testing.T) {
	said := make(map[string]bool)
	for _, i := range logs.Inferences() {
		if said[i.Name] {
			t.Errorf("%s is explained twice", i.Name)
		}
		said[i.Name] = true
		if !strings.HasSuffix(i.Says, ".") {
			t.Errorf("%s: %q is no sentence", i.Name, i.Says)
		}
		if i.Verified && i.Source == "" {
			t.Errorf("%s is verified, but nothing says where", i.Name)
		}
	}
	file, err := parser.ParseFile(token.NewFileSet(), "inference.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	rules := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		lit, ok := spec.Values[0].(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return true
		}
		name, _ := strconv.Unquote(lit.Value)
		if name == "" || name != strings.ToUpper(name) || strings.HasPrefix(name, "RFC") || name == logs.Down || name == logs.Up {
			return true
		}
		rules++
		if !said[name] {
			t.Errorf("%s is not explained by Inferences", name)
		}
		return true
	})
	if rules < len(said) {
		t.Errorf("%d rules are explained, of %d constants", len(said), rules)
	}
}
