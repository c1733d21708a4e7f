package content

import (
	"embed"
	"io/fs"
)

//go:embed lang/*/*.yaml
var languages embed.FS

// Languages returns the words and sentences of Barid, a folder for each language named by its tag (en, fr, ar).
// docs/adding-a-language.md says what stands in which file.
func Languages() fs.FS { return sub(languages, "lang") }
