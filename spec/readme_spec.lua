-- The README is read by somebody who is tired: its form. What it shows is run by first_user_spec.

local readme = require "spec.support.readme"

local LONGEST, MOST_ENTRIES = 500, 10

-- Its prose: paragraphs, items and rows, without blocks of code.
local function prose(text)
  local list = {}
  for block in (text:gsub("```.-```", "") .. "\n\n"):gmatch "(.-)\n\n+" do
    local rows = block:find "^[|%-]" or block:find "^%d+%. "
    if not block:find "^    " then
      for item in block:gmatch(rows and "[^\n]+" or ".+") do list[#list + 1] = item end
    end
  end
  return list
end

-- As the page that shows it names a heading.
local function anchors(text)
  local set = {}
  for heading in ("\n" .. text:gsub("```.-```", "")):gmatch "\n#+ ([^\n]+)" do
    set[heading:lower():gsub("[^%w%- ]", ""):gsub(" ", "-")] = true
  end
  return set
end

describe("the README", function()
  local text = readme.text()

  it("tells paragraphs from rows and from code", function()
    assert.same({ "# One", "two\nthree", "- four", "- five", "| six |" },
      prose "# One\n\ntwo\nthree\n\n    code\n\n- four\n- five\n\n```\ncode\n```\n\n| six |\n")
  end)

  it("has no wall of text", function()
    local walls = {}
    for _, item in ipairs(prose(text)) do if #item > LONGEST then walls[#walls + 1] = item end end
    assert.same({}, walls)
  end)

  it("leads to headings that it has", function()
    local there, missing = anchors(text), {}
    for anchor in text:gmatch "%]%(#([^)]+)%)" do
      if not there[anchor] then missing[#missing + 1] = anchor end
    end
    assert.same({}, missing)
  end)

  it("has contents of a few lines", function()
    local contents = assert(text:match "\n## Contents\n(.-)\n## ")
    local entries = select(2, contents:gsub("\n%d+%. %[", ""))
    assert.is_true(entries > 0 and entries <= MOST_ENTRIES, entries .. " entries")
  end)
end)
