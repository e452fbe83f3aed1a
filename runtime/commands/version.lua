--- `version`: what this is, and what it stands on.

local json = require "runtime.json"

local version = {
  usage = "version",
  words = 0,
  doc = "what this is, and what it stands on",
  examples = {
    { "beamlens-run version", "in a line" },
    { "beamlens-run --version", "the same" },
  },
}

function version.run(call)
  local uv = require "luv"
  local of = { program = require "runtime.version", luajit = jit.version:match "%S+$", libuv = uv.version_string() }
  if call.options.json then return json.encode { schema = 1, versions = of } .. "\n", 0 end
  return ("beamlens-run %s (LuaJIT %s, libuv %s)\n"):format(of.program, of.luajit, of.libuv), 0
end

return version
