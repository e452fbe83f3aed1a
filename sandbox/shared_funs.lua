--- Funs of our shared Erlang texts that do what the classifier cannot follow, and what they may be handed by a
--- text that people did not read: a role for each argument (runtime/roles.lua). A fun that has no roles
--- here and is not harmless with any argument is closed: only texts of ours call it.
---
--- any: whatever it is, the fun does nothing with it that harms, and calls nothing of it
--- item: an item of process_info that is written there, never the messages
--- shape: what `Shape` gives of such an item
--- packed: what `Look` or `Pack` packed in the same text, for it is unpacked; or nothing
--- nothing: [], where a list grows that becomes the answer
--- fun: a fun that is written there, for it is called

---
--- What a fun or any expression of ours rests on has to be ours too, or it is judged as anybody's. But not the funs
--- in `shown`, whose answers decide in no text of ours what is asked, sent, called or unpacked; nor what `lets`
--- names, for that fun alone. These may be changed to any fun that is itself harmless. `beside` is of expressions.

local shown = {}
for name in ([[Text Show Func Mb Kb Pct Some Since Label Name Row Rank List Id Who Line Memory Counts
  Mean Held]]):gmatch "%S+" do
  shown[name] = true
end

local roles = {
  Find = { "any" },
  Item = { "any", "item" },
  Ask = { "any", "item" },
  Was = { "any", "packed" },
  Those = { "any", "item", "any" },
  Shape = { "item" },
  Look = { "any", "packed", "shape", "nothing" },
  Best = { "any", "packed", "shape", "any", "any", "any" },
  Top = { "any", "packed", "shape", "any", "any", lets = { Ours = true } },
  Fattest = { "any", "any", "any", lets = { Ours = true } },
  Over = { "any", "shape", "any" },
  -- ports: asks ports what they count; `Inet` picks those that understand
  Tops = { "any", "fun", "any", "any" },
  In = { "any" },
  Sent = { "any" },
  -- sup: finds supervisors among all; a call is sent to nobody else
  Kin = { "packed" },
  Sups = { "packed", "any" },
  Listed = { "any" },
  Heavy = { "packed", "any" },
}

-- Funs and values that an expression with this word in it may find changed: whether files are read hangs on W, and
-- which ones does not.
local beside = { prim_file = { W = true } }

return { roles = roles, shown = shown, beside = beside }
