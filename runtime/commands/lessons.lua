--- `lessons`: what could be learned from runs that people gave their word on, as a difference for a person to apply.

local uv = require "luv"
local failure = require "runtime.failure"
local feedback = require "runtime.feedback"
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
right, and no further than every run that was right stays so. What no limit finds gets the draft of a check.

Each change is replayed on every cassette, by rules; of a run without one its findings are tried, by the answers that
the store keeps of them.

It changes nothing itself: read the difference, then apply it to your copies of the checks with the commands that it
prints.
]],
}

local function say(text) io.stderr:write(plain(text), "\n") end

local NOTHING_SAID = [[
nobody said of a run whether it was right, so there is nothing to learn from
   beamlens-run coordinator.lua --node NAME --record FILE.cassette
   beamlens-run feedback last right
   beamlens-run feedback last wrong --cause OBJECT:MECHANISM   or --cause healthy
]]

local NOTHING = { lessons = {}, refused = {}, replayed = {}, unread = {}, unheard = {}, patch = "", copies = {} }

-- What there is to learn, and the record of each check; false where nobody said a word.
local function learn(s, c)
  local said, list, done, err
  said, err = feedback.all(s)
  if not said then return nil, err end
  if not next(said) then return false end
  list, err = records.all(s)
  if not list then return nil, err end
  done, err = require("runtime.lessons").learn(s, c.options, not c.options.quiet and say or nil)
  return done, done and list or err
end

local function there_already(path)
  return failure.new("usage", path .. " is there already", "remove it, or name another file", 2)
end

-- Why the difference cannot be written there, said before anything is tried. One that is there may have been edited.
local function refusal(path)
  if not path then return nil end
  if not path:find "[^/]%.patch$" and not path:find "[^/]%.diff$" then
    return failure.new("usage", ("--diff wants the name of a file for a difference, not %s"):format(plain(path)),
      "let it end in .patch", 2)
  end
  return writing.refusal(path, "usage") or uv.fs_lstat(path) and there_already(path) or nil
end

local function write(path, patch)
  if not path or patch == "" then return true end
  local made, err = writing.create(path, patch, "usage")
  if made then return true end
  return nil, err or there_already(path)
end

local function as_json(done, list, path)
  return json.encode { schema = 1, records = list, lessons = done.lessons, refused = done.refused,
    replayed = done.replayed, unread = done.unread, unheard = done.unheard, diff = done.patch,
    commands = done.patch ~= "" and page.commands(done, path) or {} } .. "\n"
end

function command.run(c)
  local path = c.options.diff
  local err = refusal(path)
  if err then return nil, err end
  local done, list = store.asked(c.options, function(s) return learn(s, c) end)
  if done == nil then return nil, list end
  local written
  written, err = write(path, (done or NOTHING).patch)
  if not written then return nil, err end
  if c.options.json then return as_json(done or NOTHING, list or {}, path), 0 end
  return done and page.text(done, list, path, screen.out().width) or NOTHING_SAID, 0
end

return command
