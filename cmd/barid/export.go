package main

import (
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
)

// export hands something out of the case in dir: to the file x.Path, written whole or not at all, or to the standard output
// where it is "". It adds a line to the chain of custody. Where that is not possible (a medium that cannot be written to, a chain
// that does not hold) the export is made all the same, and a message says that it was not recorded, and why. x.Bytes and
// x.SHA256 are found out here.
func (e *env) export(dir string, x casefile.Export, write func(io.Writer) error) error {
	if x.Path == "" || x.Path == casefile.Stdout {
		x.Path = casefile.Stdout
		h := casefile.NewHasher(e.stdout)
		if err := write(h); err != nil {
			return err
		}
		x.Bytes, x.SHA256 = h.Sum()
	} else {
		path, err := filepath.Abs(x.Path)
		if err != nil {
			return err
		}
		if casefile.Inside(dir, path) {
			return usage(fmt.Errorf("-o %s lies in the case: what is handed out goes elsewhere, so that the case stays as it was written", x.Path))
		}
		x.Path = path
		if x.Bytes, x.SHA256, err = casefile.WriteFile(path, write); err != nil {
			return fmt.Errorf("cannot write %s: %w", path, err)
		}
	}
	if err := casefile.RecordExport(dir, x, time.Now().UTC()); err != nil {
		e.term.line("barid: " + notRecorded(x, err))
	}
	return nil
}

// notRecorded says that an export stands in no chain, and what to do.
func notRecorded(x casefile.Export, err error) string {
	return fmt.Sprintf("the chain of custody does not say that this was handed out: %s. Note down its SHA-256 yourself: %s", inWords(err), x.SHA256)
}
