package disclose

import "github.com/barid-dfir/barid/internal/casefile"

// classifyDORA says what the criteria of Delegated Regulation (EU) 2024/1772 come to.
func classifyDORA(in *Input) (casefile.Classification, error) {
	return casefile.Classification{Regime: "dora", Result: "open"}, nil
}
