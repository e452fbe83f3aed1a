// Readers of Markdown that others made: JSON lines of texts in; for each, a line with what a reader makes of it: the
// tags with their attributes, and the text of the code blocks. Everything is allowed that a reader may allow.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const require = createRequire(`${process.cwd()}/`);
const MarkdownIt = require("markdown-it");
const { marked } = require("marked");

const it = new MarkdownIt({ html: true, linkify: true, typographer: false });
const readers = { "markdown-it": (text) => it.render(text), marked: (text) => marked.parse(text, { gfm: true }) };

for await (const line of createInterface({ input: process.stdin })) {
  const { reader, text } = JSON.parse(line);
  const html = readers[reader](text);
  const tags = [...html.matchAll(/<[^>]*>/g)].map((m) => m[0]).filter((tag) => !/^<\/?code>$/.test(tag));
  console.log(JSON.stringify({ tags, html }));
}
