import type { Database } from "./database.js";

export interface Greeting {
  audience: string;
  body: string;
  language: string;
}

export async function readGreeting(database: Database, audience: string): Promise<Greeting | undefined> {
  const { rows } = await database.query<Greeting>(
    "SELECT audience, body, language FROM app.greetings WHERE audience = $1",
    [audience],
  );
  return rows[0];
}
