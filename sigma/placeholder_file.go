package sigma

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// maxPlaceholderFile bounds a file of placeholder values, in bytes.
const maxPlaceholderFile = 64 << 20

// LoadPlaceholders reads the values of placeholders for [Options] from files and folders. A file whose name ends in
// .txt is the list of values of the placeholder it is named for, one a line; empty lines, and lines that begin with #,
// are no values. Any other file is YAML: a mapping of names to a value or a list of values. Of a folder, all files that
// end in .txt, .yml or .yaml are read, not those in folders below it. Values for one name from several files are taken
// together.
func LoadPlaceholders(names ...string) (map[string][]string, error) {
	values := map[string][]string{}
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			return nil, err
		}
		files := []string{name}
		if info.IsDir() {
			if files, err = placeholderFiles(name); err != nil {
				return nil, err
			}
		}
		for _, f := range files {
			if err := addPlaceholders(values, f); err != nil {
				return nil, err
			}
		}
	}
	return values, nil
}

func placeholderFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		if isRuleFile(e.Name()) || isList(e.Name()) {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: no file in it ends in .txt, .yml or .yaml", dir)
	}
	return files, nil
}

func isList(name string) bool { return strings.EqualFold(filepath.Ext(name), ".txt") }

func addPlaceholders(values map[string][]string, file string) error {
	if info, err := os.Stat(file); err != nil {
		return err
	} else if info.Size() > maxPlaceholderFile {
		return fmt.Errorf("%s: more than %d bytes long", file, maxPlaceholderFile)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	add := func(name, value string) {
		if !slices.Contains(values[name], value) || len(values[name]) > 1000 { // few are worth comparing
			values[name] = append(values[name], value)
		}
	}
	if isList(file) {
		name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
		for l := range strings.Lines(string(data)) {
			if l = strings.TrimSpace(l); l != "" && l[0] != '#' {
				add(name, l)
			}
		}
		return nil
	}
	var root yaml.Node
	if err := yaml.Unmarshal(data, &root); err != nil {
		return fmt.Errorf("%s", yamlRejection(file, data, err).Error())
	}
	top := resolve(&root)
	if top == nil || top.IsZero() {
		return nil
	}
	p := &parser{path: file}
	bad := p.entries(top, "the file of placeholders", func(name string, k, v *yaml.Node) *flaw {
		name = strings.Trim(name, "%")
		if name == "" {
			return place(k).flawf("a placeholder has no name: write it before the colon")
		}
		list, bad := p.strings(v, name)
		for _, s := range list {
			add(name, s)
		}
		return bad
	})
	if bad != nil {
		return fmt.Errorf("%s:%d:%d: %s", file, bad.line, bad.column, bad.reason)
	}
	return nil
}
