// GitHub's own language service over workflow and action files:   node lint.mjs FILE…
// Every diagnostic is printed and fails, warnings too.
import { readFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import "./packages.mjs";

const { validate } = await import("@actions/languageservice");
const { TextDocument } = await import("vscode-languageserver-textdocument");

let count = 0;
for (const file of process.argv.slice(2)) {
  const text = await readFile(file, "utf8");
  const document = TextDocument.create(pathToFileURL(path.resolve(file)).href, "yaml", 1, text);
  for (const { range, message } of await validate(document)) {
    console.log(`${file}:${range.start.line + 1}:${range.start.character + 1}: ${message}`);
    count += 1;
  }
}
if (process.argv.length < 3) throw new Error("no file given");
process.exit(count ? 1 : 0);
