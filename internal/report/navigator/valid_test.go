package navigator_test

import (
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/report/navigator"
	"github.com/barid-dfir/barid/internal/report/reporttest"
)

func TestEveryCaseIsValid(t *testing.T) {
	for name, in := range reporttest.Cases() {
		t.Run(name, func(t *testing.T) {
			reporttest.CheckNavigator(t, reporttest.Twice(t, func(w *strings.Builder) error { return navigator.Write(w, in) }))
		})
	}
}
