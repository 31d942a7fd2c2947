import type { Database } from "./database.js";

/** Adds one to the worker's beats; one row a worker, however long it lives. */
export async function recordHeartbeat(database: Database, worker: string): Promise<void> {
  await database.query(
    `INSERT INTO app.heartbeats (worker) VALUES ($1)
     ON CONFLICT (worker) DO UPDATE SET beats = heartbeats.beats + 1, beaten_at = now()`,
    [worker],
  );
}
