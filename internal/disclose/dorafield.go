package disclose

import (
	"strconv"
	"strings"
)

// doraStage is a stage of a report under DORA.
type doraStage int

const (
	doraInitial doraStage = iota + 1
	doraIntermediate
	doraFinal
	// doraReclassified says that the incident never was major: article 5 of Regulation (EU) 2025/302.
	doraReclassified
)

// doraStages are what the template calls the stages (field 1.1).
var doraStages = map[doraStage]string{doraInitial: "initial_notification", doraIntermediate: "intermediate_report", doraFinal: "final_report",
	doraReclassified: "major_incident_reclassified_as_non-major"}

// carries says whether reports of this stage have the fields of a part of the template, 1 to 4.
func (s doraStage) carries(part int) bool {
	switch {
	case part <= 2:
		return true
	case part == 3:
		return s == doraIntermediate || s == doraFinal
	}
	return s == doraFinal
}

// requires says whether a field that is required from a stage on is required in this one.
func (s doraStage) requires(from doraStage) bool {
	if s == doraReclassified {
		return from == doraInitial
	}
	return from != 0 && s >= from
}

// doraKind is how the value of a field is written.
type doraKind int

const (
	kindText     doraKind = iota // string
	kindChoice                   // string, one of codes
	kindMulti                    // []string, each one of codes
	kindBool                     // bool
	kindInteger                  // json.Number
	kindPercent                  // json.Number, one decimal
	kindAmount                   // json.Number, thousands of the currency
	kindTime                     // string, YYYY-MM-DDThh:mm:ssZ
	kindDuration                 // string, DD:hh:mm
	kindEmail
	kindPhone
)

// doraField is a field of the template: Annexes I and II of Implementing Regulation (EU) 2025/302, and the JSON schema IR-1.2.1 of
// the ESAs.
type doraField struct {
	number string
	// path is where it stands in the JSON. [] is the one element of an array; [x] the element for the criterion x.
	path string
	kind doraKind
	// from is the stage from which on it is always required; 0 where that depends on others: see doraConditions.
	from  doraStage
	codes []string
	// key is the key of the facts that gives it; "" where only disclosure.dora does.
	key string
}

// part is the part of the template that the field stands in, 1 to 4.
func (f *doraField) part() int { return int(f.number[0] - '0') }

// name is the id of its name.
func (f *doraField) name() string { return "dora.field." + f.number }

// keys are the keys of the facts that would give it.
func (f *doraField) keys() string {
	own := `disclosure.dora."` + f.number + `"`
	if f.key == "" {
		return own
	}
	return f.key
}

// The criteria as field 2.5 calls them.
const (
	critClients    = "clients_financial_counterparts_and_transactions_affected"
	critGeography  = "geographical_spread"
	critData       = "data_losses"
	critCritical   = "critical_services_affected"
	critEconomic   = "economic_impact"
	critReputation = "reputational_impact"
	critDuration   = "duration_and_service_downtime"
)

// Codes of the template that the facts do not share.
var (
	doraCriteria   = []string{critClients, critGeography, critData, critCritical, critEconomic, critReputation, critDuration}
	doraCurrencies = []string{"EUR", "BGN", "CZK", "DKK", "HUF", "PLN", "RON", "ISK", "CHF", "NOK", "SEK"}
	doraFigures    = []string{"actual_figures_for_clients_affected", "actual_figures_for_financial_counterparts_affected", "actual_figures_for_transactions_affected",
		"estimates_for_clients_affected", "estimates_for_financial_counterparts_affected", "estimates_for_transactions_affected",
		"no_impact_on_clients", "no_impact_on_financial_counterparts", "no_impact_on_transactions"}
	doraReputations = []string{"the_major_ict-related_incident_has_been_reflected_in_the_media",
		"the_major_ict-related_incident_has_resulted_in_repetitive_complaints_from_different_clients_or_financial_counterparts_on_client-facing_services_or_critical_business_relationships",
		"the_financial_entity_will_not_be_able_to_or_is_likely_not_to_be_able_to_meet_regulatory_requirements_as_a_result_of_the_major_ict-related_incident",
		"the_financial_entity_will_or_is_likely_to_lose_clients_or_financial_counterparts_with_a_material_impact_on_its_business_as_a_result_of_the_major_ict-related_incident"}
	doraBases        = []string{"actual_figures", "estimates", "actual_figures_and_estimates", "no_information_available"}
	doraStateImpacts = []string{"clients", "financial_counterparts", "branch_of_the_financial_entity",
		"financial_entities_within_the_group_carrying_out_activities_in_the_respective_member_state", "financial_market_infrastructure",
		"third-party_providers_that_may_be_common_to_other_financial_entities"}
	doraDataKinds   = []string{"availability", "authenticity", "integrity", "confidentiality"}
	doraAuthorities = []string{"police_law_enforcement", "csirt", "data_protection_authority", "national_cybersecurity_agency", "none", "other"}
	doraCauses      = []string{"malicious_actions_deliberate_internal_actions", "malicious_actions_deliberate_physical_damage_manipulation_theft",
		"malicious_actions_fraudulent_actions", causeMonitoring, "process_failure_insufficient_unclear_roles_and_responsibilities", causeRisk, causeOperations,
		"process_failure_insufficient_or_failure_of_ict_project_management", "process_failure_inadequacy_of_internal_policies_procedures_and_documentation",
		causeAcquisition, "process_failure_other", "system_failure_hardware_capacity_and_performance", "system_failure_hardware_maintenance",
		"system_failure_hardware_obsolescence_ageing", "system_failure_software_compatibility_configuration", "system_failure_software_performance",
		"system_failure_network_configuration", "system_failure_physical_damage", "system_failure_other", "human_error_omission", "human_error_mistake",
		"human_error_skills_knowledge", "human_error_inadequate_human_resources", "human_error_miscommunication", "human_error_other",
		"external_event_natural_disasters_force_majeure", causeThirdParty, "external_event_other"}
	doraMoreCauses = []string{"monitoring_of_policy_adherence", "monitoring_of_third-party_service_providers",
		"monitoring_and_verification_of_remediation_of_vulnerabilities", "identity_and_access_management", "encryption_and_cryptography", "logging",
		"failure_in_specifying_accurate_risk_tolerance_levels", "insufficient_vulnerability_and_threat_assessments", "inadequate_risk_treatment_measures",
		"poor_management_of_residual_ict_risks", "vulnerability_and_patch_management", "change_management", "capacity_and_performance_management",
		"ict_asset_management_and_information_classification", "backup_and_restore", "error_handling",
		"inadequate_ict_systems_acquisition_development_and_maintenance", "insufficient_or_failure_of_software_testing"}
)

// Root causes that ask for more: field 4.3, and 2.8.
const (
	causeMonitoring  = "process_failure_insufficient_monitoring_or_failure_of_monitoring_and_control"
	causeRisk        = "process_failure_ICT_risk_management_process_failure"
	causeOperations  = "process_failure_insufficient_or_failure_of_ict_operations_and_ict_security_operations"
	causeAcquisition = "process_failure_inadequate_ict_systems_acquisition_development_and_maintenance"
	causeThirdParty  = "external_event_third-party_failures"
)

// doraFields are the 76 fields of the template, in its order.
var doraFields = []doraField{
	{"1.1", "incidentSubmission", kindChoice, doraInitial, []string{"initial_notification", "intermediate_report", "final_report", "major_incident_reclassified_as_non-major"}, ""},
	{"1.2", "submittingEntity.name", kindText, doraInitial, nil, "organisation.name"},
	{"1.3", "submittingEntity.LEI", kindText, doraInitial, nil, "organisation.lei"}, // or submittingEntity.code: 1.3b
	{"1.4", "affectedEntity[].affectedEntityType", kindMulti, doraInitial, entityTypes, "disclosure.entity.types"},
	{"1.5", "affectedEntity[].name", kindText, 0, nil, ""},
	{"1.6", "affectedEntity[].LEI", kindText, 0, nil, ""},
	{"1.7", "primaryContact.name", kindText, doraInitial, nil, "disclosure.entity.contacts.primary.name"},
	{"1.8", "primaryContact.email", kindEmail, doraInitial, nil, "disclosure.entity.contacts.primary.email"},
	{"1.9", "primaryContact.phone", kindPhone, doraInitial, nil, "disclosure.entity.contacts.primary.phone"},
	{"1.10", "secondaryContact.name", kindText, doraInitial, nil, "disclosure.entity.contacts.secondary.name"},
	{"1.11", "secondaryContact.email", kindEmail, doraInitial, nil, "disclosure.entity.contacts.secondary.email"},
	{"1.12", "secondaryContact.phone", kindPhone, doraInitial, nil, "disclosure.entity.contacts.secondary.phone"},
	{"1.13", "ultimateParentUndertaking.name", kindText, 0, nil, "disclosure.entity.parent.name"},
	{"1.14", "ultimateParentUndertaking.LEI", kindText, 0, nil, "disclosure.entity.parent.lei"},
	{"1.15", "reportCurrency", kindChoice, doraInitial, doraCurrencies, "disclosure.entity.currency"},

	{"2.1", "incident.financialEntityCode", kindText, doraInitial, nil, "disclosure.incident.reference"},
	{"2.2", "incident.detectionDateTime", kindTime, doraInitial, nil, "disclosure.incident.detected"},
	{"2.3", "incident.classificationDateTime", kindTime, doraInitial, nil, "disclosure.acts: {act: classified, regime: dora, as: major}"},
	{"2.4", "incident.incidentDescription", kindText, doraInitial, nil, "disclosure.incident.description"},
	{"2.5", "incident.classificationTypes[].classificationCriterion", kindMulti, doraInitial, doraCriteria, ""},
	{"2.6", "incident.classificationTypes[geographical_spread].countryCodeMaterialityThresholds", kindMulti, 0, eea, "disclosure.impact.member_states"},
	{"2.7", "incident.incidentDiscovery", kindChoice, doraInitial, discoveries, "disclosure.incident.discovery"},
	{"2.8", "incident.originatesFromThirdPartyProvider", kindText, 0, nil, "disclosure.incident.third_party"},
	{"2.9", "incident.isBusinessContinuityActivated", kindBool, doraInitial, nil, "disclosure.incident.continuity_plan"},
	{"2.10", "incident.otherInformation", kindText, 0, nil, ""},

	{"3.1", "incident.competentAuthorityCode", kindText, 0, nil, "disclosure.acts: {act: submitted, regime: dora, stage: initial, receipt}"},
	{"3.2", "incident.incidentOccurrenceDateTime", kindTime, doraIntermediate, nil, "disclosure.incident.occurred"},
	{"3.3", "impactAssessment.serviceImpact.serviceRestorationDateTime", kindTime, 0, nil, "disclosure.incident.recovered"},
	{"3.4", "impactAssessment.affectedAssets.affectedClients.number", kindInteger, doraIntermediate, nil, "disclosure.impact.clients.number"},
	{"3.5", "impactAssessment.affectedAssets.affectedClients.percentage", kindPercent, doraIntermediate, nil, "disclosure.impact.clients.percentage"},
	{"3.6", "impactAssessment.affectedAssets.affectedFinancialCounterparts.number", kindInteger, doraIntermediate, nil, "disclosure.impact.counterparts.number"},
	{"3.7", "impactAssessment.affectedAssets.affectedFinancialCounterparts.percentage", kindPercent, doraIntermediate, nil, "disclosure.impact.counterparts.percentage"},
	{"3.8", "impactAssessment.hasImpactOnRelevantClients", kindBool, 0, nil, "disclosure.impact.clients.relevant"},
	{"3.9", "impactAssessment.affectedAssets.affectedTransactions.number", kindInteger, 0, nil, "disclosure.impact.transactions.number"},
	{"3.10", "impactAssessment.affectedAssets.affectedTransactions.percentage", kindPercent, 0, nil, "disclosure.impact.transactions.percentage"},
	{"3.11", "impactAssessment.affectedAssets.valueOfAffectedTransactions", kindAmount, 0, nil, "disclosure.impact.transactions.value"},
	{"3.12", "impactAssessment.affectedAssets.numbersActualEstimate", kindMulti, doraIntermediate, doraFigures, "disclosure.impact.{clients,counterparts,transactions}.number: {value, basis: actual or estimate}"},
	{"3.13", "incident.classificationTypes[reputational_impact].reputationalImpactType", kindMulti, 0, doraReputations, "disclosure.impact.reputation"},
	{"3.14", "incident.classificationTypes[reputational_impact].reputationalImpactDescription", kindText, 0, nil, "disclosure.impact.reputation.about"},
	{"3.15", "incident.incidentDuration", kindDuration, doraIntermediate, nil, "disclosure.incident.resolved"},
	{"3.16", "impactAssessment.serviceImpact.serviceDowntime", kindDuration, 0, nil, "disclosure.services[].down"},
	{"3.17", "informationDurationServiceDowntimeActualOrEstimate", kindChoice, doraIntermediate, doraBases, "disclosure.incident.resolved"},
	{"3.18", "incident.classificationTypes[geographical_spread].memberStatesImpactType", kindMulti, 0, doraStateImpacts, ""},
	{"3.19", "incident.classificationTypes[geographical_spread].memberStatesImpactTypeDescription", kindText, 0, nil, ""},
	{"3.20", "incident.classificationTypes[data_losses].dataLosseMaterialityThresholds", kindMulti, 0, doraDataKinds, "disclosure.impact.data"},
	{"3.21", "incident.classificationTypes[data_losses].dataLossesDescription", kindText, 0, nil, "disclosure.impact.data.about"},
	{"3.22", "impactAssessment.criticalServicesAffected", kindText, doraIntermediate, nil, "disclosure.services"},
	{"3.23", "incident.incidentType.incidentClassification", kindMulti, doraIntermediate, incidentTypes, "disclosure.incident.types"},
	{"3.24", "incident.incidentType.otherIncidentClassification", kindText, 0, nil, ""},
	{"3.25", "incident.incidentType.threatTechniques", kindMulti, 0, techniques, "disclosure.incident.techniques"},
	{"3.26", "incident.incidentType.otherThreatTechniques", kindText, 0, nil, ""},
	{"3.27", "impactAssessment.affectedFunctionalAreas", kindText, doraIntermediate, nil, "disclosure.services[].functions"},
	{"3.28", "impactAssessment.isAffectedInfrastructureComponents", kindChoice, doraIntermediate, answers, "disclosure.impact.infrastructure"},
	{"3.29", "impactAssessment.affectedInfrastructureComponents", kindText, 0, nil, ""},
	{"3.30", "impactAssessment.isImpactOnFinancialInterest", kindChoice, doraIntermediate, answers, "disclosure.impact.financial_interest"},
	{"3.31", "reportingToOtherAuthorities", kindMulti, doraIntermediate, doraAuthorities, "disclosure.incident.other_authorities"},
	{"3.32", "reportingToOtherAuthoritiesOther", kindText, 0, nil, ""},
	{"3.33", "impactAssessment.serviceImpact.isTemporaryActionsMeasuresForRecovery", kindBool, doraIntermediate, nil, "disclosure.incident.temporary_measures"},
	{"3.34", "impactAssessment.serviceImpact.descriptionOfTemporaryActionsMeasuresForRecovery", kindText, doraIntermediate, nil, "disclosure.incident.temporary_measures"},
	{"3.35", "incident.incidentType.indicatorsOfCompromise", kindText, 0, nil, ""},

	{"4.1", "incident.rootCauseHLClassification", kindMulti, doraFinal, rootCauses, "disclosure.incident.root_cause.high"},
	{"4.2", "incident.rootCausesDetailedClassification", kindMulti, doraFinal, doraCauses, "disclosure.incident.root_cause.detailed"},
	{"4.3", "incident.rootCausesAdditionalClassification", kindMulti, 0, doraMoreCauses, "disclosure.incident.root_cause.additional"},
	{"4.4", "incident.rootCausesOther", kindText, 0, nil, ""},
	{"4.5", "incident.rootCausesInformation", kindText, doraFinal, nil, "disclosure.incident.root_cause.text"},
	{"4.6", "incident.incidentResolutionSummary", kindText, doraFinal, nil, "disclosure.incident.resolution"},
	{"4.7", "incident.rootCauseAddressingDateTime", kindTime, doraFinal, nil, "disclosure.incident.root_cause.addressed"},
	{"4.8", "incident.incidentResolutionDateTime", kindTime, doraFinal, nil, "disclosure.incident.resolved"},
	{"4.9", "incident.incidentResolutionVsPlannedImplementation", kindText, doraFinal, nil, ""}, // conditional in Annex II, required by the schema
	{"4.10", "incident.assessmentOfRiskToCriticalFunctions", kindText, 0, nil, ""},
	{"4.11", "incident.informationRelevantToResolutionAuthorities", kindText, 0, nil, ""},
	{"4.12", "incident.classificationTypes[economic_impact].economicImpactMaterialityThreshold", kindText, 0, nil, "disclosure.impact.costs"},
	{"4.13", "incident.grossAmountIndirectDirectCosts", kindAmount, doraFinal, nil, "disclosure.impact.costs"},
	{"4.14", "incident.financialRecoveriesAmount", kindAmount, doraFinal, nil, "disclosure.impact.recoveries"},
	{"4.15", "incident.recurringNonMajorIncidentsDescription", kindText, 0, nil, "disclosure.incident.recurring"},
	{"4.16", "incident.recurringIncidentDate", kindTime, 0, nil, "disclosure.incident.recurring"},
}

// doraOrder is the order in which the schema lists what the fields stand in.
var doraOrder = strings.Fields("1.1 1.15 1.2 1.3 1.5 1.4 1.6 1.13 1.14 1.7 1.8 1.9 1.10 1.11 1.12 " +
	"2.1 2.2 2.3 2.4 2.10 2.5 2.6 3.18 3.19 3.20 3.21 3.13 3.14 4.12 2.9 3.2 3.15 2.8 2.7 3.1 " +
	"3.23 3.24 3.25 3.26 3.35 4.1 4.2 4.3 4.4 4.5 4.7 4.6 4.8 4.9 4.10 4.11 4.14 4.13 4.15 4.16 " +
	"3.8 3.3 3.16 3.33 3.34 3.22 3.4 3.5 3.6 3.7 3.9 3.10 3.11 3.12 3.27 3.28 3.29 3.30 3.31 3.32 3.17")

// doraFieldOf returns the field of that number; nil if there is none.
func doraFieldOf(number string) *doraField {
	// The parts have 15, 10, 35 and 16 fields, each in order.
	part, rest, _ := strings.Cut(number, ".")
	n, err := strconv.Atoi(rest)
	before := map[string]int{"1": 0, "2": 15, "3": 25, "4": 60}
	at, ok := before[part]
	if err != nil || !ok || n < 1 || at+n > len(doraFields) || doraFields[at+n-1].number != number {
		return nil
	}
	return &doraFields[at+n-1]
}
