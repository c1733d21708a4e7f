package evtx

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// Sizes of the parts of a file, in bytes.
const (
	FileHeaderSize = 4096
	ChunkSize      = 65536

	chunkHeaderSize = 512
)

// FileMagic begins every event log.
const FileMagic = "ElfFile\x00"

const chunkMagic = "ElfChnk\x00"

// FileHeader is what the header of a file says. Windows brings it up to date when it closes the log: in a log that was
// copied while in use all of it may be old, so chunks are found by reading on, not by Chunks.
type FileHeader struct {
	FirstChunk, LastChunk uint64
	NextRecordID          uint64
	Chunks                uint16
	Major, Minor          uint16
	Dirty                 bool // the log was not closed
	Full                  bool // the log has reached its greatest size and overwrites, or stopped
	NoChecksums           bool // written without checksums
	ChecksumOK            bool // of this header; true if there is none to check
}

// The errors of ParseFileHeader.
var (
	ErrNotEventLog = errors.New("not a Windows event log: it does not begin with ElfFile")
	ErrShortHeader = errors.New("the header of the event log is cut short")
)

// ParseFileHeader reads the header at the start of data. A wrong checksum is no error.
func ParseFileHeader(data []byte) (FileHeader, error) {
	if len(data) < len(FileMagic) || string(data[:len(FileMagic)]) != FileMagic {
		return FileHeader{}, ErrNotEventLog
	}
	if len(data) < 128 {
		return FileHeader{}, ErrShortHeader
	}
	flags := binary.LittleEndian.Uint32(data[120:])
	h := FileHeader{
		FirstChunk:   binary.LittleEndian.Uint64(data[8:]),
		LastChunk:    binary.LittleEndian.Uint64(data[16:]),
		NextRecordID: binary.LittleEndian.Uint64(data[24:]),
		Minor:        binary.LittleEndian.Uint16(data[36:]),
		Major:        binary.LittleEndian.Uint16(data[38:]),
		Chunks:       binary.LittleEndian.Uint16(data[42:]),
		Dirty:        flags&1 != 0,
		Full:         flags&2 != 0,
		NoChecksums:  flags&4 != 0,
	}
	h.ChecksumOK = h.NoChecksums || crc32.ChecksumIEEE(data[:120]) == binary.LittleEndian.Uint32(data[124:])
	return h, nil
}

// ChunkHeader is what the header of a chunk says.
type ChunkHeader struct {
	FirstRecord, LastRecord     uint64 // numbers in the log
	FirstRecordID, LastRecordID uint64 // EventRecordID
	LastRecordOffset            uint32 // in the chunk
	FreeOffset                  uint32 // where the free space begins, in the chunk
	NoChecksums                 bool
}

// parseChunkHeader reads the header of a chunk of at least chunkHeaderSize bytes.
func parseChunkHeader(data []byte) ChunkHeader {
	return ChunkHeader{
		FirstRecord:      binary.LittleEndian.Uint64(data[8:]),
		LastRecord:       binary.LittleEndian.Uint64(data[16:]),
		FirstRecordID:    binary.LittleEndian.Uint64(data[24:]),
		LastRecordID:     binary.LittleEndian.Uint64(data[32:]),
		LastRecordOffset: binary.LittleEndian.Uint32(data[44:]),
		FreeOffset:       binary.LittleEndian.Uint32(data[48:]),
		NoChecksums:      binary.LittleEndian.Uint32(data[120:])&4 != 0,
	}
}

func headerChecksumOK(data []byte) bool {
	return headerChecksum(data) == binary.LittleEndian.Uint32(data[124:])
}

func headerChecksum(data []byte) uint32 {
	return crc32.Update(crc32.ChecksumIEEE(data[:120]), crc32.IEEETable, data[128:chunkHeaderSize])
}

func recordsChecksumOK(data []byte, free int) bool {
	return crc32.ChecksumIEEE(data[chunkHeaderSize:free]) == binary.LittleEndian.Uint32(data[52:])
}
