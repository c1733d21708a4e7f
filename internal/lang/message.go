package lang

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"
)

// message is a text in one language: one for each plural form, or only "other".
type message struct {
	forms map[string][]segment
}

// segment is a piece of a text: words, or the name of a placeholder.
type segment struct {
	text string
	hole bool
}

func (m message) plural() bool { return len(m.forms) > 1 }

// form returns the text of a plural form, or the one that stands for all others.
func (m message) form(name string) []segment {
	if s, ok := m.forms[name]; ok {
		return s
	}
	return m.forms["other"]
}

// text is a text as it stands in a file: a string, or a map of plural form to string.
type text map[string]string

func (t *text) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*t = text{"other": n.Value}
		return nil
	}
	var m map[string]string
	if err := n.Decode(&m); err != nil {
		return err
	}
	if m["other"] == "" {
		return fmt.Errorf("line %d: plural forms without the form %q", n.Line, "other")
	}
	*t = m
	return nil
}

// load finds the languages, a folder each. One is read when it is first asked for: a run needs one or two, and phrases are many.
func load(fsys fs.FS) (map[string]func() (*Language, error), error) {
	dirs, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, err
	}
	all := make(map[string]func() (*Language, error))
	for _, d := range dirs {
		if d.IsDir() {
			all[d.Name()] = sync.OnceValues(func() (*Language, error) { return loadOne(fsys, d.Name()) })
		}
	}
	english := all[English]
	if english == nil {
		return nil, fmt.Errorf("content/lang: there is no folder %q", English)
	}
	for tag, l := range all {
		if tag == English {
			continue
		}
		all[tag] = sync.OnceValues(func() (*Language, error) {
			one, err := l()
			if err != nil {
				return nil, err
			}
			one.english, err = english()
			return one, err
		})
	}
	return all, nil
}

// phraseFile and ruleFile are the files of a language that hold no messages.
const (
	phraseFile = "phrases.yaml"
	ruleFile   = "rules.yaml"
)

func loadOne(fsys fs.FS, tag string) (*Language, error) {
	l := &Language{tag: tag, messages: map[string]message{}, forms: formsOf(tag)}
	files, err := fs.Glob(fsys, path.Join(tag, "*.yaml"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		p, err := fs.ReadFile(fsys, file)
		if err != nil {
			return nil, err
		}
		switch path.Base(file) {
		case phraseFile:
			l.phrases, err = readPhrases(l, p)
		case ruleFile:
			l.rules, err = readRuleNames(l, p)
		default:
			err = l.readMessages(p)
		}
		if err != nil {
			return nil, fmt.Errorf("content/lang/%s: %w", file, err)
		}
	}
	if l.phrases == nil {
		l.phrases = &phrasebook{}
	}
	l.rtl = l.messages["language.dir"].plain() == "rtl"
	l.group = l.messages["number.group"].plain()
	l.decimal = l.messages["number.decimal"].plain()
	return l, nil
}

func (m message) plain() string {
	var b strings.Builder
	for _, s := range m.forms["other"] {
		b.WriteString(s.text)
	}
	return b.String()
}

func (l *Language) readMessages(p []byte) error {
	var all map[string]text
	if err := yaml.Unmarshal(p, &all); err != nil {
		return err
	}
	for id, t := range all {
		if l.Has(id) {
			return fmt.Errorf("%s: another file of this language has this id too", id)
		}
		m, err := l.parse(t)
		if err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		l.messages[id] = m
	}
	return nil
}

// parse reads the texts of a message.
func (l *Language) parse(t text) (message, error) {
	m := message{forms: map[string][]segment{}}
	for form, s := range t {
		if !slices.Contains(formNames, form) {
			return m, fmt.Errorf("%q is not a plural form", form)
		}
		segments, err := split(l.typeset(s))
		if err != nil {
			return m, err
		}
		m.forms[form] = segments
	}
	return m, nil
}

// split cuts a text at its placeholders.
func split(s string) ([]segment, error) {
	var out []segment
	for s != "" {
		open := strings.IndexByte(s, '{')
		if open < 0 {
			open = len(s)
		}
		if strings.IndexByte(s[:open], '}') >= 0 {
			return nil, fmt.Errorf("%q: a } without {", s)
		}
		if open > 0 {
			out = append(out, segment{text: s[:open]})
			s = s[open:]
			continue
		}
		end := strings.IndexByte(s, '}')
		if end < 0 || !placeholder.MatchString(s[1:end]) {
			return nil, fmt.Errorf("%q: a placeholder is {name}, of letters, digits and _", s)
		}
		out = append(out, segment{text: s[1:end], hole: true})
		s = s[end+1:]
	}
	return out, nil
}

var placeholder = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)

// typeset puts the spaces in place that a language sets before and after marks, so that files can be written with plain ones: French
// has a narrow no-break space before ; : ! ? and », and after «.
func (l *Language) typeset(s string) string {
	if l.tag != "fr" {
		return s
	}
	return frenchSpaces.Replace(s)
}

const narrow = "\u202f"

var frenchSpaces = strings.NewReplacer(" ;", narrow+";", " :", narrow+":", " !", narrow+"!", " ?", narrow+"?", " »", narrow+"»", "« ", "«"+narrow, " %", narrow+"%")
