package sigma

import (
	"unsafe"

	"github.com/barid-dfir/barid/internal/event"
)

// hashPointer returns a hash of the address of a Shape. Shapes do not move.
func hashPointer(s *event.Shape) uint64 {
	return uint64(uintptr(unsafe.Pointer(s))) * 0x9E3779B97F4A7C15 >> 40
}

// within returns where in line the text of v stands, if it is a part of line as it stands there.
func within(line []byte, v event.Value) (at int, ok bool) {
	if len(line) == 0 || len(v.Data) == 0 || v.Kind != event.UTF8 && v.Kind != event.Number {
		return 0, false
	}
	from := uintptr(unsafe.Pointer(unsafe.SliceData(line)))
	start := uintptr(unsafe.Pointer(unsafe.SliceData(v.Data)))
	if start < from || start+uintptr(len(v.Data)) > from+uintptr(len(line)) {
		return 0, false
	}
	return int(start - from), true
}
