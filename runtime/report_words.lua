--- The words that a report has in every form of it, for a terminal (runtime/report.lua) and to hand on
--- (runtime/handoff.lua). Texts of the node are in them as they are: whoever shows them makes them harmless.

local counted = require "runtime.counted"
local json = require "runtime.json"
local plain = require("runtime.plain").text

local report_words = {}

---@return boolean   whether a field of a report has no value, kept or fresh
function report_words.missing(v) return v == nil or v == json.null end

local missing = report_words.missing

--- A figure as people read it.
---@return string
function report_words.figure(v)
  if missing(v) then return "unknown" end
  if type(v) ~= "number" then return plain(v) end
  if v % 1 ~= 0 then return (("%.2f"):format(v):gsub("0$", "")) end
  return counted.grouped(v)
end

report_words.HEADS = { sick = "SICK", healthy = "HEALTHY", cannot_tell = "CANNOT TELL" }

--- What stands behind verdict and node in the first line.
---@return string
function report_words.headline(r)
  local first = r.insights[1]
  if r.verdict == "sick" then
    local more = #r.insights > 1 and (", and %d more"):format(#r.insights - 1) or ""
    return ("%s: %s%s"):format(plain(first.root_cause.object), plain(first.root_cause.mechanism), more)
  end
  if r.verdict == "healthy" then return "every look that was called for was made and found nothing" end
  return "what would tell stands below"
end

local INCOMPLETE = {
  deadline = "the time was up", budget = "the budget was spent", iterations = "the steps were used up",
  provider = "the model failed", interrupted = "it was interrupted",
  crashed = "a part of it crashed",
}

--- Why the run has less than it should; nil where it has all.
---@return string?
function report_words.incomplete(r)
  if missing(r.incomplete) then return nil end
  local why = INCOMPLETE[r.incomplete] or r.incomplete
  -- Where nothing was found, this stands among what is missing.
  if r.verdict == "sick" and not missing(r.incomplete_why) then why = ("%s: %s"):format(why, r.incomplete_why) end
  return why
end

--- A place in the code, as people of its language write it.
---@return string
function report_words.place(code)
  local between = code.module:find "^%u" and "." or ":"
  return ("%s%s%s/%d"):format(code.module, between, code["function"], code.arity)
end

local STATES = {
  proposed = "nothing was done; a person decides", superseded = "proposed again since, under another id",
  rejected = "a person rejected it", approved = "approved, and not done yet", executing = "being done",
  executed = "done; what came of it was not looked at yet", verified = "done", not_verified = "did not help",
  failed = "not done", unknown = "it may have been done", dry_run = "a runbook would have done it",
  refused = "a runbook was not let",
}

--- How far an action came.
---@return string
function report_words.action_state(a)
  return (STATES[a.state] or a.state) .. (missing(a.outcome) and "" or ": " .. tostring(a.outcome.message))
end

--- How often one like it was right, by what people said (runtime/records.lua).
---@param record { right: integer, of: integer }
---@return string
function report_words.record(record)
  return ("such a finding was right here %d of %s"):format(record.right, counted.of(record.of, "time"))
end

local function size(bytes)
  return bytes >= 1e6 and ("%.1f MB"):format(bytes / 1e6) or ("%.0f kB"):format(bytes / 1e3)
end

--- Who thought, and what that took.
---@return string
function report_words.cost(usage)
  local model = plain(usage.provider)
  local tokens = usage.input_tokens + usage.cache_read_tokens + usage.output_tokens
  if tokens == 0 then return model end
  local price = usage.cost_usd == 0 and "" or missing(usage.cost_usd)
    and ", price unknown: set prices in the config" or (", %.4f USD"):format(usage.cost_usd)
  return ("%s, %s in %s%s"):format(model, counted.of(tokens, "token"), counted.of(usage.calls, "request"), price)
end

--- What an attach left on the node until it restarts.
---@return string
function report_words.footprint(f)
  if missing(f) then return "footprint unknown" end
  local function some(n, word) return missing(n) and ("unknown %ss"):format(word) or counted.of(n, word) end
  return ("loaded there for us, at most: %s, %s, %s"):format(some(f.modules_loaded, "module"), some(f.atoms, "atom"),
    some(f.relays, "relay"))
end

--- What was asked of the node.
---@return string
function report_words.asked(load)
  return ("asked of the node: %s, %s, %s, longest %s ms"):format(counted.of(load.calls, "call"),
    counted.of(load.reductions, "reduction"), size(load.bytes), report_words.figure(math.floor(load.max_ms + 0.5)))
end

return report_words
