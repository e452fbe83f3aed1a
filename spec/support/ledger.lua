--- A table on a live node that only grows, and an operator that sees it and says so with two figures. The operator
--- is a played model; the table is real.

local model = require "spec.support.played_model"

local calls, results = model.calls, model.results

local ledger = {
  -- A row for each millisecond that passed: a node that gets little time makes up for it.
  CODE = [[
    spawn(fun() -> ets:new(ledger, [named_table, public]), From = erlang:monotonic_time(millisecond),
      (fun L(I) -> To = erlang:monotonic_time(millisecond) - From,
        ets:insert(ledger, [{J, lists:seq(1, 30)} || J <- lists:seq(I, To)]), timer:sleep(1), L(To + 1) end)(0) end).]],
  LOOK = "return ets_growth_stats(0.02)",
}

--- Looks, notifies of the growth, and is done.
---@param severity string
---@param hypothesis? string
function ledger.finder(severity, hypothesis)
  return model.played {
    calls({ "take_snapshot" }, { "execute", { code = ledger.LOOK } }),
    function(request)
      local look = results(request)[2].data
      return calls({ "send_notification", {
        type = "growth", context = "two looks", observation = "ledger grew", hypothesis = hypothesis,
        severity = severity, snapshot_ids = { results(request)[1].data.id },
        evidence = { { observation = look.observation, path = "tables[1].name", value = "ledger" },
          { observation = look.observation, path = "tables[1].size_delta",
            value = look.result.tables[1].size_delta } },
        root_cause = { object = "ledger", mechanism = "ets_growth" }, confidence = "medium",
      } }, { "done" })
    end,
  }
end

return ledger
