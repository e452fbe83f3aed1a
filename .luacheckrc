std = "luajit"
max_line_length = 120
exclude_files = { "spec/fuzz" }
files["spec"] = { std = "+busted" }
files["spec/support/main.lua"] = { globals = { "arg" } }
