import { stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const INTERVAL_MS = 2_000;

const FILE = join(tmpdir(), "worker.alive");

/** Says that the worker has just done its work. */
export async function markAlive(): Promise<void> {
  await writeFile(FILE, "");
}

/** Whether the worker did its work within the last few intervals. */
export async function isAlive(): Promise<boolean> {
  const { mtimeMs } = await stat(FILE);
  return Date.now() - mtimeMs < 4 * INTERVAL_MS;
}
