--- A table on a live node that only grows, and an operator that sees it and says so with two figures. The operator
--- is a played model; the table is real.

local model = require "spec.support.played_model"

local calls, results = model.calls, model.results

local ledger = {
  CODE = [[
    spawn(fun() -> ets:new(ledger, [named_table, public]),
      (fun L(I) -> ets:insert(ledger, {I, lists:seq(1, 30)}), timer:sleep(1), L(I + 1) end)(1) end).]],
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
