package evidence

// spool is an archive inside another one, kept where it can be read at any place.
type spool struct{}

func (s *spool) remove() error { return nil }
