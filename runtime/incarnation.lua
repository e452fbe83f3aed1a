--- Which life of a node this is. Its creation alone does not tell: epmd counts creations from the second
--- that it was started in, so a node that was restarted with its epmd may have the old one, and its
--- processes the old pids. So the moment that it was started and its process go with it.

local incarnation = {}

-- Where the clock may be warped, the sum would change while the node lives.
local LIFE = [=[
{os:getpid(), case erlang:system_info(time_warp_mode) of
  no_time_warp -> erlang:system_info(start_time) + erlang:time_offset();
  _ -> erlang:system_info(start_time) end}.]=]

--- For the build step that parses what we ship.
---@return string[]
function incarnation.own_texts() return { LIFE } end

local known = setmetatable({}, { __mode = "k" }) -- one connection leads to one life

--- Asked once for each connection.
---@param node table
---@return string? life   equal as long as the node was not restarted
---@return Failure? err
function incarnation.of(node)
  local link = node.link
  if not known[link] then
    local answer, err = node.query(LIFE)
    if answer == nil then return nil, err end
    local life = ("%.0f/%s/%s"):format(link.session.peer_creation, tostring(answer[1]), tostring(answer[2]))
    if node.link ~= link then return incarnation.of(node) end -- the answer came over another
    known[link] = life
  end
  return known[link]
end

--- The life at the other end of the connection that there is now, as far as it was asked for.
---@param node table
---@return string?
function incarnation.now(node) return known[node.link] end

return incarnation
