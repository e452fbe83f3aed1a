-- What a process does, in words.

local doing = require "runtime.doing"

describe("what a process does", function()
  for _, case in ipairs {
    { "waiting", "gen_server:loop/7", "waits for a message" },
    { "waiting", "gen_statem:loop_receive/3", "waits for an event" },
    { "waiting", "gen:do_call/4", "waits for an answer to a call" },
    { "waiting", "timer:sleep/1", "sleeps" },
    { "waiting", "erlang:hibernate/3", "hibernates" },
    { "waiting", "prim_inet:accept0/3", "waits for a connection" },
    { "waiting", "shop:invoices/0", "waits in shop:invoices/0" },
    { "waiting", "Shop.Cart:loop/1", "waits in Shop.Cart:loop/1" },
    { "running", "gen_server:loop/7", "runs gen_server:loop/7" },
    { "runnable", "lists:sort/1", "is about to run lists:sort/1" },
    { "suspended", "shop:f/0", "is suspended in shop:f/0" },
    { "garbage_collecting", "shop:f/0", "collects garbage in shop:f/0" },
    { "exiting", "shop:f/0", "ends" },
    { "running", nil, "runs" }, { "runnable", nil, "is about to run" }, { "suspended", nil, "is suspended" },
    { "waiting", nil, "waiting" },
    { "waiting", "a\27[2Jb:f/0", "waits in a\\x1b[2Jb:f/0" },
  } do
    it(("is told: %s in %s"):format(case[1], tostring(case[2]):gsub("%c", "?")), function()
      assert.equal(case[3], doing(case[1], case[2]))
    end)
  end
end)
