--- Build step: writes every Erlang text that we ship, wrapped as it will be sent, to stdout, for
--- runtime/build/parse_queries.escript. For each: its SHA-256 in 64 hex digits, four bytes of length, the
--- text. Only the checkout is read; what a user put over it is parsed on the node.

local bytes = require "runtime.node.bytes"
local crypto = require "host.crypto"
local eval_texts = require "runtime.eval_texts"
local files = require "host.files"
local folders = require "runtime.files"
local foreign_skill = require "runtime.foreign_skill"
local health = require "runtime.health.parts"
local incarnation = require "runtime.incarnation"
local joining = require "runtime.joining"
local look = require "runtime.top.look"
local parsed = require "runtime.node.parsed"
local query = require "runtime.node.query"
local relay_form = require "runtime.relay_form"
local skill = require "runtime.skill"
local starting = require "runtime.starting"
local uv = require "luv"

-- Skills are opened as the program opens them, parts and all, but not from a user's folder.
uv.os_setenv("XDG_CONFIG_HOME", files.root .. "/build/nobody")

local function texts_of(name, into)
  local opened, err = skill.open(name)
  if not opened then error(tostring(err), 0) end
  for _, text in pairs(opened.queries) do into[#into + 1] = text end
end

local texts = query.own_texts()
texts_of("base", texts)
for _, name in ipairs(skill.names()) do texts_of(name, texts) end
for _, text in ipairs(health.own_texts()) do texts[#texts + 1] = text end
local of_skills = { unpack(texts, #query.own_texts() + 1) }
for _, text in ipairs(eval_texts.own_texts()) do texts[#texts + 1] = text end
for _, text in ipairs(foreign_skill.own_texts()) do texts[#texts + 1] = text end
for _, name in ipairs(relay_form.names()) do
  local r, err = relay_form.open(name)
  if not r then error(tostring(err), 0) end
  texts[#texts + 1] = r.query
end
for _, text in ipairs(incarnation.own_texts()) do texts[#texts + 1] = text end
for _, text in ipairs(joining.own_texts()) do texts[#texts + 1] = text end
for _, text in ipairs(starting.own_texts()) do texts[#texts + 1] = text end
for _, text in ipairs(look.own_texts()) do texts[#texts + 1] = text end
for _, name in ipairs(folders.list("sandbox/actions", ".lua")) do
  for _, text in pairs(require("sandbox.actions." .. name).queries) do texts[#texts + 1] = text end
end

local wrapped, seen = {}, {}
for _, text in ipairs(texts) do
  local whole = assert(query.wrap(text))
  if not seen[whole] then wrapped[#wrapped + 1] = whole end
  seen[whole] = true
end
table.sort(wrapped)  -- the same file from the same texts
for _, text in ipairs(wrapped) do io.write(crypto.sha256(text), bytes.u32(#text), text) end

-- And which of them are of skills, as a text that is parsed like the others.
for i, text in ipairs(of_skills) do of_skills[i] = "=" .. crypto.sha256(query.wrap(text)) end
local list = ('"%s".'):format(table.concat(of_skills))
io.write(parsed.OF_SKILLS, bytes.u32(#list), list)
