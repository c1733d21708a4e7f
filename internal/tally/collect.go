package tally

import (
	"slices"
	"sync"

	"github.com/barid-dfir/barid/internal/logs"
)

// Collection takes what all events of a run mean.
type Collection struct {
	mu   sync.Mutex
	seen []placed
}

type placed struct {
	at Place
	o  logs.Observation
}

// NewCollection returns an empty Collection.
func NewCollection() *Collection { return &Collection{} }

// Collector takes observations for a Collection. It is for one goroutine.
type Collector struct {
	to   *Collection
	seen []placed
}

// Collector returns a Collector whose observations end up in c after Flush.
func (c *Collection) Collector() *Collector { return &Collector{to: c} }

// Add takes an observation of an event that the log of a format tells of a host. It copies what it keeps.
func (c *Collector) Add(host []byte, format string, at Ref, o *logs.Observation) error {
	x := *o
	for _, p := range [...]*[]byte{&x.Account, &x.IP, &x.Agent, &x.Session, &x.Device, &x.App, &x.Action, &x.Object, &x.In, &x.Folder, &x.Target} {
		*p = slices.Clone(*p)
	}
	c.seen = append(c.seen, placed{Place{Host: string(host), Format: format, Ref: at}, x})
	return nil
}

// Flush hands over what was taken.
func (c *Collector) Flush() error {
	c.to.mu.Lock()
	defer c.to.mu.Unlock()
	c.to.seen = append(c.to.seen, c.seen...)
	c.seen = nil
	return nil
}

// Store returns what was taken, without that of the sources that skip tells.
func (c *Collection) Store(skip func(source int) bool, streams []Stream) Store {
	m := &Memory{}
	for i := range c.seen {
		if p := &c.seen[i]; !skip(int(p.at.Source)) {
			m.Add(p.at, &p.o)
		}
	}
	for _, s := range streams {
		m.AddStream(s)
	}
	return m
}
