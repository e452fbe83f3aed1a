-- The configuration for Alertmanager, by its documented routing: an alert goes to the first child that matches it,
-- and on to the children below where that one says `continue`; to the root only where no child matched.

local function routes_of(path)
  local children, child, root = {}, nil, nil
  for line in io.lines(path) do
    if line:match "^receivers:" then break end
    root = line:match "^  receiver: (%w+)" or root
    if line:match "^    %- " then
      child = {}
      children[#children + 1] = child
    end
    local key, value = line:match "^    [ %-] (%w+): *([^#]-) *$"
    if not key then key, value = line:match "^    [ %-] (%w+): *(.-) +#" end
    if child and key then child[key] = value end
  end
  return children, root
end

local function receivers(children, root, is_beam)
  local names = {}
  for _, child in ipairs(children) do
    if is_beam or not child.matchers then
      names[#names + 1] = child.receiver
      if child.continue ~= "true" then break end
    end
  end
  return #names > 0 and names or { root }
end

describe("examples/alertmanager.yml", function()
  local children, root = routes_of "examples/alertmanager.yml"

  it("hands an alert of a BEAM to beamlens-run, and to the people beside it", function()
    assert.same({ "beamlens", "people" }, receivers(children, root, true))
  end)

  it("hands every other alert to the people alone", function()
    assert.same({ "people" }, receivers(children, root, false))
  end)
end)
