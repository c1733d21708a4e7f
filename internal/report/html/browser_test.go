package html

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/barid-dfir/barid/internal/lang"
	"github.com/barid-dfir/barid/internal/sharedtest"
)

// checkJS looks at a page from within.
func checkJS(t *testing.T) string {
	t.Helper()
	p, err := os.ReadFile(filepath.Join("testdata", "check.js"))
	if err != nil {
		t.Fatal(err)
	}
	return string(p)
}

// chromium returns the command of a browser that needs no window: none where BARID_BROWSER is "none".
func chromium(t *testing.T) string {
	t.Helper()
	if os.Getenv("BARID_BROWSER") == "none" {
		t.Skip("BARID_BROWSER is none")
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			return p
		}
	}
	t.Skip("no chromium")
	return ""
}

// axe returns the rules of axe-core, from the file that BARID_AXE names: axe.min.js of the npm package axe-core, version 4.
func axe(t *testing.T) string {
	t.Helper()
	path := os.Getenv("BARID_AXE")
	if path == "" {
		t.Log("BARID_AXE is not set: accessibility is not checked")
		return ""
	}
	p, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(p)
}

var policyTag = regexp.MustCompile(`<meta http-equiv="Content-Security-Policy"[^>]*>`)

// look opens a page in frames of two widths, and returns what is wrong with it. The page is a copy that may run the check.
func look(t *testing.T, browser, page, script string) []string {
	t.Helper()
	page = policyTag.ReplaceAllLiteralString(page, "")
	page = strings.Replace(page, "</body>", "<script>"+strings.ReplaceAll(script, "</script", `<\/script`)+"</script></body>", 1)
	around := `<!DOCTYPE html><meta charset="utf-8"><title>…</title><pre id="answer"></pre>`
	for _, width := range []int{360, 1440} {
		around += fmt.Sprintf("\n<iframe name=\"%d\" width=\"%d\" height=\"900\" srcdoc=\"%s\"></iframe>", width, width, html.EscapeString(page))
	}
	around += `<script>
const all = {};
addEventListener("message", (m) => {
  for (const f of document.querySelectorAll("iframe")) if (f.contentWindow === m.source) all[f.name] = m.data;
  if (Object.keys(all).length === 2) document.getElementById("answer").textContent = "ANSWER" + JSON.stringify(all) + "END";
});
</script>`
	dir := t.TempDir()
	file := filepath.Join(dir, "around.html")
	if err := os.WriteFile(file, []byte(around), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	var out, errs bytes.Buffer
	c := exec.CommandContext(ctx, browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--proxy-server=127.0.0.1:9", "--user-data-dir="+filepath.Join(dir, "profile"), "--window-size=1500,1000", "--virtual-time-budget=60000", "--dump-dom", "file://"+file)
	c.Stdout, c.Stderr = &out, &errs
	c.WaitDelay = 5 * time.Second
	if err := c.Run(); err != nil {
		t.Fatalf("%v: %s", err, errs.String())
	}
	dom := out.String()
	i := strings.Index(dom, ">ANSWER")
	j := strings.Index(dom, "END</pre>")
	if i < 0 || j < i {
		t.Fatalf("no answer from the page: %s", errs.String())
	}
	var said map[string][]string
	if err := json.Unmarshal([]byte(html.UnescapeString(dom[i+len(">ANSWER"):j])), &said); err != nil {
		t.Fatal(err)
	}
	var all []string
	for width, list := range said {
		for _, s := range list {
			all = append(all, width+" px: "+s)
		}
	}
	return all
}

func TestInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("slow")
	}
	browser, script := chromium(t), axe(t)+checkJS(t)
	hostile := judged()
	harm(hostile, func(i int) string { return evil[i%len(evil)] })
	cases := map[string]string{}
	for _, tag := range lang.Tags() {
		cases["judged "+tag] = renderIn(t, judged(), tag)
		cases["hostile "+tag] = renderIn(t, hostile, tag)
		cases["nothing "+tag] = renderIn(t, nothingFound(), tag)
	}
	for name, page := range cases {
		t.Run(name, func(t *testing.T) {
			for _, s := range look(t, browser, page, script) {
				t.Error(s)
			}
		})
	}
}

// What the check is for, it finds.
func TestTheBrowserSeesWhatIsWrong(t *testing.T) {
	if testing.Short() {
		t.Skip("slow")
	}
	browser, rules := chromium(t), axe(t)
	page := strings.Replace(renderIn(t, nothingFound(), "ar"), "<main>", `<main><p class="wide">[?page.x] 2021-03-03 من 192.0.2.1</p><button></button>`, 1)
	page = strings.Replace(page, "</style>", ".wide { width: 1600px; max-width: none }</style>", 1)
	want := []string{"360 px: overflow", "1440 px: overflow", "missing", "isolate"}
	if rules != "" {
		want = append(want, "axe: button-name")
	}
	said := strings.Join(look(t, browser, page, rules+checkJS(t)), "\n")
	for _, w := range want {
		if !strings.Contains(said, w) {
			t.Errorf("not found: %s\n%s", w, said)
		}
	}
}

// TestExamplesInABrowser looks at the reports of the examples, as the program writes them.
func TestExamplesInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("slow")
	}
	browser, script := chromium(t), axe(t)+checkJS(t)
	root, dir := sharedtest.Root(t), t.TempDir()
	barid := filepath.Join(dir, "barid")
	run := func(args ...string) {
		t.Helper()
		c := exec.Command(args[0], args[1:]...)
		c.Dir = root
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v: %s", args, err, out)
		}
	}
	run("go", "build", "-o", barid, "./cmd/barid")
	for _, example := range []string{"flood", "imap-theft", "m365-takeover", "proxylogon"} {
		args := []string{barid, "assess", "-q", "-o", filepath.Join(dir, example), filepath.Join("examples", example)}
		if facts := filepath.Join("examples", "facts", example+".yaml"); exists(filepath.Join(root, facts)) {
			args = append(args, "--facts", facts)
		}
		run(args...)
		for _, tag := range lang.Tags() {
			t.Run(example+" "+tag, func(t *testing.T) {
				page := filepath.Join(dir, example+"-"+tag+".html")
				run(barid, "report", "-q", "--lang", tag, "-o", page, filepath.Join(dir, example))
				p, err := os.ReadFile(page)
				if err != nil {
					t.Fatal(err)
				}
				for _, s := range look(t, browser, string(p), script) {
					t.Error(s)
				}
			})
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
