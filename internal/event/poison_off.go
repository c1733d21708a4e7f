//go:build !poison

package event

const poison = false
