--- Proposes one action and does nothing: it stands in `beamlens-run actions` then, for a person to approve or reject.

local proposed, why = require("beamlens").action("resume_process", { process = "session_sweeper" },
  { reason = "it stands in sys:suspend_loop/6, and nobody deletes from sessions" })
if not proposed then error(tostring(why)) end
