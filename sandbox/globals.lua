--- The names that a chunk may use, one by one; what is not here does not exist for it. Left out
--- on purpose: whatever loads code (load, require, dofile), reaches another's environment or
--- metatable (getfenv, setfenv, debug), the collector (collectgarbage, newproxy) and the
--- machine (io, os, jit, ffi). os.time, os.clock and print are the worker's own.

return {
  base = {
    "_VERSION", "assert", "error", "getmetatable", "ipairs", "next", "pairs", "pcall", "rawequal",
    "rawget", "rawset", "select", "setmetatable", "tonumber", "tostring", "type", "unpack", "xpcall",
  },
  libraries = {
    bit = {
      "arshift", "band", "bnot", "bor", "bswap", "bxor", "lshift", "rol", "ror", "rshift", "tobit", "tohex",
    },
    coroutine = { "create", "isyieldable", "resume", "running", "status", "wrap", "yield" },
    math = {
      "abs", "acos", "asin", "atan", "atan2", "ceil", "cos", "cosh", "deg", "exp", "floor", "fmod", "frexp",
      "huge", "ldexp", "log", "log10", "max", "min", "modf", "pi", "pow", "rad", "random", "randomseed",
      "sin", "sinh", "sqrt", "tan", "tanh",
    },
    string = {
      "byte", "char", "find", "format", "gmatch", "gsub", "len", "lower", "match", "rep", "reverse", "sub",
      "upper",
    },
    table = { "concat", "insert", "maxn", "remove", "sort" },
  },
}
