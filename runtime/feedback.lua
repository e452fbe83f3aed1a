--- What a person said of a run: that it was right, or wrong and what it really was. Kept beside the run, one word for
--- each; the runs and these words are all there is, and every record of right and wrong is counted from them
--- (runtime/records.lua). No verdict changes by it.

local failure = require "runtime.failure"
local mechanism_words = require "runtime.mechanism_words"
local mechanisms = require "runtime.mechanisms"
local plain = require "runtime.plain"

local feedback = {}

--- In the place of a cause: there was nothing.
feedback.HEALTHY = "healthy"
feedback.WORDS = { "right", "wrong" }

local LONGEST = 2000 -- bytes of a note or of an object's name

---@class Cause
---@field object? string     nil where there was nothing
---@field mechanism string   a word for a mechanism, or "healthy"

---@class Feedback
---@field word "right"|"wrong"
---@field cause? Cause       what it really was, where that is known
---@field note string
---@field said_at integer    seconds since 1970

local function usage(message, next_step) return nil, failure.new("usage", message, next_step, 2) end

-- Ours, those of checks that a person wrote, and those that runs came to. The skills are opened only for a word that is
-- none of ours.
local function all_words(s)
  local skill, skills = require "runtime.skill", {}
  for _, name in ipairs(skill.names()) do skills[#skills + 1] = skill.open(name) end
  local words, known = mechanism_words.of(skills), {}
  for _, word in ipairs(words) do known[word] = true end
  for _, row in ipairs(s:rows "select distinct mechanism from insights limit 1000" or {}) do
    if not known[row.mechanism] then words[#words + 1] = row.mechanism end
  end
  return words
end

--- A cause as a person types it: OBJECT:MECHANISM, as reports have it, or `healthy`. An object may have colons in it.
---@param text string
---@param s Store
---@return Cause?
---@return Failure? err
function feedback.cause(text, s)
  if text == feedback.HEALTHY then return { mechanism = text } end
  local object, mechanism = text:match "^%s*(.-)%s*:%s*([^:%s]+)%s*$"
  if not object or object == "" or #object > LONGEST then
    return usage("--cause wants OBJECT:MECHANISM, as a report names it, not " .. plain.cut(text, 80),
      "for example --cause invoices:slow_consumer, or --cause healthy where there was nothing")
  end
  if mechanisms[mechanism] then return { object = object, mechanism = mechanism } end
  local words = all_words(s)
  if not mechanism_words.fault(mechanism, words) then return { object = object, mechanism = mechanism } end
  local near = mechanism_words.near(mechanism, words)
  return usage(("there is no mechanism %s"):format(plain.cut(mechanism, 80)), #near > 0
    and "near are " .. table.concat(near, ", ") .. "; `other` when none fits"
    or "it is `other` when none fits; --note says what it was")
end

local function of_row(row)
  return {
    word = tostring(row.word), note = tostring(row.note), said_at = tonumber(row.said_at) or 0,
    cause = row.mechanism and { object = row.object, mechanism = row.mechanism } or nil,
  }
end

--- All that was said, by the number of its run.
---@param s Store
---@return table<integer, Feedback>?
---@return Failure? err
function feedback.all(s)
  local rows, err = s:rows "select run, word, object, mechanism, note, said_at from feedback"
  if not rows then return nil, err end
  local said = {}
  for _, row in ipairs(rows) do said[row.run] = of_row(row) end
  return said
end

local function fault(run, said)
  if said.word ~= "right" and said.word ~= "wrong" then
    return usage(("a run was right or wrong, not %s"):format(plain.cut(said.word, 80)),
      failure.meant(said.word, feedback.WORDS, "see `beamlens-run help feedback`"))
  end
  if run.state == "running" then return usage(("%s still goes on"):format(run.id), "wait for its report") end
  if said.word == "right" and said.cause then
    return usage("what was right needs no --cause",
      "where only one of several findings was right, the run was wrong: name that one as its --cause")
  end
  if #said.note > LONGEST then
    return usage(("the note has %d bytes, and %d are kept"):format(#said.note, LONGEST), "say it shorter")
  end
end

--- Keeps what a person said of a run; what was said before is replaced.
---@param s Store
---@param run KeptRun
---@param said Feedback   its said_at is set
---@return { before?: Feedback }?
---@return Failure? err
function feedback.keep(s, run, said)
  local _, err = fault(run, said)
  if err then return nil, err end
  said.said_at = os.time()
  local number, cause = tonumber(run.id:sub(2)), said.cause or {}
  return s:transaction(function(db)
    local rows, why = db:rows("select word, object, mechanism, note, said_at from feedback where run = ?", number)
    if not rows then return nil, why end
    local done
    done, why = db:run("insert or replace into feedback values (?, ?, ?, ?, ?, ?)", number, said.word, cause.object,
      cause.mechanism, said.note, said.said_at)
    if not done then return nil, why end
    return { before = rows[1] and of_row(rows[1]) }
  end)
end

--- A cause in words.
---@param cause Cause
---@return string
function feedback.named(cause)
  return cause.object and ("%s: %s"):format(cause.object, cause.mechanism) or "nothing"
end

--- What was said, in a few words: "wrong, it was invoices: slow_consumer".
---@param said Feedback
---@return string
function feedback.text(said)
  if not said.cause then return said.word end
  return ("%s, %s"):format(said.word, said.cause.object and "it was " .. feedback.named(said.cause)
    or "there was nothing")
end

return feedback
