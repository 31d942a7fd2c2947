/** Text that is HTML already; anything else is escaped where it is inserted. */
export class Markup {
  constructor(private readonly text: string) {}

  toString(): string {
    return this.text;
  }
}

const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escape(value: unknown): string {
  if (value instanceof Markup) return value.toString();
  return String(value).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

/** Tag of a template literal: html`<p>${anything}</p>` is safe whatever `anything` holds. */
export function html(parts: TemplateStringsArray, ...values: unknown[]): Markup {
  return new Markup(String.raw({ raw: parts }, ...values.map(escape)));
}
