// Command generate writes the evidence of invented attacks that the other folders of examples hold. The same seed gives
// the same bytes. All names are of example domains, all addresses of the ranges for documentation (RFC 5737).
//
//	go run ./examples/generate -out examples
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
)

func main() {
	seed := flag.Uint64("seed", 1, "the same seed gives the same bytes")
	out := flag.String("out", "examples", "the folder to write to")
	flag.Parse()
	for name, content := range Generate(*seed) {
		path := filepath.Join(*out, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			log.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			log.Fatal(err)
		}
		fmt.Println(path)
	}
}

// Generate returns the files of all examples by name.
func Generate(seed uint64) map[string][]byte {
	return map[string][]byte{
		"proxylogon/EX1-logs.zip":        proxyLogon(newWorld(seed)),
		"imap-theft/mail.log":            imapTheft(newWorld(seed + 1)),
		"m365-takeover/auditrecords.csv": m365Takeover(newWorld(seed + 2)),
		"flood/access.log.gz":            flood(newWorld(seed + 3)),
	}
}
