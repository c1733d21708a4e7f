package disclose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/strictyaml"
)

// countries are the codes of ISO 3166-1 alpha-2.
const countries = " AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ " +
	"CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF " +
	"GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW " +
	"KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL " +
	"NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST " +
	"SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW "

// currencies are the codes of ISO 4217 of money that is in use.
const currencies = " AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP " +
	"CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD " +
	"JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN " +
	"NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB " +
	"TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG "

// countryZones are the zones of countries that Barid has calendars of, as far as people live by one.
var countryZones = map[string]string{
	"AT": "Europe/Vienna", "BE": "Europe/Brussels", "DE": "Europe/Berlin", "DK": "Europe/Copenhagen", "ES": "Europe/Madrid", "FI": "Europe/Helsinki",
	"FR": "Europe/Paris", "IE": "Europe/Dublin", "IT": "Europe/Rome", "LU": "Europe/Luxembourg", "NL": "Europe/Amsterdam", "PL": "Europe/Warsaw",
	"PT": "Europe/Lisbon", "SE": "Europe/Stockholm",
}

// eea are the Member States and the three of the European Economic Area besides, as the DORA template knows them.
var eea = []string{"AT", "BE", "BG", "HR", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HU", "IE", "IS", "IT", "LI", "LT", "LU", "LV", "MT",
	"NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK"}

// Codes of the facts. Those that DORA's template has too are written as its JSON schema writes them.
var (
	organisationKinds = []string{"bank", "financial", "post", "ministry", "authority", "eu-body", "other"}
	entityTypes       = []string{"credit_institution", "payment_institution", "exempted_payment_institution", "account_information_service_provider",
		"electronic_money_institution", "exempted_electronic_money_institution", "investment_firm", "crypto-asset_service_provider",
		"issuer_of_asset-referenced_tokens", "central_securities_depository", "central_counterparty", "trading_venue", "trade_repository",
		"manager_of_alternative_investment_fund", "management_company", "data_reporting_service_provider", "insurance_and_reinsurance_undertaking",
		"insurance_intermediary_reinsurance_intermediary_and_ancillary_insurance_intermediary", "institution_for_occupational_retirement_provision",
		"credit_rating_agency", "administrator_of_critical_benchmarks", "crowdfunding_service_provider", "securitisation_repository"}
	nis2Kinds     = []string{"essential", "important", "none"}
	trustServices = []string{"qualified", "non-qualified", "none"}
	contactRoles  = []string{"primary", "secondary", "dpo", "press"}
	discoveries   = []string{"it_security", "staff", "internal_audit", "external_audit", "clients", "financial_counterparts", "third-party_provider",
		"attacker", "monitoring_systems", "authority_agency_law_enforcement_body", "other"}
	incidentTypes = []string{"cybersecurity-related", "process_failure", "system_failure", "external_event", "payment-related", "other"}
	techniques    = []string{"social_engineering_including_phishing", "ddos", "identity_theft", "data_encryption_for_impact_including_ransomware",
		"resource_hijacking", "data_exfiltration_and_manipulation_including_identity_theft", "data_destruction", "defacement", "supply-chain_attack", "other"}
	otherAuthorities = []string{"police", "csirt", "dpa", "national_agency", "none", "other"}
	rootCauses       = []string{"malicious_actions", "process_failure", "system_failure_malfunction", "human_error", "external_event"}
	downLevels       = []string{"full", "partial"}
	answers          = []string{"yes", "no", "information_not_available"}
)

func isCode(list, code string) bool {
	return code != "" && !strings.Contains(code, " ") && strings.Contains(list, " "+code+" ")
}

// checkLEI fails where s is no legal entity identifier: 18 letters and digits and two check digits, by which the whole, letters read as 10
// to 35, leaves 1 when divided by 97 (ISO 17442-1, ISO/IEC 7064 MOD 97-10).
func checkLEI(s string) error {
	if len(s) != 20 {
		return fmt.Errorf("%q is no LEI: it has 20 letters and digits, not %d", s, len(s))
	}
	rest := 0
	for i, c := range []byte(s) {
		switch {
		case c >= '0' && c <= '9':
			rest = (rest*10 + int(c-'0')) % 97
		case c >= 'A' && c <= 'Z' && i < 18:
			rest = (rest*100 + int(c-'A') + 10) % 97
		default:
			return fmt.Errorf("%q is no LEI: it has capital letters and digits, and ends in two digits", s)
		}
	}
	if rest != 1 {
		return fmt.Errorf("%q is no LEI: its check digits (%s) do not fit the rest: a character was mistyped", s, s[18:])
	}
	return nil
}

// oneOf fails where s is given and none of list.
func oneOf(s string, list []string) error {
	if s == "" || slices.Contains(list, s) {
		return nil
	}
	return fmt.Errorf("%q is none of %s%s", s, strings.Join(list, ", "), strictyaml.DidYouMean(s, list))
}
