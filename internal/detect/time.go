package detect

import "time"

// AppendTime appends nanoseconds since 1970 UTC as RFC 3339 with milliseconds, or finer where it is finer.
func AppendTime(dst []byte, t int64) []byte {
	layout := "2006-01-02T15:04:05.000Z"
	if t%1e6 != 0 {
		layout = "2006-01-02T15:04:05.000000000Z"
		if t%1e3 == 0 {
			layout = "2006-01-02T15:04:05.000000Z"
		} else if t%100 == 0 {
			layout = "2006-01-02T15:04:05.0000000Z"
		}
	}
	return time.Unix(0, t).UTC().AppendFormat(dst, layout)
}
