package detect

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// floods finds addresses that ask too often, and minutes in which many addresses send much more than is usual for that
// log.
func floods(out []Finding, counts *Counts, skip func(int) bool) ([]Finding, error) {
	minutes := make(map[minuteOf]*minuteTraffic)
	var heavy []Count // of one address
	flush := func() {
		byMinute(heavy)
		for _, e := range episodes(heavy, episodeGap) {
			out = append(out, e.finding(&requestFlood, "requests"))
		}
		heavy = heavy[:0]
	}
	var client clientKey
	err := counts.EachRequest(func(r *RequestCount) error {
		if skip(int(r.Source)) {
			return nil
		}
		if r.Client != client {
			flush()
			client = r.Client
		}
		if r.N >= floodPerClient {
			heavy = append(heavy, Count{Client: counts.client(client), Channel: "web", Source: int(r.Source), Minute: r.Minute, N: r.N, First: r.First})
		}
		addTraffic(minutes, r)
		return nil
	})
	if err != nil {
		return nil, err
	}
	flush()
	return distributedFloods(out, minutes, counts, skip)
}

// minuteOf is a minute of one log.
type minuteOf struct {
	source int
	minute int64
}

type minuteTraffic struct {
	requests     int64
	heavy        int // addresses with heavyClient requests or more
	fromHeavy    int64
	first        Position
	flood        bool
	heavyClients []string
}

func addTraffic(minutes map[minuteOf]*minuteTraffic, r *RequestCount) {
	if r.Minute == NoMinute {
		return
	}
	k := minuteOf{int(r.Source), r.Minute}
	m := minutes[k]
	if m == nil {
		m = &minuteTraffic{first: r.First}
		minutes[k] = m
	}
	m.requests += r.N
	if r.First.before(m.first) {
		m.first = r.First
	}
	if r.N >= heavyClient {
		m.heavy++
		m.fromHeavy += r.N
	}
}

// distributedFloods reads who took part from the counts a second time, so that the addresses of quiet minutes need no
// memory.
func distributedFloods(out []Finding, minutes map[minuteOf]*minuteTraffic, counts *Counts, skip func(int) bool) ([]Finding, error) {
	usual := make(map[int][]int64)
	for k, m := range minutes {
		usual[k.source] = append(usual[k.source], m.requests)
	}
	for _, n := range usual {
		slices.Sort(n)
	}
	var floods []minuteOf
	for k, m := range minutes {
		all := usual[k.source]
		median := all[len(all)/2]
		m.flood = m.heavy >= heavyClients && m.fromHeavy*2 >= m.requests && (len(all) < 10 || m.requests >= floodTimesUsual*median)
		if m.flood {
			floods = append(floods, k)
		}
	}
	if len(floods) == 0 {
		return out, nil
	}
	err := counts.EachRequest(func(r *RequestCount) error {
		if r.N < heavyClient || skip(int(r.Source)) {
			return nil
		}
		if m := minutes[minuteOf{int(r.Source), r.Minute}]; m != nil && m.flood {
			m.heavyClients = append(m.heavyClients, counts.client(r.Client))
		}
		return nil
	})
	slices.SortFunc(floods, func(a, b minuteOf) int {
		if a.source != b.source {
			return a.source - b.source
		}
		return int(a.minute - b.minute)
	})
	for i := 0; i < len(floods); {
		j := i + 1
		for j < len(floods) && floods[j].source == floods[i].source && floods[j].minute-floods[j-1].minute <= episodeGap {
			j++
		}
		out = append(out, floodFinding(minutes, floods[i:j]))
		i = j
	}
	return out, err
}

func floodFinding(minutes map[minuteOf]*minuteTraffic, flood []minuteOf) Finding {
	clients := make(map[string]bool)
	var requests, peak int64
	for _, k := range flood {
		m := minutes[k]
		requests += m.requests
		peak = max(peak, m.requests)
		for _, c := range m.heavyClients {
			clients[c] = true
		}
	}
	first := minutes[flood[0]].first
	b := fmt.Appendf(nil, `{"requests":%d,"most_in_a_minute":%d,"minutes":%d`, requests, peak, len(flood))
	b = appendList(b, "clients", slices.SortedFunc(maps.Keys(clients), compareAddresses))
	b = append(b, `,"last_minute":`...)
	b = appendTime(b, flood[len(flood)-1].minute*60e9)
	return Finding{Rule: &distributedFlood, Time: first.Time, Source: flood[0].source, Offset: first.Offset, Line: first.Line, Event: append(b, '}')}
}

func compareAddresses(a, b string) int {
	p, errA := netip.ParseAddr(a)
	q, errB := netip.ParseAddr(b)
	if errA != nil || errB != nil {
		return strings.Compare(a, b)
	}
	return p.Compare(q)
}
