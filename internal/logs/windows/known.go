package windows

import (
	"fmt"
	"strconv"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
)

// known returns what there can be in Windows event logs, by the table of log sources.
func (s *shapes) known() []logs.Known {
	var out []logs.Known
	own := map[string][]string{} // by channel: the ids that are known by themselves
	for _, e := range s.catalog.Events() {
		k := logs.Known{Name: e.Channel, Open: e.Fields == nil}
		var columns []column
		for _, f := range e.Fields {
			columns = append(columns, column{name: f})
		}
		for _, f := range e.Collectors {
			columns = append(columns, column{name: f, system: true})
		}
		for _, f := range s.catalog.systemNames {
			col := column{name: f, system: true}
			switch {
			case f == "Channel" && !k.Open: // an event may have a field of its own that is called so, such as the log that was cleared
				col.constant = event.Text(e.Channel)
			case f == "EventID" && e.ID >= 0:
				col.constant = event.Value{Data: []byte(strconv.Itoa(e.ID)), Kind: event.Number}
			}
			columns = append(columns, col)
		}
		if e.ID >= 0 {
			k.Name = fmt.Sprintf("%s %d", e.Channel, e.ID)
			own[e.Channel] = append(own[e.Channel], strconv.Itoa(e.ID))
		} else {
			k.Except = map[string][]string{"EventID": own[e.Channel]}
		}
		fields, _ := s.fields(head{channel: e.Channel, id: e.ID, eventType: e.EventType}, columns)
		k.Shape = event.NewShape(s.format, s.catalog.Sources(e.Channel, e.ID, e.EventType), fields)
		out = append(out, k)
	}
	// What no service is for.
	return append(out, logs.Known{Name: "any other channel", Open: true, Shape: event.NewShape(s.format, s.catalog.Sources("", -1, ""), nil)})
}
