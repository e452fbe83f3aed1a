-- The example of a tool of one's own, copied by `init` and used by an operator.
local async = require "runtime.async"
local beamlens = require "runtime.beamlens"
local edited = require "spec.support.edited"
local gate = require "runtime.gate"
local live = require "spec.support.live_node"
local model = require "spec.support.played_model"
local operator = require "runtime.operator"
local program = require "spec.support.program"

describe("examples/tools/mailbox_of.lua", function()
  local at

  setup(function()
    edited.open()
    at = live.start { code = [[register(never_reads, spawn(fun() -> timer:sleep(infinity) end)),
      [never_reads ! X || X <- lists:seq(1, 40)], ok.]] }
  end)
  teardown(function()
    live.stop_all()
    edited.close()
  end)

  it("is copied by `init`, and tells of a process that it never reads", live.test(function()
    local copied = program.run({ "init", "tools/mailbox_of.lua" }, { env = { XDG_CONFIG_HOME = edited.home } })
    assert.equal(("written: %s\n"):format(edited.path "tools/mailbox_of.lua"), copied.stdout)
    local answer
    operator.run {
      node = at.node, skill = assert(beamlens.skills { "beam" })[1], gate = gate.new {}, deadline = async.now() + 60,
      mind = model.mind { beam = model.played {
        model.calls { "mailbox_of", { process = "never_reads" } },
        function(request)
          answer = answer or model.results(request)[1].data
          return model.calls { "done" }
        end,
      } },
    }
    assert.same({ "never_reads", 40, 0, true }, { answer.result.process, answer.result.waiting,
      answer.result.change_per_s, answer.result.reads_none })
    assert.same({ "beam_watch_process" }, answer.callbacks)
  end))
end)
