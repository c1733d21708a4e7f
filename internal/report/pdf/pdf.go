// Package pdf prints report.html to PDF by a browser that stands on this machine: Chromium, or one made of it.
//
// The browser gets a fresh profile in a temporary folder and one file to open. It is told not to reach any network, and the page's own
// Content-Security-Policy lets it load nothing. What it writes depends on the browser and its fonts: unlike all other outputs, the same case
// need not give the same bytes.
package pdf

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/report/html"
	"github.com/barid-dfir/barid/internal/report/input"
)

// ErrNoBrowser is the error where no browser is found.
var ErrNoBrowser = errors.New("no Chromium, Chrome or Edge was found: install Chromium, name a browser with --browser, or print report.html from any browser")

// Timeout is how long the browser may take.
const Timeout = 3 * time.Minute

// maxSaid is how much of what the browser says is shown, in bytes.
const maxSaid = 2000

// Write writes the report of a case as PDF to w, by the browser at path; "" looks for one.
func Write(ctx context.Context, w io.Writer, in *input.Input, browser string) error {
	browser, err := find(browser)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "barid-pdf-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	page, printed := filepath.Join(dir, "report.html"), filepath.Join(dir, "report.pdf")
	f, err := os.OpenFile(page, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(html.Write(f, in), f.Close()); err != nil {
		return err
	}
	if err := run(ctx, browser, dir, "--no-pdf-header-footer", "--print-to-pdf="+printed, fileURL(page)); err != nil {
		return err
	}
	out, err := os.Open(printed)
	if err != nil {
		return fmt.Errorf("%s printed nothing: %w", browser, err)
	}
	defer out.Close()
	head := make([]byte, 5)
	if _, err := io.ReadFull(out, head); err != nil || !bytes.Equal(head, []byte("%PDF-")) {
		return fmt.Errorf("%s printed something that is no PDF", browser)
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	_, err = io.Copy(w, out)
	return err
}

// run starts the browser without a window, with a profile of its own in dir.
func run(ctx context.Context, browser, dir string, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	all := []string{
		"--headless", "--disable-gpu", "--no-first-run", "--no-default-browser-check", "--disable-background-networking", "--disable-component-update",
		"--disable-sync", "--disable-extensions", "--disable-quic", "--metrics-recording-only", "--proxy-server=127.0.0.1:9", "--user-data-dir=" + filepath.Join(dir, "profile"),
	}
	if runtime.GOOS == "linux" && os.Geteuid() == 0 {
		// The sandbox of Chromium does not start for root. The page holds no script.
		all = append(all, "--no-sandbox")
	}
	said := &tail{}
	c := exec.CommandContext(ctx, browser, append(all, args...)...)
	c.Stdout, c.Stderr = said, said
	c.WaitDelay = 5 * time.Second
	err := c.Run()
	switch {
	case ctx.Err() == context.DeadlineExceeded:
		return fmt.Errorf("%s did not finish within %s", browser, Timeout)
	case err != nil:
		return fmt.Errorf("%s: %w: %s", browser, err, strings.TrimSpace(string(said.b)))
	}
	return nil
}

// tail keeps the end of what is written to it.
type tail struct{ b []byte }

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if n := len(t.b) - maxSaid; n > 0 {
		t.b = append(t.b[:0], t.b[n:]...)
	}
	return len(p), nil
}

// names are what browsers are called in PATH.
var names = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "microsoft-edge-stable", "msedge", "brave-browser"}

// find returns the path of the browser that is named, or of one that is found.
func find(browser string) (string, error) {
	if browser != "" {
		p, err := exec.LookPath(browser)
		if err != nil {
			return "", fmt.Errorf("--browser: %w", err)
		}
		return p, nil
	}
	for _, n := range names {
		if p, err := exec.LookPath(n); err == nil {
			return p, nil
		}
	}
	for _, p := range places() {
		if info, err := os.Stat(p); err == nil && info.Mode().IsRegular() {
			return p, nil
		}
	}
	return "", ErrNoBrowser
}

// places are where browsers stand that are not in PATH.
func places() []string {
	switch runtime.GOOS {
	case "darwin":
		return []string{
			"/Applications/Chromium.app/Contents/MacOS/Chromium",
			"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
			"/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
		}
	case "windows":
		var out []string
		for _, root := range []string{os.Getenv("ProgramFiles"), os.Getenv("ProgramFiles(x86)"), os.Getenv("LocalAppData")} {
			if root != "" {
				out = append(out, filepath.Join(root, `Chromium\Application\chrome.exe`), filepath.Join(root, `Google\Chrome\Application\chrome.exe`), filepath.Join(root, `Microsoft\Edge\Application\msedge.exe`))
			}
		}
		return out
	}
	return []string{"/snap/bin/chromium", "/opt/google/chrome/chrome"}
}

// fileURL returns the URL of a file.
func fileURL(path string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	var b strings.Builder
	b.WriteString("file://")
	for i := range len(path) {
		switch c := path[i]; {
		case c == '/' || c == '-' || c == '_' || c == '.' || c == ':' || c == '~' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
