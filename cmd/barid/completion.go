package main

import (
	"fmt"
	"sort"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/barid-dfir/barid/internal/detect"
	"github.com/barid-dfir/barid/internal/lang"
	"github.com/barid-dfir/barid/sigma"
)

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Run prints a completion script, made from the same table as the help.
func (c *completionCmd) Run(e *env, k *kong.Kong) error {
	commands := flatten(k.Model.Node, "")
	switch c.Shell {
	case "bash":
		bash(e, commands)
	case "zsh":
		fmt.Fprintln(e.stdout, "#compdef barid\nautoload -U +X bashcompinit && bashcompinit")
		bash(e, commands)
	case "fish":
		fish(e, commands)
	}
	return nil
}

// command is a command and the flags it takes.
type command struct {
	path  string // "rules check"
	help  string
	flags []*kong.Flag
	subs  []string
}

func flatten(n *kong.Node, path string) []command {
	c := command{path: path, help: n.Help}
	for _, g := range n.AllFlags(true) {
		c.flags = append(c.flags, g...)
	}
	out := []command{c}
	for _, child := range n.Children {
		if child.Type != kong.CommandNode {
			continue
		}
		out[0].subs = append(out[0].subs, child.Name)
		out = append(out, flatten(child, strings.TrimSpace(path+" "+child.Name))...)
	}
	return out
}

func (c command) words() []string {
	words := append([]string{}, c.subs...)
	for _, f := range c.flags {
		words = append(words, "--"+f.Name)
	}
	sort.Strings(words)
	return words
}

func bash(e *env, commands []command) {
	fmt.Fprint(e.stdout, "_barid() {\n  local cur=${COMP_WORDS[COMP_CWORD]} path=\"\" w\n"+
		"  for w in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do case $w in -*) ;; *) case \"$path $w\" in\n")
	for _, c := range commands {
		if c.path != "" {
			fmt.Fprintf(e.stdout, "    \" %s\"|\"%s\") path=%q;;\n", c.path, c.path, c.path)
		}
	}
	fmt.Fprint(e.stdout, "  esac;; esac; done\n  case ${COMP_WORDS[COMP_CWORD-1]} in\n")
	for _, v := range values() {
		fmt.Fprintf(e.stdout, "    --%s) COMPREPLY=($(compgen -W %q -- \"$cur\")); return;;\n", v.flag, strings.Join(v.words, " "))
	}
	fmt.Fprint(e.stdout, "  esac\n  case \"$path\" in\n")
	for _, c := range commands {
		fmt.Fprintf(e.stdout, "    %q) COMPREPLY=($(compgen -W %q -- \"$cur\"));;\n", c.path, strings.Join(c.words(), " "))
	}
	fmt.Fprint(e.stdout, "  esac\n  [[ $cur == -* ]] || COMPREPLY+=($(compgen -f -- \"$cur\"))\n}\ncomplete -o filenames -F _barid barid\n")
}

// flagValues is the words that a flag takes.
type flagValues struct {
	flag  string
	words []string
}

// values returns the flags that take one of a few words.
func values() []flagValues {
	return []flagValues{
		{"format", strings.Split(formats(), ",")},
		{"form", strings.Split(forms(), ", ")},
		{"lang", lang.Tags()},
		{"min-level", detect.Levels()},
		{"fail-on", detect.Levels()},
		{"rule-status", append(sigma.Statuses(), "all")},
		{"as", []string{"html", "md", "json"}},
		{"tlp", []string{"clear", "green", "amber", "amber+strict", "red"}},
	}
}

func fish(e *env, commands []command) {
	for _, v := range values() {
		fmt.Fprintf(e.stdout, "complete -c barid -l %s -x -a '%s'\n", v.flag, strings.Join(v.words, " "))
	}
	for _, c := range commands {
		when := "__fish_use_subcommand"
		if c.path != "" {
			when = "__fish_seen_subcommand_from " + firstWord(c.path)
		}
		for _, s := range c.subs {
			fmt.Fprintf(e.stdout, "complete -c barid -n '%s' -a %s\n", when, s)
		}
		for _, f := range c.flags {
			fmt.Fprintf(e.stdout, "complete -c barid -n '%s' -l %s -d '%s'\n", when, f.Name, strings.ReplaceAll(f.Help, "'", "\\'"))
		}
	}
}
