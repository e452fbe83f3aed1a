--- From the start of the program to its exit, beside an Erlang that does nothing.

local uv = require "luv"
local async = require "runtime.async"
local program = require "spec.support.program"

local ROUNDS = 15

local function timed(path, args)
  local start = uv.hrtime()
  program.run(args, { path = path })
  return (uv.hrtime() - start) / 1e6
end

local function median(list)
  table.sort(list)
  return list[math.ceil(#list / 2)]
end

return async.run(function()
  local ours, theirs = {}, {}
  for i = 1, ROUNDS do
    ours[i] = timed(program.path, { "version" })
    theirs[i] = timed("/usr/bin/erl", { "-noshell", "-eval", "halt()." })
  end
  local a, b = median(ours), median(theirs)
  return { {
    name = "start to exit of `version`", ours = ("%.1f ms"):format(a), peer = ("erl -noshell %.0f ms"):format(b),
    ratio = a / b, target = "<= 0.15",
  } }
end)
