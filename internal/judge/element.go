package judge

import (
	"path"
	"strings"
)

// asFolders returns a path in which archives are folders, in lower case.
func asFolders(path string) string {
	return strings.ToLower(strings.ReplaceAll(strings.ReplaceAll(path, "!", "/"), `\`, "/"))
}

// hasElement reports whether an element of a path, as asFolders writes it, is a name, or begins with it and a dot, dash or underscore.
func hasElement(p, name string) bool {
	name = strings.ToLower(name)
	for p != "." && p != "/" && p != "" {
		if rest, ok := strings.CutPrefix(path.Base(p), name); ok && (rest == "" || strings.ContainsRune(".-_", rune(rest[0]))) {
			return true
		}
		p = path.Dir(p)
	}
	return false
}

// longestElement returns the longest of the names that the path has as an element, the first of equally long ones; "" if it has none.
func longestElement[V any](p string, names map[string]V) string {
	best := ""
	for name := range names {
		if (len(name) > len(best) || len(name) == len(best) && name < best) && hasElement(p, name) {
			best = name
		}
	}
	return best
}
