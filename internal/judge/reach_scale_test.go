package judge

import (
	"fmt"
	"testing"
)

// BenchmarkReach judges a million messages in one mailbox, and 100,000 mailboxes.
func BenchmarkReach(b *testing.B) {
	f := func(name string, s *scene) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.reach(b, &shown{ways: []string{"m365"}}, []capability{held(box1, "03-20 00:00")}, byIP)
			}
		})
	}
	s := &scene{inventory: &Inventory{}}
	for i := range 1_000_000 {
		s.inventory.Messages = append(s.inventory.Messages, Message{Mailbox: box1, ID: fmt.Sprintf("<%032d@mail.example.org>", i), FolderID: "F", Size: 20_000, Received: clockOf("02-01 00:00"), Removed: clockOf("")})
	}
	for i := range 1000 {
		s.bind("08:05", box1, "203.0.113.9", []string{fmt.Sprintf("<%032d@mail.example.org>", i*7)}, bySession("S1"))
	}
	f("million messages", s)
	s = &scene{inventory: &Inventory{}}
	for i := range 100_000 {
		s.inventory.Mailboxes = append(s.inventory.Mailboxes, Mailbox{Name: fmt.Sprintf("user%d@example.org", i)})
	}
	s.bind("08:05", box1, "203.0.113.9", []string{"<m@x>"}, bySession("S1"))
	f("100000 mailboxes", s)
}
