--- Runs Erlang expressions in a real `erl` of their own, without distribution.

local erlang = {}

local function write(path, bytes)
  local file = assert(io.open(path, "wb"))
  file:write(bytes)
  file:close()
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local bytes = file:read "*a"
  file:close()
  return bytes
end

local EVAL = [[case file:script("program") of {ok, Out} -> ok = file:write_file("out", Out), halt(0);
  {error, Why} -> io:format("~p~n", [Why]), halt(1) end.]]

--- The program finds its input in the file "in" and ends with an iolist.
---@param program string   Erlang expressions
---@param input string?    bytes
---@return string output
function erlang.run(program, input)
  local folder = os.tmpname()
  assert(os.remove(folder))
  assert(os.execute("mkdir " .. folder) == 0)
  write(folder .. "/program", program)
  write(folder .. "/in", input or "")
  local pipe = io.popen(("cd %s && erl -noinput -noshell -eval '%s' 2>&1; echo $?"):format(folder, EVAL))
  local said = pipe:read "*a"
  pipe:close()
  local output = said:match "^0%s*$" and read(folder .. "/out")
  os.execute("rm -r " .. folder)
  return output or error("erl said: " .. said, 2)
end

--- A list of byte strings as one, each behind its length in four bytes, and back: what Erlang reads
--- with `<<N:32, B:N/binary>> <= In`.
---@param list string[]
---@return string
function erlang.frames(list)
  local out = {}
  for i, bytes in ipairs(list) do
    local n = #bytes
    out[i] = string.char(math.floor(n / 2 ^ 24), math.floor(n / 2 ^ 16) % 256, math.floor(n / 256) % 256, n % 256)
      .. bytes
  end
  return table.concat(out)
end

---@param frames string
---@return string[]
function erlang.unframe(frames)
  local list, at = {}, 1
  while at <= #frames do
    local a, b, c, d = frames:byte(at, at + 3)
    local n = ((a * 256 + b) * 256 + c) * 256 + d
    list[#list + 1] = frames:sub(at + 4, at + 3 + n)
    at = at + 4 + n
  end
  return list
end

return erlang
