package disclose

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/barid-dfir/barid/content"
	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/strictyaml"
)

// Regimes are the laws by which something is owed, and the days on which nobody works. They are never changed once they are loaded.
type Regimes struct {
	list      []*Regime // in order of their names
	calendars calendars
	further   []string
	files     map[string]string // those that do not come with Barid, by their names
}

// Further names the regimes that do not come with Barid, with the version of their data. Nil Regimes have none.
func (r *Regimes) Further() []string {
	if r == nil {
		return nil
	}
	return slices.Clone(r.further)
}

// List returns the regimes in order of their names. The slice is the caller's, what it points to is not.
func (r *Regimes) List() []*Regime { return slices.Clone(r.list) }

// Find returns the regime of a name, or nil.
func (r *Regimes) Find(name string) *Regime {
	for _, g := range r.list {
		if g.Name == name {
			return g
		}
	}
	return nil
}

func (r *Regimes) names() []string {
	var names []string
	for _, g := range r.list {
		names = append(names, g.Name)
	}
	return names
}

// Regime is a law by which something is owed: a file of content/regimes, which docs/adding-a-regime.md explains key by key.
type Regime struct {
	Name    string `yaml:"regime"`
	Version string `yaml:"version"` // of the data: the day on which it was looked at
	Source  Source `yaml:"source"`
	// Words are its name and its usual recipient, by language: en, fr, ar.
	Words map[string]Words `yaml:"words"`
	// Decisions are the acts by which people decide under it: classified, reclassified, risk, significant, material.
	Decisions []string `yaml:"decisions"`
	// Zone is the time zone of its hours of the day, and Calendar the days on which nobody works: "" for those of the entity.
	Zone     string `yaml:"zone"`
	Calendar string `yaml:"calendar"`
	// Few says that it is for few organisations: where nobody says whether it applies, that is one question and no clock.
	Few bool `yaml:"few"`
	// Applies says to whom it applies, and Owed when something is owed under it.
	Applies Condition `yaml:"applies"`
	Owed    Condition `yaml:"owed"`
	Duties  []*Rule   `yaml:"duties"`

	zone *time.Location // nil for that of the entity
}

// Source is a place in a legal text. What a clock leaves out is as the regime has it.
type Source struct {
	Act     string `yaml:"act"`
	CELEX   string `yaml:"celex"`
	Article string `yaml:"article"`
	Checked bool   `yaml:"checked"` // the text was seen
}

// Words are what something is called in one language.
type Words struct {
	Name      string `yaml:"name"`
	Recipient string `yaml:"recipient"`
	Note      string `yaml:"note"`
}

// Rule is a duty under a regime: one thing that is owed to one recipient.
type Rule struct {
	Stage string           `yaml:"stage"`
	Words map[string]Words `yaml:"words"`
	Form  string           `yaml:"form"`
	// Authority says that it goes to the authority of the regime, which the facts may name (entity.recipients).
	Authority bool `yaml:"authority"`
	// Always says that the condition Owed of the regime does not count.
	Always bool      `yaml:"always"`
	Owed   Condition `yaml:"owed"`
	// Starts is the event that starts its clock.
	Starts string `yaml:"starts"`
	// DoneBy names, where it is not the stage itself, whose submission from the start on does it: {submitted: intermediate}.
	DoneBy struct {
		Submitted string `yaml:"submitted"`
	} `yaml:"done_by"`
	// NotIfByThen is an event: if it has happened when the duty would be due, it is not owed.
	NotIfByThen string   `yaml:"not_if_by_then"`
	Clocks      []*Clock `yaml:"clocks"`
}

// Clock is how the time of a duty is reckoned, in the version of the law that holds from From until before To. The first that holds, and whose When is
// met, counts.
type Clock struct {
	From   string              `yaml:"from"` // a day
	To     string              `yaml:"to"`   // a day; "" while it holds
	When   map[string][]string `yaml:"when"`
	Limits []Limit             `yaml:"limits"`
	Take   string              `yaml:"take"` // earliest (also ""), latest
	Relief *Relief             `yaml:"relief"`
	// Without says that the law has no hour: without undue delay.
	Without bool   `yaml:"without_undue_delay"`
	Source  Source `yaml:"source"`
}

// Limit is a time after an event: exactly one of Hours to BusinessDays is not 0.
type Limit struct {
	After        string `yaml:"after"`
	Hours        int    `yaml:"hours"`
	Days         int    `yaml:"days"`
	Months       int    `yaml:"months"`
	BusinessDays int    `yaml:"business_days"`
	At           string `yaml:"at"` // with BusinessDays: 17:30
	// DropsBefore is an event: the limit falls away where it lies before that.
	DropsBefore string `yaml:"drops_before"`
	// Optional says that nobody is asked for the event: it need not come.
	Optional bool `yaml:"optional"`
	// Otherwise says that it counts only where no limit before it does.
	Otherwise bool `yaml:"otherwise"`
}

// Relief moves a limit that falls on a day on which nobody works to an hour of the next working day, unless one of Unless holds.
type Relief struct {
	To     string                `yaml:"to"` // 12:00
	Unless []map[string][]string `yaml:"unless"`
}

// calendarFile is the file of a folder of regimes that holds calendars.
const calendarFile = "calendars.yaml"

var builtinRegimes = sync.OnceValues(func() (*Regimes, error) {
	files, err := regimeFiles(content.Regimes(), "content/regimes")
	if err != nil {
		return nil, err
	}
	return parseRegimes(&Regimes{}, files, "content/regimes")
})

// BuiltinRegimes returns the regimes that come with Barid.
func BuiltinRegimes() (*Regimes, error) { return builtinRegimes() }

// LoadRegimes returns the regimes that come with Barid and those of fsys, which is named in errors: a file *.yaml each, and calendars.yaml. Those of a
// name that Barid has take the place of its own.
func LoadRegimes(fsys fs.FS, name string) (*Regimes, error) {
	own, err := builtinRegimes()
	if err != nil {
		return nil, err
	}
	files, err := regimeFiles(fsys, name)
	if err != nil {
		return nil, err
	}
	return parseRegimes(own, files, name)
}

// readRegime reads a file of at most maxRegime bytes. What is no file may have no end.
func readRegime(fsys fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a file: name a folder of files")
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p, err := io.ReadAll(io.LimitReader(f, maxRegime+1))
	if len(p) > maxRegime {
		return nil, fmt.Errorf("more than %d MiB", maxRegime>>20)
	}
	return p, err
}

// maxRegimes is how large all files of a folder of regimes may be together, in bytes.
const maxRegimes = 16 << 20

// regimeFiles reads the files of a folder of regimes, by their names.
func regimeFiles(fsys fs.FS, dir string) (map[string]string, error) {
	names, err := fs.Glob(fsys, "*.yaml")
	if err != nil {
		return nil, err
	}
	files, all := map[string]string{}, 0
	for _, name := range names {
		p, err := readRegime(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path.Join(dir, name), err)
		}
		if all += len(p); all > maxRegimes {
			return nil, fmt.Errorf("%s: its files are more than %d MiB together", dir, maxRegimes>>20)
		}
		files[name] = string(p)
	}
	return files, nil
}

func parseRegimes(base *Regimes, files map[string]string, dir string) (*Regimes, error) {
	all := &Regimes{list: slices.Clone(base.list), calendars: base.calendars}
	if base.list != nil {
		all.files = files
	}
	found := map[string]string{}
	for _, file := range sortedKeys(files) {
		where := path.Join(dir, file)
		p := []byte(files[file])
		if file == calendarFile {
			var err error
			if all.calendars, err = parseCalendars(p, base.calendars); err != nil {
				return nil, fmt.Errorf("%s: %w", where, err)
			}
			continue
		}
		g, err := ParseRegime(p)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", where, err)
		}
		if other := found[g.Name]; other != "" {
			return nil, fmt.Errorf("%s: regime: %s is in %s too", where, g.Name, other)
		}
		found[g.Name] = file
		all.list = append(slices.DeleteFunc(all.list, func(o *Regime) bool { return o.Name == g.Name }), g)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: there is no regime: they are files that end in .yaml", dir)
	}
	slices.SortFunc(all.list, func(a, b *Regime) int { return strings.Compare(a.Name, b.Name) })
	for _, g := range all.list {
		if base.list != nil && found[g.Name] != "" {
			all.further = append(all.further, g.Name+" ("+g.Version+")")
		}
		if g.Calendar != "" && all.calendars.days[g.Calendar] == nil {
			return nil, fmt.Errorf("%s: %s: calendar: there is no calendar %q", dir, g.Name, g.Calendar)
		}
	}
	return all, nil
}

// maxRegime is how large a file of a regime may be, in bytes.
const maxRegime = 1 << 20

// ParseRegime reads the file of a regime. Errors name the line or the duty.
func ParseRegime(text []byte) (*Regime, error) {
	if len(text) > maxRegime {
		return nil, fmt.Errorf("more than %d MiB", maxRegime>>20)
	}
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return nil, strictyaml.Syntax(err)
	}
	if len(root.Content) == 0 || root.Content[0].Kind != yaml.MappingNode {
		return nil, fmt.Errorf("it holds no regime: see docs/adding-a-regime.md")
	}
	if err := strictyaml.Keys(root.Content[0], reflect.TypeFor[Regime](), ""); err != nil {
		return nil, err
	}
	var g Regime
	if err := root.Content[0].Decode(&g); err != nil {
		return nil, err
	}
	c := regimeCheck{g: &g, root: &root}
	if err := c.all(); err != nil {
		return nil, err
	}
	return &g, nil
}

// rule returns the duty of a stage, or nil.
func (g *Regime) rule(stage string) *Rule {
	for _, d := range g.Duties {
		if d.Stage == stage {
			return d
		}
	}
	return nil
}

func (g *Regime) stages() []string {
	var names []string
	for _, d := range g.Duties {
		names = append(names, d.Stage)
	}
	return names
}

// words returns what something is called in a language: in English where it has no name in that one.
func words(w map[string]Words, tag string) Words {
	got := w[tag]
	english := w["en"]
	if got.Name == "" {
		got.Name = english.Name
	}
	if got.Recipient == "" {
		got.Recipient = english.Recipient
	}
	if got.Note == "" {
		got.Note = english.Note
	}
	return got
}

// legal returns the place of a rule, with the version of the data.
func (g *Regime) legal(s Source) casefile.Legal {
	l := casefile.Legal{Act: s.Act, CELEX: s.CELEX, Article: s.Article, Checked: s.Checked, Data: g.Version}
	if s.Act == "" {
		l.Act, l.CELEX = g.Source.Act, g.Source.CELEX
	}
	return l
}

// regimeCheck looks for what cannot be meant in the file of a regime.
type regimeCheck struct {
	g    *Regime
	root *yaml.Node
}

func (c *regimeCheck) fail(path []any, format string, args ...any) error {
	key := ""
	for _, p := range path {
		switch p := p.(type) {
		case string:
			if key != "" {
				key += "."
			}
			key += p
		case int:
			key += fmt.Sprintf("[%d]", p+1)
		}
	}
	return fmt.Errorf("line %d: %s: %s", strictyaml.Line(c.root, path...), key, fmt.Sprintf(format, args...))
}

var identifier = regexp.MustCompile(`^[a-z][a-z0-9-]{0,63}$`)

func (c *regimeCheck) all() error {
	g := c.g
	if !identifier.MatchString(g.Name) {
		return c.fail(in("regime"), "%q is no name: it takes small letters, digits and -", g.Name)
	}
	if _, err := time.Parse(time.DateOnly, g.Version); err != nil {
		return c.fail(in("version"), "%q is no day: write it as 2026-11-22", g.Version)
	}
	if g.Source.Act == "" {
		return c.fail(in("source"), "act is missing: which law is it?")
	}
	if w := g.Words["en"]; w.Name == "" || w.Recipient == "" {
		return c.fail(in("words", "en"), "name and recipient are missing")
	}
	if g.Zone != "" {
		zone, err := time.LoadLocation(g.Zone)
		if err != nil || strings.EqualFold(g.Zone, "local") {
			return c.fail(in("zone"), "there is no zone %q", g.Zone)
		}
		g.zone = zone
	}
	for i, d := range g.Decisions {
		if !slices.Contains([]string{actClassified, actReclassified, actRisk, actSignificant, actMaterial}, d) {
			return c.fail(in("decisions", i), "%q is none of classified, reclassified, risk, significant, material", d)
		}
	}
	if err := c.condition(&g.Applies, in("applies")); err != nil {
		return err
	}
	if err := c.condition(&g.Owed, in("owed")); err != nil {
		return err
	}
	if len(g.Duties) == 0 || len(g.Duties) > 50 {
		return c.fail(in("duties"), "it takes 1 to 50 duties, not %d", len(g.Duties))
	}
	for i, d := range g.Duties {
		if d == nil {
			return c.fail(in("duties", i), "it is empty")
		}
	}
	for i := range g.Duties {
		if err := c.rule(i); err != nil {
			return err
		}
	}
	return nil
}

func (c *regimeCheck) rule(i int) error {
	d, at := c.g.Duties[i], in("duties", i)
	under := func(path ...any) []any { return append(slices.Clip(at), path...) }
	switch {
	case !identifier.MatchString(d.Stage):
		return c.fail(under("stage"), "%q is no name: it takes small letters, digits and -", d.Stage)
	case c.g.rule(d.Stage) != d:
		return c.fail(under("stage"), "another duty has the stage %s", d.Stage)
	case d.Words["en"].Name == "":
		return c.fail(under("words", "en"), "name is missing")
	case len(d.Clocks) == 0:
		return c.fail(at, "clocks are missing")
	case d.DoneBy.Submitted != "" && c.g.rule(d.DoneBy.Submitted) == nil:
		return c.fail(under("done_by"), "there is no stage %q", d.DoneBy.Submitted)
	}
	if err := c.condition(&d.Owed, under("owed")); err != nil {
		return err
	}
	if err := c.event(d.Starts, i, under("starts")); err != nil {
		return err
	}
	if d.NotIfByThen != "" {
		if err := c.event(d.NotIfByThen, i, under("not_if_by_then")); err != nil {
			return err
		}
	}
	for j, k := range d.Clocks {
		if k == nil {
			return c.fail(under("clocks", j), "it is empty")
		}
		if err := c.clock(k, i, under("clocks", j)); err != nil {
			return err
		}
	}
	return nil
}

// event fails where an event is not known, or is the submission of a stage that does not stand before the duty: so nothing waits in a circle.
func (c *regimeCheck) event(name string, duty int, path []any) error {
	if stage, ok := submission(name); ok {
		for _, d := range c.g.Duties[:duty] {
			if d.Stage == stage {
				return nil
			}
		}
		return c.fail(path, "there is no stage %q before this duty", stage)
	}
	if slices.Contains(events, name) {
		return nil
	}
	return c.fail(path, "%q is no event: it is one of %s, submitted:STAGE, last-submitted:STAGE", name, strings.Join(events, ", "))
}

func (c *regimeCheck) clock(k *Clock, duty int, path []any) error {
	under := func(more ...any) []any { return append(slices.Clip(path), more...) }
	from, err := time.Parse(time.DateOnly, k.From)
	if err != nil {
		return c.fail(under("from"), "%q is no day from which on it holds: write it as 2025-01-17", k.From)
	}
	if k.To != "" {
		to, err := time.Parse(time.DateOnly, k.To)
		if err != nil || !from.Before(to) {
			return c.fail(under("to"), "%q is no day after %s", k.To, k.From)
		}
	}
	if err := c.terms(k.When, under("when")); err != nil {
		return err
	}
	if k.Without == (len(k.Limits) > 0) || len(k.Limits) > 20 {
		return c.fail(path, "it takes limits, or without_undue_delay: true")
	}
	if k.Take != "" && k.Take != "earliest" && k.Take != "latest" {
		return c.fail(under("take"), "%q is none of earliest, latest", k.Take)
	}
	if k.Source.Article == "" {
		return c.fail(under("source"), "article is missing: where does it stand?")
	}
	for i := range k.Limits {
		if err := c.limit(&k.Limits[i], duty, under("limits", i)); err != nil {
			return err
		}
	}
	if k.Relief != nil {
		if _, err := time.Parse("15:04", k.Relief.To); err != nil {
			return c.fail(under("relief", "to"), "%q is no hour: write it as 12:00", k.Relief.To)
		}
		for i, t := range k.Relief.Unless {
			if err := c.terms(t, under("relief", "unless", i)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *regimeCheck) limit(l *Limit, duty int, path []any) error {
	if err := c.event(l.After, duty, append(slices.Clip(path), "after")); err != nil {
		return err
	}
	if l.DropsBefore != "" {
		if err := c.event(l.DropsBefore, duty, append(slices.Clip(path), "drops_before")); err != nil {
			return err
		}
	}
	units := 0
	for _, u := range []struct{ n, most int }{{l.Hours, 10_000}, {l.Days, 3660}, {l.Months, 120}, {l.BusinessDays, 366}} {
		if u.n < 0 || u.n > u.most {
			return c.fail(path, "%d is more than can be meant", u.n)
		}
		if u.n > 0 {
			units++
		}
	}
	if units != 1 {
		return c.fail(path, "it takes exactly one of hours, days, months, business_days")
	}
	if _, err := time.Parse("15:04", l.At); (l.BusinessDays > 0) != (err == nil) || l.BusinessDays == 0 && l.At != "" {
		return c.fail(append(slices.Clip(path), "at"), "%q: business_days take an hour of the day, such as 17:30, and nothing else does", l.At)
	}
	return nil
}

func (c *regimeCheck) condition(k *Condition, path []any) error {
	for _, l := range []struct {
		name  string
		terms []map[string][]string
	}{{"any", k.Any}, {"unless", k.Unless}} {
		for i, t := range l.terms {
			if err := c.terms(t, append(slices.Clip(path), l.name, i)); err != nil {
				return err
			}
		}
	}
	if k.Otherwise != "" && k.Otherwise != "open" {
		return c.fail(append(slices.Clip(path), "otherwise"), "%q is not open", k.Otherwise)
	}
	return nil
}

func (c *regimeCheck) terms(t map[string][]string, path []any) error {
	for _, name := range sortedKeys(t) {
		stage, isStage := submission(name)
		if isStage && c.g.rule(stage) == nil {
			return c.fail(append(slices.Clip(path), name), "there is no stage %q", stage)
		}
		if !isStage && questions[name] == nil {
			return c.fail(append(slices.Clip(path), name), "nothing is known by that name: it is one of %s, submitted:STAGE", strings.Join(sortedKeys(questions), ", "))
		}
		if len(t[name]) == 0 {
			return c.fail(append(slices.Clip(path), name), "it takes a list of answers")
		}
	}
	return nil
}

// submission returns the stage of an event submitted:STAGE or last-submitted:STAGE.
func submission(event string) (stage string, ok bool) {
	if stage, ok = strings.CutPrefix(event, "submitted:"); ok {
		return stage, true
	}
	return strings.CutPrefix(event, "last-submitted:")
}
