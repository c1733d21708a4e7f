// Package windows reads Windows events, from event logs ([EVTX]) and from what exporters make of them as JSON ([JSON]),
// into the same events: the same field names, values and log sources, whichever way they came. What is known of names
// stands in content/fields/windows.yml.
package windows
