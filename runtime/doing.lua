--- What a process does, in words, by where it stands: most stand in a dozen functions of OTP, and who reads at night
--- need not know these by heart.

local plain = require("runtime.plain").text

-- The first that fits the function of one that waits.
local WAITS = {
  { "^gen_server:loop/", "waits for a message" },
  { "^gen_statem:loop_", "waits for an event" },
  { "^gen_event:fetch_msg/", "waits for an event" },
  { "^gen:do_call/", "waits for an answer to a call" },
  { "^gen_server:call/", "waits for an answer to a call" },
  { "^erlang:hibernate/", "hibernates" },
  { "^erts_internal:hibernate/", "hibernates" },
  { "^gen_server:.*hibernate/", "hibernates" },
  { "^timer:sleep/", "sleeps" },
  { "^Process:sleep/", "sleeps" },
  { "^prim_inet:accept", "waits for a connection" },
  { "^inet_tcp:accept/", "waits for a connection" },
  { "^prim_inet:recv", "waits for data of a socket" },
  { "^prim_inet:send/", "waits until a socket takes data" },
  { "^erlang:port_command/", "waits until a port takes data" },
  { "^gen_tcp:", "waits for a socket" },
  { "^ssl:", "waits for a socket" },
  { "^io:", "waits until something is printed" },
  { "^group:", "waits for input" },
  { "^user_drv:", "waits for input" },
  { "^application_master:", "keeps an application" },
  { "^supervisor:", "supervises" },
  { "^code_server:loop/", "waits for a message" },
  { "^erl_prim_loader:loop/", "waits for a message" },
  { "^init:loop/", "waits for a message" },
  { "^erts_code_purger:", "waits for code to purge" },
  { "^logger_", "waits for a message" },
  { "^global:loop_", "waits for a message" },
  { "^Task%.Supervised:", "waits in a task" },
}

-- Of one that does not wait.
local STATES = {
  running = "runs %s", runnable = "is about to run %s", suspended = "is suspended in %s", exiting = "ends",
  garbage_collecting = "collects garbage in %s",
}

--- A sentence without subject: "waits for a message", "runs lists:sort/1".
---@param status any          as process_info says it
---@param current_function any  as skills write it: gen_server:loop/7
---@return string
return function(status, current_function)
  local where = current_function and plain(current_function)
  local state = STATES[tostring(status)]
  if not where then return state and state:gsub(" in %%s$", ""):gsub(" %%s$", "") or tostring(status) end
  if state then return state:format(where) end
  for _, known in ipairs(WAITS) do
    if where:find(known[1]) then return known[2] end
  end
  return "waits in " .. where
end
