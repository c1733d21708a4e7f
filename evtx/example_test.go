package evtx_test

import (
	"fmt"
	"time"

	"github.com/barid-dfir/barid/evtx"
	"github.com/barid-dfir/barid/internal/evtxtest"
)

func ExampleDecoder() {
	file := evtxtest.File([]evtxtest.Event{{
		Provider: "Microsoft-Windows-Security-Auditing", Channel: "Security", Computer: "ex1.example.org",
		ID: 4625, Time: time.Date(2021, 3, 3, 6, 49, 46, 0, time.UTC),
		Data: []evtxtest.Field{{Name: "TargetUserName", Value: "ana"}, {Name: "IpAddress", Value: "203.0.113.9"}},
	}})

	templates := evtx.NewTemplates()
	d := evtx.NewDecoder(templates)
	for rest := file[evtx.FileHeaderSize:]; len(rest) > 0; rest = rest[min(len(rest), evtx.ChunkSize):] {
		d.Begin(rest)
		for r := d.Next(); r != nil; r = d.Next() {
			fmt.Printf("%s on %s\n", r.System(evtx.EventID).AppendText(nil), r.System(evtx.Computer).AppendText(nil))
			for i, f := range r.Layout.Fields {
				if f.Name == "IpAddress" {
					fmt.Printf("%s = %s\n", f.Path, r.Value(i).AppendText(nil))
				}
			}
		}
		for _, x := range d.Defects() {
			fmt.Printf("at %d: %s\n", x.Offset, x.Reason)
		}
	}
	// Output:
	// 4625 on ex1.example.org
	// Event/EventData/Data[IpAddress] = 203.0.113.9
}
