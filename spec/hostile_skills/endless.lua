--- Files that never come to an end, or take all there is. `file` runs while it is loaded, `callback` when its
--- callback is called, `snapshot` and `suspect` when these are.

local STEPS = "ran for 20 million steps or 3 seconds without coming to an end"
local MEMORY = "takes more than 64 MiB of memory"
local SEARCH = "may .*search.* for ever"
local BYTES = "bytes, and 4194304 are the most"

local function at(line, why) return ("^hostile%%.lua:%d: .*%s"):format(line, why) end

return {
  { what = "loops while it is loaded", file = "\nwhile true do end", says = at(2, STEPS) },
  { what = "loops by goto", file = "::again:: goto again", says = at(1, STEPS) },
  { what = "loops by a tail call", file = "local function f() return f() end f()", says = at(1, STEPS) },
  { what = "loops to infinity", file = "for i = 1, 1 / 0 do local x = i end", says = at(1, STEPS) },
  { what = "loops inside a comparison",
    file = "table.sort({ 3, 2, 1 }, function() while true do end end)", says = at(1, STEPS) },
  { what = "loops inside a replacement",
    file = "('x'):gsub('.', function() repeat until false end)", says = at(1, STEPS) },
  { what = "loops in a callback", callback = "while true do end", says = at(1, STEPS) },
  { what = "loops in its snapshot", snapshot = "while true do end", says = at(1, STEPS) },
  { what = "loops in a check", suspect = "while true do end", says = at(1, STEPS) },
  { what = "calls itself without an end", file = "local function f() return 1 + f() end f()",
    says = "^hostile%.lua.*: stack overflow" },
  { what = "asks without an end", callback = "while true do node.ask 'now' end", says = at(1, STEPS) },
  { what = "sleeps for years", callback = "node.sleep(1e9)",
    says = "hostile sleeps longer than its callback may take" },

  { what = "doubles a text", file = "local s = 'x' while true do s = s .. s end", says = at(1, MEMORY) },
  { what = "doubles a text in a callback", callback = "local s = 'x' while true do s = s .. s end",
    says = at(1, MEMORY) },
  { what = "fills a table", file = "local t = {} for i = 1, 1e12 do t[i] = { ('x'):rep(1000):byte(1, 1000) } end",
    says = at(1, MEMORY) },
  { what = "keeps many texts", file = "local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(4e6) .. i end",
    says = at(1, MEMORY) },

  { what = "repeats a text a billion times", file = "local s = string.rep('x', 1e9)", says = at(1, BYTES) },
  { what = "repeats by a string's method", file = "local s = ('x'):rep(1e9)", says = at(1, BYTES) },
  { what = "repeats what stands between", file = "local s = ('x'):rep(1e6, ('y'):rep(1e6))", says = at(1, BYTES) },
  { what = "joins one text many times",
    file = "local s, t = ('x'):rep(4e6), {} for i = 1, 1e4 do t[i] = s end local u = table.concat(t)",
    says = at(1, BYTES) },
  { what = "joins with a long text between", file = "local u = table.concat({ 1, 2, 3 }, ('x'):rep(4e6))",
    says = at(1, BYTES) },
  { what = "formats one text many times",
    file = "local s = ('x'):rep(2e6) local u = ('%s%s%s'):format(s, s, s)", says = at(1, BYTES) },
  { what = "replaces by something long", file = "local u = ('x'):rep(1e4):gsub('.', ('y'):rep(1e4))",
    says = at(1, BYTES) },
  { what = "replaces by something long from a table",
    file = "local u = ('x'):rep(1e4):gsub('.', { x = ('y'):rep(1e4) })", says = at(1, BYTES) },
  { what = "replaces by something long from a function",
    file = "local y = ('y'):rep(1e4) local u = ('x'):rep(1e4):gsub('.', function() return y end)",
    says = at(1, BYTES) },
  { what = "replaces by what it found, again and again",
    file = "local u = ('x'):rep(3e4):gsub('.+', ('%0'):rep(1000))", says = at(1, BYTES) },

  { what = "searches for ever", file = "local s = ('a'):rep(1e4):find(('.-'):rep(8) .. 'b')", says = at(1, SEARCH) },
  { what = "matches for ever", file = "local s = string.match(('a'):rep(1e4), ('a*'):rep(8) .. 'b')",
    says = at(1, SEARCH) },
  { what = "matches for ever by what may be there or not",
    file = "local s = ('a'):rep(60):match(('a?'):rep(60) .. ('a'):rep(60))", says = at(1, SEARCH) },
  { what = "goes through matches for ever", file = "for s in ('a'):rep(1e5):gmatch '(.-)(.-)b' do end",
    says = at(1, SEARCH) },
  { what = "replaces for ever", file = "local s = ('a'):rep(1e5):gsub('.-.-b', '')", says = at(1, SEARCH) },
  { what = "puts everything in front", file = "local t = {} for i = 1, 1e9 do table.insert(t, 1, i) end",
    says = at(1, STEPS) },
  { what = "inserts far below the first", file = "table.insert({}, -2 ^ 31, 1)",
    says = at(1, "the place %-2147483648 is not from 1 to 1") },
  { what = "sorts again and again", file = "local t = {} for i = 1, 2e5 do t[i] = i % 977 end while true do "
    .. "table.sort(t) end", says = at(1, STEPS) },
  { what = "looks for one long text in another", file = "local s = ('a'):rep(4e6):find(('a'):rep(2e6) .. 'b', 1, true)",
    says = at(1, SEARCH) },
}
