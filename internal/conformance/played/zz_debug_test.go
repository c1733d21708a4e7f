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
		w := played(k.play, seed)
		os.RemoveAll("/tmp/zzw")
		w.write(t, "/tmp/zzw", w.mistreat(w.evidence()))
		c := assess(t, context.Background(), "/tmp/zzw", 1)
		p, _ := json.Marshal(c)
		os.WriteFile("/tmp/zzw/out.json", p, 0o600)
	}
}
