package sigma

import (
	"encoding/base64"
	"encoding/binary"
	"unicode/utf8"
)

// byteOrderMark is the one that utf16 puts before a text, as bytes and as a program shows it that took it for a
// character.
var byteOrderMark = [...]string{"\xFF\xFE", "\uFEFF"}

// encode returns what the patterns become through the encodings among steps (Sigma modifiers appendix 2.1,
// "Encoding"). Each encodes what the one before has made.
func encode(patterns []pattern, steps []string, v scalar) ([]pattern, *flaw) {
	for i, step := range steps {
		last := i+1 == len(steps)
		var out []pattern
		for _, p := range patterns {
			var bad *flaw
			switch step {
			case "wide", "utf16le", "utf16be", "utf16":
				out, bad = appendUTF16Patterns(out, p, step, last, v)
			default:
				out, bad = appendBase64Patterns(out, p, step, v)
			}
			if bad != nil {
				return nil, bad
			}
			if len(out) > maxVariants {
				return nil, v.flawf("%q becomes more than %d values: split it into several lines", v.text, maxVariants)
			}
		}
		patterns = out
	}
	return patterns, nil
}

func appendUTF16Patterns(out []pattern, p pattern, step string, last bool, v scalar) ([]pattern, *flaw) {
	order := binary.AppendByteOrder(binary.LittleEndian)
	if step == "utf16be" {
		order = binary.BigEndian
	}
	q := p.mapText(func(s string) string { return string(appendUTF16(nil, s, order)) })
	if last {
		for _, e := range q {
			if !utf8.ValidString(e.text) {
				return nil, v.flawf("%s makes of %q bytes that no text field holds: let base64 or base64offset follow", step, v.text)
			}
		}
	}
	if step != "utf16" {
		return append(out, q), nil
	}
	out = append(out, join2(pattern{{text, byteOrderMark[0]}}, q))
	if last {
		out = append(out, join2(pattern{{text, byteOrderMark[1]}}, q))
	}
	return out, nil
}

func appendBase64Patterns(out []pattern, p pattern, step string, v scalar) ([]pattern, *flaw) {
	s, ok := p.plain()
	switch {
	case !ok:
		return nil, v.flawf("%s cannot encode the wildcards of %q: escape them with a backslash, or leave them out", step, v.text)
	case s == "":
		return nil, v.flawf("%s has nothing to encode: give it a text", step)
	case step == "base64":
		return append(out, pattern{{text, base64.StdEncoding.EncodeToString([]byte(s))}}), nil
	}
	shifted := base64Offsets([]byte(s))
	if len(shifted) < 3 {
		return nil, v.flawf("base64offset: of %q, too short, nothing stays the same wherever it stands: write a longer text", v.text)
	}
	for _, s := range shifted {
		out = append(out, pattern{{text, s}})
	}
	return out, nil
}
