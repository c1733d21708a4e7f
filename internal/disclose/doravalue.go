package disclose

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/barid-dfir/barid/internal/event"
)

// Shapes of values, as the schema IR-1.2.1 has them.
var (
	leiShape      = regexp.MustCompile(`^[A-Z0-9]{18}[0-9]{2}$`)
	phoneShape    = regexp.MustCompile(`^\+?[1-9]\d{1,14}(\s?\(\d+\))?([-\s.]?\d+)*$`)
	durationShape = regexp.MustCompile(`^\d{1,3}:(?:[01]\d|2[0-3]):[0-5]\d$`)
	ownCode       = regexp.MustCompile(`^[A-Za-z0-9-]+$`)          // 2.1, as the French authority takes it
	acprCode      = regexp.MustCompile(`^\d{4}[IM]\d{7}$`)         // 3.1, as it gives it
	numberShape   = regexp.MustCompile(`^-?\d{1,18}(\.\d{1,9})?$`) // what is compared and rounded
)

// decode reads the value of a field from JSON, or from what the facts give under disclosure.dora.
func (f *doraField) decode(v any) (any, error) {
	switch f.kind {
	case kindMulti:
		items, ok := v.([]any)
		if s, one := v.(string); one {
			items, ok = []any{s}, true
		}
		if !ok {
			return nil, errors.New("it takes a list")
		}
		var out []string
		for _, item := range items {
			s, ok := item.(string)
			if !ok {
				return nil, fmt.Errorf("%v is no text", item)
			}
			out = append(out, s)
		}
		return out, nil
	case kindBool:
		if b, ok := v.(bool); ok {
			return b, nil
		}
		return nil, errors.New("it takes true or false")
	case kindInteger, kindPercent, kindAmount:
		n, ok := numberText(v)
		if !ok {
			return nil, fmt.Errorf("%.40q is not a number that can be reported", fmt.Sprint(v))
		}
		return n, nil
	case kindTime:
		switch v := v.(type) {
		case time.Time:
			return stamp(v), nil
		case string:
			if t, err := time.Parse(time.RFC3339, v); err == nil {
				return stamp(t), nil
			}
		}
		return nil, errors.New("it takes a time with its offset, such as 2025-12-22T06:10:00+01:00")
	}
	switch v := v.(type) {
	case string:
		return v, nil
	case int:
		return strconv.Itoa(v), nil
	case bool:
		if f.kind == kindChoice {
			return map[bool]string{true: "yes", false: "no"}[v], nil
		}
	}
	return nil, errors.New("it takes text")
}

// numberText returns a number as JSON writes it.
func numberText(v any) (json.Number, bool) {
	s := ""
	switch v := v.(type) {
	case json.Number:
		f, err := v.Float64()
		if err != nil {
			return "", false
		}
		s = decimal(f)
	case int:
		s = strconv.Itoa(v)
	case float64:
		s = decimal(v)
	case string:
		s = v
	}
	return json.Number(s), numberShape.MatchString(s)
}

// utcText returns a time as the template wants it, whatever its offset; s itself if it is none.
func utcText(s string) string {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return stamp(t)
	}
	return s
}

// plainText returns text that can be read as it stands: what would not show is written as its number, breaks between lines stay.
func plainText(s string) string {
	s = strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n"))
	if utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return r != '\n' && event.Hidden(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s { // a byte that is no text becomes U+FFFD
		switch {
		case r == '\n' || !event.Hidden(r):
			b.WriteRune(r)
		case r == '\t':
			b.WriteByte(' ')
		default:
			fmt.Fprintf(&b, "[U+%04X]", r)
		}
	}
	return b.String()
}

// wholeNumber is a count as it is reported: rounded up, because more are affected than the whole below. ok is false where q says nothing.
func wholeNumber(q *Quantity) (json.Number, bool) {
	if !usable(q) {
		return "", false
	}
	return numberText(max(0, math.Ceil(q.Value)))
}

// percent is a percentage with one decimal, rounded up.
func percent(q *Quantity) (json.Number, bool) {
	if !usable(q) {
		return "", false
	}
	// What is a thousandth of a thousandth above a decimal is how binary numbers write that decimal.
	return numberText(max(0, math.Ceil(q.Value*10-1e-6)/10))
}

// thousands is an amount in thousands of the currency, exact to its unit.
func thousands(q *Quantity) (json.Number, bool) {
	if !usable(q) {
		return "", false
	}
	return numberText(math.Round(q.Value) / 1000)
}

// daysHoursMinutes writes a duration as the template does; what is less than a minute counts as one.
func daysHoursMinutes(d time.Duration) string {
	if d < 0 {
		d = 0
	}
	m := int64((d + time.Minute - 1) / time.Minute)
	return fmt.Sprintf("%02d:%02d:%02d", m/(24*60), m/60%24, m%60)
}

// float returns a number that was checked; NaN if it was not.
func float(v any) float64 {
	n, ok := v.(json.Number)
	if !ok {
		return math.NaN()
	}
	f, err := n.Float64()
	if err != nil {
		return math.NaN()
	}
	return f
}
