package evtx

import (
	"encoding/binary"
	"unicode/utf16"
)

// A template definition stands in the chunk that first uses it, and its names may stand elsewhere in that chunk: the
// same template has other bytes in every chunk. The normal form is the same tokens with the names in place. Equal
// templates have equal normal forms, so it is the key under which they are compiled once, and what they are compiled from.
//
// A fragment that is literal, without template, has a normal form too: the text of its elements is left out and
// becomes values, as if a template had been there.

// Tokens of the normal form.
const (
	normalElement  = 'E' // length (16 bits), name in UTF-16
	normalAttr     = 'A' // length (16 bits), name in UTF-16
	normalContent  = '>' // the attributes end
	normalEnd      = '/' // the element ends
	normalText     = 'T' // length (16 bits), text in UTF-16
	normalSubst    = 'S' // number of the value (16 bits)
	normalOptional = 'O' // the same; the value may be missing
	normalValue    = 'V' // text that is the next value
)

// Tokens of binary XML (MS-EVEN6, section 2.2.12). Bit 0x40 says that more of the kind follows.
const (
	tokenEOF         = 0x00
	tokenOpen        = 0x01
	tokenCloseStart  = 0x02
	tokenCloseEmpty  = 0x03
	tokenEnd         = 0x04
	tokenText        = 0x05
	tokenAttr        = 0x06
	tokenCData       = 0x07
	tokenCharRef     = 0x08
	tokenEntityRef   = 0x09
	tokenPITarget    = 0x0A
	tokenPIData      = 0x0B
	tokenTemplate    = 0x0C
	tokenSubst       = 0x0D
	tokenOptional    = 0x0E
	tokenHeader      = 0x0F
	tokenMore        = 0x40
	maxElementDepth  = 64
	maxSubstitutions = 4096
	maxName          = 1024    // in bytes; those of Windows are far shorter
	maxNormalForm    = 1 << 20 // in bytes; names that are repeated are repeated in it
)

// Reasons for which binary XML cannot be read.
const (
	whyCut       = "binary XML is cut short"
	whyName      = "no name where one is referred to"
	whyToken     = "unknown token in binary XML"
	whyNesting   = "elements do not nest"
	whyDepth     = "elements nested too deeply"
	whyType      = "literal value that is no string"
	whySubst     = "number of a substitution too large"
	whyNoSubst   = "substitution outside a template"
	whyInContent = "template inside an element"
	whyLarge     = "template too large"
)

// normalizer makes normal forms. Its buffers are reused.
type normalizer struct {
	chunk  []byte
	key    []byte
	values []Value // of a literal fragment, in the order of their tokens
	strict bool    // names must have the right hash
}

// definition appends to n.key the normal form of the body of a template definition, chunk[pos:end].
func (n *normalizer) definition(pos, end int) (why string) {
	n.key = n.key[:0]
	if _, why = n.walk(pos, end, true, false); why == "" && len(n.key) == 0 {
		return whyNoContent
	}
	return why
}

// literal makes the normal form of the fragment without template at chunk[pos:end], and n.values.
// Its elements have no dependency identifier; some writers put one there all the same.
func (n *normalizer) literal(pos, end int) (why string) {
	for _, dependency := range []bool{false, true} {
		n.key, n.values = n.key[:0], n.values[:0]
		var second string
		if _, second = n.walk(pos, end, dependency, true); second == "" {
			return ""
		}
		if why == "" {
			why = second
		}
	}
	return why
}

func (n *normalizer) walk(pos, end int, dependency, literal bool) (int, string) {
	data := n.chunk
	depth := 0
	inTag, inAttr := false, false
	for pos < end {
		if len(n.key) > maxNormalForm {
			return pos, whyLarge
		}
		token := data[pos]
		pos++
		switch token &^ tokenMore {
		case tokenEOF:
			if depth != 0 {
				return pos, whyNesting
			}
			return pos, ""
		case tokenOpen:
			if inTag {
				return pos, whyNesting
			}
			if depth++; depth > maxElementDepth {
				return pos, whyDepth
			}
			if dependency {
				pos += 2
			}
			pos += 4 // length of the element
			var why string
			if pos, why = n.name(normalElement, pos, end); why != "" {
				return pos, why
			}
			if token&tokenMore != 0 {
				pos += 4 // length of the attributes
			}
			inTag, inAttr = true, false
		case tokenAttr:
			if !inTag {
				return pos, whyNesting
			}
			var why string
			if pos, why = n.name(normalAttr, pos, end); why != "" {
				return pos, why
			}
			inAttr = true
		case tokenCloseStart:
			if !inTag {
				return pos, whyNesting
			}
			n.key = append(n.key, normalContent)
			inTag, inAttr = false, false
		case tokenCloseEmpty:
			if !inTag {
				return pos, whyNesting
			}
			n.key = append(n.key, normalContent, normalEnd)
			inTag, inAttr = false, false
			depth--
		case tokenEnd:
			if inTag || depth == 0 {
				return pos, whyNesting
			}
			n.key = append(n.key, normalEnd)
			depth--
		case tokenText, tokenCData:
			if token&^tokenMore == tokenText {
				if pos >= end {
					return pos, whyCut
				}
				if Type(data[pos]) != StringType {
					return pos, whyType
				}
				pos++
			}
			if depth == 0 || inTag && !inAttr {
				return pos, whyNesting
			}
			text, next, ok := counted(data, pos, end)
			if !ok {
				return pos, whyCut
			}
			pos = next
			if literal && !inAttr {
				n.key = append(n.key, normalValue)
				n.values = append(n.values, Value{Data: text, Type: StringType})
			} else {
				n.text(text)
			}
		case tokenCharRef:
			if pos+2 > end {
				return pos, whyCut
			}
			if depth == 0 || inTag && !inAttr {
				return pos, whyNesting
			}
			n.text(data[pos : pos+2])
			pos += 2
		case tokenEntityRef:
			if depth == 0 || inTag && !inAttr {
				return pos, whyNesting
			}
			mark := len(n.key)
			var why string
			if pos, why = n.name(normalText, pos, end); why != "" {
				return pos, why
			}
			n.entity(mark)
		case tokenPITarget:
			mark := len(n.key)
			var why string
			if pos, why = n.name(normalText, pos, end); why != "" {
				return pos, why
			}
			n.key = n.key[:mark] // a processing instruction says nothing about the event
		case tokenPIData:
			_, next, ok := counted(data, pos, end)
			if !ok {
				return pos, whyCut
			}
			pos = next
		case tokenSubst, tokenOptional:
			if pos+3 > end {
				return pos, whyCut
			}
			if literal {
				return pos, whyNoSubst
			}
			if inTag && !inAttr {
				return pos, whyNesting
			}
			if binary.LittleEndian.Uint16(data[pos:]) >= maxSubstitutions {
				return pos, whySubst
			}
			kind := byte(normalSubst)
			if token == tokenOptional {
				kind = normalOptional
			}
			n.key = append(n.key, kind, data[pos], data[pos+1])
			pos += 3
		case tokenHeader:
			pos += 3
		case tokenTemplate:
			return pos, whyInContent
		default:
			return pos, whyToken
		}
	}
	if pos > end {
		return pos, whyCut
	}
	if depth != 0 {
		return pos, whyNesting
	}
	return pos, ""
}

// name appends a token and the name that a reference at pos points to. The name itself may follow the reference.
func (n *normalizer) name(token byte, pos, end int) (int, string) {
	if pos+4 > end {
		return pos, whyCut
	}
	at := int(binary.LittleEndian.Uint32(n.chunk[pos:]))
	pos += 4
	// link to the next name (32 bits), hash (16 bits), length, text, NUL
	text, next, ok := counted(n.chunk, at+6, len(n.chunk)-2)
	if at < 0 || !ok || len(text) > maxName || n.chunk[next] != 0 || n.chunk[next+1] != 0 {
		return pos, whyName
	}
	if n.strict && nameHash(text) != binary.LittleEndian.Uint16(n.chunk[at+4:]) {
		return pos, whyName
	}
	if at == pos {
		if pos = next + 2; pos > end {
			return pos, whyCut
		}
	}
	n.key = append(n.key, token, byte(len(text)), byte(len(text)>>8))
	n.key = append(n.key, text...)
	return pos, ""
}

// nameHash returns the hash that a name carries, for the string table of the chunk.
func nameHash(name []byte) uint16 {
	var h uint32
	for ; len(name) >= 2; name = name[2:] {
		h = h*65599 + uint32(binary.LittleEndian.Uint16(name))
	}
	return uint16(h)
}

func (n *normalizer) text(p []byte) {
	for len(p) > 0 {
		part := p[:min(len(p), 0xFFFE)]
		n.key = append(n.key, normalText, byte(len(part)), byte(len(part)>>8))
		n.key = append(n.key, part...)
		p = p[len(part):]
	}
}

// entity replaces the name of an entity that begins at n.key[mark] by the text it stands for.
func (n *normalizer) entity(mark int) {
	name := n.key[mark+3:]
	var text string
	switch string(appendUTF16(nil, name)) {
	case "amp":
		text = "&"
	case "lt":
		text = "<"
	case "gt":
		text = ">"
	case "quot":
		text = `"`
	case "apos":
		text = "'"
	default:
		text = "&" + string(appendUTF16(nil, name)) + ";"
	}
	n.key = n.key[:mark]
	var p []byte
	for _, u := range utf16.Encode([]rune(text)) {
		p = binary.LittleEndian.AppendUint16(p, u)
	}
	n.text(p)
}

// counted returns the UTF-16 text at p[pos:end] that follows its length in characters.
func counted(p []byte, pos, end int) (text []byte, next int, ok bool) {
	if pos < 0 || pos+2 > end {
		return nil, pos, false
	}
	next = pos + 2 + 2*int(binary.LittleEndian.Uint16(p[pos:]))
	if next > end {
		return nil, pos, false
	}
	return p[pos+2 : next : next], next, true
}
