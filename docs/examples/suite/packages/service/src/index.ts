export { optional, required } from "./environment.js";
export { html, json, serve, type Handler, type Reply, type Routes } from "./http.js";
export { termination } from "./termination.js";
