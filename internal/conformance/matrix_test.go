package conformance_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/content"
	"github.com/barid-dfir/barid/internal/detect"
	"github.com/barid-dfir/barid/internal/pipeline"
	"github.com/barid-dfir/barid/internal/tally"
	"github.com/barid-dfir/barid/sigma"
)

var update = flag.Bool("update", false, "write the matrix of rules and files anew")

const matrixFile = "testdata/matrix.txt"

// TestMatrix counts what every rule finds in every file of the evidence, and compares with what was kept.
func TestMatrix(t *testing.T) {
	got := newMatrix(t)
	if *update {
		if err := os.MkdirAll(filepath.Dir(matrixFile), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(matrixFile, got.text(), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	kept, err := os.ReadFile(matrixFile)
	if err != nil {
		t.Fatal(err)
	}
	want, err := readMatrix(kept)
	if err != nil {
		t.Fatalf("%s: %v", matrixFile, err)
	}
	if bytes.Equal(kept, got.text()) {
		return
	}
	const most = 80
	list := got.changes(want)
	for i, s := range list {
		if i == most {
			t.Logf("and %d more", len(list)-most)
			break
		}
		t.Log(s)
	}
	t.Errorf("%d changes against %s. If they are meant: go test ./internal/conformance -run TestMatrix -update", len(list), matrixFile)
}

// matrix is what every rule finds in every file.
type matrix struct {
	head  []string // what was compared
	files map[string]*matrixFileRow
	rules map[string]*matrixRule // by ID
}

// matrixFileRow is a file that holds events.
type matrixFileRow struct {
	path   string
	events int64
}

// matrixRule is a rule that finds something.
type matrixRule struct {
	title  string
	counts map[string]int64 // of findings, by ID of the file
	digest string           // of the places of all findings
}

// matrixPlaceholders are values for the placeholders that rules of SigmaHQ use.
func matrixPlaceholders() map[string][]string {
	values := map[string][]string{}
	for _, name := range strings.Fields(`Administrators Admins_Workstations ApprovedUserUpn Approved_Inviters DomainControllers HomeTenantID
		Important_AppIds KNOWN_LOCATION Known_Location Legitimate_Countries Legitimate_IP_Ranges ServerSystems UnApprovedDevice UnApprovedIp
		UnLegitCountries Workstations dc_ip_addresses dc_machine_accounts domain_controller_hostnames internal_domains legit_ips
		legtimate_identifiers userdomain known_cdcs DC-MACHINE-NAME`) {
		values[name] = []string{"wec*", "WORKSTATION5*", "10.*"}
	}
	return values
}

// newMatrix reads the evidence with all rules.
func newMatrix(t *testing.T) *matrix {
	root := evidence(t)
	archive := evidence(t, "sigma-rules", "sigma-rules.zip")
	hq, err := sigma.Load(archive)
	if err != nil {
		t.Fatal(err)
	}
	own, err := sigma.LoadFS(content.Rules())
	if err != nil {
		t.Fatal(err)
	}
	all := &sigma.Pack{}
	all.Add(own)
	all.Add(hq)
	engine, rejected := sigma.Compile(all, sigma.Options{Placeholders: matrixPlaceholders()})
	for _, r := range rejected {
		t.Errorf("no rule of the matrix: %v", r)
	}
	m := &matrix{files: map[string]*matrixFileRow{}, rules: map[string]*matrixRule{}}
	digests := map[string][]byte{}
	cfg := config(detect.NewRules(engine), logsOf(t, root))
	cfg.MinLevel = detect.Informational
	var events, findings int64
	cfg.Source = func(s *tally.Source, list *pipeline.Findings) error {
		if s.Events == 0 {
			return nil
		}
		path, err := filepath.Rel(root, s.Path)
		if err != nil {
			return err
		}
		id := matrixID(path)
		if f := m.files[id]; f != nil {
			return fmt.Errorf("%s and %s have the same ID: make it longer", f.path, path)
		}
		m.files[id] = &matrixFileRow{filepath.ToSlash(path), s.Events}
		events += s.Events
		findings += list.Len()
		return list.Each(func(f *detect.Finding) error {
			r := m.rules[f.Rule.ID]
			if r == nil {
				r = &matrixRule{title: f.Rule.Title, counts: map[string]int64{}}
				m.rules[f.Rule.ID] = r
			}
			r.counts[id]++
			place := f.Line
			if place == 0 {
				place = f.Record
			}
			digests[f.Rule.ID] = binary.LittleEndian.AppendUint64(append(digests[f.Rule.ID], id...), uint64(place))
			return nil
		})
	}
	if _, err := pipeline.Run(context.Background(), cfg); err != nil {
		t.Fatal(err)
	}
	for id, places := range digests {
		h := fnv.New32a()
		h.Write(places)
		m.rules[id].digest = fmt.Sprintf("%08x", h.Sum32())
	}
	m.head = []string{
		fmt.Sprintf("%d rules of %s and %d of Barid's own", len(hq.Rules), originOfRules(t, archive), len(own.Rules)),
		fmt.Sprintf("%d files with events, %d events", len(m.files), events),
		fmt.Sprintf("%d findings of %d rules; %d rules find nothing", findings, len(m.rules), len(engine.Rules())-len(m.rules)),
	}
	return m
}

// logsOf returns what lies in the evidence but the rules.
func logsOf(t *testing.T, root string) []string {
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, e := range entries {
		if e.IsDir() && e.Name() != "sigma-rules" {
			paths = append(paths, filepath.Join(root, e.Name()))
		}
	}
	return paths
}

var commitOfRules = regexp.MustCompile(`SigmaHQ/sigma@[0-9a-f]+ \([0-9-]+\)`)

// originOfRules says which rules the archive holds.
func originOfRules(t *testing.T, archive string) string {
	note, err := os.ReadFile(filepath.Join(filepath.Dir(archive), "SOURCE.md"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(p)
	return fmt.Sprintf("%s, SHA-256 %s", commitOfRules.Find(note), hex.EncodeToString(sum[:8]))
}

// matrixID returns a short name of a file that does not change when others come or go.
func matrixID(path string) string {
	sum := sha256.Sum256([]byte(filepath.ToSlash(path)))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:4]))[:6]
}

const matrixHead = `# What every rule finds in every file of the evidence, held by TestMatrix. A change here is a change of what users are told.
# First the files that hold events: ID, events, path. Then the rules that find something: ID, digest of the places of its findings
# in their order, title, and after each tab the ID of a file with the number of findings in it.
`

// text returns the matrix as it is kept.
func (m *matrix) text() []byte {
	var b bytes.Buffer
	b.WriteString(matrixHead)
	for _, s := range m.head {
		fmt.Fprintf(&b, "# %s\n", s)
	}
	files := sortedKeys(m.files, func(a, b string) int { return strings.Compare(m.files[a].path, m.files[b].path) })
	for _, id := range files {
		fmt.Fprintf(&b, "file\t%s\t%d\t%s\n", id, m.files[id].events, m.files[id].path)
	}
	for _, id := range sortedKeys(m.rules, strings.Compare) {
		r := m.rules[id]
		fmt.Fprintf(&b, "rule\t%s\t%s\t%s", id, r.digest, r.title)
		for _, f := range files {
			if n := r.counts[f]; n > 0 {
				fmt.Fprintf(&b, "\t%s:%d", f, n)
			}
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// readMatrix reads what text wrote.
func readMatrix(p []byte) (*matrix, error) {
	m := &matrix{files: map[string]*matrixFileRow{}, rules: map[string]*matrixRule{}}
	lines := bufio.NewScanner(bytes.NewReader(bytes.TrimPrefix(p, []byte(matrixHead))))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if s, ok := strings.CutPrefix(lines.Text(), "# "); ok {
			m.head = append(m.head, s)
			continue
		}
		f := strings.Split(lines.Text(), "\t")
		switch {
		case f[0] == "file" && len(f) == 4:
			n, err := strconv.ParseInt(f[2], 10, 64)
			if err != nil {
				return nil, err
			}
			m.files[f[1]] = &matrixFileRow{f[3], n}
		case f[0] == "rule" && len(f) > 4:
			r := &matrixRule{digest: f[2], title: f[3], counts: map[string]int64{}}
			for _, c := range f[4:] {
				file, count, _ := strings.Cut(c, ":")
				n, err := strconv.ParseInt(count, 10, 64)
				if err != nil {
					return nil, err
				}
				r.counts[file] = n
			}
			m.rules[f[1]] = r
		default:
			return nil, fmt.Errorf("what is %q?", lines.Text())
		}
	}
	return m, lines.Err()
}

// changes says in lines how m differs from what it was.
func (m *matrix) changes(was *matrix) []string {
	var out []string
	note := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	for i, s := range m.head {
		if i >= len(was.head) || was.head[i] != s {
			note("now %s", s)
			if i < len(was.head) {
				note("was %s", was.head[i])
			}
		}
	}
	path := func(id string) string {
		if f := m.files[id]; f != nil {
			return f.path
		}
		return was.files[id].path
	}
	for _, id := range sortedKeys(union(m.files, was.files), func(a, b string) int { return strings.Compare(path(a), path(b)) }) {
		switch now, before := m.files[id], was.files[id]; {
		case before == nil:
			note("%s: now holds %d events", path(id), now.events)
		case now == nil:
			note("%s: held %d events, now none", path(id), before.events)
		case now.events != before.events:
			note("%s: held %d events, now %d", path(id), before.events, now.events)
		}
	}
	for _, id := range sortedKeys(union(m.rules, was.rules), strings.Compare) {
		now, before := m.rules[id], was.rules[id]
		if now == nil {
			now = &matrixRule{title: before.title}
		}
		if before == nil {
			before = &matrixRule{title: now.title}
		}
		same := true
		for _, f := range sortedKeys(union(now.counts, before.counts), func(a, b string) int { return strings.Compare(path(a), path(b)) }) {
			if a, b := before.counts[f], now.counts[f]; a != b {
				same = false
				note("%s (%s): found %d, now %d in %s", id, now.title, a, b, path(f))
			}
		}
		switch {
		case same && now.digest != before.digest:
			note("%s (%s): as many findings, in other events", id, now.title)
		case now.title != before.title:
			note("%s: was called %s, now %s", id, before.title, now.title)
		}
	}
	return out
}

func sortedKeys[V any](m map[string]V, cmp func(a, b string) int) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, cmp)
	return keys
}

func union[V any](a, b map[string]V) map[string]bool {
	u := map[string]bool{}
	for k := range a {
		u[k] = true
	}
	for k := range b {
		u[k] = true
	}
	return u
}

// TestMatrixTellsChanges changes a matrix in every way and expects each to be named.
func TestMatrixTellsChanges(t *testing.T) {
	const kept = matrixHead + "# 2 rules\nfile\taaaaaa\t3\ta.evtx\nfile\tbbbbbb\t5\tb.evtx\n" +
		"rule\t1\t0000\tOne\taaaaaa:2\tbbbbbb:1\nrule\t2\t1111\tTwo\tbbbbbb:1\n"
	was, err := readMatrix([]byte(kept))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(was.text()); got != kept {
		t.Fatalf("read and written again:\n%s", got)
	}
	f := func(old, new, want string) {
		t.Helper()
		now, err := readMatrix([]byte(strings.Replace(kept, old, new, 1)))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(now.changes(was), "\n"); got != want {
			t.Errorf("%q made %q: %q, want %q", old, new, got, want)
		}
	}
	f("", "", "")
	f("aaaaaa:2", "aaaaaa:3", "1 (One): found 2, now 3 in a.evtx")
	f("\taaaaaa:2", "", "1 (One): found 2, now 0 in a.evtx")
	f("0000", "0001", "1 (One): as many findings, in other events")
	f("rule\t2\t1111\tTwo\tbbbbbb:1\n", "", "2 (Two): found 1, now 0 in b.evtx")
	f("rule\t2\t1111\tTwo\tbbbbbb:1\n", "rule\t2\t1111\tTwo\tbbbbbb:1\nrule\t3\t2222\tThree\tbbbbbb:4\n", "3 (Three): found 0, now 4 in b.evtx")
	f("bbbbbb\t5", "bbbbbb\t4", "b.evtx: held 5 events, now 4")
	f("file\taaaaaa\t3\ta.evtx\n", "file\taaaaaa\t3\ta.evtx\nfile\tcccccc\t1\tc.evtx\n", "c.evtx: now holds 1 events")
	f("# 2 rules", "# 3 rules", "now 3 rules\nwas 2 rules")
	f("One", "Eins", "1: was called One, now Eins")
}
