package evidence

import (
	"context"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/sharedtest"
)

func TestAllSharedEvidenceIsListed(t *testing.T) {
	root := sharedtest.Path(t, "evidence")
	var streams, containers int
	var bytes int64
	kinds := map[string]int{}
	opt := Options{Report: func(p Problem) { t.Logf("%s: %s (note: %v)", strings.TrimPrefix(p.Path, root), p.Reason, p.Note) }}
	paths := map[string]bool{}
	err := Walk(context.Background(), []string{root}, opt, func(s *Stream) error {
		size, sum, err := s.Hash()
		if err != nil || size > 0 && sum == [32]byte{} {
			t.Errorf("%s: %v", s.Path, err)
		}
		if s.Container != "" {
			containers++
			kinds[s.Container]++
			return nil
		}
		if paths[s.Path] {
			t.Errorf("%s was visited twice", s.Path)
		}
		paths[s.Path] = true
		streams++
		bytes += size
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d streams of %d bytes in %d containers %v", streams, bytes, containers, kinds)
	if streams < 1000 || containers < 100 {
		t.Errorf("only %d streams in %d containers", streams, containers)
	}
}
