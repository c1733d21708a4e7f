package tally

import (
	"bytes"
	"slices"
)

// Handed reports whether something may have been handed out to nobody in particular under the name of a file: the last element of its
// path.
func (a *Answers) Handed(name string) bool {
	if a.manyNames {
		return true
	}
	for _, h := range [...]uint64{nameHash([]byte(name)), wildHash([]byte(name))} {
		if _, ok := slices.BinarySearch(a.names, h); ok {
			return true
		}
	}
	return false
}

// The hash of FNV-1a.
const (
	fnvBasis = 14695981039346656037
	fnvPrime = 1099511628211
)

// nameHash is by what a name of a file is known, whatever its case in ASCII. One that may be written in several ways (escapes of a URL or of
// the log, other letters, REPORT~1.DWG) counts as any with its end.
func nameHash(name []byte) uint64 {
	h := uint64(fnvBasis)
	for _, c := range name {
		if c >= 0x80 || c == '%' || c == '+' || c == '\\' || c == '~' {
			return wildHash(name)
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		h = (h ^ uint64(c)) * fnvPrime
	}
	return h
}

// wildHash is by what all names with the end of a name are known.
func wildHash(name []byte) uint64 {
	h := uint64(fnvBasis)
	h = (h ^ '/') * fnvPrime // no name has it
	for _, c := range name[bytes.LastIndexByte(name, '.')+1:] {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		h = (h ^ uint64(c)) * fnvPrime
	}
	return h
}
