export { html, Markup } from "./html.js";
export { page, type Page } from "./page.js";
