--- What a secret looks like in text from a node: by its own form (a key that begins with sk-,
--- a JWT, a PEM block, the password of a URL) or by the name that stands before it (password=…,
--- {cookie,"…"}, Authorization: …). Better one too many than one that leaves the house: what is
--- hidden is replaced by a name of its own, so that two places with the same secret stay alike.

local patterns = require "runtime.secret_patterns"

local secrets = {}

-- … unless what follows the name says that the value is about the secret, not the secret.
local ABOUT = { "count", "size", "length", "len", "type", "age", "ttl", "expires", "expires_in", "expires_at",
  "expiry", "timeout", "bytes", "kb", "mb", "ms", "max", "min", "limit", "enabled", "id_count" }
local NOTHING = { ["true"] = true, ["false"] = true, ["nil"] = true, undefined = true, null = true, none = true,
  ok = true, error = true, ["[]"] = true, ["{}"] = true }

local known, known_count, known_by = {}, 0, nil  -- what was said of a name, by which patterns

local function is_secret_name(name)
  name = name:lower():gsub("[%-%. ]", "_"):gsub("^_+", ""):gsub("_+$", "")
  for _, tail in ipairs(ABOUT) do
    if name:sub(-#tail - 1) == "_" .. tail then return false end
  end
  for _, word in ipairs(patterns.now.names) do if name:find(word, 1, true) then return true end end
  for _, word in ipairs(patterns.now.names_at_end) do if name:sub(-#word) == word then return true end end
  return false
end

---@param name string   of a field, an option or a header
---@return boolean
function secrets.names(name)
  if known_count > 2000 or known_by ~= patterns.now then -- nodes name things without end
    known, known_count, known_by = {}, 0, patterns.now
  end
  if known[name] == nil then
    known[name], known_count = is_secret_name(name), known_count + 1
  end
  return known[name]
end

--- Whether a value could be a secret at all: no pid, no reference, not hidden already.
function secrets.is_value(text)
  return text ~= "" and not NOTHING[text:lower()] and not text:find "^%a* ?<%a+:%x+>$"
    and not text:find "^#?%a*<%d[%d%.]*>$"
end

local function second(hide, before, found, after) return before .. hide(found) .. (after or "") end

-- Letters of both cases and digits mixed, and long: made by a machine, not by a person.
local function random_looking(hide, found)
  local _, upper = found:gsub("%u", "")
  local _, lower = found:gsub("%l", "")
  local _, digits = found:gsub("%d", "")
  return upper > 2 and lower > 2 and digits > 2 and hide(found) or nil
end

-- Pattern, what to do, and a plain text that must be there: most strings have none of them, and
-- a plain search costs nothing. No pattern begins with a repetition, for a hostile text would
-- make those take the square of its length.
local FORMS = {
  { "(://[^%s/@:\"'<>]*:)([^%s/\"'<>]+)(@)", second, "://" },
  { "(://)([%w_%-%.~%%]+)(@)", function(hide, before, found, after)
    return #found >= 16 and before .. hide(found) .. after or nil
  end, "://" },
  { "(%f[%a][Bb]earer%s+)([%w%-%._~+/=]+)", function(hide, before, found)
    return #found >= 8 and before .. hide(found) or nil
  end, "earer" },
  { "(%f[%a]Basic%s+)([%w+/]+=*)", function(hide, before, found)
    return #found >= 8 and found:find "[%d=%u]" and before .. hide(found) or nil
  end, "Basic" },
}

-- A private key that is cut before its end goes to the end of the text.
local function hide_pem(text, hide)
  local out, done = {}, 1
  while true do
    local first, _, kind = text:find("%-%-%-%-%-BEGIN ([%u%d ]+)%-%-%-%-%-", done)
    if not first then break end
    local _, last = text:find("%-%-%-%-%-END [%u%d ]+%-%-%-%-%-", first)
    if not last and not kind:find "PRIVATE" then break end
    out[#out + 1] = text:sub(done, first - 1)
    out[#out + 1] = hide(text:sub(first, last or -1))
    done = (last or #text) + 1
  end
  out[#out + 1] = text:sub(done)
  return table.concat(out)
end

-- From each @ to both sides, as far as an address may reach.
local function hide_emails(text, hide, keep)
  local out, done, at = {}, 1, text:find("@", 1, true)
  while at do
    local mine = text:sub(math.max(done, at - 64), at - 1):reverse():match "^[%w%.!#$&*+_~%-]*%f[%W]" or ""
    local domain = text:sub(at + 1, at + 255):match "^%w[%w%-]*%.[%w%.%-]*%a"
    local address = domain and mine ~= "" and mine:reverse() .. "@" .. domain
    if address and not (keep and keep(address)) then
      out[#out + 1] = text:sub(done, at - #mine - 1)
      out[#out + 1] = hide(address, "email")
      done = at + #domain + 1
    end
    at = text:find("@", at + 1 + (address and #domain or 0), true)
  end
  out[#out + 1] = text:sub(done)
  return table.concat(out)
end

-- What stands between a name and its value: = or : or =>, or a comma in an Erlang tuple. Each
-- form may close the quotes of the name and opens those of the value.
local BETWEEN = { "^[\"'>]*%s*=>?%s*()", "^[\"'>]*%s*:%s*()", "^[\"'>]*%s*,%s*()" }

-- Where the value that begins at `at` has its text: first, last. Headers go to the end of the line.
local function extent(text, at, name)
  local quote = at
  if text:sub(at, at + 1) == "<<" then quote = at + 2 end
  local mark = text:sub(quote, quote):match "[\"']"
  if mark then
    local i = quote + 1
    while i <= #text do
      local c = text:sub(i, i)
      if c == mark then break end
      i = i + (c == "\\" and 2 or 1)
    end
    return quote + 1, math.min(i - 1, #text)
  end
  if name:find "cookie" or name:find "authorization" then
    local last = select(2, text:find("^[^\r\n\"'{}%[%]]+", at))
    return at, last
  end
  local last = select(2, text:find("^[^%s,;&\"'{}%[%]()<>|]+", at))
  return at, last
end

-- "secret:run/2" is a function of a module, not a secret.
local function is_call(text, from) return text:find("^[%l][%w_@]*[/(]", from) ~= nil end

local function value_after(text, stop, name, quoted)
  for i, between in ipairs(BETWEEN) do
    local _, _, at = text:find(between, stop)
    local comma = i == #BETWEEN
    -- A comma alone joins things in prose; in a term the name is quoted or the value is.
    if at and (not comma or quoted or text:find("^[\"'<]", at)) then
      if i == 2 and at == stop + 1 and is_call(text, at) then return end
      local first, last = extent(text, at, name)
      if last and last >= first and secrets.is_value(text:sub(first, last)) then return first, last end
      return
    end
  end
end

local function hide_named(text, hide)
  local out, done, at = {}, 1, 1
  while true do
    local start, stop = text:find("[%a_][%w_%-%.]*", at)
    if not start then break end
    at = stop + 1
    local name = text:sub(math.max(start, stop - 63), stop):lower()
    local before = text:sub(start - 1, start - 1)
    if before ~= "<" and secrets.names(name) then
      local first, last = value_after(text, stop + 1, name, before:find "[{\"']" ~= nil)
      if first then
        out[#out + 1] = text:sub(done, first - 1)
        out[#out + 1] = hide(text:sub(first, last))
        done, at = last + 1, last + 1
      end
    end
  end
  out[#out + 1] = text:sub(done)
  return table.concat(out)
end

local function hide_forms(text, hide)
  for _, form in ipairs(patterns.now.forms) do
    if text:find(form.begins, 1, true) then
      text = text:gsub(form.pattern, function(found) return #found >= form.least and hide(found) or nil end)
    end
  end
  for _, plain in ipairs(patterns.now.texts) do
    if text:find(plain.text, 1, true) then text = text:gsub(plain.pattern, function(found) return hide(found) end) end
  end
  return text
end

--- The text without its secrets.
---@param text string
---@param hide fun(secret: string, kind?: string): string   the name that stands for it
---@param keep? fun(text: string): boolean   what looks like an e-mail address and is a node's name
---@return string
function secrets.hide(text, hide, keep)
  if text:find("-----BEGIN", 1, true) then text = hide_pem(text, hide) end
  for _, form in ipairs(FORMS) do
    if text:find(form[3], 1, true) then
      text = text:gsub(form[1], function(...) return form[2](hide, ...) end)
    end
  end
  text = hide_forms(text, hide)
  if text:find "[=:,]" then text = hide_named(text, hide) end
  if text:find("@", 1, true) then text = hide_emails(text, hide, keep) end
  if #text < 32 then return text end
  return (text:gsub("%f[%w][%w+=]+", function(found) return #found >= 32 and random_looking(hide, found) or nil end))
end

return secrets
