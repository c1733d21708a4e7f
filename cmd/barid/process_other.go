//go:build !unix

package main

// usageOfProcess is not known on this system.
func usageOfProcess() (cpuSeconds float64, peakRSS int64) { return 0, 0 }
