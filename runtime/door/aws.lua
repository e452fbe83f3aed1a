--- The aws program: asked for JSON, never paging, never prompting, each question bounded in time. Who we are there is
--- its own business: no key passes through us.

local uv = require "luv"
local async = require "runtime.async"
local json = require "runtime.json"
local reached_by = require "runtime.reached_by"
local step = require "runtime.door.step"

local aws = {}

local LONGEST_S = 30 -- of one question: a slow login server has been seen to take ten
local LONGEST_LOGIN_S = 300 -- a person goes through a browser
local MOST = 8 * 1024 * 1024

---@class Aws
---@field profile? string   else AWS_PROFILE, as the program itself reads it
---@field region? string    else AWS_REGION, else the profile's

-- Of the words the last wins, so these cannot be overridden by what is in the environment.
local QUIET = { AWS_PAGER = "", AWS_CLI_AUTO_PROMPT = "off" }

--- What is called for these words.
---@param of Aws
---@param words string[]
---@return string[]
function aws.words(of, words)
  local argv = { "env" }
  for name, value in pairs(QUIET) do argv[#argv + 1] = name .. "=" .. value end
  argv[#argv + 1] = "aws"
  for _, word in ipairs(words) do argv[#argv + 1] = word end
  for _, option in ipairs { "profile", "region" } do
    if of[option] then
      argv[#argv + 1] = "--" .. option
      argv[#argv + 1] = of[option]
    end
  end
  return argv
end

--- How a person logs in, as sh takes it.
---@param of Aws
---@return string
function aws.login_line(of)
  local profile = of.profile or os.getenv "AWS_PROFILE"
  return "aws sso login" .. (profile and " --profile " .. reached_by.word(profile) or "")
end

local function reader(pipe, parts, wake)
  local size = 0
  pipe:read_start(function(_, bytes)
    if not bytes then
      pipe:close()
      return wake()
    end
    size = size + #bytes
    if size <= MOST then parts[#parts + 1] = bytes end
  end)
end

-- Runs it to its end; nil when it did not come to one.
local function run(argv, stdio, seconds, detached)
  local out, err = {}, {}
  local pipes = not stdio and { uv.new_pipe(false), uv.new_pipe(false) } or {}
  local process, code, why
  why = select(2, async.await(function(resume)
    local function done()
      if code and not (pipes[1] and not (pipes[1]:is_closing() and pipes[2]:is_closing())) then resume(true) end
    end
    local pid
    process, pid = uv.spawn(argv[1], {
      args = { unpack(argv, 2) }, stdio = stdio or { nil, pipes[1], pipes[2] }, detached = detached,
    }, function(c)
      code = c
      process:close()
      done()
    end)
    if not process then return resume(nil, pid) end
    if not stdio then
      reader(pipes[1], out, done)
      reader(pipes[2], err, done)
    end
    return function()
      if not code then uv.kill(detached and -pid or pid, "sigterm") end
    end
  end, async.now() + seconds))
  if why then
    for _, pipe in ipairs(pipes) do if not pipe:is_closing() then pipe:close() end end
    return nil, tostring(why)
  end
  return code, table.concat(out), table.concat(err)
end

--- Asks it something.
---@param of Aws
---@param words string[]   { "ecs", "list-clusters" }
---@param what string      is asked for, in words: "the clusters"
---@return table? answer
---@return string? said    what it said instead; "timeout" after half a minute
function aws.json(of, words, what)
  local argv = aws.words(of, words)
  argv[#argv + 1] = "--output"
  argv[#argv + 1] = "json"
  local code, out, err = step("asking aws for " .. what, run, argv, nil, LONGEST_S, true)
  if not code then return nil, out end
  if code ~= 0 then return nil, err ~= "" and err or ("aws ended with %d without a word"):format(code) end
  local answer = json.decode(out)
  if type(answer) ~= "table" then return nil, "aws answered no JSON: " .. out:sub(1, 120) end
  return answer
end

--- The region that questions go to, as far as it is set anywhere.
---@param of Aws
---@return string   "the region that is set here" where nobody says which
function aws.region(of)
  local set = of.region or os.getenv "AWS_REGION" or os.getenv "AWS_DEFAULT_REGION"
  if set then return set end
  local code, out = run(aws.words(of, { "configure", "get", "region" }), nil, LONGEST_S, true)
  return code == 0 and out:match "^([%w-]+)" or "the region that is set here"
end

--- Has the person log in, on their own terminal; what it prints there is talk.
---@param of Aws
---@return boolean
function aws.login(of) return run(aws.words(of, { "sso", "login" }), { 0, 2, 2 }, LONGEST_LOGIN_S) == 0 end

return aws
