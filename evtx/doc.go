// Package evtx reads Windows event logs (.evtx) from bytes to records, and makes no XML and no JSON until asked to.
//
// A file is a header of [FileHeaderSize] bytes and chunks of [ChunkSize] bytes. A chunk stands for itself: cut the file
// and give every chunk to some [Decoder], in any order and on any number of workers.
//
//	templates := evtx.NewTemplates() // one for all decoders
//	d := evtx.NewDecoder(templates)  // one for each worker
//	d.Begin(chunk)
//	for rec := d.Next(); rec != nil; rec = d.Next() {
//		id := rec.System(evtx.EventID) // a view of the chunk
//		…
//	}
//	for _, defect := range d.Defects() {
//		…
//	}
//
// A record in the log is a template and a table of values. The template is compiled once, however many chunks and
// files repeat it, to a [Layout]; a [Record] is its Layout and the values as they stand in the chunk.
// The formats are described in MS-EVEN6 (binary XML, section 2.2.12) and, for the file, in the documentation of
// libevtx, "Windows XML Event Log (EVTX) format".
//
// Logs are written by attackers too: no input makes the package panic, loop for ever, or allocate what a header claims.
// What could not be read is a [Defect]; every byte of a chunk belongs to its header, to a record, to free space or to a defect.
package evtx
