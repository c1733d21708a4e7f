package m365

import (
	"bytes"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
)

// file observes what was done to a file of SharePoint or OneDrive, or to a link to it.
func (o *observer) file(e *event.Event, m means, x logs.Observation, obs []logs.Observation) []logs.Observation {
	x.Kind, x.ObjectKind = logs.Access, "file"
	x.Object = o.first(e, "ObjectId", "OfficeObjectId")
	x.In = o.first(e, "SiteUrl", "Site_Url")
	x.Device = o.first(e, "MachineId")
	if isOfficeOnline(&x) {
		x.Standing = logs.Service
	}
	switch m {
	case meansFileOpened:
		x.Inference, x.Exposure = logs.FileOpened, logs.Content
	case meansFileDownloaded:
		x.Inference, x.Exposure = logs.FileDownloaded, logs.Content
		x.Bytes = integer(get(e, "FileSizeBytes"))
		if x.Bytes < 0 {
			x.Bytes = integer(get(e, "FileSyncBytesCommitted"))
		}
	case meansFilePart:
		x.Inference, x.Exposure = logs.FileDownloaded, logs.Partial
		x.Bytes = integer(get(e, "FileSyncBytesCommitted"))
	case meansFilePreviewed:
		x.Inference, x.Exposure = logs.FilePreviewed, logs.Partial
	case meansFileTouched:
		x.Inference, x.Exposure = logs.FileTouched, logs.Metadata
	case meansFileListed:
		x.Inference, x.Exposure, x.ObjectKind = logs.FileListed, logs.Metadata, "folder"
	case meansLinkUsed:
		x.Inference, x.Exposure = logs.LinkUsed, logs.Content
	case meansLinkMade:
		x.Kind, x.Power, x.Inference = logs.Capability, logs.Delegation, logs.LinkMade
		x.Target = o.first(e, "TargetUserOrGroupName")
	case meansLinkRemoved:
		x.Kind, x.Power, x.Inference = logs.Containment, logs.Delegation, logs.PowerRemoved
		x.Target = o.first(e, "TargetUserOrGroupName")
	}
	// Only an item that is a folder says so; what is done to it is done to all that is in it.
	if x.ObjectKind == "file" && is(e, "ItemType", "Folder") {
		x.ObjectKind = "folder"
	}
	return append(obs, x)
}

// officeOnline are the programs with which Office Online fetches a file to show or save it for a user, whose own record says that he opened it.
// A preview or an archive made for a user (OneDriveMpc-Transform) has no such record beside it.
var officeOnline = [...]string{"MSWAC", "OfficeWordWRS", "OfficeXLWRS", "OfficePPTWRS"}

// officeAddresses begin the addresses of Office Online and SharePoint Online, which nobody can rent: 52.104.0.0/14 and 52.108.0.0/14 (Microsoft Learn,
// "Microsoft 365 URLs and IP address ranges").
var officeAddresses = [...]string{"52.104.", "52.105.", "52.106.", "52.107.", "52.108.", "52.109.", "52.110.", "52.111."}

// isOfficeOnline reports whether Office Online itself touched a file, for nobody that its record could be told apart by.
func isOfficeOnline(x *logs.Observation) bool {
	if len(x.Session) > 0 {
		return false
	}
	for _, p := range officeOnline {
		if !bytes.HasPrefix(x.Agent, []byte(p)) {
			continue
		}
		for _, a := range officeAddresses {
			if bytes.HasPrefix(x.IP, []byte(a)) {
				return true
			}
		}
	}
	return false
}
