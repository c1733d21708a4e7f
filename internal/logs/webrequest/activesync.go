package webrequest

import (
	"bytes"

	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/fold"
)

// activeSync reads a request of a mobile device ([MS-ASCMD]; "Understanding Exchange ActiveSync Reporting Services" for what the back end
// appends to the query as Log).
func activeSync(r *Request, o logs.Observation, done bool, obs []logs.Observation) []logs.Observation {
	o.Action, o.Device = Param(r.Query, "Cmd"), Param(r.Query, "DeviceId")
	log := Param(r.Query, "Log")
	if !done || turnedAway(log) {
		return append(obs, o)
	}
	switch string(o.Action) {
	case "Sync":
		if len(log) == 0 {
			if o.Bytes == 0 { // nothing has changed
				return append(obs, o)
			}
			return mayRead.observe(o, obs)
		}
		return synced(log, o, obs)
	case "ItemOperations":
		return reads.observe(o, obs)
	case "GetAttachment":
		return attaches.observe(o, obs)
	case "FolderSync", "GetItemEstimate", "GetHierarchy", "FolderCreate", "FolderDelete", "FolderUpdate", "ResolveRecipients":
		return lists.observe(o, obs)
	case "Search", "Find":
		return mayList.observe(o, obs)
	case "MoveItems", "MeetingResponse":
		return touches.observe(o, obs)
	case "SendMail":
		return sends.observe(o, obs)
	case "SmartForward", "SmartReply":
		return sendsPart.observe(o, obs)
	case "Ping", "Provision", "Settings", "Options", "ValidateCert", "":
		return append(obs, o)
	}
	return mayRead.observe(o, obs)
}

// turnedAway reports whether the back end says that the device was not let in.
func turnedAway(log []byte) bool {
	as := element(log, "As:")
	return fold.HasPrefix(as, "blocked") || fold.HasPrefix(as, "quarantined") || fold.HasPrefix(as, "devicediscovery")
}

// element returns the value of the first element of log whose name, colon included, is given; nil if there is none.
func element(log []byte, name string) []byte {
	for len(log) > 0 {
		e := log
		if i := bytes.IndexByte(log, '_'); i >= 0 {
			e, log = log[:i], log[i+1:]
		} else {
			log = nil
		}
		if len(e) >= len(name) && string(e[:len(name)]) == name {
			return e[len(name):]
		}
	}
	return nil
}

// synced appends an observation for every folder that a Sync handed items out of: elements are separated by underscores, and those from a
// Fid on are of that folder.
func synced(log []byte, o logs.Observation, obs []logs.Observation) []logs.Observation {
	n := len(obs)
	rest := log
	truncated := bytes.HasSuffix(log, []byte("...")) // IIS cuts a long query
	for {
		i := bytes.Index(rest, []byte("Fid:"))
		if i < 0 {
			break
		}
		rest = rest[i:]
		folder := rest
		if j := bytes.Index(rest[len("Fid:"):], []byte("Fid:")); j >= 0 {
			folder = rest[:len("Fid:")+j]
		}
		rest = rest[len(folder):]
		if items := handed(folder); items > 0 {
			f := o
			f.Inference, f.Exposure, f.Count = logs.FolderSynced, logs.Content, items
			f.Action = heading(folder)
			obs = append(obs, f)
		}
	}
	switch {
	case truncated:
		return mayRead.observe(o, obs)
	case len(obs) == n:
		return append(obs, o)
	}
	return obs
}

// heading returns the elements of a folder that say which it is and how it was asked for: Fid:5_Ty:Em_Filt0_St:F.
func heading(folder []byte) []byte {
	end := 0
	for rest := folder; ; {
		i := bytes.IndexByte(rest, '_')
		e := rest
		if i >= 0 {
			e = rest[:i]
		}
		if !bytes.HasPrefix(e, []byte("Fid:")) && !bytes.HasPrefix(e, []byte("Ty:")) && !bytes.HasPrefix(e, []byte("Filt")) && !bytes.HasPrefix(e, []byte("St:")) {
			break
		}
		end = len(folder) - len(rest) + len(e)
		if i < 0 {
			break
		}
		rest = rest[i+1:]
	}
	return folder[:end]
}

// handed returns how many items went to the device: what the server added or changed, and what the client fetched.
func handed(folder []byte) int64 {
	server := element(folder, "Svr:")
	if server == nil {
		server = element(folder, "Srv:")
	}
	return tally(server, "acf") + tally(element(folder, "Cli:"), "f")
}

// tally adds up the numbers of p before one of the letters: 5 of 2A0C3D3F for "af". A number counts a million at most.
func tally(p []byte, letters string) int64 {
	sum, n := int64(0), int64(0)
	for _, c := range p {
		switch {
		case '0' <= c && c <= '9':
			n = min(n*10+int64(c-'0'), 1_000_000)
			continue
		case bytes.IndexByte([]byte(letters), c|0x20) >= 0:
			// SD is the server's soft deletes, and ends in a letter that is not counted.
			sum += n
		}
		n = 0
	}
	return sum
}
