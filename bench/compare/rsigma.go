//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

//go:embed rsigma.yml
var rsigmaPipeline []byte

// rsigma matches events of flat fields, one file a run, on one thread. Its events are therefore written beforehand as
// Barid reads them, under the names that rules use and with the log source beside them: it is spared reading EVTX.
type rsigma struct {
	program
	events, pipeline string
}

func (r *rsigma) prepare(ctx context.Context, j *job) ([]string, error) {
	r.events = filepath.Join(j.work, "events.jsonl")
	r.pipeline = filepath.Join(j.work, "rsigma.yml")
	if err := os.WriteFile(r.pipeline, rsigmaPipeline, 0o644); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, j.barid, "dump", "--quiet", j.evidence)
	lines, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	f, err := os.Create(r.events)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	err = eachLine(lines, func(line []byte) error {
		flat, err := flatten(line)
		w.Write(append(flat, '\n'))
		return err
	})
	if err != nil {
		cmd.Process.Kill()
		cmd.Wait()
		return nil, err
	}
	if err := cmd.Wait(); err != nil {
		return nil, fmt.Errorf("barid dump: %w", err)
	}
	return []string{"events written beforehand as flat JSON lines with their log source (barid dump): it reads no EVTX here, which the others do",
		"--logsource-routing; it has one thread"}, w.Flush()
}

// asSysmon names the fields of Security 4688 as rules of process_creation do.
var asSysmon = map[string]string{
	"NewProcessName": "Image", "ParentProcessName": "ParentImage", "NewProcessId": "ProcessId", "ProcessId": "ParentProcessId",
	"SubjectUserName": "User", "SubjectLogonId": "LogonId", "MandatoryLabel": "IntegrityLevel",
}

// flatten turns a line of barid dump into an event for rsigma: its fields, and product, service and category. What has
// no category gets one that no rule has, so that rules of other categories are not tried.
func flatten(line []byte) ([]byte, error) {
	var l struct {
		Logsource struct{ Product, Service, Category string }
		Event     map[string]json.RawMessage
	}
	if err := json.Unmarshal(line, &l); err != nil {
		return nil, err
	}
	e := l.Event
	if e == nil {
		e = map[string]json.RawMessage{}
	}
	if l.Logsource.Service == "security" && l.Logsource.Category == "process_creation" {
		own := make(map[string]json.RawMessage, len(asSysmon))
		for from := range asSysmon {
			if v, ok := e[from]; ok {
				own[from] = v
			}
		}
		delete(e, "ProcessId")
		for from, v := range own {
			e[asSysmon[from]] = v
		}
	}
	for k, v := range map[string]string{"product": l.Logsource.Product, "service": l.Logsource.Service, "category": l.Logsource.Category} {
		if v == "" {
			v = "-"
		}
		e[k], _ = json.Marshal(v)
	}
	return json.Marshal(e)
}

func (r *rsigma) commands(j *job, threads int, out string) []command {
	if threads != 1 {
		return nil
	}
	return []command{{
		argv:   []string{r.path, "engine", "eval", "-q", "-r", j.rules, "-p", r.pipeline, "--logsource-routing", "--include-event", "--output-format", "ndjson", "-e", "@" + r.events},
		env:    []string{"RAYON_NUM_THREADS=1"},
		stdout: out,
	}}
}

func (r *rsigma) findings(_ *job, out string, yield func(finding)) error {
	return jsonLines(out, func(line []byte) error {
		var l struct {
			Rule  string `json:"rule_id"`
			Event system
		}
		if err := json.Unmarshal(line, &l); err != nil {
			return err
		}
		yield(l.Event.finding(l.Rule))
		return nil
	})
}

func (r *rsigma) version(ctx context.Context) string {
	return strings.TrimSpace(string(bytes.TrimPrefix([]byte(r.program.version(ctx)), []byte("rsigma-cli "))))
}
