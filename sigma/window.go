package sigma

import (
	"crypto/sha256"
	"fmt"
	"math"
	"math/big"
	"slices"
	"sort"
)

// windowState is what must be known of the hits in a window to judge it.
type windowState interface {
	reset()
	add(h *hit)
	// remove takes out the hit that was added first of those still there.
	remove(h *hit)
	// holds reports whether the condition holds in the window from start on. It is asked where the condition is rising.
	holds(start int64) bool
	// judge returns the value of the window from start on, and whether the condition holds.
	judge(start int64) (value *big.Rat, ok bool)
	// note says what could not be counted exactly, "" if nothing.
	note() string
}

// rising reports whether the condition can only become true as hits are added.
func (n *node) rising() bool {
	switch n.Type {
	case EventCount, ValueCount, Temporal, TemporalOrdered:
		return n.expr == nil && !slices.ContainsFunc(n.bounds, func(b bound) bool { return b.op != "gt" && b.op != "gte" })
	}
	return false
}

// falling reports whether the condition only bounds from above.
func (n *node) falling() bool {
	return n.expr == nil && !slices.ContainsFunc(n.bounds, func(b bound) bool { return b.op != "lt" && b.op != "lte" })
}

// counts reports whether a count satisfies the condition.
func (c *Correlation) counts(n int64) bool {
	for _, t := range c.count {
		if !t.holds(n) {
			return false
		}
	}
	return true
}

func (c *Correlation) satisfied(v *big.Rat) bool {
	for _, b := range c.bounds {
		if !b.holds(v) {
			return false
		}
	}
	return true
}

func newWindowState(n *node) windowState {
	switch {
	case n.Type == EventCount:
		return &eventCount{node: n}
	case n.Type == ValueCount:
		return &valueCount{node: n, counts: make(map[valueHash]int64)}
	case n.Type == Temporal:
		return &temporal{node: n, counts: make([]int64, len(n.Rules))}
	case n.Type == TemporalOrdered && n.expr == nil:
		return &sequence{node: n, latest: newSquare(len(n.Rules))}
	case n.Type == TemporalOrdered:
		return &orderedExpression{temporal: temporal{node: n, counts: make([]int64, len(n.Rules))}}
	case n.Type == ValuePercentile && n.percentile == nil:
		return &share{valueCount: valueCount{node: n, counts: make(map[valueHash]int64)}, sizes: make(map[int64]int64)}
	case n.percentile != nil:
		return &percentile{node: n}
	}
	return &sum{node: n, total: new(big.Rat)}
}

// eventCount counts hits.
type eventCount struct {
	*node
	n int64
}

func (s *eventCount) reset()           { s.n = 0 }
func (s *eventCount) add(*hit)         { s.n++ }
func (s *eventCount) remove(*hit)      { s.n-- }
func (s *eventCount) holds(int64) bool { return s.counts(s.n) }
func (s *eventCount) note() string     { return "" }
func (s *eventCount) judge(int64) (*big.Rat, bool) {
	return big.NewRat(s.n, 1), s.counts(s.n)
}

// valueHash stands for a value.
type valueHash [16]byte

func hashOf(v []byte) valueHash {
	sum := sha256.Sum256(v)
	return valueHash(sum[:16])
}

// maxValues bounds the different values that are told apart in a window.
const maxValues = 1 << 20

// valueCount counts different values.
type valueCount struct {
	*node
	counts map[valueHash]int64
	n      int64 // hits' values
	most   int   // that counts has held
	full   bool
}

func (s *valueCount) reset() {
	if s.most > smallCount { // clearing costs what the map has ever held, for each of the groups to come
		s.counts = make(map[valueHash]int64)
	} else {
		clear(s.counts)
	}
	s.n, s.most = 0, 0
}

// smallCount is how many values a map may have held to be used again.
const smallCount = 256

// change adds by to the count of each of a hit's values, and calls f with the count before and after.
func (s *valueCount) change(h *hit, by int64, f func(before, after int64)) {
	for _, v := range h.values {
		key := hashOf(v)
		before, known := s.counts[key]
		if !known && (by < 0 || len(s.counts) >= maxValues) {
			s.full = true
			continue
		}
		s.n += by
		if before+by == 0 {
			delete(s.counts, key)
		} else {
			s.counts[key] = before + by
			s.most = max(s.most, len(s.counts))
		}
		f(before, before+by)
	}
}

func (s *valueCount) add(h *hit)       { s.change(h, 1, func(_, _ int64) {}) }
func (s *valueCount) remove(h *hit)    { s.change(h, -1, func(_, _ int64) {}) }
func (s *valueCount) holds(int64) bool { return s.node.counts(int64(len(s.counts))) }
func (s *valueCount) judge(int64) (*big.Rat, bool) {
	return big.NewRat(int64(len(s.counts)), 1), s.holds(0)
}

func (s *valueCount) note() string {
	if !s.full {
		return ""
	}
	return fmt.Sprintf("more than %d different values in one window: no more of them were counted", maxValues)
}

// share is what part of the hits, in percent, has a value.
type share struct {
	valueCount
	sizes map[int64]int64 // how many values there are with a count
	hits  int64
}

func (s *share) reset() {
	s.valueCount.reset()
	clear(s.sizes)
	s.hits = 0
}

func (s *share) resize(before, after int64) {
	if before > 0 {
		if s.sizes[before]--; s.sizes[before] == 0 {
			delete(s.sizes, before)
		}
	}
	if after > 0 {
		s.sizes[after]++
	}
}

func (s *share) add(h *hit) {
	s.hits++
	s.change(h, 1, s.resize)
}

func (s *share) remove(h *hit) {
	s.hits--
	s.change(h, -1, s.resize)
}

func (s *share) holds(int64) bool { return false }

func (s *share) judge(int64) (*big.Rat, bool) {
	var best *big.Rat
	for size := range s.sizes {
		v := big.NewRat(100*size, s.hits)
		if !s.satisfied(v) {
			continue
		}
		if best == nil || (v.Cmp(best) < 0) == s.falling() {
			best = v
		}
	}
	return best, best != nil
}

// sum adds up, or averages.
type sum struct {
	*node
	total *big.Rat
	n     int64
}

func (s *sum) reset() { s.total.SetInt64(0); s.n = 0 }

func (s *sum) add(h *hit) {
	for _, v := range h.values {
		if x, ok := parseDecimal(string(v)); ok {
			s.total.Add(s.total, x)
			s.n++
		}
	}
}

func (s *sum) remove(h *hit) {
	for _, v := range h.values {
		if x, ok := parseDecimal(string(v)); ok {
			s.total.Sub(s.total, x)
			s.n--
		}
	}
}

func (s *sum) holds(int64) bool { return false }
func (s *sum) note() string     { return "" }

func (s *sum) judge(int64) (*big.Rat, bool) {
	v := new(big.Rat).Set(s.total)
	if s.Type == ValueAvg {
		v.Quo(v, big.NewRat(s.n, 1))
	}
	return v, s.satisfied(v)
}

// percentile keeps numbers in order.
type percentile struct {
	*node
	blocks [][]number
	n      int64
	full   bool
}

// number is a number, and how it is compared at first.
type number struct {
	near float64
	is   *big.Rat
}

func (a number) compare(b number) int {
	switch {
	case a.near < b.near:
		return -1
	case a.near > b.near:
		return 1
	}
	return a.is.Cmp(b.is)
}

const (
	maxNumbers = 1 << 18 // in a window
	blockSize  = 512
)

func (s *percentile) reset() { s.blocks, s.n = s.blocks[:0], 0 }

func numberOf(v []byte) (number, bool) {
	x, ok := parseDecimal(string(v))
	if !ok {
		return number{}, false
	}
	near, _ := x.Float64()
	return number{near, x}, true
}

// find returns the block and the place in it where x is or belongs.
func (s *percentile) find(x number) (block, at int) {
	block = sort.Search(len(s.blocks), func(i int) bool {
		b := s.blocks[i]
		return b[len(b)-1].compare(x) >= 0
	})
	if block == len(s.blocks) {
		return block, 0
	}
	b := s.blocks[block]
	return block, sort.Search(len(b), func(i int) bool { return b[i].compare(x) >= 0 })
}

func (s *percentile) add(h *hit) {
	for _, v := range h.values {
		x, ok := numberOf(v)
		if !ok {
			continue
		}
		if s.n >= maxNumbers {
			s.full = true
			continue
		}
		s.n++
		i, at := s.find(x)
		if i == len(s.blocks) {
			if i == 0 || len(s.blocks[i-1]) >= blockSize {
				s.blocks = append(s.blocks, []number{x})
				continue
			}
			i, at = i-1, len(s.blocks[i-1])
		}
		b := slices.Insert(s.blocks[i], at, x)
		s.blocks[i] = b
		if len(b) > 2*blockSize {
			s.blocks[i] = slices.Clone(b[:blockSize])
			s.blocks = slices.Insert(s.blocks, i+1, slices.Clone(b[blockSize:]))
		}
	}
}

func (s *percentile) remove(h *hit) {
	for _, v := range h.values {
		x, ok := numberOf(v)
		if !ok {
			continue
		}
		i, at := s.find(x)
		if i == len(s.blocks) || s.blocks[i][at].compare(x) != 0 {
			continue // it had not been added
		}
		s.n--
		if s.blocks[i] = slices.Delete(s.blocks[i], at, at+1); len(s.blocks[i]) == 0 {
			s.blocks = slices.Delete(s.blocks, i, i+1)
		}
	}
}

func (s *percentile) holds(int64) bool { return false }

func (s *percentile) note() string {
	if !s.full {
		return ""
	}
	return fmt.Sprintf("more than %d numbers in one window: those beyond were left out", maxNumbers)
}

func (s *percentile) rank(i int64) *big.Rat {
	for _, b := range s.blocks {
		if i < int64(len(b)) {
			return b[i].is
		}
		i -= int64(len(b))
	}
	return new(big.Rat)
}

// judge interpolates between the closest ranks.
func (s *percentile) judge(int64) (*big.Rat, bool) {
	if s.n == 0 {
		return new(big.Rat), false
	}
	at := new(big.Rat).Mul(s.node.percentile, big.NewRat(s.n-1, 100))
	whole := new(big.Int).Quo(at.Num(), at.Denom()).Int64()
	v := new(big.Rat).Set(s.rank(whole))
	if part := at.Sub(at, big.NewRat(whole, 1)); part.Sign() > 0 {
		step := new(big.Rat).Sub(s.rank(whole+1), v)
		v.Add(v, step.Mul(step, part))
	}
	return v, s.satisfied(v)
}

// temporal counts the rules that have hits.
type temporal struct {
	*node
	counts []int64 // by child
	n      int64   // children with hits
}

func (s *temporal) reset() {
	clear(s.counts)
	s.n = 0
}

func (s *temporal) add(h *hit) {
	if s.counts[h.child]++; s.counts[h.child] == 1 {
		s.n++
	}
}

func (s *temporal) remove(h *hit) {
	if s.counts[h.child]--; s.counts[h.child] == 0 {
		s.n--
	}
}

func (s *temporal) holds(int64) bool { return s.node.counts(s.n) }
func (s *temporal) note() string     { return "" }

func (s *temporal) judge(int64) (*big.Rat, bool) {
	ok := s.expr != nil && s.isTrue(s.expr) || s.expr == nil && s.node.counts(s.n)
	return big.NewRat(s.n, 1), ok
}

// isTrue evaluates an extended condition.
func (s *temporal) isTrue(c *condition) bool {
	switch c.op {
	case nameOp:
		return s.counts[slices.Index(s.Rules, c.name)] > 0
	case notOp:
		return !s.isTrue(c.kids[0])
	case andOp:
		return !slices.ContainsFunc(c.kids, func(k *condition) bool { return !s.isTrue(k) })
	}
	return slices.ContainsFunc(c.kids, s.isTrue)
}

// never is the start of a sequence that there is not.
const never = math.MinInt64

// sequence finds how many rules have hits in their order.
type sequence struct {
	*node
	// latest is, by length less one and last child, the latest start of a sequence.
	latest [][]int64
}

func newSquare(n int) [][]int64 {
	s := make([][]int64, n)
	for i := range s {
		s[i] = make([]int64, n)
	}
	return s
}

func (s *sequence) reset() {
	for _, row := range s.latest {
		for i := range row {
			row[i] = never
		}
	}
}

func (s *sequence) add(h *hit) {
	s.latest[0][h.child] = h.time
	for length := 1; length <= h.child; length++ {
		for before := length - 1; before < h.child; before++ {
			s.latest[length][h.child] = max(s.latest[length][h.child], s.latest[length-1][before])
		}
	}
}

func (s *sequence) remove(*hit) {} // a sequence that started before the window does not count

func (s *sequence) longest(start int64) int64 {
	for length := len(s.latest); length > 0; length-- {
		for _, t := range s.latest[length-1] {
			if t != never && t >= start {
				return int64(length)
			}
		}
	}
	return 0
}

func (s *sequence) holds(start int64) bool { return s.counts(s.longest(start)) }
func (s *sequence) note() string           { return "" }

func (s *sequence) judge(start int64) (*big.Rat, bool) {
	n := s.longest(start)
	return big.NewRat(n, 1), s.counts(n)
}

// orderedExpression is an extended condition whose rules must have hits in its order.
type orderedExpression struct {
	temporal
	latest [][]int64 // by order and length less one: the latest start of a sequence
	// Hits of one time stand in any order: what they make possible is found anew with each of them.
	now    int64
	before [][]int64 // latest, before the first hit of now
	tied   []int64   // hits of now, by child
	taken  []int64   // of these, in the sequence that is tried
}

func (s *orderedExpression) reset() {
	s.temporal.reset()
	s.latest, s.before, s.now = s.latest[:0], s.before[:0], never
	s.tied, s.taken = make([]int64, len(s.Rules)), make([]int64, len(s.Rules))
	for _, o := range s.orders {
		row := make([]int64, len(o.then))
		for i := range row {
			row[i] = never
		}
		s.latest, s.before = append(s.latest, row), append(s.before, slices.Clone(row))
	}
}

func (s *orderedExpression) add(h *hit) {
	s.temporal.add(h)
	if h.time != s.now {
		s.now = h.time
		clear(s.tied)
		for i := range s.latest {
			copy(s.before[i], s.latest[i])
		}
	}
	s.tied[h.child]++
	for i, o := range s.orders {
		for from := range o.then {
			start := h.time
			if from > 0 {
				start = s.before[i][from-1]
			}
			clear(s.taken)
			for step, child := range o.then[from:] { // one hit is not two steps
				if s.taken[child]++; s.taken[child] > s.tied[child] {
					break
				}
				s.latest[i][from+step] = max(s.latest[i][from+step], start)
			}
		}
	}
}

func (s *orderedExpression) judge(start int64) (*big.Rat, bool) {
	return big.NewRat(s.n, 1), slices.ContainsFunc(s.ordersWith(start), func(o order) bool {
		return !slices.ContainsFunc(o.without, func(child int) bool { return s.temporal.counts[child] > 0 })
	})
}

// ordersWith returns the orders of which there is a sequence in the window from start on.
func (s *orderedExpression) ordersWith(start int64) (out []order) {
	for i, o := range s.orders {
		if n := len(o.then); n == 0 || s.latest[i][n-1] != never && s.latest[i][n-1] >= start {
			out = append(out, o)
		}
	}
	return out
}
