local aws_credentials = require "runtime.llm.aws_credentials"
local uv = require "luv"

local INI = [[
[default]
aws_access_key_id = AKIDDEFAULT
aws_secret_access_key=default-Secret

# [shop] is another one
[ shop ]
aws_access_key_id=AKIDSHOP
aws_secret_access_key = shop-Secret
aws_session_token = shop-token

[sso]
sso_session = ours
]]

describe("the credentials for AWS", function()
  local home

  setup(function()
    home = assert(uv.fs_mkdtemp("/tmp/beamlens-spec-XXXXXX"))
    assert(uv.fs_mkdir(home .. "/.aws", 448))
    local file = assert(io.open(home .. "/.aws/credentials", "w"))
    file:write(INI)
    file:close()
  end)

  before_each(function() assert(uv.fs_chmod(home .. "/.aws/credentials", 384)) end)

  teardown(function()
    os.remove(home .. "/.aws/credentials")
    uv.fs_rmdir(home .. "/.aws")
    uv.fs_rmdir(home)
  end)

  local function find(env, profile)
    env.HOME = env.HOME or home
    return aws_credentials.find(function(name) return env[name] end, profile)
  end

  local VARIABLES = { AWS_ACCESS_KEY_ID = "AKIDENV", AWS_SECRET_ACCESS_KEY = "env-Secret", AWS_SESSION_TOKEN = "t" }

  it("are the variables, where there are some", function()
    assert.same({ key_id = "AKIDENV", secret = "env-Secret", token = "t", from = "AWS_ACCESS_KEY_ID" }, find(VARIABLES))
  end)

  it("are a profile, where one is named or there are no variables", function()
    assert.same({ key_id = "AKIDSHOP", secret = "shop-Secret", token = "shop-token",
      from = home .. "/.aws/credentials" }, find(VARIABLES, "shop"))
    assert.equal("AKIDDEFAULT", find({}).key_id)
    assert.equal("AKIDDEFAULT", find({ HOME = "/nowhere",
      AWS_SHARED_CREDENTIALS_FILE = home .. "/.aws/credentials" }).key_id)
  end)

  it("are told in a sentence when they are missing, or others may read them", function()
    local path = home .. "/.aws/credentials"
    local function complaint(env, profile)
      local found, err = find(env, profile)
      assert.is_nil(found)
      assert.is_nil(tostring(err):find("Secret", 1, true))
      return tostring(err)
    end
    assert.equal("there are no credentials for AWS; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile "
      .. "of ~/.aws/credentials", complaint { HOME = "/nowhere" })
    assert.equal(path .. " has no profile shp; check options.profile or AWS_PROFILE", complaint({}, "shp"))
    assert.equal(path .. " has no profile <key>; check options.profile or AWS_PROFILE",
      complaint({}, "sk-ant-Very-Secret-0123"))
    assert.equal(("profile sso of %s has no key; take what `aws configure export-credentials --format env` says into "
      .. "the environment"):format(path), complaint({}, "sso"))
    assert.equal("the credentials for AWS hold a sign that none has; copy them once more",
      complaint { AWS_ACCESS_KEY_ID = "AKID\nx", AWS_SECRET_ACCESS_KEY = "Secret" })
    assert(uv.fs_chmod(path, tonumber("644", 8)))
    assert.equal(("%s may be read by others, so it is not used; chmod go-r %s"):format(path, path), complaint {})
  end)
end)
