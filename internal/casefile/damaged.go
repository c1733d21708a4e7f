package casefile

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
)

// faultError is what is wrong in a file of JSON after so many bytes.
type faultError struct {
	at  int64
	err error
}

// Error implements error.
func (e *faultError) Error() string {
	if errors.Is(e.err, io.ErrUnexpectedEOF) {
		return fmt.Sprintf("it ends after byte %d, in the middle", e.at)
	}
	return fmt.Sprintf("at byte %d: %s", e.at, e.err)
}

// Unwrap returns what is wrong.
func (e *faultError) Unwrap() error { return e.err }

// placed says where in a file an error of encoding/json is, of a text that begins there after so many bytes.
func placed(began int64, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		began += syntax.Offset
		if syntax.Error() == "unexpected end of JSON input" {
			err = io.ErrUnexpectedEOF
		}
	case errors.As(err, &kind):
		began += kind.Offset
	}
	return &faultError{began, inWords(err)}
}

// inWords says without the names of Go's types what does not fit a type.
func inWords(err error) error {
	var kind *json.UnmarshalTypeError
	if !errors.As(err, &kind) {
		return err
	}
	what, _, _ := strings.Cut(kind.Value, " ")
	if kind.Field == "" {
		return fmt.Errorf("what stands here, of the kind %s, is nothing that Barid writes", what)
	}
	return fmt.Errorf("%s is of the kind %s, which Barid does not write there", kind.Field, what)
}

// damaged says of which case the file cannot be read, and what to do. A file that is not there, or that the system does not give, is not damaged.
func damaged(dir string, err error) error {
	var of *fs.PathError
	if errors.As(err, &of) {
		return err
	}
	return fmt.Errorf("%s cannot be read: %w. It was cut off or changed after Barid wrote it: barid verify %s says which files were; take it from a copy, or run barid assess again",
		filepath.Join(dir, CaseFile), err, dir)
}
