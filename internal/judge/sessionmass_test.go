package judge

import (
	"fmt"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/logs"
)

func TestManyFilesAtOnceFromElsewhere(t *testing.T) {
	f := func(name string, files, seconds int, ip string, known int, want ...string) {
		t.Helper()
		var s scene
		s.stream("FS1", "windows.evtx:Security", "01-20 00:00", "03-31 23:00")
		windows := []with{over("smb"), from("FS1", "windows.evtx:Security")}
		for d := 1; d <= known; d++ {
			s.login(fmt.Sprintf("02-%02d 08:00", d), "ana", "198.51.100.7", windows...)
		}
		for i := range files {
			at := fmt.Sprintf("03-10 08:%02d:%02d", i*seconds/60, i*seconds%60)
			s.access(logs.FileReadGranted, at, "ana", ip, append(windows, of("file", fmt.Sprintf("a/%d.docx", i)), inside("share"), bySession("0x1"))...)
			s.access(logs.FileReadGranted, at, "ana", ip, append(windows, of("file", fmt.Sprintf("a/%d.docx", i)), inside("share"), bySession("0x1"))...)
		}
		if got := s.suspects(t); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	f("thirty from elsewhere", 30, 10, "203.0.113.9", 20, "ana 203.0.113.9 MASS_READ")
	f("fewer", 29, 10, "203.0.113.9", 20)
	f("slowly", 59, 11, "203.0.113.9", 20)
	f("from where the account always comes", 40, 5, "198.51.100.7", 20)
	f("another computer of the same network", 40, 5, "198.51.100.99", 20)
	f("nobody knows where the account comes from", 40, 5, "203.0.113.9", 1)
}
