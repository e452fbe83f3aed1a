--- One process, as lines.

local cells = require "runtime.cells"

local detail = {}

-- Of several: how many, and the first of them.
local function several(count, list)
  if not count then return nil end
  if count == 0 or not list or #list == 0 then return tostring(count) end
  return ("%d: %s%s"):format(count, table.concat(list, ", "), count > #list and ", ..." or "")
end

local function listed(list) return list and #list > 0 and table.concat(list, ", ") or nil end

local STACK = 8 -- its innermost functions

-- label, and what stands there of the answer of beam_process_info and of the row, one line or several; nothing where
-- it is not known.
local LINES = {
  { "name", function(i) return i.name end },
  { "label", function(_, row) return row.label end },
  { "initial call", function(i) return i.initial_call end },
  { "status", function(i) return i.status end },
  { "stack", function(i) return i.stack and { unpack(i.stack, 1, STACK) } or i.current_function end },
  { "reductions", function(i, row)
    local rate = row.reductions_per_sec and ("%s a second, "):format(cells.count(row.reductions_per_sec)) or ""
    return ("%s%s in all"):format(rate, cells.count(i.reductions))
  end },
  { "mailbox", function(i)
    return ("%d message%s, %s"):format(i.message_queue, i.message_queue == 1 and "" or "s",
      i.message_queue_data == "on_heap" and "on its heap" or "off its heap")
  end },
  { "memory", function(i)
    return ("%s: heaps %s, of which the stack is %s"):format(cells.memory(i.memory_kb), cells.memory(i.total_heap_kb),
      cells.memory(i.stack_kb))
  end },
  { "binaries", function(i)
    return i.binary_count and ("%d references, %s"):format(i.binary_count, cells.memory(i.binary_memory_kb)) or nil
  end },
  { "collections", function(i)
    return ("%d since the last one of the whole heap, due after %d"):format(i.minor_gcs, i.fullsweep_after)
  end },
  { "links", function(i) return several(i.link_count, i.links) end },
  { "monitors", function(i) return several(i.monitor_count, i.monitors) end },
  { "monitored by", function(i) return several(i.monitored_by_count, i.monitored_by) end },
  { "suspends", function(i) return listed(i.suspending) end },
  { "ancestors", function(i) return listed(i.ancestors) end },
  { "parent", function(i)
    return ("%s, group leader %s"):format(i.parent or "not known", i.group_leader)
  end },
  { "priority", function(i) return i.priority .. (i.trap_exit and ", traps exits" or "") end },
  { "dictionary", function(i)
    return i.dictionary_count and several(i.dictionary_count, i.dictionary_keys) or nil
  end },
}

local LABEL = 14

--- What is known of it.
---@param d { pid: string, info?: table, row?: table, ended?: boolean, trouble?: string }   info: of beam_process_info
---@param room integer     lines
---@param columns integer
---@param utf8 boolean
---@return { text: string, style?: string }[]
function detail.lines(d, room, columns, utf8)
  local head = cells.text(d.pid, utf8) .. (d.ended and " has ended; Esc goes back" or "")
  local lines = { { text = cells.fit(head, columns), style = "head" } }
  if d.trouble then lines[#lines + 1] = { text = cells.text(d.trouble, utf8), style = "bad" } end
  if not d.info then
    if not d.ended and not d.trouble then lines[#lines + 1] = { text = "looking..." } end
    return lines
  end
  for _, line in ipairs(LINES) do
    local value = line[2](d.info, d.row or {})
    for k, text in ipairs(type(value) == "table" and value or { value }) do
      lines[#lines + 1] = { text = cells.fit(k == 1 and line[1] or "", LABEL)
        .. cells.fit(cells.text(text, utf8), columns - LABEL) }
    end
  end
  if #lines > room then
    lines[room] = { text = ("... and %d lines more, on a higher screen"):format(#lines - room + 1) }
  end
  return { unpack(lines, 1, room) }
end

return detail
