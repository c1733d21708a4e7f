//go:build poison

package logtest

// poison says that batches allocate when they are released, so that allocations cannot be counted.
const poison = true
