//go:build unix

package main

import (
	"runtime"
	"syscall"
)

// usageOfProcess returns the processor time and the peak of resident memory of this process so far.
func usageOfProcess() (cpuSeconds float64, peakRSS int64) {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0, 0
	}
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	peakRSS = int64(u.Maxrss)
	if runtime.GOOS != "darwin" { // elsewhere in KiB
		peakRSS *= 1024
	}
	return seconds(u.Utime) + seconds(u.Stime), peakRSS
}
