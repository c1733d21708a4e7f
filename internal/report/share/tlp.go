package share

import "github.com/barid-dfir/barid/internal/casefile"

// tlpUUIDs are the identifiers of the markings of TLP 2.0. STIX and CACAO share them (oasis-open/cti-stix-common-objects,
// extension-definition-specifications/tlp-2.0; oasis-tcs/cacao, Common-Objects/Data-Markings).
var tlpUUIDs = [...]string{
	casefile.TLPClear:       "94868c89-83c2-464b-929b-a1a8aa3c8487",
	casefile.TLPGreen:       "bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
	casefile.TLPAmber:       "55d920b0-5e8b-4f79-9ee9-91f868d9b421",
	casefile.TLPAmberStrict: "939a9414-2ddd-4d32-a0cd-375ea402b003",
	casefile.TLPRed:         "e828b379-4e03-4974-9ac4-e53a884c97c1",
}

// TLPPublished is when the markings were published, as STIX and CACAO have it.
const TLPPublished = "2022-10-01T00:00:00.000Z"

// TLPUUID returns the identifier of a marking.
func TLPUUID(t casefile.TLP) string { return tlpUUIDs[t] }
