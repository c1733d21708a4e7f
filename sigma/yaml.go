package sigma

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// yamlReader reads the YAML that people write rules in: block mappings and sequences, plain and quoted scalars, block
// scalars, comments and several documents. It makes the same nodes, comments aside, as go-yaml does, many times faster,
// and refuses whatever is out of the ordinary, and whatever is wrong, for go-yaml to read or to complain about.
//
// It goes from line to line. A collection is read until a line stands to the left of it, at a column that whoever
// called must expect. Columns count from 0 here, from 1 in nodes.
type yamlReader struct {
	text      string
	ascii     bool
	pos       int // where the next token begins, or the line ends
	line      int // from 1
	lineStart int
	column    int // of the token at pos when it is the first of its line; -1 at the end of a document

	nodes []*[nodeChunk]yaml.Node // handed out, and to be handed out again for the next text
	used  int                     // of nodes
	lists []*yaml.Node            // children of collections that were read
	stack []*yaml.Node            // children of collections that are being read
}

const (
	nodeChunk = 128
	maxChunks = 64 // that are kept from one text to the next
)

const (
	maxYAMLDepth = 32   // of collections in one another
	maxYAMLKey   = 1000 // bytes; go-yaml allows 1024 characters
)

// refused is what a yamlReader panics with, inside of read only, at what it does not read.
type refused struct{}

// documents returns a function that returns the documents in data one by one, and then io.EOF. The nodes are good until
// the reader is used again; their strings stay.
func (r *yamlReader) documents(data []byte) func() (*yaml.Node, error) {
	if tops, ok := r.read(data); ok {
		return func() (*yaml.Node, error) {
			if len(tops) == 0 {
				return nil, io.EOF
			}
			top := tops[0]
			tops = tops[1:]
			return top, nil
		}
	}
	docs := yaml.NewDecoder(bytes.NewReader(data))
	return func() (*yaml.Node, error) {
		root := &yaml.Node{}
		return root, docs.Decode(root)
	}
}

// read returns the top nodes of the documents in data, all of them block mappings; ok is false if data is not of
// the simple kind.
func (r *yamlReader) read(data []byte) (tops []*yaml.Node, ok bool) {
	text, ascii, ok := plainText(string(data))
	if !ok {
		return nil, false
	}
	r.text, r.ascii = text, ascii
	r.pos, r.line, r.lineStart = 0, 1, 0
	if len(r.nodes) > maxChunks {
		r.nodes = r.nodes[:maxChunks:maxChunks]
	}
	r.used, r.lists, r.stack = 0, r.lists[:0], r.stack[:0]
	defer func() {
		if e := recover(); e != nil {
			if _, expected := e.(refused); !expected {
				panic(e)
			}
			tops, ok = nil, false
		}
	}()
	r.firstToken()
	for r.pos < len(r.text) {
		if r.column < 0 { // at a marker
			r.pos += len("---")
			r.endLine()
			r.nextToken()
		}
		r.refuseIf(r.column < 0) // an empty document
		top := r.node(-1, true, 0)
		r.refuseIf(top.Kind != yaml.MappingNode || r.column >= 0)
		tops = append(tops, top)
	}
	return tops, true
}

// plainText returns s with its lines ended by \n, and whether it is ASCII. ok is false if it has bytes that are no
// UTF-8, tabs, control characters, or characters that some take for ends of lines.
func plainText(s string) (text string, ascii, ok bool) {
	if strings.IndexByte(s, '\r') >= 0 {
		s = strings.ReplaceAll(s, "\r\n", "\n")
	}
	ascii = true
	for i := 0; i < len(s); i++ {
		if i+8 <= len(s) && allPrintable(s[i:i+8]) {
			i += 7
			continue
		}
		switch c := s[i]; {
		case c < ' ' && c != '\n', c == 0x7F:
			return "", false, false
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	if ascii {
		return s, true, true
	}
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"),
			r >= 0x80 && r < 0xA0, r == 0x2028, r == 0x2029, r == 0xFEFF, r == 0xFFFE, r == 0xFFFF:
			return "", false, false
		}
	}
	return s, false, true
}

// allPrintable reports whether the first eight bytes of s are printable ASCII. It may be wrong to say no.
func allPrintable(s string) bool {
	_ = s[7]
	w := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
	const each, high = 0x0101010101010101, 0x8080808080808080
	// No high bit, none after one is added (0x7F), and no borrow when a blank is taken away.
	return (w|(w+each)|(w-each*' '))&high == 0
}

func (r *yamlReader) refuseIf(bad bool) {
	if bad {
		panic(refused{})
	}
}

// at returns the byte at i; the end of the text is an end of a line.
func (r *yamlReader) at(i int) byte {
	if i < len(r.text) {
		return r.text[i]
	}
	return '\n'
}

// blank reports whether a blank or the end of a line is at i.
func (r *yamlReader) blank(i int) bool {
	c := r.at(i)
	return c == ' ' || c == '\n'
}

// dash reports whether an entry of a sequence begins at the token.
func (r *yamlReader) dash() bool { return r.at(r.pos) == '-' && r.blank(r.pos+1) }

// endLine goes to the end of a line on which nothing but blanks and a comment may follow.
func (r *yamlReader) endLine() {
	from := r.pos
	r.skipBlanks()
	if r.at(r.pos) == '#' && r.pos > from {
		r.toLineEnd()
	}
	r.refuseIf(r.at(r.pos) != '\n')
}

func (r *yamlReader) skipBlanks() {
	for r.pos < len(r.text) && r.text[r.pos] == ' ' {
		r.pos++
	}
}

func (r *yamlReader) toLineEnd() { r.pos = r.lineEnd(r.pos) }

// lineEnd returns where the line that i is in ends.
func (r *yamlReader) lineEnd(i int) int {
	if n := strings.IndexByte(r.text[i:], '\n'); n >= 0 {
		return i + n
	}
	return len(r.text)
}

// nextToken goes from the end of a line to the first token of the next that has one.
func (r *yamlReader) nextToken() {
	if r.pos < len(r.text) {
		r.newLine()
		r.firstToken()
		return
	}
	r.column = -1
}

// newLine goes from the end of a line to the start of the next.
func (r *yamlReader) newLine() {
	r.pos++
	r.line++
	r.lineStart = r.pos
}

// firstToken goes from the start of a line to the first token there is.
func (r *yamlReader) firstToken() {
	for {
		r.skipBlanks()
		if r.at(r.pos) == '#' {
			r.toLineEnd()
		}
		if r.pos == len(r.text) {
			r.column = -1
			return
		}
		if r.text[r.pos] != '\n' {
			break
		}
		r.newLine()
	}
	r.column = r.pos - r.lineStart
	if r.column == 0 && r.blank(r.pos+3) {
		switch r.text[r.pos:min(r.pos+3, len(r.text))] {
		case "---":
			r.column = -1
		case "...":
			r.refuseIf(true)
		}
	}
}

// newNode returns a node that stands at pos, in the line the reader is in.
func (r *yamlReader) newNode(kind yaml.Kind, pos int) *yaml.Node {
	if r.used == len(r.nodes)*nodeChunk {
		r.nodes = append(r.nodes, new([nodeChunk]yaml.Node))
	}
	n := &r.nodes[r.used/nodeChunk][r.used%nodeChunk]
	r.used++
	*n = yaml.Node{Kind: kind, Line: r.line}
	if r.ascii {
		n.Column = pos - r.lineStart + 1
	} else {
		n.Column = utf8.RuneCountInString(r.text[r.lineStart:pos]) + 1
	}
	return n
}

// collect makes what is on the stack from base on the children of n.
func (r *yamlReader) collect(n *yaml.Node, base int) {
	children := r.stack[base:]
	from := len(r.lists)
	r.lists = append(r.lists, children...)
	n.Content = r.lists[from:len(r.lists):len(r.lists)]
	r.stack = r.stack[:base]
}

// null returns the node of a value that is left out, at pos.
func (r *yamlReader) null(pos int) *yaml.Node {
	n := r.newNode(yaml.ScalarNode, pos)
	n.Tag = "!!null"
	return n
}

// node reads what begins at the token, inside of a collection at column parent. fresh says whether it may be a block
// collection: it is the first of its line, but for dashes. Then the reader is at the first token of a line.
func (r *yamlReader) node(parent int, fresh bool, depth int) *yaml.Node {
	r.refuseIf(depth > maxYAMLDepth)
	start := r.pos
	switch r.at(start) {
	case '-':
		if r.dash() {
			r.refuseIf(!fresh)
			return r.sequence(start-r.lineStart, depth)
		}
	case '|', '>':
		return r.blockScalar(parent)
	case '\'', '"':
		n := r.quoted()
		if fresh && r.colon() {
			return r.mapping(n, start-r.lineStart, depth)
		}
		r.endLine()
		r.nextToken()
		return n
	}
	n := r.newNode(yaml.ScalarNode, start)
	n.Value = r.plainLine()
	if r.colon() {
		r.refuseIf(!fresh)
		return r.mapping(n, start-r.lineStart, depth)
	}
	r.continued(n, parent)
	n.Tag = r.tag(n.Value)
	return n
}

// colon reports whether the reader is at the end of a key.
func (r *yamlReader) colon() bool { return r.at(r.pos) == ':' && r.blank(r.pos+1) }

// mapping reads the mapping at column of which the first key was read.
func (r *yamlReader) mapping(key *yaml.Node, column, depth int) *yaml.Node {
	n := r.newNode(yaml.MappingNode, r.lineStart+column)
	n.Tag = "!!map"
	base := len(r.stack)
	for {
		r.refuseIf(!r.colon() || r.pos-r.lineStart-column > maxYAMLKey)
		if key.Style == 0 {
			key.Tag = r.tag(key.Value)
		}
		r.pos++
		value := r.value(column, depth)
		r.stack = append(r.stack, key, value)
		if r.column < column {
			break
		}
		r.refuseIf(r.column > column)
		if c := r.text[r.pos]; c == '\'' || c == '"' {
			key = r.quoted()
		} else {
			key = r.newNode(yaml.ScalarNode, r.pos)
			key.Value = r.plainLine()
		}
	}
	r.collect(n, base)
	return n
}

// value reads what comes after a key of a mapping at column.
func (r *yamlReader) value(column, depth int) *yaml.Node {
	after, line, lineStart := r.pos, r.line, r.lineStart
	r.skipBlanks()
	if c := r.at(r.pos); c != '\n' && c != '#' {
		return r.node(column, false, depth+1)
	}
	r.pos = after
	r.endLine()
	r.nextToken()
	switch {
	case r.column > column:
		return r.node(column, true, depth+1)
	case r.column == column && r.dash():
		return r.sequence(column, depth+1)
	}
	line, r.line = r.line, line
	lineStart, r.lineStart = r.lineStart, lineStart
	n := r.null(after)
	r.line, r.lineStart = line, lineStart
	return n
}

// sequence reads the sequence at column. Whether something else may follow at the same column is for the caller to say.
func (r *yamlReader) sequence(column, depth int) *yaml.Node {
	r.refuseIf(depth > maxYAMLDepth)
	n := r.newNode(yaml.SequenceNode, r.pos)
	n.Tag = "!!seq"
	base := len(r.stack)
	for {
		r.pos++
		after := r.pos
		r.skipBlanks()
		if c := r.at(r.pos); c == '\n' || c == '#' {
			r.pos = after
			null := r.null(after)
			r.endLine()
			r.nextToken()
			if r.column > column {
				null = r.node(column, true, depth+1)
			}
			r.stack = append(r.stack, null)
		} else {
			r.stack = append(r.stack, r.node(column, true, depth+1))
		}
		if r.column != column || !r.dash() {
			break
		}
	}
	r.refuseIf(r.column > column)
	r.collect(n, base)
	return n
}

// plainLine reads the part of a plain scalar that is on the line, up to a colon that ends a key, a comment or the end
// of the line. The reader is then at the colon, or after the last character that is no blank.
func (r *yamlReader) plainLine() string {
	switch c := r.at(r.pos); c {
	case '-', '?', ':':
		r.refuseIf(r.blank(r.pos + 1))
	case ',', '[', ']', '{', '}', '#', '&', '*', '!', '|', '>', '\'', '"', '%', '@', '`':
		r.refuseIf(true)
	}
	return r.restOfPlain()
}

func (r *yamlReader) restOfPlain() string {
	from, end := r.pos, r.pos
	for i := r.pos; ; i++ {
		switch c := r.at(i); {
		case c == '\n', c == '#' && i > from && r.text[i-1] == ' ', c == ':' && r.blank(i+1):
			r.pos = end
			if c == ':' {
				r.refuseIf(end < i) // blanks before the colon
			}
			return r.text[from:end]
		case c != ' ':
			end = i + 1
		}
	}
}

// continued reads the further lines of a plain scalar: those to the right of parent. The lines are joined by a blank,
// or by as many ends of lines as there are empty lines between them.
func (r *yamlReader) continued(n *yaml.Node, parent int) {
	var joined []byte
	for {
		end := r.lineEnd(r.pos)
		comment := r.pos < end && strings.Contains(r.text[r.pos:end], "#")
		r.endLine()
		if comment {
			break
		}
		breaks, i, start := 0, end, 0
		for i < len(r.text) {
			start = i + 1
			for i = start; i < len(r.text) && r.text[i] == ' '; i++ {
			}
			if r.at(i) != '\n' {
				break
			}
			breaks++
		}
		if i >= len(r.text) || i-start <= parent || r.text[i] == '#' {
			break
		}
		if joined == nil {
			joined = append(joined, n.Value...)
		}
		r.pos, r.line, r.lineStart = i, r.line+breaks+1, start
		if breaks == 0 {
			joined = append(joined, ' ')
		}
		for range breaks {
			joined = append(joined, '\n')
		}
		joined = append(joined, r.restOfPlain()...)
		r.refuseIf(r.colon())
	}
	if joined != nil {
		n.Value = string(joined)
	}
	r.nextToken()
}

// tag returns what go-yaml takes a plain scalar for.
func (r *yamlReader) tag(s string) string {
	switch c := s[0]; {
	case c == '~', c == '<', c == 'n', c == 'N', c == 't', c == 'T', c == 'f', c == 'F':
		switch s {
		case "~", "null", "Null", "NULL":
			return "!!null"
		case "true", "True", "TRUE", "false", "False", "FALSE":
			return "!!bool"
		case "<<":
			return "!!merge"
		}
	case len(s) == 1 && c < '0':
		return "!!str"
	case len(s) == 1 && c == '0':
		return "!!int"
	case c >= '0' && c <= '9', c == '+', c == '-', c == '.':
		if c >= '1' && len(s) <= 18 && strings.Trim(s, "0123456789") == "" {
			return "!!int"
		}
		if strings.Trim(s, "0123456789+-_.: abcdefABCDEFxXoOtTzZiInN") != "" {
			return "!!str" // no number or time is written with other characters
		}
		if len(s) > 4 && s[4] != '-' && strings.Count(s[1:], "-") > 1 {
			return "!!str" // nor with dashes like a UUID
		}
		if len(s) == len("2006-01-02") && s[4] == '-' && date(s) {
			return "!!timestamp"
		}
		var n yaml.Node // numbers and times are written in more ways than are worth knowing here
		r.refuseIf(yaml.Unmarshal([]byte("a: "+s), &n) != nil)
		v := n.Content[0].Content[1]
		r.refuseIf(v.Kind != yaml.ScalarNode || v.Value != s)
		return v.Tag
	}
	return "!!str"
}

// date reports whether s, which has the length of a date and a dash after four digits, is one.
func date(s string) bool {
	for i := range len(s) {
		if c := s[i]; i != 4 && i != 7 && (c < '0' || c > '9') || i == 7 && c != '-' {
			return false
		}
	}
	month, day := int(s[5]-'0')*10+int(s[6]-'0'), int(s[8]-'0')*10+int(s[9]-'0')
	return month >= 1 && month <= 12 && day >= 1 && (day <= 28 || month != 2 && day <= 30+(month+month/8)%2)
}

// quoted reads a quoted scalar on one line, and goes to what is behind the quote.
func (r *yamlReader) quoted() *yaml.Node {
	n := r.newNode(yaml.ScalarNode, r.pos)
	n.Tag = "!!str"
	quote := r.text[r.pos]
	r.pos++
	end := r.lineEnd(r.pos)
	from := r.pos
	if quote == '\'' {
		n.Style = yaml.SingleQuotedStyle
		doubled := false
		for {
			i := strings.IndexByte(r.text[r.pos:end], '\'')
			r.refuseIf(i < 0)
			r.pos += i + 1
			if r.at(r.pos) != '\'' {
				break
			}
			doubled = true
			r.pos++
		}
		n.Value = r.text[from : r.pos-1]
		if doubled {
			n.Value = strings.ReplaceAll(n.Value, "''", "'")
		}
		return n
	}
	n.Style = yaml.DoubleQuotedStyle
	var plain []byte
	for {
		i := strings.IndexAny(r.text[r.pos:end], `"\`)
		r.refuseIf(i < 0)
		c := r.text[r.pos+i]
		if c == '"' && plain == nil {
			n.Value = r.text[from : r.pos+i]
			r.pos += i + 1
			return n
		}
		plain = append(plain, r.text[r.pos:r.pos+i]...)
		r.pos += i + 1
		if c == '"' {
			n.Value = string(plain)
			return n
		}
		const escapes, meanings = `\"/nrt0`, "\\\"/\n\r\t\x00"
		i = strings.IndexByte(escapes, r.at(r.pos))
		r.refuseIf(i < 0 || r.pos >= end)
		plain = append(plain, meanings[i])
		r.pos++
	}
}

// blockScalar reads a scalar after | or >, of which the lines stand to the right of parent.
func (r *yamlReader) blockScalar(parent int) *yaml.Node {
	n := r.newNode(yaml.ScalarNode, r.pos)
	n.Tag = "!!str"
	folded := r.text[r.pos] == '>'
	n.Style = yaml.LiteralStyle
	if folded {
		n.Style = yaml.FoldedStyle
	}
	r.pos++
	strip := r.at(r.pos) == '-'
	if strip {
		r.pos++
	}
	r.skipBlanks()
	r.refuseIf(r.at(r.pos) != '\n')

	var value []byte
	indent, empty := 0, 0 // empty lines since the last line of text
	lines := 0            // of text
	deeper := true        // whether the last line of text began with a blank
	open := false         // whether it ended with the file
	for r.pos < len(r.text) {
		start := r.pos + 1
		i := start
		for i < len(r.text) && r.text[i] == ' ' {
			i++
		}
		if r.at(i) == '\n' {
			// More blanks than the indentation are text.
			r.refuseIf(i > start && (indent == 0 || i-start > indent))
			if i < len(r.text) {
				empty++
			}
			r.pos, r.line, r.lineStart = i, r.line+1, start
			continue
		}
		if indent == 0 {
			indent = i - start
			r.refuseIf(indent <= parent)
		}
		if i-start < indent {
			break
		}
		was := deeper
		deeper = i-start > indent
		switch {
		case lines == 0:
		case !folded || was || deeper:
			value = append(value, '\n')
		case empty == 0:
			value = append(value, ' ')
		}
		for ; empty > 0; empty-- {
			value = append(value, '\n')
		}
		end := r.lineEnd(i)
		value = append(value, r.text[start+indent:end]...)
		lines++
		open = end == len(r.text)
		r.pos, r.line, r.lineStart = end, r.line+1, start
	}
	r.refuseIf(lines == 0)
	if !strip && !open {
		value = append(value, '\n')
	}
	n.Value = string(value)
	r.nextToken()
	return n
}
