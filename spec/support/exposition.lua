--- Reads Prometheus' text format (exposition format 0.0.4) as strictly as `promtool check metrics`: names,
--- help and type before the samples and once, counters that end in _total, no series twice.

local exposition = {}

local NAME, LABEL = "^[%a_:][%w_:]*$", "^[%a_][%w_]*$"

local function labels_of(text, line)
  local labels, rest = {}, text
  while rest ~= "" do
    local name, value, more = rest:match '^([^=]+)="(.-)"(.*)$'
    while value and value:match "\\*$" and #value:match "\\*$" % 2 == 1 do -- the quote was escaped
      local longer, after = more:match '^(.-)"(.*)$'
      assert(longer, "no end of a label: " .. line)
      value, more = value .. '"' .. longer, after
    end
    assert(name and name:match(LABEL), "no label: " .. line)
    assert(not value:gsub('\\[\\n"]', ""):find "[\\\n]", "a label is not escaped: " .. line)
    assert(labels[name] == nil, "a label twice: " .. line)
    labels[name] = value:gsub("\\(.)", { n = "\n", ["\\"] = "\\", ['"'] = '"' })
    rest = more == "" and "" or assert(more:match "^,(.+)$", "no comma: " .. line)
  end
  return labels
end

---@param text string
---@return table<string, { type: string, help: string, samples: { labels: table, value: number }[] }>
function exposition.read(text)
  assert(text == "" or text:sub(-1) == "\n", "no line end at the end")
  local families, seen, current = {}, {}, nil
  for line in text:gmatch "([^\n]*)\n" do
    local kind, name, rest = line:match "^# (%u+) (%S+) (.+)$"
    if kind == "HELP" then
      assert(not families[name], "help twice: " .. line)
      assert(name:match(NAME), "no name: " .. line)
      current = { help = rest, samples = {} }
      families[name] = current
    elseif kind == "TYPE" then
      assert(families[name] == current and not current.type and #current.samples == 0, "a type out of place: " .. line)
      assert(rest == "counter" or rest == "gauge", "no type: " .. line)
      assert((rest == "counter") == (name:match "_total$" ~= nil), "the name does not suit the type: " .. line)
      current.type = rest
    else
      local sample, tail = line:match "^([%w_:]+)(.*)$"
      assert(sample and families[sample] == current and current.type, "a sample out of place: " .. line)
      local labels, value = tail:match "^{(.+)} (%S+)$"
      if not labels then labels, value = "", assert(tail:match "^ (%S+)$", "no value: " .. line) end
      assert(tonumber(value) or value == "NaN" or value == "+Inf" or value == "-Inf", "no number: " .. line)
      local key = sample .. labels
      assert(not seen[key], "a series twice: " .. line)
      seen[key] = true
      current.samples[#current.samples + 1] = { labels = labels_of(labels, line), value = tonumber(value) }
    end
  end
  return families
end

return exposition
