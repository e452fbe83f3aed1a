local prompt = require "runtime.prompt"

describe("runtime.prompt", function()
  local HEAD = "---\nread by: a spec\nfields: name, task\n---\n"

  local function fill(text, values) return prompt.fill(text, "prompts/x.md", values) end
  local function why(text, values)
    local filled, err = fill(text, values or { name = "Ann", task = "look" })
    assert.is_nil(filled)
    return tostring(err)
  end

  it("puts each value where its field stands, as often as it stands", function()
    assert.equal("Ann, {look}\nAnn\n",
      fill(HEAD .. "{{name}}, {{{ task }}}\n{{name}}\n", { name = "Ann", task = "look" }))
  end)

  it("takes a value as it is, whatever it looks like", function()
    assert.equal("%1 {{task}} \\\nx\n", fill(HEAD .. "{{name}}\n{{task}}", { name = "%1 {{task}} \\", task = "x" }))
  end)

  it("names file and line of a field that nobody fills", function()
    assert.equal("prompts/x.md:6: unknown field {{tsak}}; its fields are name, task",
      why(HEAD .. "{{name}}\n{{tsak}} {{task}}"))
    assert.matches("prompts/x.md:5: unknown field {{name}}", why(HEAD .. "{{name}} {{task}}", { task = "look" }))
  end)

  it("names a field that is declared and never used, and one that is filled and never declared", function()
    assert.matches("prompts/x.md:3: the field task is declared but never used", why(HEAD .. "{{name}}"))
    assert.matches("prompts/x.md:3: the field more is filled here but not declared",
      why(HEAD .. "{{name}} {{task}}", { name = "a", task = "b", more = "c" }))
  end)

  it("wants front matter, and nothing else in it", function()
    assert.matches("prompts/x.md:1: no front matter", why "Hello {{name}}")
    assert.matches("prompts/x.md:2: the front matter knows no \"field: name\"", why "---\nfield: name\n---\n")
    assert.matches("the front matter does not end", why "---\nfields: name\n")
    assert.matches('has no "fields:"', why "---\nread by: me\n---\n")
  end)

  it("is a fault of the prompt's author, with exit code 2", function()
    local _, err = fill("no head", {})
    assert.same({ "prompt", 2 }, { err.stage, err.exit })
  end)

  it("fills the prompts that the program ships", function()
    assert(prompt.render("operator", { prompt = "p", callbacks = "c" }))
    assert(prompt.render("coordinator", { skills = "s" }))
  end)

  it("says which prompt is not there", function()
    local filled, err = prompt.render("nobody", {})
    assert.is_nil(filled)
    assert.matches("prompts/nobody.md", tostring(err))
  end)
end)
