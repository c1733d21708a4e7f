package disclose

// Assess says what is owed, and what the rules of regimes say of the incident. It decides nothing, and looks at no clock.
func Assess(in *Input) (*Result, error) {
	classified, err := classifyDORA(in)
	if err != nil {
		return nil, err
	}
	r := &Result{}
	r.Classifications = append(r.Classifications, classified)
	return r, nil
}
