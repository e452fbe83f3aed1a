--- The file of `--report`: looked at before a run begins, for nobody investigates for minutes to learn that there was
--- no room for the answer; written at its end, whole or not at all, for nobody else to read. A file of that name that
--- is there is replaced, as every `-o FILE` does; that it has to end in .md keeps a slip from replacing a script.

local failure = require "runtime.failure"
local handoff = require "runtime.handoff"
local plain = require("runtime.plain").text
local writing = require "runtime.writing"

local report_file = {}

local FILE = 384 -- 0600

--- Why it cannot be written there.
---@param path? string   nil where none was asked for
---@return Failure?
function report_file.refusal(path)
  if not path then return nil end
  if not path:find "[^/]%.md$" then
    return failure.new("usage", ("--report wants the name of a Markdown file, not %s"):format(plain(path)),
      "let it end in .md", 2)
  end
  return writing.refusal(path, "usage")
end

--- Writes it, where one was asked for. Where that fails now, the answer is still told: this is said beside it.
---@param path? string
---@param report table
---@return Failure? err
function report_file.write(path, report)
  if not path then return nil end
  local done, err = writing.replace(path, handoff.text(report), FILE, "usage")
  return not done and err or nil
end

return report_file
