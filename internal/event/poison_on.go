//go:build poison

package event

// poison makes Reset overwrite what a batch handed out, so that tests catch who kept a value without cloning it.
const poison = true
