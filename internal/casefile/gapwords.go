package casefile

import "strings"

// GapWords says the reason of a gap in plain words.
func GapWords(reason string) string {
	switch reason {
	case "missing_file":
		return "files of the log are missing"
	case "missing_records":
		return "records are missing"
	case "cleared":
		return "the log was cleared"
	case "disabled":
		return "nothing was recorded"
	case "bypass":
		return "the account was exempt from being recorded"
	case "narrowed":
		return "only a part was recorded"
	case "throttled":
		return "the service had stopped recording"
	case "truncated_export":
		return "the export ended at its limit"
	case "truncated_file":
		return "a file is cut off"
	case "silence":
		return "the log is silent"
	case "lost":
		return "the log lost records"
	case "clock":
		return "the clock of the log may be off"
	case "parse_error":
		return "a part could not be read"
	case "time_unknown":
		return "times could not be read"
	case "before_coverage":
		return "the log had not begun"
	case "after_coverage":
		return "the log had ended"
	}
	return strings.ReplaceAll(reason, "_", " ")
}
