package disclose

import (
	"bufio"
	"io"
	"iter"
	"strconv"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/cell"
	"github.com/barid-dfir/barid/internal/event"
)

// Letter is the wording for the owner of a mailbox: what was reached of it, and how sure that is. They are never mixed.
type Letter string

const (
	// ContentConfirmed: content, or a part of it, was accessed.
	ContentConfirmed Letter = "content-confirmed"
	// MetadataConfirmedContentPossible: metadata was accessed, content may have been.
	MetadataConfirmedContentPossible Letter = "metadata-confirmed-content-possible"
	// ContentPossible: content may have been accessed.
	ContentPossible Letter = "content-possible"
	// MetadataConfirmed: metadata was accessed, access to content is ruled out.
	MetadataConfirmed Letter = "metadata-confirmed"
	// MetadataPossible: metadata may have been accessed, access to content is ruled out.
	MetadataPossible Letter = "metadata-possible"
)

// Letters are all letters, the gravest first.
func Letters() []Letter {
	return []Letter{ContentConfirmed, MetadataConfirmedContentPossible, ContentPossible, MetadataConfirmed, MetadataPossible}
}

// LetterFor returns which letter is for the owner of a mailbox; "" where nothing was reached, or it is no mailbox.
func LetterFor(r *casefile.Reached) Letter {
	if r.Object.Kind != kindMailbox {
		return ""
	}
	switch content, meta := contentOf(r), r.Levels.Metadata; {
	case content == casefile.Confirmed:
		return ContentConfirmed
	case content == casefile.Possible && meta == casefile.Confirmed:
		return MetadataConfirmedContentPossible
	case content == casefile.Possible:
		return ContentPossible
	case meta == casefile.Confirmed:
		return MetadataConfirmed
	case meta == casefile.RuledOut:
		return ""
	}
	return MetadataPossible
}

const personsHeader = "mailbox,owner,verdict,exposure,at_least,at_most,first,last,letter\r\n"

// WritePersons writes whom to inform under GDPR 34, a line for every mailbox of which something was, or may have been, reached: the list to
// mail from. The letter is that of the form gdpr-34. First and last are of the records that concern the mailbox.
// People whom messages name (senders, recipients) are not in it, nor those whom files concern.
//
// Comma-separated values, the cells those of package cell: none is a formula.
func WritePersons(w io.Writer, reached iter.Seq2[*casefile.Reached, error]) error {
	out := bufio.NewWriterSize(w, 64<<10)
	out.WriteString(personsHeader)
	var line []byte
	for r, err := range reached {
		if err != nil {
			return err
		}
		letter := LetterFor(r)
		if letter == "" {
			continue
		}
		line = cell.Append(line[:0], r.Object.ID)
		for _, s := range [...]string{r.Object.Owner, r.Verdict, r.Exposure} {
			line = cell.Append(append(line, ','), s)
		}
		line = strconv.AppendInt(append(line, ','), r.Lower, 10)
		if r.Upper < 0 {
			line = append(line, ",unbounded,"...)
		} else {
			line = append(strconv.AppendInt(append(line, ','), r.Upper, 10), ',')
		}
		line = append(appendTime(line, r.First), ',')
		line = append(appendTime(line, r.Last), ',')
		line = append(append(line, letter...), '\r', '\n')
		if _, err := out.Write(line); err != nil {
			return err
		}
	}
	return out.Flush()
}

func appendTime(dst []byte, t *time.Time) []byte {
	if t == nil {
		return dst
	}
	return event.AppendTime(dst, *t)
}

// exposureOf is what letter says of a level.
func (l Letter) exposureOf() (content, metadata string) {
	switch l {
	case ContentConfirmed:
		return casefile.Confirmed, ""
	case MetadataConfirmedContentPossible:
		return casefile.Possible, casefile.Confirmed
	case ContentPossible:
		return casefile.Possible, ""
	case MetadataConfirmed:
		return casefile.RuledOut, casefile.Confirmed
	}
	return casefile.RuledOut, casefile.Possible
}
