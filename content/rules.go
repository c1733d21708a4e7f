package content

import (
	"embed"
	"io/fs"
)

//go:embed rules/*/*.yml
var rules embed.FS

// Rules returns Barid's own Sigma rules, a folder for each area: rules for what attacks on mail and public services
// leave behind, where the public sets are thin. The examples that stand beside them in the source are for tests only.
func Rules() fs.FS { return sub(rules, "rules") }
