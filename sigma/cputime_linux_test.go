package sigma

import (
	"runtime"
	"syscall"
	"testing"
	"time"
)

// reportCPU reports the processor time of the loop for each event, which other programs disturb less than the clock.
// Call it before the loop, and what it returns after it.
func reportCPU(b *testing.B) func() {
	runtime.LockOSThread()
	const thread = 1 // RUSAGE_THREAD
	used := func() time.Duration {
		var r syscall.Rusage
		if syscall.Getrusage(thread, &r) != nil {
			return 0
		}
		return time.Duration(r.Utime.Nano() + r.Stime.Nano())
	}
	start := used()
	return func() {
		ns := float64(used()-start) / float64(b.N)
		runtime.UnlockOSThread()
		b.ReportMetric(ns, "cpu-ns/event")
		b.ReportMetric(1e9/ns, "events/cpu-s")
	}
}
