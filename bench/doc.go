// Package bench measures whole runs: evidence in, findings out, with everything in between. See README.md here.
package bench
