package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"syscall"
	"time"

	"github.com/barid-dfir/barid/internal/detect"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/evidence"
	"github.com/barid-dfir/barid/internal/pipeline"
	"github.com/barid-dfir/barid/sigma"
)

func main() {
	if p := os.Getenv("PROF"); p != "" {
		f, _ := os.Create(p)
		pprof.StartCPUProfile(f)
		defer pprof.StopCPUProfile()
	}
	workers, _ := strconv.Atoi(os.Getenv("W"))
	if workers == 0 {
		workers = runtime.NumCPU()
	}
	runtime.MemProfileRate = 64 << 10
	t0 := time.Now()
	cfg := pipeline.Config{Paths: os.Args[2:], Formats: pipeline.Formats(), Workers: workers, From: event.UnknownTime, To: event.UnknownTime,
		Evidence: evidence.Options{Report: func(p evidence.Problem) { fmt.Fprintln(os.Stderr, p.Path, p.Reason) }}}
	var err error
	var res pipeline.Result
	switch os.Args[1] {
	case "dump":
		res, _, err = pipeline.Dump(context.Background(), cfg, os.Stdout)
	case "scan":
		pack, e := sigma.Load(os.Getenv("RULES"))
		if e != nil {
			panic(e)
		}
		engine, more := sigma.Compile(pack.Rules, sigma.Options{})
		fmt.Fprintln(os.Stderr, len(engine.Rules()), "rules", len(pack.Rejected)+len(more), "rejected", time.Since(t0))
		cfg.Rules = detect.NewRules(engine)
		var srcs any
		var levels map[string]int64
		res, _, levels, err = pipeline.Scan(context.Background(), cfg, os.Stdout)
		_ = srcs
		fmt.Fprintln(os.Stderr, levels)
	}
	if p := os.Getenv("MEMPROF"); p != "" {
		f, _ := os.Create(p)
		pprof.Lookup("allocs").WriteTo(f, 0)
		f.Close()
	}
	var u syscall.Rusage
	syscall.Getrusage(0, &u)
	d := time.Since(t0).Seconds()
	cpu := float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
	fmt.Fprintf(os.Stderr, "%+v err=%v wall %.2fs cpu %.2fs events/cpu-s %.0f MB/cpu-s %.0f rss %d MiB\n", res, err, d, cpu, float64(res.Events)/cpu, float64(res.Bytes)/cpu/1e6, u.Maxrss/1024)
}
