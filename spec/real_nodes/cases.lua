--- What is planted on a RabbitMQ and an ejabberd, in this order, each beside what came before it was taken away, and
--- what is right to say of it. `truth` is the mechanism and what its object must name; without one nothing is wrong.

---@class RealCase
---@field name string
---@field node "rabbit"|"ejabberd"
---@field plant? fun(on: table): string?   `on` evaluates Erlang: on.client(text, variables), on.rabbit, on.ejabberd;
---  may give the object's name
---@field settle? number             seconds after it
---@field truth? string              the mechanism
---@field object? string             what its object must name, where `plant` does not say it
---@field finish? fun(on: table)     takes it away

local function ends(on) on.client "broker:stop()." end

local function hushed(on) on.client "chatter:stop()." end

-- Until RabbitMQ has noticed that its clients are gone.
local function gone(on)
  ends(on)
  on.rabbit [[(fun Wait() -> case ets:info(connection_created, size) of
    0 -> ok; _ -> timer:sleep(50), Wait() end end)().]]
end

local function load(pairs, pause)
  return function(on)
    on.client("broker:load(Port, Pairs, Pause).", { Port = on.amqp, Pairs = pairs, Pause = pause })
    on.client("broker:pool(Port, 10).", { Port = on.amqp })
  end
end

local function leak(pause)
  return function(on) return on.client("broker:leak(Port, 1900, Pause).", { Port = on.amqp, Pause = pause }) end
end

-- So low that what the server holds without any message is above it.
local function no_memory(on)
  on.client("broker:pile(Port, 1000, 20).", { Port = on.amqp })
  on.rabbit "vm_memory_monitor:set_vm_memory_high_watermark({absolute, 40000000})."
end

local function enough_memory(on)
  on.rabbit "vm_memory_monitor:set_vm_memory_high_watermark(0.4)."
  gone(on)
end

-- More than any disk has.
local function no_disk(on)
  on.client("broker:pile(Port, 1000, 20).", { Port = on.amqp })
  on.rabbit "rabbit_disk_monitor:set_disk_free_limit(1000000000000000)."
end

local function enough_disk(on)
  on.rabbit "rabbit_disk_monitor:set_disk_free_limit(50000000)."
  gone(on)
end

local USERS = [==[[ejabberd_auth:try_register(U, list_to_binary("localhost"), list_to_binary("secret")) ||
  U <- [list_to_binary("u" ++ integer_to_list(I)) || I <- lists:seq(1, 20)] ++ [list_to_binary("away")]], ok.]==]

local function chat(on)
  on.ejabberd(USERS)
  on.client("chatter:pairs(Port, 10, 500).", { Port = on.xmpp })
end

local function write(on, from, pause, times)
  on.ejabberd(USERS)
  on.client("chatter:write(Port, From, To, 1000, Pause, Times).",
    { Port = on.xmpp, From = from, To = "away", Pause = pause, Times = times })
end

---@type RealCase[]
return {
  { name = "starting", node = "rabbit" },
  { name = "idle", node = "rabbit", settle = 3 },
  { name = "under load", node = "rabbit", plant = load(4, 20), settle = 3, finish = gone },
  { name = "under full load", node = "rabbit", plant = load(2, 0), settle = 3, finish = gone },
  { name = "a connection with 200 channels in use", node = "rabbit", settle = 2, finish = gone,
    plant = function(on) on.client("broker:pool(Port, 200).", { Port = on.amqp }) end },
  { name = "channels that come and go", node = "rabbit", settle = 2, finish = gone,
    plant = function(on) on.client("broker:churn(Port, 40).", { Port = on.amqp }) end },
  { name = "a channel leak that grows", node = "rabbit", plant = leak(25), settle = 5, truth = "channel_leak",
    finish = gone },
  { name = "a channel leak that stands", node = "rabbit", plant = leak(0), settle = 10, truth = "channel_leak",
    finish = gone },
  { name = "after the leak", node = "rabbit", settle = 2 },
  { name = "no memory for publishers", node = "rabbit", plant = no_memory, settle = 5, truth = "memory_alarm",
    object = "rabbit@localhost", finish = enough_memory },
  { name = "no disk for publishers", node = "rabbit", plant = no_disk, settle = 5, truth = "disk_alarm",
    object = "rabbit@localhost", finish = enough_disk },
  { name = "after the alarms", node = "rabbit", settle = 3 },

  { name = "idle", node = "ejabberd", settle = 1 },
  { name = "20 users who chat", node = "ejabberd", plant = chat, settle = 3, finish = hushed },
  { name = "300 messages for one who is away, at once", node = "ejabberd", settle = 4, finish = hushed,
    plant = function(on) write(on, "u1", 1, 300) end },
  { name = "one message a second for one who is away", node = "ejabberd", settle = 2, finish = hushed,
    plant = function(on) write(on, "u2", 1000, -1) end },
  { name = "a flood for one who is away", node = "ejabberd", settle = 4, truth = "offline_flood",
    object = "away@localhost", finish = hushed,
    plant = function(on) write(on, "u3", 20, -1) end },
  { name = "a flood that ejabberd counts", node = "ejabberd", settle = 4, truth = "offline_flood",
    object = "away@localhost", finish = hushed,
    plant = function(on)
      on.ejabberd "mod_offline:count_offline_messages(list_to_binary(\"away\"), list_to_binary(\"localhost\"))."
      write(on, "u4", 20, -1)
    end },
  { name = "after the flood", node = "ejabberd", settle = 2 },
}
