package judge

// reach decides what was reached, and adds it to j.
func reach(in *Input, who *people, cover *coverage, s *sessions, powers []capability, j *Judgement) error {
	return nil
}
