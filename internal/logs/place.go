package logs

import (
	"bytes"
	"math"
	"strconv"
)

// Place is where an identity provider says that a client was: as good as what it knows of the address.
type Place struct {
	// Latitude and Longitude are in degrees, north and east; they are not numbers where they are not known.
	Latitude, Longitude float64
	// Country is the code of two letters, in capitals, Network the number of the autonomous system; empty where they are not known.
	Country, Network string
}

// Known reports whether it is known where the place lies.
func (p Place) Known() bool { return !math.IsNaN(p.Latitude) && !math.IsNaN(p.Longitude) }

// AppendPlace appends the text that the Target of a Login has: latitude, longitude, country and network as a log writes them, apart by
// semicolons. It appends nothing where all of them are empty.
func AppendPlace(dst, latitude, longitude, country, network []byte) []byte {
	if len(latitude)+len(longitude)+len(country)+len(network) == 0 {
		return dst
	}
	for i, p := range [...][]byte{latitude, longitude, country, network} {
		if i > 0 {
			dst = append(dst, ';')
		}
		if len(p) <= 24 && bytes.IndexByte(p, ';') < 0 {
			dst = append(dst, p...)
		}
	}
	return dst
}

// ParsePlace reads what AppendPlace wrote; ok is false for anything else, and where nothing of it is known.
func ParsePlace(text string) (p Place, ok bool) {
	var part [4]string
	n := 0
	for i, from := 0, 0; i <= len(text); i++ {
		if i < len(text) && text[i] != ';' {
			continue
		}
		if n == len(part) {
			return Place{}, false
		}
		part[n] = text[from:i]
		n++
		from = i + 1
	}
	p = Place{Latitude: math.NaN(), Longitude: math.NaN()}
	if n != len(part) {
		return p, false
	}
	latitude, err1 := strconv.ParseFloat(part[0], 64)
	longitude, err2 := strconv.ParseFloat(part[1], 64)
	// 0, 0 lies in the sea: it is what stands there when nothing is known.
	if err1 == nil && err2 == nil && math.Abs(latitude) <= 90 && math.Abs(longitude) <= 180 && (latitude != 0 || longitude != 0) {
		p.Latitude, p.Longitude = latitude, longitude
	}
	if len(part[2]) == 2 {
		p.Country = string(bytes.ToUpper([]byte(part[2])))
	}
	p.Network = part[3]
	return p, p.Known() || p.Country != "" || p.Network != ""
}

// earthRadius is the mean radius of the earth in kilometres.
const earthRadius = 6371

// Kilometres returns how far two places are apart along the surface, not a number where one of them is not known.
func (p Place) Kilometres(q Place) float64 {
	rad := math.Pi / 180
	dLat, dLon := (q.Latitude-p.Latitude)*rad, (q.Longitude-p.Longitude)*rad
	h := math.Pow(math.Sin(dLat/2), 2) + math.Cos(p.Latitude*rad)*math.Cos(q.Latitude*rad)*math.Pow(math.Sin(dLon/2), 2)
	return 2 * earthRadius * math.Asin(math.Min(1, math.Sqrt(h)))
}
