package played_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// file is a file of evidence.
type file struct {
	name    string
	data    []byte
	written time.Time
}

// evidence returns the files of all logs, in order of their names.
func (w *world) evidence() []file {
	var out []file
	for _, key := range w.keys() {
		l := w.logs[key]
		order := l.lines
		if l.jitter > 0 {
			order = slices.Clone(l.lines)
			stands := make(map[int]time.Time, len(order))
			for i := range order {
				stands[i] = order[i].at.Add(time.Duration(w.rng.Int64N(int64(l.jitter))))
			}
			at := make([]int, len(order))
			for i := range at {
				at[i] = i
			}
			slices.SortStableFunc(at, func(a, b int) int { return stands[a].Compare(stands[b]) })
			for i, n := range at {
				order[i] = l.lines[n]
			}
		} else {
			slices.SortStableFunc(order, func(a, b entry) int { return a.at.Compare(b.at) })
		}
		files := map[time.Time]*bytes.Buffer{}
		last := map[time.Time]time.Time{}
		var begins []time.Time
		for _, e := range order {
			begin := w.now(e.at).Truncate(l.span())
			text := files[begin]
			if text == nil {
				text = new(bytes.Buffer)
				if l.head != nil {
					text.WriteString(l.head(begin))
				}
				files[begin] = text
				begins = append(begins, begin)
			}
			text.WriteString(e.text)
			text.WriteByte('\n')
			last[begin] = later(last[begin], e.at)
		}
		for _, begin := range begins {
			data := files[begin].Bytes()
			if part, ok := l.cuts[begin]; ok {
				n := max(1, int(part*float64(len(data))))
				for data[n-1] == '\n' {
					n++
				}
				data = data[:min(n, len(data)-1)]
			}
			out = append(out, file{l.name(begin), data, w.now(last[begin])})
		}
	}
	slices.SortFunc(out, func(a, b file) int { return strings.Compare(a.name, b.name) })
	return out
}

// zipper compresses files; a fresh one for each would cost more than all else.
type zipper struct{ z *gzip.Writer }

func (c *zipper) file(f file) file {
	var p bytes.Buffer
	if c.z == nil {
		c.z, _ = gzip.NewWriterLevel(&p, gzip.BestSpeed)
	}
	z := c.z
	z.Reset(&p)
	z.Name, z.ModTime = filepath.Base(f.name), f.written
	z.Write(f.data)
	z.Close()
	return file{f.name + ".gz", p.Bytes(), f.written}
}

// split cuts a file in two: at the end of a line, or anywhere.
func split(f file, at float64, anywhere bool) []file {
	n := int(at * float64(len(f.data)))
	if !anywhere {
		i := bytes.IndexByte(f.data[n:], '\n')
		if i < 0 {
			return []file{f}
		}
		n += i + 1
	}
	if n == 0 || n >= len(f.data) {
		return []file{f}
	}
	return []file{{f.name + "aa", f.data[:n], f.written}, {f.name + "ab", f.data[n:], f.written}}
}

// based returns a path with another last part.
func based(name, base string) string { return path.Join(path.Dir(name), base) }

// twice writes some lines of a text twice, at once or some lines later.
func (w *world) twice(data []byte) []byte {
	out := make([]byte, 0, 2*len(data))
	lines := bytes.SplitAfter(data, []byte("\n"))
	for i := 0; i < len(lines); {
		n := min(1+w.rng.IntN(20), len(lines)-i)
		part := bytes.Join(lines[i:i+n], nil)
		out = append(out, part...)
		if w.one(2) && len(part) > 0 && part[len(part)-1] == '\n' {
			out = append(out, part...)
		}
		i += n
	}
	return out
}

// mistreatments are what people do to files who copy them. None takes anything away.
var mistreatments = []struct {
	name string
	// exact says that nothing is less certain for it.
	exact bool
	// text says that it is done to text, not to what was compressed.
	text bool
	do   func(w *world, files []file) []file
}{
	{"compressed", true, false, func(w *world, files []file) []file {
		var z zipper
		for i := range files {
			files[i] = z.file(files[i])
		}
		return files
	}},
	{"some compressed", true, false, func(w *world, files []file) []file {
		var z zipper
		for i := range files {
			if w.one(2) {
				files[i] = z.file(files[i])
			}
		}
		return files
	}},
	{"some there twice", true, false, func(w *world, files []file) []file {
		for _, f := range files {
			if w.one(3) {
				files = append(files, file{"copy/" + f.name, f.data, f.written})
			}
		}
		return files
	}},
	{"split", true, true, func(w *world, files []file) []file {
		for i, f := range files {
			if parts := split(f, w.rng.Float64(), false); w.one(4) && len(parts) == 2 {
				files[i] = parts[0]
				files = append(files, parts[1])
			}
		}
		return files
	}},
	{"renamed", false, false, func(w *world, files []file) []file {
		for i, f := range files {
			files[i].name = based(f.name, "copy of "+path.Base(f.name)+".txt")
		}
		return files
	}},
	{"cut in mid-line", false, true, func(w *world, files []file) []file {
		for i, f := range files {
			if parts := split(f, w.rng.Float64(), true); w.one(4) && len(parts) == 2 {
				files[i] = parts[0]
				files = append(files, parts[1])
			}
		}
		return files
	}},
	{"rotated in mid-line", false, true, func(w *world, files []file) []file {
		for i := range files[:max(len(files)-1, 0)] {
			f, next := &files[i], &files[i+1]
			if path.Dir(f.name) != path.Dir(next.name) || bytes.HasPrefix(next.data, []byte("#")) || !w.one(2) {
				continue
			}
			// The last bytes stand in the next file.
			n := len(f.data) - 1 - w.rng.IntN(min(len(f.data)-1, 300))
			next.data = slices.Concat(f.data[n:], next.data)
			f.data = f.data[:n]
		}
		return slices.DeleteFunc(files, func(f file) bool { return len(f.data) == 0 })
	}},
	{"lines there twice", false, true, func(w *world, files []file) []file {
		for i := range files {
			if w.one(2) {
				files[i].data = w.twice(files[i].data)
			}
		}
		return files
	}},
	{"overlapping", false, true, func(w *world, files []file) []file {
		for i := range files[:max(len(files)-1, 0)] {
			f, next := files[i], &files[i+1]
			if path.Dir(f.name) != path.Dir(next.name) || bytes.HasPrefix(next.data, []byte("#")) {
				continue
			}
			n := bytes.IndexByte(f.data[w.rng.IntN(len(f.data)):], '\n') + 1
			if tail := f.data[n:]; n > 0 && len(tail) > 0 && tail[len(tail)-1] == '\n' {
				from := bytes.LastIndexByte(f.data[:w.rng.IntN(len(f.data))], '\n') + 1
				next.data = slices.Concat(f.data[from:], next.data)
			}
		}
		return files
	}},
	{"lines end as on Windows", true, true, func(w *world, files []file) []file {
		for i := range files {
			files[i].data = bytes.ReplaceAll(files[i].data, []byte("\n"), []byte("\r\n"))
		}
		return files
	}},
	{"names without dates", false, false, func(w *world, files []file) []file {
		for i, n := range w.rng.Perm(len(files)) {
			files[i].name = based(files[i].name, fmt.Sprintf("file%d%s", n, path.Ext(files[i].name)))
		}
		return files
	}},
	{"all in one folder", false, false, func(w *world, files []file) []file {
		for i := range files {
			files[i].name = strings.ReplaceAll(files[i].name, "/", "_")
		}
		return files
	}},
	{"all in one folder by numbers", false, false, func(w *world, files []file) []file {
		for i, n := range w.rng.Perm(len(files)) {
			files[i].name = fmt.Sprintf("%d.log", n)
		}
		return files
	}},
	{"written when they were copied", true, false, func(w *world, files []file) []file {
		for i := range files {
			files[i].written = w.to.AddDate(0, 0, 3)
		}
		return files
	}},
}

// mistreat does to files what people do who copy them. It takes nothing away.
func (w *world) mistreat(files []file) []file {
	if w.one(3) {
		return files
	}
	for range 1 + w.rng.IntN(2) {
		m := mistreatments[w.rng.IntN(len(mistreatments))]
		if (m.text || m.name == "compressed") && slices.ContainsFunc(files, func(f file) bool { return strings.HasSuffix(f.name, ".gz") }) {
			continue
		}
		files = m.do(w, files)
		w.mistreated = append(w.mistreated, m.name)
		w.exact = w.exact && m.exact
	}
	return files
}

// disorder lets lines stand in another order than that of their times, by a little, or by anything where nobody expects one.
func (w *world) disorder() {
	if !w.one(6) {
		return
	}
	for _, key := range w.keys() {
		l := w.logs[key]
		if l.jitter = 20 * time.Second; l.anyOrder {
			l.jitter = 30 * 24 * time.Hour
		}
	}
	w.mistreated, w.exact = append(w.mistreated, "out of order"), false
}

// jump lets the clock of the machine be wrong, until it was set back, or from when it was.
func (w *world) jump() {
	if !w.one(6) {
		return
	}
	at, by := w.moment(time.Hour), time.Duration(2+w.rng.IntN(50))*time.Minute
	if w.one(2) {
		w.clock = func(t time.Time) time.Time {
			if t.Before(at) {
				return t.Add(by)
			}
			return t
		}
		w.mistreated = append(w.mistreated, fmt.Sprintf("the clock was %s fast until %s", by, at.Format(time.RFC3339)))
	} else {
		w.clock = func(t time.Time) time.Time {
			if t.Before(at) {
				return t
			}
			return t.Add(-by)
		}
		w.mistreated = append(w.mistreated, fmt.Sprintf("the clock was %s slow from %s on", by, at.Format(time.RFC3339)))
	}
	w.exact = false
}
