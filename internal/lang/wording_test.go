package lang

import (
	"regexp"
	"testing"
)

// wordings are expressions of legal weight: where the English has one, each language must have its own, and nothing else may have it.
var wordings = []struct {
	what   string
	en     *regexp.Regexp
	others map[string]*regexp.Regexp
	// both says that another language has it only where English has it.
	both bool
}{
	{"what may be", regexp.MustCompile(`(?i)\bmay have\b|\bmay be\b|\bmay know\b|\bmight\b`), map[string]*regexp.Regexp{
		"fr": regexp.MustCompile(`(?i)\b(a|ont|ait|aient|peut|peuvent|pourrait|pourraient)( \p{L}+)? (pu|être|en provenir|provenir|connaître|s’agir|avoir|se situer)\b|\bpeut\b|\bpeuvent\b|\bpu\b|\bpuisse|\bsusceptible|\béventuel|\bpossible|\bpourr|\bprésum`),
		"ar": regexp.MustCompile(`ربما|قد |يمكن|يجوز|يُحتمل|محتمل|يُشتبه`),
	}, false},
	{"what may have been", regexp.MustCompile(`(?i)\b(may|might|could|can|perhaps|whether|suspected|presum|possib|not shown|probab)`), map[string]*regexp.Regexp{
		"fr": regexp.MustCompile(`(?i)\b(a|ont) pu (être|avoir)\b`),
		"ar": regexp.MustCompile(`ربما`),
	}, true},
	{"what is ruled out", regexp.MustCompile(`(?i)\bruled out\b`), map[string]*regexp.Regexp{
		"fr": regexp.MustCompile(`(?i)\bexclu`),
		"ar": regexp.MustCompile(`مُستبعَد|مستبعد|يُستبعَد|استبعاد|استُبعد`),
	}, false},
	{"no evidence", regexp.MustCompile(`(?i)\bno evidence of\b`), map[string]*regexp.Regexp{
		"fr": regexp.MustCompile(`(?i)\baucun(e)? (élément de )?preuve|\baucun indice`),
		"ar": regexp.MustCompile(`لا دليل|لا يوجد دليل|أي دليل`),
	}, false},
	{"a lower bound", regexp.MustCompile(`(?i)\bat least\b`), map[string]*regexp.Regexp{
		"fr": regexp.MustCompile(`(?i)\bau moins\b`),
		"ar": regexp.MustCompile(`لا يقل|لا تقل|على الأقل`),
	}, false},
	{"an upper bound", regexp.MustCompile(`(?i)\bat most\b`), map[string]*regexp.Regexp{
		"fr": regexp.MustCompile(`(?i)\bau (plus|maximum)\b`),
		"ar": regexp.MustCompile(`لا يزيد|لا تزيد|لا يتجاوز|لا تتجاوز|على الأكثر|كحد أقصى|أقصاه`),
	}, false},
}

// terms are the words of the glossary for one thing each, wherever it is named.
var terms = []struct {
	en     *regexp.Regexp
	others map[string]*regexp.Regexp
}{
	{regexp.MustCompile(`(?i)\bmailbox`), map[string]*regexp.Regexp{"fr": regexp.MustCompile(`(?i)\bboîte|mailbox`), "ar": regexp.MustCompile(`صندوق|صناديق|صندوقا|الصندوق|mailbox`)}},
	{regexp.MustCompile(`(?i)\bweb shell`), map[string]*regexp.Regexp{"fr": regexp.MustCompile(`(?i)web shell`), "ar": regexp.MustCompile(`قشر|قشور`)}},
	{regexp.MustCompile(`(?i)\battacker`), map[string]*regexp.Regexp{"fr": regexp.MustCompile(`(?i)attaquant|attacker`), "ar": regexp.MustCompile(`مهاجم|attacker`)}},
	{regexp.MustCompile(`(?i)\bpersonal data breach`), map[string]*regexp.Regexp{"fr": regexp.MustCompile(`(?i)violations? de données`), "ar": regexp.MustCompile(`خرق|خروق`)}},
	{regexp.MustCompile(`(?i)\bpersonal data\b`), map[string]*regexp.Regexp{"fr": regexp.MustCompile(`(?i)données (à caractère personnel|personnelles)`), "ar": regexp.MustCompile(`بيانات\S* (ال)?شخصي`)}},
	{regexp.MustCompile(`(?i)\bsupervisory authority`), map[string]*regexp.Regexp{"fr": regexp.MustCompile(`(?i)autorités? de contrôle`), "ar": regexp.MustCompile(`رقابي`)}},
	{regexp.MustCompile(`(?i)\bmajor incident`), map[string]*regexp.Regexp{"fr": regexp.MustCompile(`(?i)majeur`), "ar": regexp.MustCompile(`جسيم`)}},
	{regexp.MustCompile(`(?i)\bearly warning`), map[string]*regexp.Regexp{"fr": regexp.MustCompile(`(?i)alerte précoce`), "ar": regexp.MustCompile(`إنذار`)}},
	{regexp.MustCompile(`(?i)\bintermediate report`), map[string]*regexp.Regexp{"fr": regexp.MustCompile(`(?i)rapports? intermédiaire`), "ar": regexp.MustCompile(`مرحلي`)}},
	{regexp.MustCompile(`(?i)\binitial notification`), map[string]*regexp.Regexp{"fr": regexp.MustCompile(`(?i)notifications? initiale`), "ar": regexp.MustCompile(`إخطار\S* (ال)?أولي`)}},
	{regexp.MustCompile(`(?i)\bfinal report`), map[string]*regexp.Regexp{"fr": regexp.MustCompile(`(?i)rapports? fina`), "ar": regexp.MustCompile(`نهائي`)}},
	{regexp.MustCompile(`(?i)\bcompetent authority`), map[string]*regexp.Regexp{"fr": regexp.MustCompile(`(?i)autorités? compétente`), "ar": regexp.MustCompile(`مختص`)}},
	{regexp.MustCompile(`(?i)\bsignificant incident`), map[string]*regexp.Regexp{"fr": regexp.MustCompile(`(?i)incidents? important`), "ar": regexp.MustCompile(`مهم`)}},
}

// The words by which a verdict stands or falls are said in every language, and in none that did not say them in English.
func TestWordsOfLegalWeightAreNotMixed(t *testing.T) {
	check := func(tag, id, english, text string) {
		t.Helper()
		for _, w := range wordings {
			said, here := w.en.MatchString(english), w.others[tag].MatchString(text)
			if said && !here && !w.both {
				t.Errorf("%s, %s: English says %s, and this does not\n  %s\n  %s", tag, id, w.what, english, text)
			}
			if here && !said && w.both {
				t.Errorf("%s, %s: this says %s, and English does not\n  %s\n  %s", tag, id, w.what, english, text)
			}
		}
		for _, w := range terms {
			if w.en.MatchString(english) && !w.others[tag].MatchString(text) {
				t.Errorf("%s, %s: English says %v, and this not by the word of the glossary\n  %s\n  %s", tag, id, w.en, english, text)
			}
		}
	}
	en := find(t, English)
	for _, l := range languages(t) {
		if l == en {
			continue
		}
		for id, m := range l.messages {
			for form := range m.forms {
				check(l.tag, id, written(en.messages[id].form("other")), written(m.form(form)))
			}
		}
		for section, all := range templates(t, l.tag) {
			for english, says := range all {
				for _, s := range says {
					check(l.tag, section, english, l.typeset(s))
				}
			}
		}
	}
}

// written returns a text as it stands in its file.
func written(segments []segment) string {
	s := ""
	for _, x := range segments {
		if x.hole {
			s += "{" + x.text + "}"
		} else {
			s += x.text
		}
	}
	return s
}
