// GitHub's packages lie in the cache, not beside us, and import JSON as bundlers do: both are translated for node.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

let home;

export function initialize(data) {
  home = data.home;
}

export function resolve(specifier, context, next) {
  const bare = !specifier.startsWith(".") && !specifier.startsWith("node:") && !specifier.includes("://");
  return bare && !context.parentURL?.startsWith(home) ? next(specifier, { ...context, parentURL: home }) : next(specifier, context);
}

export async function load(url, context, next) {
  if (!url.endsWith(".json")) return next(url, context);
  return { format: "module", shortCircuit: true, source: `export default ${await readFile(fileURLToPath(url), "utf8")}` };
}
