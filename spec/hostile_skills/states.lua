--- Files that want to remember, or to change what others see. Each callback is called twice, and answers
--- the same.

return {
  { what = "counts its calls in a local of the file", file = "local n = 0",
    callback = "n = n + 1 return { n = n }", answers = { n = 1 } },
  { what = "counts its calls in a global", file = "",
    callback = "n = (n or 0) + 1 return { n = n }", answers = { n = 1 } },
  { what = "counts its calls in a library", file = "",
    callback = "string.n = (string.n or 0) + 1 return { n = string.n }", answers = { n = 1 } },
  { what = "counts its calls in the texts it was handed", file = "local texts = ...",
    callback = "texts.n = (texts.n or 0) + 1 return { n = texts.n }", answers = { n = 1 } },
  { what = "counts its calls in its arguments", file = "",
    callback = "args.n = (args.n or 0) + 1 return { n = args.n }", answers = { n = 1 } },
  { what = "counts its calls on the node it is handed", file = "",
    callback = "node.n = (node.n or 0) + 1 return { n = node.n }", answers = { n = 1 } },
  { what = "counts its calls in what is remembered", file = "",
    callback = "local v = node.history('now', 5)[1].value v.n = v.n + 1 return { n = v.n }",
    answers = { n = 8 } },
  { what = "writes another text over the one it declared", file = "local s = { now = '1.' }", queries = "s",
    callback = "s.now = 'erlang:halt().' return { answer = node.ask 'now' }", answers = { answer = "1." } },
  { what = "puts another function over the node's", file = "",
    callback = "local ask = node.ask node.ask = function() return 2 end return { answer = ask 'now' }",
    answers = { answer = "7." } },
  { what = "puts another function over a library's, for the strings of all",
    callback = "string.upper = function() return 'mine' end return { answer = ('x'):upper() }",
    answers = { answer = "X" } },
}
