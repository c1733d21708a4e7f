package casefile

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/barid-dfir/barid/internal/event"
)

// StatementWords returns the bytes that the line of a statement in the chain of custody has the hash of: a JSON list, without
// spaces, of "barid.statement/1", the author, the time (UTC, RFC 3339, fractions of a second only where there are any; "" if
// unknown), what it is about, and the reason.
func StatementWords(s *Statement) []byte {
	dst := event.AppendString([]byte{'['}, "barid.statement/1")
	for _, part := range [...]string{s.Author, stated(s), s.About, s.Reason} {
		dst = event.AppendString(append(dst, ','), part)
	}
	return append(dst, ']')
}

func stated(s *Statement) string {
	if s.Time == nil || s.Time.IsZero() {
		return ""
	}
	return s.Time.UTC().Format(time.RFC3339Nano)
}

// statementLine returns the line of custody for a statement that stands in a file of the case.
func statementLine(s *Statement, path string) Custody {
	words := StatementWords(s)
	sum := sha256.Sum256(words)
	return Custody{Kind: KindStatement, Path: path, Bytes: int64(len(words)), SHA256: hex.EncodeToString(sum[:]), Author: s.Author, Stated: stated(s), About: s.About}
}
