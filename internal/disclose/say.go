package disclose

import (
	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/lang"
)

// say returns the sentence id of the catalogue. Args are pairs of a placeholder's name and what stands in its place: lang.Language.Said
// says what each name takes.
func say(id string, args ...string) casefile.Said {
	s := casefile.Said{ID: id, Text: id}
	for i := 0; i+1 < len(args); i += 2 {
		if s.Args == nil {
			s.Args = map[string]string{}
		}
		s.Args[args[i]] = args[i+1]
	}
	if en, err := lang.Find(lang.English); err == nil {
		s.Text = en.Said(id, s.Args).Text()
	}
	return s
}
