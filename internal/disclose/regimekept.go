package disclose

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/barid-dfir/barid/internal/strictyaml"
)

// Kept returns the files that do not come with Barid as one text, from which ReadKeptRegimes makes the same regimes: YAML, a name and a text
// each. It is nil where there are none.
func (r *Regimes) Kept() ([]byte, error) {
	if r == nil || len(r.files) == 0 {
		return nil, nil
	}
	return yaml.Marshal(r.files)
}

// maxKept is how large the text of Kept may be, in bytes: quoting makes a file larger.
const maxKept = 4 * maxRegimes

// ReadKeptRegimes reads what Kept returned. Name is what errors call it.
func ReadKeptRegimes(text []byte, name string) (*Regimes, error) {
	if len(text) > maxKept {
		return nil, fmt.Errorf("%s: more than %d MiB", name, maxKept>>20)
	}
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return nil, fmt.Errorf("%s: %w", name, strictyaml.Syntax(err))
	}
	files, all := map[string]string{}, 0
	if len(root.Content) > 0 && root.Content[0].Kind == yaml.MappingNode {
		for n := root.Content[0].Content; len(n) > 1; n = n[2:] {
			file, kept := n[0].Value, n[1]
			if kept.Kind != yaml.ScalarNode || strings.ContainsAny(file, `/\`) || files[file] != "" {
				return nil, fmt.Errorf("%s: line %d: it takes the text of a file, and each once", name, n[0].Line)
			}
			if all += len(kept.Value); len(kept.Value) > maxRegime || all > maxRegimes {
				return nil, fmt.Errorf("%s: line %d: files of regimes are shorter", name, n[0].Line)
			}
			files[file] = kept.Value
		}
	}
	own, err := builtinRegimes()
	if err != nil {
		return nil, err
	}
	return parseRegimes(own, files, name)
}
