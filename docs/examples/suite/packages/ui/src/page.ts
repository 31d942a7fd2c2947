import { html, type Markup } from "./html.js";

export interface Page {
  title: string;
  main: Markup;
  footer: Markup;
}

const STYLE = html`<style>
  body { font: 1.1rem/1.6 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem; }
  footer { margin-top: 3rem; color: #666; font-size: 0.85rem; }
</style>`;

export function page({ title, main, footer }: Page): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
${STYLE}
</head>
<body>
<main>
<h1>${title}</h1>
${main}
</main>
<footer>${footer}</footer>
</body>
</html>
`.toString();
}
