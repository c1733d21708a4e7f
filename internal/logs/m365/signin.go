package m365

import (
	"bytes"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
)

// legacyClients are the values of clientAppUsed of clients that ask for no second factor (Microsoft Learn, "Sign-in activity report details",
// client app; mail-forensics 2.2), in their beginning.
var legacyClients = [...]string{"IMAP", "POP", "Authenticated SMTP", "SMTP", "Exchange ActiveSync", "Exchange Web Services", "Exchange Online PowerShell", "MAPI", "Autodiscover",
	"Outlook Anywhere", "Offline Address Book", "Reporting Web Services", "Other clients"}

// manner returns the rule by which a sign-in that succeeded proves what it does: by an old protocol, a code for another device, a token of the
// organisation's own federation server, or neither.
func (o *observer) manner(e *event.Event) string {
	client := o.first(e, "clientAppUsed", "ClientAppUsed")
	for _, c := range legacyClients {
		if bytes.HasPrefix(client, []byte(c)) {
			return logs.SignedInLegacy
		}
	}
	switch {
	case string(o.first(e, "authenticationProtocol", "AuthenticationProtocol")) == "deviceCode",
		string(o.first(e, "originalTransferMethod", "OriginalTransferMethod")) == "deviceCodeFlow":
		return logs.SignedInByCode
	}
	switch string(o.first(e, "incomingTokenType", "IncomingTokenType")) {
	case "saml11", "saml20":
		return logs.SignedInFederated
	}
	if string(o.first(e, "tokenIssuerType", "TokenIssuerType")) == "ADFederationServices" {
		return logs.SignedInFederated
	}
	return logs.SignedIn
}

// place returns where the sign-in came from, as [logs.AppendPlace] writes it.
func (o *observer) place(e *event.Event) []byte {
	latitude := o.first(e, "location.geoCoordinates.latitude", "LocationDetails.geoCoordinates.latitude")
	longitude := o.first(e, "location.geoCoordinates.longitude", "LocationDetails.geoCoordinates.longitude")
	country := o.first(e, "location.countryOrRegion", "LocationDetails.countryOrRegion")
	if latitude == nil && country == nil {
		// Log Analytics exports the object as a text.
		if v := get(e, "LocationDetails"); len(v.Data) > 0 {
			if _, why := o.outer.Scan(o.list(v).Data); why == "" {
				latitude, longitude = o.text(member(&o.outer, "geoCoordinates.latitude")), o.text(member(&o.outer, "geoCoordinates.longitude"))
				country = o.text(member(&o.outer, "countryOrRegion"))
			}
		}
	}
	if country == nil {
		if country = o.first(e, "Location"); len(country) != 2 {
			country = nil
		}
	}
	network := o.first(e, "autonomousSystemNumber", "AutonomousSystemNumber")
	n := len(o.buf)
	o.buf = logs.AppendPlace(o.buf, latitude, longitude, country, network)
	return o.buf[n:len(o.buf):len(o.buf)]
}
