--- A skill of a user's that asks a node for its time, for specs that edit it.

local clock_skill = {}

--- Its file; `more` are further callbacks and queries of it.
---@param prompt string
---@param more? string
---@param queries? string
---@return string
function clock_skill.text(prompt, more, queries)
  return ([[
return {
  name = "clock", title = "Clock", about = "the time of the node", prompt = "%s",
  queries = { now = "#{ms => erlang:system_time(millisecond)}.", %s },
  snapshot = "now",
  callbacks = {
    clock_now = { doc = "The time.", class = "SAFE", returns = { "ms" }, query = "now" },
    %s
  },
}
]]):format(prompt, queries or "", more or "")
end

--- One more callback, which asks the query `later`.
clock_skill.later = [[clock_later = { doc = "Later.", class = "SAFE", returns = { "ms" }, query = "later" },]]

--- The file with it.
clock_skill.new = clock_skill.text("You know more.", clock_skill.later,
  [[later = "#{ms => 1 + erlang:system_time(millisecond)}."]])

return clock_skill
