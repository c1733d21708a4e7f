package reporttest

import "testing"

// CheckVERIS checks an incident against the schema of VERIS 1.4.1.
func CheckVERIS(tb testing.TB, text string) {
	tb.Helper()
	Shown(tb, text)
	if err := official(tb, "veris-1.4.1")("verisc-merged.json").Validate(decode(tb, text)); err != nil {
		tb.Error(err)
	}
}
