package content

import (
	"embed"
	"io/fs"
)

//go:embed regimes/*.yaml
var regimes embed.FS

// Regimes returns the laws by which something is owed after an incident, a file each, and calendars.yaml with the days on which nobody
// works. docs/adding-a-regime.md says what stands in them.
func Regimes() fs.FS { return sub(regimes, "regimes") }
