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
	return "Examples:\n\n  barid report barid-case > report.html\n  barid report --format reached -o reached.csv barid-case\n  barid report --format timesketch -o timesketch.jsonl barid-case\n  barid report --lang fr --format pdf -o rapport.pdf barid-case"
}

// Help returns examples, as --help shows them.
func (*judgeCmd) Help() string {
	return "It takes what the evidence taught from the case, writes case.json and report.html anew and adds a line to the chain of custody. " +
		"The evidence is not needed. Facts are kept in the case: without --facts the case is decided by those.\n\n" +
		"Examples:\n\n  barid judge barid-case --facts facts.yaml\n  barid judge barid-case"
}

// Help returns examples, as --help shows them.
func (*verifyCmd) Help() string {
	return "It hashes every file of the case and the evidence, follows the chain of custody, checks seals, and says what has changed and what that means. " +
		"The status is 1 if something has. docs/custody.md says what this proves and what not.\n\n" +
		"Examples:\n\n  barid verify barid-case\n  barid verify barid-case --tsa-ca authority-roots.pem\n  barid verify barid-case --head 3f5a…  --seal /safe/seal-1.tsr"
}

// Help returns examples, as --help shows them.
func (*sealCmd) Help() string {
	return "A time stamp proves that the chain of custody, and with it every file that it names, was as it is at that time; nobody can make one afterwards. " +
		"What is sent is a hash. This is the only command that uses the network; a machine without one writes the request to a file, and takes the answer from one.\n\n" +
		"Examples:\n\n  barid seal barid-case --tsa https://tsa.example.org/tsr --tsa-ca authority-roots.pem\n" +
		"  barid seal barid-case --request case.tsq\n" +
		"  curl -H 'Content-Type: application/timestamp-query' --data-binary @case.tsq https://tsa.example.org/tsr > case.tsr\n" +
		"  barid seal barid-case --response case.tsr"
}

// Help returns examples, as --help shows them.
func (*completionCmd) Help() string {
	return "Examples:\n\n  barid completion bash > /etc/bash_completion.d/barid\n  barid completion fish > ~/.config/fish/completions/barid.fish"
}
