package played_test

import (
	"context"
	"encoding/json"
	"os"
	"strconv"
	"testing"
)

func TestZZ(t *testing.T) {
	seed, _ := strconv.ParseUint(os.Getenv("SEED"), 10, 64)
	for _, k := range kinds {
		if k.name != os.Getenv("KIND") {
			continue
		}
		w := newWorld(seed)
		k.play(w)
		for range w.rng.IntN(3) {
			w.lose()
		}
		os.RemoveAll("/tmp/zzw")
		w.write(t, "/tmp/zzw")
		c := assess(t, context.Background(), "/tmp/zzw")
		p, _ := json.MarshalIndent(c, "", " ")
		os.WriteFile("/tmp/zzw/out.json", p, 0o600)
		t.Log(w.lost)
	}
}
