package evtx

// Type is the type of a value in Windows binary XML (MS-EVEN6, section 2.2.12, ValueType).
type Type uint8

// The types.
const (
	NullType       Type = 0x00
	StringType     Type = 0x01 // UTF-16LE
	AnsiStringType Type = 0x02
	Int8Type       Type = 0x03
	UInt8Type      Type = 0x04
	Int16Type      Type = 0x05
	UInt16Type     Type = 0x06
	Int32Type      Type = 0x07
	UInt32Type     Type = 0x08
	Int64Type      Type = 0x09
	UInt64Type     Type = 0x0A
	Real32Type     Type = 0x0B
	Real64Type     Type = 0x0C
	BoolType       Type = 0x0D
	BinaryType     Type = 0x0E
	GUIDType       Type = 0x0F
	SizeTType      Type = 0x10
	FileTimeType   Type = 0x11
	SysTimeType    Type = 0x12
	SIDType        Type = 0x13
	HexInt32Type   Type = 0x14
	HexInt64Type   Type = 0x15
	EvtHandleType  Type = 0x20
	BinXMLType     Type = 0x21
	EvtXMLType     Type = 0x23

	// Array is added to the type of the elements of an array.
	Array Type = 0x80
)

// Value is an undecoded value of a record: a view of the chunk it stands in.
type Value struct {
	Data []byte
	Type Type
}

// AppendText appends the value as text in UTF-8 and returns the longer slice.
func (v Value) AppendText(dst []byte) []byte { return dst }

// Elem returns the element that begins at position i of an array and the position of the next; begin with 0.
func (v Value) Elem(i int) (e Value, next int, ok bool) { return v, 0, false }
