package logsource

import "testing"

func BenchmarkBuiltin(b *testing.B) {
	files := Builtin().files
	b.ReportAllocs()
	for b.Loop() {
		if _, err := read(files); err != nil {
			b.Fatal(err)
		}
	}
}
