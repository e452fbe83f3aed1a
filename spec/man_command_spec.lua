-- The man page, read by the programs that show it, and where `make install` puts it.

local uv = require "luv"
local async = require "runtime.async"
local config = require "runtime.config"
local json = require "runtime.json"
local program = require "spec.support.program"

local folder, page

local function shell(line)
  return async.run(function()
    return program.run({ "-c", line }, { path = "/bin/sh", env = { LC_ALL = "C.UTF-8", PAGE = page, FOLDER = folder,
      PROGRAM = program.path, MANWIDTH = "400" } })
  end)
end

local function shown() return shell('man -l "$PAGE" | col -b').stdout end

describe("man", function()
  setup(function()
    folder = assert(uv.fs_mkdtemp "/tmp/spec-man-XXXXXX")
    page = folder .. "/beamlens-run.1"
    shell '"$PROGRAM" man > "$PAGE"'
  end)
  teardown(function() os.execute(("rm -rf '%s'"):format(folder)) end)

  it("is a page that no program warns of", function()
    local man = shell 'man --warnings -l "$PAGE" > /dev/null'
    assert.same({ 0, "" }, { man.code, man.stderr })
    local groff = shell 'groff -man -ww -z -Tutf8 "$PAGE"'
    assert.same({ 0, "", "" }, { groff.code, groff.stdout, groff.stderr })
  end)

  it("has every command with its examples, and every option of the command line", function()
    local text = shown():gsub("%s+", " ")
    for _, name in ipairs(json.decode(shell('"$PROGRAM" help --json').stdout).commands) do
      local command = require("runtime.commands." .. name)
      assert.is_truthy(text:find(command.usage, 1, true), name)
      for _, example in ipairs(command.examples) do assert.is_truthy(text:find(example[1], 1, true), example[1]) end
    end
    for _, option in ipairs(config.OPTIONS) do
      local flag = "--" .. option.name:gsub("_", "-")
      assert.equal(not option.file_only, text:find(flag .. " ", 1, true) ~= nil, flag)
    end
  end)

  it("shows quotes, hyphens and other signs as they are typed", function()
    assert.matches("beamlens-run eval 'erlang:memory(total)' --node shop@host\n", shown(), 1, true)
    assert.matches("~/.config/beamlens/config.lua", shown(), 1, true)
    assert.matches("BEAMLENS_...", shown(), 1, true)
    local roff = assert(io.open(page)):read "*a" -- Debian's own settings forgive what others show as a hyphen
    assert.is_nil(roff:find "[^\\]%-")
    assert.is_nil(roff:find "[\128-\255]")
  end)

  it("is installed, with the completions, below the folder that is asked for", function()
    local made = shell 'make -s -o all install DESTDIR="$FOLDER" PREFIX=/usr PROGRAM="${PROGRAM##*/}"'
    assert.equal(0, made.code, made.stderr)
    local found = shell 'cd "$FOLDER/usr" && find . -type f | sort'
    assert.equal(table.concat({ "./bin/beamlens-run", "./share/bash-completion/completions/beamlens-run",
      "./share/fish/vendor_completions.d/beamlens-run.fish", "./share/man/man1/beamlens-run.1",
      "./share/zsh/site-functions/_beamlens-run", "" }, "\n"), found.stdout)
  end)
end)
