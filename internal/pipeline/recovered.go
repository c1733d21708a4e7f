package pipeline

import (
	"fmt"

	"github.com/barid-dfir/barid/internal/detect"
)

// Windows writes a chunk of a log over what the chunk before had in memory, so that its free space often holds stale
// copies of records that are live elsewhere in the file. What was found in a recovered record counts only where the same
// was not found in a live one, and once.

// recordKey is what a finding in a copy of a record has in common with that in the record.
type recordKey struct {
	rule         *detect.Rule
	record, time int64
	host         string
}

func keyOf(f *detect.Finding) recordKey { return recordKey{f.Rule, f.Record, f.Time, f.Host} }

// maxRecovered bounds the findings in recovered records that are compared with others.
const maxRecovered = 1 << 18

// split divides findings into those in live and those in recovered records.
func split(list []detect.Finding) (live, recovered []detect.Finding) {
	n := 0
	for i := range list {
		if list[i].Recovered {
			n++
		}
	}
	if n == 0 {
		return list, nil
	}
	live = make([]detect.Finding, 0, len(list)-n)
	for _, f := range list {
		if f.Recovered {
			recovered = append(recovered, f)
		} else {
			live = append(live, f)
		}
	}
	return live, recovered
}

// addRecovered adds to the findings of a source those in recovered records that are not copies of others.
func (s *source) addRecovered() error {
	if s.recovered.Len() == 0 {
		return nil
	}
	seen := make(map[recordKey]bool)
	note := func(f *detect.Finding) error {
		if len(seen) < maxRecovered {
			seen[keyOf(f)] = false
		}
		return nil
	}
	if err := s.recovered.Each(note); err != nil {
		return err
	}
	err := s.findings.Each(func(f *detect.Finding) error {
		if _, ok := seen[keyOf(f)]; ok {
			seen[keyOf(f)] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	copies := int64(0)
	err = s.recovered.Each(func(f *detect.Finding) error {
		if seen[keyOf(f)] {
			copies++
			return nil
		}
		seen[keyOf(f)] = true
		return s.findings.add([]detect.Finding{*f})
	})
	if copies > 0 {
		s.run.findings.Add(-copies)
		s.tally.Notes = append(s.tally.Notes, fmt.Sprintf("findings in stale copies of records that are there otherwise, left out: %d", copies))
	}
	return err
}
