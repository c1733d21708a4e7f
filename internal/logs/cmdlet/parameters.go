package cmdlet

import (
	"bytes"

	"github.com/barid-dfir/barid/internal/event"
)

// Syntax is how a log writes the parameters of a cmdlet.
type Syntax uint8

// The syntaxes.
const (
	Shell  Syntax = iota // -Mailbox "ana" -Force
	Dotted               // .Mailbox='ana'.Force=$true, after the name of the cmdlet or without it
	Pairs                // [{"Name":"Mailbox","Value":"ana"}]
)

// each calls f for every parameter, its value without quotes, until f returns false. A switch has the value True.
func (s Syntax) each(params []byte, f func(name, value []byte) bool) {
	switch s {
	case Shell:
		eachShell(params, f)
	case Dotted:
		eachDotted(params, f)
	case Pairs:
		eachPair(params, f)
	}
}

var yes = []byte("True")

func eachShell(p []byte, f func(name, value []byte) bool) {
	for {
		p = bytes.TrimLeft(p, " \t\r\n;")
		if len(p) == 0 {
			return
		}
		if !startsParameter(p) {
			_, p = shellValue(p) // a positional value
			continue
		}
		end := 1
		for end < len(p) && p[end] != ' ' && p[end] != ':' {
			end++
		}
		name := p[1:end]
		p = bytes.TrimLeft(p[end:], " :")
		value := yes
		if len(p) > 0 && !startsParameter(p) {
			value, p = shellValue(p)
		}
		if !f(name, value) {
			return
		}
	}
}

// startsParameter reports whether p begins with the name of a parameter: -Identity, and not -1.
func startsParameter(p []byte) bool {
	return len(p) > 1 && p[0] == '-' && letter(p[1])
}

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// shellValue returns the value at the start of p, which is not empty, and what follows. Exchange does not escape quotation
// marks inside a value: the one that ends it has the end, or a blank, comma or bracket behind it.
func shellValue(p []byte) (value, rest []byte) {
	open := 0
	for i := 0; i < len(p); i++ {
		switch c := p[i]; {
		case c == '"' || c == '\'':
			i += quoteEnd(p[i+1:], c) + 1
		case c == '(' || c == '{':
			open++
		case (c == ')' || c == '}') && open > 0:
			open--
		case c == ' ' && open == 0 && (i == 0 || p[i-1] != ','):
			return bare(p[:i]), p[i:]
		}
	}
	return bare(p), nil
}

// quoteEnd returns where in p, which follows a quotation mark, the value ends; len(p) if nowhere.
func quoteEnd(p []byte, quote byte) int {
	for i := 0; i < len(p); i++ {
		j := bytes.IndexByte(p[i:], quote)
		if j < 0 {
			return len(p)
		}
		i += j
		if i+1 == len(p) {
			return i
		}
		if next := p[i+1]; next == ' ' || next == ',' || next == ')' || next == ';' || next == '}' || next == '.' && quote == '\'' {
			return i
		}
	}
	return len(p)
}

// bare takes off the brackets and quotation marks around a value. A list keeps those inside.
func bare(v []byte) []byte {
	for len(v) > 1 {
		a, z := v[0], v[len(v)-1]
		switch {
		case a == '(' && z == ')', a == '{' && z == '}':
		case (a == '"' || a == '\'') && a == z && bytes.IndexByte(v[1:len(v)-1], a) < 0:
		default:
			return v
		}
		v = v[1 : len(v)-1]
	}
	return v
}

func eachDotted(p []byte, f func(name, value []byte) bool) {
	for len(p) > 0 {
		dot := bytes.IndexByte(p, '.')
		if dot < 0 {
			return
		}
		p = p[dot+1:]
		equals := bytes.IndexByte(p, '=')
		if equals < 1 || !name(p[:equals]) {
			continue
		}
		n, v := p[:equals], p[equals+1:]
		end := 0
		if len(v) > 1 && v[0] == '\'' {
			quote := quoteEnd(v[1:], '\'')
			end = min(quote+2, len(v))
		} else if end = bytes.IndexByte(v, '.'); end < 0 {
			end = len(v)
		}
		p = v[end:]
		if !f(n, bare(v[:end])) {
			return
		}
	}
}

func name(p []byte) bool {
	for _, c := range p {
		if !letter(c) && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return true
}

// eachPair reads objects with the keys Name and Value, in that order, as the admin audit log writes them.
func eachPair(p []byte, f func(name, value []byte) bool) {
	for {
		n, rest, ok := member(p, `"Name"`)
		if !ok {
			return
		}
		p = rest
		i := bytes.Index(rest, []byte(`"Value"`))
		if next := bytes.Index(rest, []byte(`"Name"`)); i < 0 || next >= 0 && next < i {
			continue
		}
		v, after, ok := member(rest[i:], `"Value"`)
		if !ok {
			return
		}
		p = after
		if !f(n, v) {
			return
		}
	}
}

// member returns the value of the next member called key in p, and what follows it. A text that has escapes is a copy.
func member(p []byte, key string) (value, rest []byte, ok bool) {
	i := bytes.Index(p, []byte(key))
	if i < 0 {
		return nil, nil, false
	}
	p = bytes.TrimLeft(p[i+len(key):], " \t\r\n:")
	n := event.JSONLen(p)
	value, rest = p[:n:n], p[n:]
	if n < 2 || value[0] != '"' || value[n-1] != '"' {
		return value, rest, n > 0
	}
	if value = value[1 : n-1]; bytes.IndexByte(value, '\\') >= 0 {
		v := event.Value{Data: value, Kind: event.Escape}
		value = v.AppendText(nil)
	}
	return value, rest, true
}
