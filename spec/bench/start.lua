--- From the start of the program to its exit, beside an Erlang that does nothing.

local async = require "runtime.async"
local measure = require "spec.bench.measure"
local program = require "spec.support.program"

local ROUNDS = 15

local function run(path, args)
  return function() return program.run(args, { path = path }) end
end

return async.run(function()
  local ours, theirs = measure.turns(ROUNDS, run(program.path, { "version" }),
    run("/usr/bin/erl", { "-noshell", "-eval", "halt()." }))
  local a, b = measure.median(ours), measure.median(theirs)
  return { {
    name = "start to exit of `version`", ours = ("%.1f ms"):format(a), peer = ("erl -noshell %.0f ms"):format(b),
    ratio = a / b, target = "<= 0.15",
  } }
end)
