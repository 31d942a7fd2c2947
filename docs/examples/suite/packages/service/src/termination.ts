/** A signal that aborts once the process is asked to stop (SIGTERM from Docker, SIGINT from a terminal). */
export function termination(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => controller.abort());
  return controller.signal;
}
