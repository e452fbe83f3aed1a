-- `--report FILE.md`, by the real program on a real node: written beside the answer, of a run and of a kept one, and
-- what cannot be written is said before anybody looks.

local uv = require "luv"
local live = require "spec.support.live_node"
local program = require "spec.support.program"

describe("--report", function()
  local at, folder

  setup(function()
    at = live.start()
    folder = os.tmpname()
    os.remove(folder)
    assert(uv.fs_mkdir(folder, 448))
  end)

  teardown(function()
    live.stop_all()
    os.execute(("rm -r '%s'"):format(folder))
  end)

  local function run(...)
    return program.run({ ... }, { env = { HOME = at.home, ERL_EPMD_PORT = tostring(at.epmd_port),
      XDG_STATE_HOME = folder, BEAMLENS_SCRIPT = "spec/support/played_case.lua" } })
  end

  local function investigate(file, ...)
    return run("coordinator.lua", "--node", at.name, "--cookie-file", at.cookie_file, "--skills", "ets", "--provider",
      "script", "--quiet", "--report", file, ...)
  end

  local function text_of(path)
    local file = io.open(path)
    local text = file and file:read "*a"
    if file then file:close() end
    return text
  end

  local function write(path, text)
    local file = assert(io.open(path, "w"))
    file:write(text)
    file:close()
  end

  it("is written beside the answer, for nobody else to read", live.test(function()
    local path = folder .. "/a.md"
    local ran = investigate(path)
    assert.equal(1, ran.code, ran.stderr)
    assert.matches("^SICK  ", ran.stdout)
    assert.matches(("^# SICK `%s`, `tables`: `other`\n"):format(at.name:gsub("%p", "%%%0")), text_of(path))
    assert.equal(384, uv.fs_stat(path).mode % 512)
  end))

  it("replaces an older one, and leaves nothing else there", live.test(function()
    local path = folder .. "/b.md"
    write(path, "old")
    investigate(path, "--json")
    assert.matches("^# SICK ", text_of(path))
    local beside = io.popen(("ls '%s' | grep -c '^b.md'"):format(folder))
    assert.equal("1", beside:read "*l")
    beside:close()
  end))

  it("is of a kept run too, and says the same", live.test(function()
    local path, again = folder .. "/c.md", folder .. "/again.md"
    investigate(path)
    assert.equal(0, run("show", "last", "--report", again).code)
    assert.equal(text_of(path), text_of(again))
  end))

  local REFUSED = {
    { "a name that is no Markdown's", "handoff.txt",
      "--report wants the name of a Markdown file, not FOLDER/handoff.txt; let it end in .md" },
    { "a folder that is not there", "no/where.md",
      "FOLDER/no/where.md cannot be written: there is no folder FOLDER/no; make the folder first" },
    { "a folder", "folder.md", "FOLDER/folder.md is a folder; name a file in it" },
    { "a name that is too long", ("a"):rep(245) .. ".md",
      ("FOLDER/%s.md cannot be written: ENAMETOOLONG: name too long; name another file"):format(("a"):rep(245)) },
    { "a link", "link.md", "FOLDER/link.md is a link, so it is not replaced; name a file" },
  }
  for _, case in ipairs(REFUSED) do
    it("is refused before anybody looks: " .. case[1], live.test(function()
      uv.fs_mkdir(folder .. "/folder.md", 448)
      uv.fs_symlink("a.md", folder .. "/link.md")
      local ran = run("coordinator.lua", "--node", "nobody@127.0.0.1", "--report", folder .. "/" .. case[2])
      assert.same({ 2, "beamlens-run: " .. case[3]:gsub("FOLDER", folder) .. "\n" }, { ran.code, ran.stderr })
    end))
  end

  it("is an error of a script that returns none", live.test(function()
    write(folder .. "/none.lua", "return 0")
    local ran = run(folder .. "/none.lua", "--report", folder .. "/d.md")
    assert.equal(2, ran.code)
    assert.matches("returned no report, so .*/d.md was not written; return what coordinator.run gives", ran.stderr)
  end))

  it("is no option of other commands", live.test(function()
    local ran = run("runs", "--report", folder .. "/e.md")
    assert.same({ 2, "beamlens-run: --report is an option of scripts and show; see `beamlens-run help script`\n" },
      { ran.code, ran.stderr })
  end))
end)
