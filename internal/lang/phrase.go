package lang

import "html/template"

// phrasebook holds the sentences that stand in a case, with what they are in one language.
type phrasebook struct{}

func readPhrases(*Language, []byte) (*phrasebook, error) { return &phrasebook{}, nil }

// Phrase returns a sentence of a case in this language, as plain text. Where the phrasebook does not have it, ok is false and the text is the
// English, marked.
func (l *Language) Phrase(english string) (text string, ok bool) {
	w, ok := l.PhraseWords(english)
	return w.Text(), ok
}

// PhraseHTML is Phrase as HTML: what the phrasebook does not have is <span lang="en" dir="ltr">.
func (l *Language) PhraseHTML(english string) template.HTML {
	w, _ := l.PhraseWords(english)
	return w.HTML()
}

// PhraseWords is Phrase as words, to be put into a message.
func (l *Language) PhraseWords(english string) (Words, bool) {
	if l.english == nil {
		return l.English(english), true
	}
	return l.English(english), false
}
