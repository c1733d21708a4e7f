package judge

import "strings"

// stages are the tactics of MITRE ATT&CK for Enterprise in the order of its matrix.
var stages = [...]struct{ tag, name string }{
	{"attack.reconnaissance", "Reconnaissance"},
	{"attack.resource-development", "Resource Development"},
	{"attack.initial-access", "Initial Access"},
	{"attack.execution", "Execution"},
	{"attack.persistence", "Persistence"},
	{"attack.privilege-escalation", "Privilege Escalation"},
	{"attack.defense-evasion", "Defense Evasion"},
	{"attack.stealth", "Stealth"},
	{"attack.defense-impairment", "Defense Impairment"},
	{"attack.credential-access", "Credential Access"},
	{"attack.discovery", "Discovery"},
	{"attack.lateral-movement", "Lateral Movement"},
	{"attack.collection", "Collection"},
	{"attack.command-and-control", "Command and Control"},
	{"attack.exfiltration", "Exfiltration"},
	{"attack.impact", "Impact"},
}

// stageOf returns the furthest stage that the tags of a rule name, or -1.
func stageOf(tags []string) int {
	furthest := -1
	for _, t := range tags {
		t = strings.ReplaceAll(t, "_", "-")
		for i, s := range stages {
			if t == s.tag {
				furthest = max(furthest, i)
			}
		}
	}
	return furthest
}

func stageName(i int) string {
	if i < 0 {
		return ""
	}
	return stages[i].name
}

// techniqueID returns the identifier of the technique that a tag names, such as T1505.003, or "".
func techniqueID(tag string) string {
	id, ok := strings.CutPrefix(tag, "attack.t")
	if !ok || len(id) < 4 || id[0] < '0' || id[0] > '9' {
		return ""
	}
	return "T" + id
}
