package pipeline

import (
	"os"

	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/access"
	"github.com/barid-dfir/barid/internal/logs/dovecot"
	"github.com/barid-dfir/barid/internal/logs/exchange"
	"github.com/barid-dfir/barid/internal/logs/json"
	"github.com/barid-dfir/barid/internal/logs/logsource"
	"github.com/barid-dfir/barid/internal/logs/m365"
	"github.com/barid-dfir/barid/internal/logs/mailboxaudit"
	"github.com/barid-dfir/barid/internal/logs/nextcloud"
	"github.com/barid-dfir/barid/internal/logs/remoteaccess"
	"github.com/barid-dfir/barid/internal/logs/syslog"
	"github.com/barid-dfir/barid/internal/logs/w3c"
	"github.com/barid-dfir/barid/internal/logs/windows"
)

// Formats returns every kind of log that can be read, for one run. Where two are equally sure of a source, the earlier
// has it; the generic ones come last.
func Formats() []logs.Format { return FormatsWith(logsource.Builtin()) }

// FormatsWith is [Formats] with a table of log sources of the user.
func FormatsWith(t *logsource.Table) []logs.Format {
	return t.Apply([]logs.Format{
		windows.EVTXWith(t),
		windows.JSONWith(t),
		m365.NewUAL(),
		m365.NewMessageTrace(),
		m365.NewAzure(),
		exchange.New(),
		mailboxaudit.New(),
		w3c.New(),
		w3c.NewNative(),
		access.New(),
		access.NewJSON(),
		dovecot.New(),
		nextcloud.New(),
		remoteaccess.New(),
		syslog.New(),
		json.New(),
	})
}

// LogSources returns the table of log sources that comes with Barid, with what files of the user add to it.
func LogSources(files []string) (*logsource.Table, error) {
	t := logsource.Builtin()
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		if t, err = t.Extend(name, data); err != nil {
			return nil, err
		}
	}
	return t, nil
}
