--- Writes the assembler text that puts our files into the program: luajit host/embed.lua FILE…,
--- where FILE may be NAME=FILE for one that is known by another name than the one it lies under.
--- The assembler copies the bytes itself, so a build does not wait for a compiler to read them.

local function quoted(text) return '"' .. text:gsub('[\\"]', "\\%0") .. '"' end

local out, table_rows = {}, {}
for i, word in ipairs(arg) do
  local name, path = word:match "^(.-)=(.*)$"
  name, path = name or word, path or word
  out[#out + 1] = (".Lname%d: .asciz %s\n.Lbytes%d: .incbin %s\n.Lend%d: .byte 0\n")
    :format(i, quoted(name), i, quoted(path), i)
  table_rows[#table_rows + 1] = ("  .quad .Lname%d, .Lbytes%d, .Lend%d\n"):format(i, i, i)
end

io.write(".section .rodata\n", table.concat(out), [[
.section .data.rel.ro, "aw"
.balign 8
.globl bl_embedded
.type bl_embedded, @object
bl_embedded:
]], table.concat(table_rows), [[
  .quad 0, 0, 0
.size bl_embedded, . - bl_embedded
.section .note.GNU-stack, "", @progbits
]])
