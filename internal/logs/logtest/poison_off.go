//go:build !poison

package logtest

const poison = false
