package disclose

// Regimes are laws by which something is owed.
type Regimes []*Regime

// Regime is a law by which something is owed: a file of content/regimes.
type Regime struct{}
