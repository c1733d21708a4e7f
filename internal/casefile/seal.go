package casefile

import (
	"strconv"
	"strings"
)

// SealFile is the name of the file of a case that holds an answer of a time stamping authority. n counts from 1.
func SealFile(n int) string { return "seal-" + strconv.Itoa(n) + ".tsr" }

// isSealName reports whether a file in a case folder is a seal, or one that was not written to its end.
func isSealName(name string) bool {
	n, ok := strings.CutPrefix(strings.TrimPrefix(name, tempName("")), "seal-")
	if !ok {
		return false
	}
	if n, ok = strings.CutSuffix(n, ".tsr"); !ok {
		return false
	}
	i, err := strconv.Atoi(n)
	return err == nil && i > 0
}
