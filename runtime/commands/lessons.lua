--- `lessons`: what could be learned from runs that people gave their word on, as a difference for a person to apply.

local failure = require "runtime.failure"
local json = require "runtime.json"
local page = require "runtime.lessons.page"
local plain = require("runtime.plain").text
local records = require "runtime.records"
local screen = require "runtime.screen"
local store = require "runtime.store"
local writing = require "runtime.writing"

local command = {
  usage = "lessons",
  words = 0,
  doc = "what right and wrong runs would change in checks",
  examples = {
    { "beamlens-run coordinator.lua --node shop@host --record monday.cassette", "a run to learn from" },
    { "beamlens-run feedback last wrong --cause healthy", "what was wrong with it" },
    { "beamlens-run lessons", "what it proposes, and what that would have changed" },
    { "beamlens-run lessons --cassettes ./tapes --diff lessons.patch", "with more recorded runs, and as a file" },
  },
  more = [[
It learns from runs that somebody gave their word on (`beamlens-run help feedback`). Where a run named what was not so,
or missed what was, it moves one limit of the checks, a constant such as GROWS = 20, until the run would have been
right, and no further than every run that was right stays so. What no limit finds gets the draft of a check. Each change
is replayed on every cassette, by rules; of a run without one its findings are tried, by the answers that the store
keeps of them. It changes nothing itself: read the difference, then apply it to your copies of the checks with the
commands that it prints.
]],
}

local FILE = 384 -- 0600

local function say(text) io.stderr:write(plain(text), "\n") end

local NOTHING_SAID = [[
nobody said of a run whether it was right, so there is nothing to learn from
   beamlens-run coordinator.lua --node NAME --record FILE.cassette
   beamlens-run feedback last right
   beamlens-run feedback last wrong --cause OBJECT:MECHANISM   or --cause healthy
]]

local function learn(s, c)
  local list, err = {}, nil
  if s then list, err = records.all(s) end
  if not list then return nil, err end
  if s and #s:rows "select run from feedback limit 1" == 0 or not s then return false, list end
  local done
  done, err = require("runtime.lessons").learn(s, c.options, not c.options.quiet and say or nil)
  return done, done and list or err
end

local function refusal(path)
  if not path then return nil end
  if path:find "[^/]%.patch$" or path:find "[^/]%.diff$" then return writing.refusal(path, "usage") end
  return failure.new("usage", ("--diff wants the name of a file for a difference, not %s"):format(plain(path)),
    "let it end in .patch", 2)
end

function command.run(c)
  local err = refusal(c.options.diff)
  if err then return nil, err end
  local s, done, list
  s, err = store.kept(c.options)
  if s == nil then return nil, err end
  done, list = learn(s, c)
  store.close_all()
  if done == nil then return nil, list end
  if not done and not c.options.json then return NOTHING_SAID, 0 end
  done = done or { lessons = {}, refused = {}, replayed = {}, unread = {}, unheard = {}, patch = "", copies = {} }
  if c.options.diff and done.patch ~= "" then
    local written
    written, err = writing.replace(c.options.diff, done.patch, FILE, "usage")
    if not written then return nil, err end
  end
  if c.options.json then
    return json.encode { schema = 1, records = list, lessons = done.lessons, refused = done.refused,
      replayed = done.replayed, unread = done.unread, unheard = done.unheard, diff = done.patch,
      commands = done.patch ~= "" and page.commands(done, c.options.diff) or {} } .. "\n", 0
  end
  return page.text(done, list, c.options.diff, screen.out().width), 0
end

return command
