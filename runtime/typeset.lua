--- Markdown of ours, or of the user's own files, as text for a terminal: headings, paragraphs, lists, tables, code.
--- Code is never wrapped, for it is copied. What a file has of control characters is shown, not sent.

local plain = require "runtime.plain"

local typeset = {}

local INDENT, CODE_INDENT, GAP, NAME_COLUMN, NARROWEST = 2, 4, 2, 20, 4
local BOLD, CODE, FAINT, NONE = "\27[1m", "\27[36m", "\27[2m", "\27[0m"
local LABELS = { erlang = "Erlang", elixir = "Elixir" }
local GLUE = "\1" -- a space inside code, which does not break while it is moved about; plain() leaves none in a text

local Page = {}
Page.__index = Page

function Page:paint(text, color) return self.color and color .. text .. NONE or text end

-- In columns, as far as one character is one; the ticks of code are not there where it has a colour.
function Page:wide(text)
  local _, n = (self.color and text:gsub("`", "") or text):gsub("[^\128-\191]", "")
  return n
end

-- How many bytes the first characters of a text have.
local function bytes_of(text, characters)
  local at = 0
  for _ = 1, characters do at = select(2, text:find("^.[\128-\191]*", at + 1)) or at end
  return at
end

-- Where a long word is broken: behind a comma or a space of code, else behind another mark, where one stands near the
-- end.
local MARKS = { "[,\1]", "[%(%.:/=|_]" }

local function break_of(text)
  for _, marks in ipairs(MARKS) do
    local at = text:match(".*()" .. marks)
    if at and at > #text / 2 then return at end
  end
  return #text
end

-- A word that is longer than the line, in pieces that fit.
function Page:pieces(word, width)
  local list = {}
  while self:wide(word) > width do
    local at = break_of(word:sub(1, bytes_of(word, width)))
    list[#list + 1], word = word:sub(1, at), word:sub(at + 1)
  end
  list[#list + 1] = word
  return list
end

-- The lines of one paragraph, not yet painted. In the narrowest of places a few letters stand in each: text goes over
-- the edge there, and is not lost.
function Page:wrapped(text, width)
  width = math.max(width, NARROWEST)
  text = text:gsub("`[^`]*`", function(code)
    return self:wide(code) <= width and code:gsub(" ", GLUE) or code
  end)
  local lines, line = {}, nil
  for word in text:gmatch "[^ ]+" do
    for _, piece in ipairs(self:pieces(word, width)) do
      if line and self:wide(line) + 1 + self:wide(piece) <= width then
        line = line .. " " .. piece
      else
        lines[#lines + 1], line = line, piece
      end
    end
  end
  lines[#lines + 1] = line
  for i, l in ipairs(lines) do lines[i] = l:gsub(GLUE, " ") end
  return lines
end

-- Code in its colour, also where it goes on in the next line.
function Page:painted(lines)
  if not self.color then return lines end
  local inside, out = false, {}
  for i, line in ipairs(lines) do
    local text = (inside and CODE or "") .. line:gsub("`", function()
      inside = not inside
      return inside and CODE or NONE
    end)
    out[i] = text .. (inside and NONE or "")
  end
  return out
end

function Page:put(line) self.lines[#self.lines + 1] = line end

function Page:gap()
  if #self.lines > 0 and self.lines[#self.lines] ~= "" then self:put "" end
end

function Page:hang(head, text)
  local column = #head
  for i, line in ipairs(self:painted(self:wrapped(text, self.width - column))) do
    self:put((i == 1 and head or (" "):rep(column)) .. line)
  end
end

local draw = {}

function draw.heading(page, block)
  page:gap()
  page:put(page:paint(block.text, BOLD))
  page.title = block.text
end

function draw.paragraph(page, block)
  page:gap()
  page:hang((" "):rep(INDENT), block.text)
end

-- Items stand together; the first of them has a gap before it.
function draw.item(page, block)
  if page.last ~= "item" then page:gap() end
  page:hang((" "):rep(INDENT + block.indent) .. block.mark .. " ", block.text)
end

function draw.code(page, block)
  page:gap()
  local label = LABELS[block.language]
  if label and label ~= page.title then page:put((" "):rep(INDENT) .. page:paint(label, FAINT)) end
  for _, line in ipairs(block.lines) do
    page:put(line == "" and "" or (" "):rep(CODE_INDENT) .. page:paint(line, CODE))
  end
end

-- Columns as wide as they want to be. Where that is too much each keeps what cannot be broken, and those that want
-- little give the others the rest. Nothing where even that does not fit: then a row is easier to read as lines.
local function column_widths(wanted, least, room)
  local widths, open, rest = {}, #wanted, room
  for _, w in ipairs(least) do rest = rest - w end
  if rest < 0 then return nil end
  repeat
    local share, took = math.floor(rest / math.max(open, 1)), false
    for k, w in ipairs(wanted) do
      if not widths[k] and w - least[k] <= share then
        widths[k], rest, open, took = w, rest - (w - least[k]), open - 1, true
      end
    end
  until not took
  for k in ipairs(wanted) do widths[k] = widths[k] or least[k] + math.floor(rest / open) end
  return widths
end

-- The widest of what is not broken: a word, or code with its spaces.
function Page:unbroken(text)
  local widest = 0
  for word in text:gsub("`[^`]*`", function(code) return (code:gsub(" ", GLUE)) end):gmatch "[^ ]+" do
    widest = math.max(widest, self:wide(word))
  end
  return widest
end

-- The second cell of two needs no name: it stands below the first.
local function stacked(page, block)
  page:gap()
  for i, row in ipairs(block.rows) do
    if i > 1 and #block.head > 2 then page:gap() end
    page:hang((" "):rep(INDENT), row[1])
    for k = 2, #row do
      page:hang((" "):rep(2 * INDENT), (#block.head > 2 and block.head[k] .. ": " or "") .. row[k])
    end
  end
end

-- One row: its cells side by side, each in as many lines as it needs.
local function draw_row(page, cells, widths, color)
  for i = 1, cells.tall do
    local line = (" "):rep(INDENT)
    for k, w in ipairs(widths) do
      local shown = cells[k].shown[i] or ""
      local pad = k < #widths and (" "):rep(w - page:wide(cells[k].raw[i] or "") + GAP) or ""
      line = line .. (color and page:paint(shown, color) or shown) .. pad
    end
    page:put((line:gsub("%s+$", "")))
  end
end

local function laid_out(page, row, widths)
  local cells = { tall = 1 }
  for k, w in ipairs(widths) do
    local raw = page:wrapped(row[k] or "", w)
    cells[k] = { raw = raw, shown = page:painted(raw) }
    cells.tall = math.max(cells.tall, #raw)
  end
  return cells
end

function draw.grid(page, block)
  local wanted, least = {}, {}
  for k in ipairs(block.head) do wanted[k], least[k] = 1, 1 end
  for _, row in ipairs { block.head, unpack(block.rows) } do
    for k in ipairs(wanted) do
      wanted[k] = math.max(wanted[k], page:wide(row[k] or ""))
      least[k] = math.max(least[k], page:unbroken(row[k] or ""))
    end
  end
  local widths = column_widths(wanted, least, page.width - INDENT - GAP * (#wanted - 1))
  if not widths then return stacked(page, block) end
  local rows, tall, rule = {}, false, {}
  for i, row in ipairs(block.rows) do
    rows[i] = laid_out(page, row, widths)
    tall = tall or rows[i].tall > 1
  end
  for k, w in ipairs(widths) do rule[k] = ("-"):rep(w) end
  page:gap()
  draw_row(page, laid_out(page, block.head, widths), widths, BOLD)
  page:put((" "):rep(INDENT) .. table.concat(rule, (" "):rep(GAP)))
  for i, row in ipairs(rows) do
    if tall and i > 1 then page:put "" end
    draw_row(page, row, widths)
  end
end

local function cells_of(line)
  local cells = {}
  for cell in (line:gsub("\\|", "\2"):gsub("^%s*|", ""):gsub("|%s*$", "") .. "|"):gmatch "(.-)|" do
    cells[#cells + 1] = cell:gsub("\2", "|"):match "^%s*(.-)%s*$"
  end
  return cells
end

-- Text that goes on in the next line belongs to the block before.
local function joined(blocks, line)
  local last = blocks[#blocks]
  if last and last.open then
    last.text = last.text .. " " .. line:match "^%s*(.-)%s*$"
    return true
  end
end

local function blocks_of(text)
  local blocks, fence = {}, nil
  for line in (plain.lines(text) .. "\n"):gmatch "(.-)\n" do
    local language = line:match "^%s*```(%w*)"
    local level, title = line:match "^(#+) +(.+)$"
    local indent, mark, rest = line:match "^( *)(%-) +(.+)$"
    if not indent then indent, mark, rest = line:match "^( *)(%d+%.) +(.+)$" end
    local last = blocks[#blocks]
    if fence then
      if language then fence = nil else fence.lines[#fence.lines + 1] = line end
    elseif language then
      fence = { kind = "code", language = language, lines = {} }
      blocks[#blocks + 1] = fence
    elseif line:find "^%s*$" then
      if last then last.open = false end
      blocks.parted = true
    elseif level then
      blocks[#blocks + 1] = { kind = "heading", text = title }
    elseif line:find "^|" then
      if last and last.kind == "grid" and not blocks.parted then
        if not line:find "^|[%s%-:|]+$" then last.rows[#last.rows + 1] = cells_of(line) end
      else
        blocks[#blocks + 1] = { kind = "grid", head = cells_of(line), rows = {} }
      end
    elseif mark then
      blocks[#blocks + 1] = { kind = "item", indent = #indent, mark = mark, text = rest, open = true }
    elseif not joined(blocks, line) then
      blocks[#blocks + 1] = { kind = "paragraph", text = line:match "^%s*(.-)%s*$", open = true }
    end
    if not line:find "^%s*$" then blocks.parted = false end
  end
  return blocks
end

--- Names with what is said of each beside it, as a list of commands has them.
---@param list string[][]   name, text; the texts of several lists stand below each other
---@param out { width: integer, color?: boolean }
---@return string
function typeset.entries(list, out)
  local page, column = setmetatable({ lines = {}, width = out.width, color = out.color }, Page), NAME_COLUMN
  for _, entry in ipairs(list) do column = math.max(column, #entry[1]) end
  for _, entry in ipairs(list) do
    local lines = page:painted(page:wrapped(plain.text(entry[2]), out.width - INDENT - column - GAP))
    for i, line in ipairs(lines) do
      local name = i == 1 and entry[1] or ""
      page:put((" "):rep(INDENT) .. page:paint(name, CODE) .. (" "):rep(column - #name + GAP) .. line)
    end
  end
  return table.concat(page.lines, "\n") .. "\n"
end

--- The whole text, its last line ended.
---@param markdown string
---@param out { width: integer, color?: boolean }
---@return string
function typeset.text(markdown, out)
  local page = setmetatable({ lines = {}, width = out.width, color = out.color }, Page)
  for _, block in ipairs(blocks_of(markdown)) do
    draw[block.kind](page, block)
    page.last = block.kind
  end
  return table.concat(page.lines, "\n") .. "\n"
end

return typeset
