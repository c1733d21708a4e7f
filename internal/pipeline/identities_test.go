package pipeline

import (
	"encoding/binary"
	"testing"

	"pgregory.net/rapid"
)

func number(n uint64) (id identity) {
	binary.LittleEndian.PutUint64(id[8:], n)
	return id
}

func TestIdentitiesAreASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var ids identities
		met := make(map[identity]bool)
		for range rapid.IntRange(0, 3000).Draw(t, "n") {
			id := number(rapid.Uint64Range(0, 2000).Draw(t, "id"))
			if again := ids.add(id); again != met[id] {
				t.Fatalf("%x: met again: %v, want %v", id, again, met[id])
			}
			met[id] = true
		}
	})
}

// Numbers in a row, as identifiers that are made one after another have them, lie as near to their slots as any others.
func TestNumbersInARowDoNotCluster(t *testing.T) {
	for name, shift := range map[string]int{"low digits": 0, "high digits": 48} {
		ids := newIdentitySet()
		for n := range uint64(1 << 16) {
			ids.add(number((n + 1) << shift))
		}
		mask, far := uint64(len(ids.slots)-1), uint64(0)
		for i := range ids.slots {
			if ids.slots[i] != (identity{}) {
				far = max(far, (uint64(i)-ids.slotOf(&ids.slots[i]))&mask)
			}
		}
		if far > 1000 {
			t.Errorf("%s: %d slots away from where it belongs", name, far)
		}
	}
}

// Memory is bounded: what lies more than a generation back is forgotten, and nothing nearer.
func TestIdentitiesAreForgottenByGeneration(t *testing.T) {
	var ids identities
	for n := range uint64(2 * maxIdentities) {
		if ids.add(number(n + 1)) {
			t.Fatalf("%d was not there before", n)
		}
	}
	if ids.forgot {
		t.Error("forgot with two generations")
	}
	if !ids.add(number(maxIdentities + 1)) {
		t.Error("what lies one generation back was forgotten")
	}
	for n := range uint64(maxIdentities) {
		ids.add(number(1<<40 + n))
	}
	if !ids.forgot || ids.add(number(1)) {
		t.Error("the oldest generation is still there")
	}
	if got := len(ids.current.slots) + len(ids.before.slots); got > 4*maxIdentities {
		t.Errorf("%d slots", got)
	}
}
