-- What a question is about, by its words.
local knowledge = require "runtime.knowledge"
local topic_search = require "runtime.topic_search"

describe("runtime.topic_search, of a question", function()
  local topics = (knowledge.all())

  local function route(question)
    local names = {}
    for i, topic in ipairs(topic_search.route(question, topics)) do names[i] = topic.topic end
    return names
  end

  for question, topic in pairs {
    ["why is the queue growing?"] = "mailbox",
    ["why is the queue of orders_inbox growing?"] = "mailbox",
    ["memory?"] = "memory",
    ["mailbox?"] = "mailbox",
    ["schedulers?"] = "schedulers",
    ["ETS?"] = "ets",
    ["is the table sessions growing?"] = "ets",
    ["GenServer state?"] = "genserver_state",
    ["is the disk full?"] = "disk_full",
    ["why does the payments worker keep restarting?"] = "restart_loop",
    ["is anything deadlocked?"] = "call_deadlock",
    ["are messages piling up?"] = "mailbox",
    ["is the node healthy?"] = "full_check",
    ["why are calls timing out?"] = "mailbox",
    ["cpu at 100%"] = "schedulers",
    ["do processes leak?"] = "process_leak",
    ["which process works most, and leaks?"] = "process_leak",
  } do
    it(("finds %s in %q"):format(topic, question), function() assert.equal(topic, route(question)[1]) end)
  end

  for _, question in ipairs { "what colour is the sky?", "", "orders_inbox", "???",
    "what does the process sink do?" } do
    it(("finds none in %q"):format(question), function() assert.same({}, route(question)) end)
  end

  it("leads to what tells where to look, and to no explanation", function()
    assert.same({}, route "which supervision strategy?")
  end)

  for _, word in ipairs { "orders_inbox", "<0.81.0>", "Shop.Sink", "MyApp.Web.Endpoint" } do
    it("knows a name in " .. word, function() assert.is_true(topic_search.is_name(word)) end)
  end

  for _, word in ipairs { "10.0.0.1", "RabbitMQ", "e.g", "v1.2", "<b>", "shop@host" } do
    it("knows no name in " .. word, function() assert.is_false(topic_search.is_name(word)) end)
  end

  it("takes for names what no topic is known by, the sure ones first", function()
    assert.same({ "orders_inbox", "<0.81.0>", "Shop.Sink", "ledger" },
      topic_search.names("why does ledger (orders_inbox, <0.81.0>) of Shop.Sink grow in memory?", topics))
  end)
end)
