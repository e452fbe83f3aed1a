-- Bytes of a terminal as keys.

local keys = require "runtime.top.keys"

local function read(bytes)
  local names, rest = keys.read(bytes)
  return table.concat(names, " "), rest
end

describe("keys", function()
  for bytes, names in pairs {
    ["mbq?"] = "m b q ?", ["\27[A\27[B"] = "up down", ["\27OA\27OB"] = "up down",
    ["\27[5~\27[6~"] = "page_up page_down",
    ["\27[H\27[F\27[1~\27[4~"] = "home end home end", ["\r\n"] = "enter enter", [" \127\8"] = "space back back",
    ["\3\26\12"] = "ctrl-c ctrl-z ctrl-l", ["\27x"] = "esc x", ["\27\27[A"] = "esc up", ["\27[1;5A"] = "up",
    ["\27[15~j"] = "j", [""] = "",
  } do
    it(("%q are %s"):format(bytes, names == "" and "none" or names), function()
      assert.same({ names, "" }, { read(bytes) })
    end)
  end

  for _, begun in ipairs { "\27", "\27[", "\27O", "\27[5", "\27[1;" } do
    it(("%q has only begun"):format(begun), function()
      assert.same({ "j", begun }, { read("j" .. begun) })
    end)
  end
end)
