import { setTimeout as pause } from "node:timers/promises";
import { connect, recordHeartbeat, type Database } from "@suite/db";
import { required, termination } from "@suite/service";
import { INTERVAL_MS, markAlive } from "./alive.js";

async function beat(database: Database): Promise<void> {
  try {
    await recordHeartbeat(database, "worker");
    await markAlive();
  } catch (error) {
    console.error("no heartbeat:", error instanceof Error ? error.message : error);
  }
}

const stop = termination();
const database = connect(required("DATABASE_URL"), "worker");
console.log("working");
while (!stop.aborted) {
  await beat(database);
  // Rejects when asked to stop, which is no error: the loop's condition sees it.
  await pause(INTERVAL_MS, undefined, { signal: stop }).catch(() => undefined);
}
console.log("stopping");
await database.end();
