--- `top`: the largest processes of a node, live at a terminal; elsewhere one table, and it ends.

local uv = require "luv"
local async = require "runtime.async"
local cells = require "runtime.cells"
local failure = require "runtime.failure"
local header = require "runtime.top.header"
local json = require "runtime.json"
local look = require "runtime.top.look"
local rows = require "runtime.top.rows"
local screen = require "runtime.screen"

local top = {
  usage = "top",
  words = 0,
  doc = "the largest processes, live",
  examples = {
    { "beamlens-run top --node shop@host", "live, at a terminal" },
    { "beamlens-run top --node shop@host --sort mailbox --every 5", "by the longest mailbox, every 5 s" },
    { "beamlens-run top --node shop@host --sort reductions --json", "one look as an object, for a script" },
  },
  more = [[
At a terminal it stays: m, b, r, i sort by memory, mailbox, reductions and binary memory; Enter looks into the
process that is marked (stack, links, monitors, heap), Esc goes back; p pauses, + and - change the pace, ? helps, q
leaves. Where stdin or stdout is no terminal, and with --json or --no-input, it looks once, prints a table of 20 and
ends.

It looks every 2 s, or as often as --every says, and never so often that it takes more than 5 % of a scheduler of
the node or 5 % of a core here: what a look costs and the interval that follows stand above the table. Of very many
processes each look is at a part, another each time; that stands there, too.

Reductions are a rate: those of the second, or less, that each look takes.
]],
}

local ROWS, ONCE_MS = 20, 1000
local USUAL_S = 2
local INTERRUPTED = 130

-- Once there is nobody to wait for the next one, all processes are looked at, at whatever that costs once.
local function once(node, sort)
  return look.at(node, { sort = sort, limit = ROWS, most = 1e8, count = 1, window_ms = ONCE_MS })
end

local function text_of(node, seen)
  local width = screen.out().width or 120
  local lines = header.lines(node.name, seen, nil, width, cells.is_utf8())
  lines[#lines + 1] = ""
  lines[#lines + 1] = rows.head(seen.sort, width)
  for _, row in ipairs(seen.rows) do lines[#lines + 1] = rows.line(row, seen.sort, width, cells.is_utf8()) end
  for i, line in ipairs(lines) do lines[i] = line:gsub("%s+$", "") end
  return table.concat(lines, "\n") .. "\n"
end

local function json_of(node, seen)
  local list = {}
  for i, row in ipairs(seen.rows) do
    list[i] = row
    row.id = nil
  end
  return json.encode { schema = 1, node = node.name, sort = seen.sort, seconds = seen.window_s, figures = seen.figures,
    total = seen.walked, showing = #list, processes = list,
    cost = { ms = seen.took_s * 1000, reductions = seen.reductions } } .. "\n"
end

local function is_live(options)
  return not options.json and not options.no_input and uv.guess_handle(0) == "tty" and uv.guess_handle(1) == "tty"
    and os.getenv "TERM" ~= "dumb"
end

local function run(node, options)
  if is_live(options) then
    local color = not options.no_color and not os.getenv "NO_COLOR"
    local o = { sort = options.sort, every = options.every or USUAL_S, color = color }
    local left, err = require("runtime.top.live").run(node, o)
    if not left then return nil, err end
    return "", async.current().cancelled and INTERRUPTED or 0
  end
  node.deadline = async.now() + options.deadline
  local seen, err = once(node, options.sort)
  if not seen then return nil, failure.of(err, "query", 4) end
  return options.json and json_of(node, seen) or text_of(node, seen), 0
end

function top.run(call)
  local beamlens = require "runtime.beamlens"
  beamlens.options = call.options
  local node, err = beamlens.connect()
  if not node then return nil, err end
  local text, code = run(node, call.options)
  beamlens.close()
  return text, code
end

return top
