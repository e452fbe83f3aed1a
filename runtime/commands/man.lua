--- `man`: the man page, as `make install` puts it in its place.

local json = require "runtime.json"
local man_page = require "runtime.man_page"

local command = {
  usage = "man",
  words = 0,
  doc = "the man page, for `man -l -`",
  examples = {
    { "beamlens-run man | man -l -", "read it" },
    { "beamlens-run man > beamlens-run.1", "keep it" },
  },
  more = "`make install` puts it where `man beamlens-run` finds it.",
}

function command.run(c)
  local text = man_page.text()
  return c.options.json and json.encode { schema = 1, roff = text } .. "\n" or text, 0
end

return command
