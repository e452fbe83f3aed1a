-- Every attack of spec/escapes, each in a real worker with callbacks as a skill would offer them: what is expected is
-- one kind and one text, and after it a good chunk is served.
--   { name, expect = { kind, text? }, code, line? }  text: the JSON of a result, a part of the message of an error;
--   several codes are chunks one after another, of which the last is judged.

local async = require "runtime.async"
local demo = require "runtime.demo_callbacks"
local sandbox = require "runtime.sandbox"

local ATTACKS = { "names", "endless", "memory", "stack", "values", "results", "callbacks", "parser" }
-- Whoever is to be stopped by the clock is stopped soon; who is to come to another end has time, for machines are slow.
local SOON_S, LATE_S = 0.1, 20
-- And who is to run out of memory has less to fill.
local LIMITS = {
  timeout = { run_s = SOON_S },
  memory = { run_s = LATE_S, memory = 16 * 2 ^ 20 },
}
local USUAL = { run_s = LATE_S }

local function execute(code, limits)
  return sandbox.execute { code = code, names = demo.names, call = demo.call, limits = limits }
end

local function last_outcome(attack)
  local codes, out = attack.code, nil
  for _, code in ipairs(type(codes) == "table" and codes or { codes }) do
    out = execute(code, LIMITS[attack.expect[1]] or USUAL)
  end
  return out
end

local function shown(out) return out.kind == "ok" and out.result_json or tostring(out.message) end

-- The whole of a result, a part of a message.
local function text_of(attack, out)
  local text, wanted = shown(out), attack.expect[2]
  if not wanted or out.kind == "ok" then return wanted and text end
  return text:find(wanted, 1, true) and wanted or text
end

describe("an attack on the sandbox", function()
  teardown(sandbox.close)

  for _, file in ipairs(ATTACKS) do
    for _, attack in ipairs(require("spec.escapes." .. file)) do
      it(("comes to nothing: %s (%s)"):format(attack.name, file), function()
        async.run(function()
          local out = last_outcome(attack)
          assert.same({ attack.expect[1], attack.expect[2], attack.line },
            { out.kind, text_of(attack, out) or nil, attack.line and out.line }, shown(out):sub(1, 300))
          assert.equal(42, execute("return echo(42)[1]", USUAL).result)
        end)
      end)
    end
  end
end)
