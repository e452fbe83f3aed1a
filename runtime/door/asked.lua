--- What the door's program asks whoever sits before it (a passphrase, a second factor, whether to trust a host) is put
--- to the person at our terminal; the answer goes to the program and is kept nowhere.

local hidden_line = require "runtime.hidden_line"
local terminal = require "runtime.terminal"

-- What we typed ourselves too early comes back as an echo: it ends so.
local ECHO = "done'\r?\n"

--- Puts the question.
---@param said string    what the program said, with the question at its end
---@param via string
---@return string? line  nil when it was not answered
---@return boolean? unseen   it is a secret
return function(said, via)
  local _, echoed = said:find(".*" .. ECHO)
  said = said:sub((echoed or 0) + 1):gsub("\27%[[%d;?]*%a", ""):gsub("\r", ""):gsub("^%s+", ""):gsub("%s+$", "")
  local before, question = said:match "^(.*)\n([^\n]*)$"
  if before then terminal.show(before) end
  question = via .. ": " .. (question or said)
  if question:find "yes/no" then return (terminal.ask(question)) end
  return hidden_line(question), true
end
