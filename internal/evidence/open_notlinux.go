//go:build unix && !linux

package evidence

const noAccessTime = 0
