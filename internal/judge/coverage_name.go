package judge

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// fileName is what the name of a file of a log says of its place in the sequence of those files.
type fileName struct {
	// dir is the folder, and stem what all files of the sequence are called; in lower case.
	dir, stem string
	// rotated says that number counts the files from the newest, as in maillog.2.gz; 0 is the file that is written to.
	rotated bool
	// period is the hour or day that stands in the name, zero if none does, step how long it is; end says that it is the day of
	// rotation, so that step is to be learnt from the sequence.
	period time.Time
	layout string // in which it stands there
	step   time.Duration
	end    bool
	// number counts the files of a period, from 1; 0 if the name does not count them.
	number int
}

var (
	numbered = regexp.MustCompile(`^(.+)\.(\d{1,4})$`)
	dated    = regexp.MustCompile(`^(.*?)(\d{10}|\d{8}|\d{6}|\d{4}-\d{2}-\d{2})(?:[-_.](\d{1,5}))?(?:_x)?(\.[a-z]{3,5})?(\.txt)?$`)
	// parted is the name of a part that split(1) makes: the name of the file and aa, ab, … up to az.
	parted  = regexp.MustCompile(`^(.*(?:\d{8}|\d{4}-\d{2}-\d{2}|\.log|\.txt|\.csv|\.jsonl?))a([a-z])$`)
	iisName = regexp.MustCompile(`(?:^|[^a-z])(?:u_)?(?:ex|nc|in)$`)
)

// splitPath divides the path of a source into folder and name, in lower case. Archives are folders.
func splitPath(path string) (dir, base string) {
	path = strings.ToLower(path)
	if i := strings.LastIndexAny(path, `/\!`); i >= 0 {
		return path[:i], path[i+1:]
	}
	return "", path
}

// parseName reads the name of a file: u_exYYMMDD.log, HttpProxy_YYYYMMDDHH-N.LOG, maillog.2.gz, maillog-YYYYMMDD.
func parseName(path string) fileName {
	dir, base := splitPath(path)
	for _, ext := range [...]string{".gz", ".bz2", ".xz", ".zst", ".lz4", ".zip"} {
		base = strings.TrimSuffix(base, ext)
	}
	part := 0
	if m := parted.FindStringSubmatch(base); m != nil {
		base, part = m[1], int(m[2][0]-'a')+1
	}
	f := fileName{dir: dir, stem: base}
	if m := dated.FindStringSubmatch(base); m != nil {
		if f.date(m[1], m[2]) {
			f.stem = m[1] + "*" + m[4]
			if f.number, _ = strconv.Atoi(m[3]); m[3] == "" {
				f.number = part
			}
			return f
		}
	}
	f.rotated = true
	if m := numbered.FindStringSubmatch(base); m != nil {
		f.stem = m[1]
		f.number, _ = strconv.Atoi(m[2])
	}
	return f
}

// date reads the digits of a name after its beginning.
func (f *fileName) date(before, digits string) bool {
	layout, step := "", 24*time.Hour
	switch {
	case len(digits) == 10 && digits[4] == '-':
		layout = "2006-01-02"
	case iisName.MatchString(before) && len(digits) == 6:
		layout = "060102"
	case iisName.MatchString(before) && len(digits) == 8:
		layout, step = "06010215", time.Hour
	case len(digits) == 8:
		layout = "20060102"
	case len(digits) == 10:
		layout, step = "2006010215", time.Hour
	default:
		return false
	}
	t, err := time.Parse(layout, digits)
	if err != nil || t.Year() < 1990 || t.Year() > 2100 {
		return false
	}
	f.period, f.layout, f.step = t, layout, step
	f.end = strings.HasSuffix(before, "-") || strings.HasSuffix(before, ".")
	return true
}

// at returns what the file of another period would be called, after the name of one of the sequence.
func (f *fileName) at(name string, period time.Time) string {
	return strings.Replace(name, f.period.Format(f.layout), period.Format(f.layout), 1)
}

var w3svc = regexp.MustCompile(`(?i)(?:^|[^a-z])w3svc(\d{1,9})(?:[^0-9]|$)`)

// iisSite returns the number of the site of IIS that a path names, "" if it names none.
func iisSite(path string) string {
	if m := w3svc.FindStringSubmatch(path); m != nil {
		return m[1]
	}
	return ""
}
