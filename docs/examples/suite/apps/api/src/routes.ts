import { ping, readGreeting, type Database } from "@suite/db";
import { json, type Reply, type Routes } from "@suite/service";

export function routes(database: Database): Routes {
  return {
    "/health": () => health(database),
    "/greeting": () => greeting(database),
  };
}

async function health(database: Database): Promise<Reply> {
  try {
    await ping(database);
    return json({ status: "ok" });
  } catch (error) {
    console.error("database does not answer:", error instanceof Error ? error.message : error);
    return json({ status: "database does not answer" }, 503);
  }
}

async function greeting(database: Database): Promise<Reply> {
  const row = await readGreeting(database, "visitor");
  return row ? json(row) : json({ error: "no greeting for visitors" }, 404);
}
