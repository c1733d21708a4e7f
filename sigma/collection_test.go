package sigma

import (
	"fmt"
	"strings"
	"testing"
)

func TestCollectionsOfSigmaBefore2(t *testing.T) {
	f := func(in string, want ...string) {
		t.Helper()
		p := Parse("c.yml", []byte(in))
		p.dropDuplicates()
		var got []string
		for _, r := range p.Rules {
			var names []string
			for _, s := range r.detection.selections {
				names = append(names, s.name)
			}
			s := r.LogSource
			got = append(got, fmt.Sprintf("%d %s %s %s/%s/%s %s", r.Line, r.Title, r.Level, s.Product, s.Category, s.Service, strings.Join(names, " ")))
		}
		for _, r := range p.Rejected {
			got = append(got, r.Error())
		}
		if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
			t.Errorf("got\n%s\nwant\n%s", g, w)
		}
	}
	const detection = "detection: {a: {A: 1}, condition: a}\n"
	f("action: global\ntitle: T\nid: 5\n"+detection+"---\nlogsource: {category: x}\n---\nlogsource: {category: y}\nlevel: high\n",
		"6 T medium /x/ a", "8 T high /y/ a")
	// Mappings are merged, and what is global counts.
	f("action: global\ntitle: T\nlogsource: {product: p}\ndetection: {b: {B: 1}, condition: 1 of them}\n---\ntitle: U\nlogsource: {service: s}\ndetection: {a: {A: 1}}\n",
		"6 T medium p//s a b")
	f("action: global\ntitle: T\nlogsource: {product: p}\n---\naction: reset\n---\ntitle: U\nlogsource: {product: q}\n"+detection,
		"7 U medium q// a", "c.yml:1:1: action: global has no rule behind it in the file: put it before the rules it is for, each behind a line of ---")
	f("action: global\ntitle: T\nlogsource: {product: p}\n---\n"+detection+"---\naction: reset\n---\ntitle: U\nlogsource: {product: q}\n"+detection,
		"5 T medium p// a", "9 U medium q// a")
	f("title: T\nlogsource: {category: c, service: s}\n"+detection+"---\naction: repeat\nlogsource: {service: u}\n---\naction: repeat\nlevel: low\n",
		"1 T medium /c/s a", "5 T medium /c/u a", "8 T low /c/u a")
	f("action: global\ntitle: T\nlogsource: {category: c, service: s}\n"+detection+"---\naction: repeat\nlogsource: {service: u}\n",
		"6 T medium /c/u a")
	// Correlations and rules in front stay as they are.
	f("title: R\nlogsource: {product: r}\n"+detection+"---\naction: global\nlogsource: {product: p}\n---\ntitle: T\n"+detection,
		"1 R medium r// a", "8 T medium p// a")
	// A rule with an id of its own is a rule of its own; an id in common is no duplicate.
	f("action: global\ntitle: T\nid: 5\nlogsource: {product: p}\n---\n"+detection+"---\n"+strings.Replace(detection, "A: 1", "A: 2", 1)+"---\n"+detection,
		"6 T medium p// a", "8 T medium p// a")
	f("title: T\nid: 5\nlogsource: {product: p}\n"+detection+"---\ntitle: U\nid: 5\nlogsource: {product: p}\n"+detection,
		"1 T medium p// a", "c.yml:6: the rule 5 was already read from c.yml, with other content: give one of them another id")
}

func TestHostileCollectionsAreBounded(t *testing.T) {
	big := "action: global\ntitle: T\nlogsource: {product: p}\ndetection:\n  condition: a\n  a: {A: [" + strings.Repeat("x, ", 50_000) + "x]}\n"
	p := Parse("big.yml", []byte(big+strings.Repeat("---\nlevel: low\n", 1000)))
	if len(p.Rules) > 4 || len(p.Rules)+len(p.Rejected) != 1000 {
		t.Errorf("%d rules, %d rejected", len(p.Rules), len(p.Rejected))
	}
	Parse("deep.yml", []byte("action: global\na: &a\n  a: *a\n---\na: &a\n  a: *a\n"))
}
