package main

// Help returns examples, as --help shows them.
func (*assessCmd) Help() string {
	return "Examples:\n\n" +
		"  barid assess logs.zip\n" +
		"  barid assess -o case-17 --rules sigma.zip /evidence/EX1 /evidence/mx1\n" +
		"  barid assess --from 2021-02-26 --to 2021-03-10 --facts facts.yaml logs.zip\n" +
		"  barid assess --strict --fail-on high --stats stats.json logs.zip"
}

// Help returns examples, as --help shows them.
func (*scanCmd) Help() string {
	return "Examples:\n\n" +
		"  barid scan --rules sigma.zip --min-level high Security.evtx\n" +
		"  barid scan /var/log | jq -r '[.time, .rule.level, .rule.title, .client] | @tsv'\n" +
		"  zcat access.log.gz | barid scan -"
}

// Help returns examples, as --help shows them.
func (*dumpCmd) Help() string {
	return "Examples:\n\n" +
		"  barid dump Security.evtx | jq 'select(.event.EventID == 4624)'\n" +
		"  barid dump mail.log | jq 'select(.observed[]?.kind == \"login\")'"
}

// Help returns examples, as --help shows them.
func (*rulesCheckCmd) Help() string {
	return "Examples:\n\n  barid rules check my-rules/\n  barid rules check --no-builtin-rules sigma.zip"
}

// Help returns examples, as --help shows them.
func (*rulesListCmd) Help() string {
	return "Examples:\n\n  barid rules list --rules sigma.zip | sort -k2"
}

// Help returns examples, as --help shows them.
func (*reportCmd) Help() string {
	return "Examples:\n\n  barid report barid-case > report.html\n  barid report --format reached -o reached.csv barid-case\n  barid report --format timesketch -o timesketch.jsonl barid-case"
}

// Help returns examples, as --help shows them.
func (*judgeCmd) Help() string {
	return "It takes what the evidence taught from the case, writes case.json and report.html anew and adds a line to the chain of custody. " +
		"The evidence is not needed. Facts are kept in the case: without --facts the case is decided by those.\n\n" +
		"Examples:\n\n  barid judge barid-case --facts facts.yaml\n  barid judge barid-case"
}

// Help returns examples, as --help shows them.
func (*verifyCmd) Help() string {
	return "Examples:\n\n  barid verify barid-case"
}

// Help returns examples, as --help shows them.
func (*completionCmd) Help() string {
	return "Examples:\n\n  barid completion bash > /etc/bash_completion.d/barid\n  barid completion fish > ~/.config/fish/completions/barid.fish"
}
