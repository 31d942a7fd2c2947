// Makes the packages in IKOMA_NODE importable. Import this first, then `await import(name)`.
import { register } from "node:module";
import { pathToFileURL } from "node:url";

if (!process.env.IKOMA_NODE) throw new Error("IKOMA_NODE must name the folder that holds node_modules");
register(new URL("hook.mjs", import.meta.url), { data: { home: `${pathToFileURL(process.env.IKOMA_NODE).href}/` } });
