import { Pool } from "pg";

export type Database = Pool;

/** A pool of connections to `url`; the first one is opened by the first query. */
export function connect(url: string, service: string): Database {
  const database = new Pool({
    connectionString: url,
    application_name: service,
    max: 5,
    connectionTimeoutMillis: 3_000,
    query_timeout: 5_000,
  });
  // PostgreSQL restarted: the pool opens a new connection, but an unheard "error" event would end the process.
  database.on("error", (error) => console.error("idle database connection lost:", error.message));
  return database;
}

/** Rejects while the database does not answer. */
export async function ping(database: Database): Promise<void> {
  await database.query("SELECT 1");
}
