package evidence

import "syscall"

// noAccessTime leaves the evidence's access time as it is, where the system lets us.
const noAccessTime = syscall.O_NOATIME
