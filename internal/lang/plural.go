package lang

import (
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

// formNames are the plural forms of CLDR.
var formNames = []string{"zero", "one", "two", "few", "many", "other"}

// forms says which plural form a number takes in a language.
type forms struct {
	small [200]string // those of 0 … 199
	from  *i18n.Localizer
}

const formMessage = "form"

// formsOf returns the forms of a language. The rules are go-i18n's, of the current CLDR: those of golang.org/x/text lack the French
// "many". All that is asked of it is the name of the form, so the message for each form is its name.
func formsOf(tag string) forms {
	t := language.Make(tag)
	b := i18n.NewBundle(t)
	err := b.AddMessages(t, &i18n.Message{ID: formMessage, Zero: "zero", One: "one", Two: "two", Few: "few", Many: "many", Other: "other"})
	f := forms{}
	if err == nil {
		f.from = i18n.NewLocalizer(b, tag)
	}
	for n := range f.small {
		f.small[n] = f.ask(int64(n))
	}
	return f
}

// of returns the name of the form of n.
func (f *forms) of(n int64) string {
	if 0 <= n && n < int64(len(f.small)) {
		return f.small[n]
	}
	return f.ask(n)
}

func (f *forms) ask(n int64) string {
	if f.from == nil {
		return "other"
	}
	form, err := f.from.Localize(&i18n.LocalizeConfig{MessageID: formMessage, PluralCount: n})
	if err != nil {
		return "other"
	}
	return form
}
