import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { setTimeout as pause } from "node:timers/promises";

export interface Reply {
  status: number;
  headers: Record<string, string>;
  body: string;
}
export type Handler = (request: IncomingMessage) => Reply | Promise<Reply>;
export type Routes = Record<string, Handler>;

export function html(body: string, status = 200, headers: Record<string, string> = {}): Reply {
  return { status, body, headers: { "content-type": "text/html; charset=utf-8", ...headers } };
}

export function json(value: unknown, status = 200): Reply {
  return { status, body: `${JSON.stringify(value)}\n`, headers: { "content-type": "application/json" } };
}

// Longer than a proxy keeps an idle connection (Caddy: two minutes), so that it is never this side which
// closes one just as the proxy sends a request on it.
const KEEP_ALIVE_MS = 130_000;

// While stopping, every answer asks its client to open the next connection elsewhere. After this time only idle
// connections are left, and closing them loses no request.
const DRAIN_MS = 1_000;

// Inside the ten seconds that docker-compose.yml gives before SIGKILL.
const LAST_ANSWER_MS = 7_000;

/** Answers GET and HEAD on `port` until `stop` aborts; resolves when the last answer is out. */
export async function serve(port: number, routes: Routes, stop: AbortSignal): Promise<void> {
  const server = createServer((request, response) => void answer(routes, request, response, stop));
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.listen(port);
  await once(server, "listening");
  console.log(`listening on port ${port}`);
  if (!stop.aborted) await once(stop, "abort");
  console.log("stopping");
  await drain(server);
}

async function drain(server: Server): Promise<void> {
  await pause(DRAIN_MS);
  const closed = once(server, "close");
  server.close();
  setTimeout(() => server.closeAllConnections(), LAST_ANSWER_MS).unref();
  await closed;
}

async function answer(
  routes: Routes,
  request: IncomingMessage,
  response: ServerResponse,
  stop: AbortSignal,
): Promise<void> {
  const { status, headers, body } = await replyTo(routes, request);
  if (stop.aborted) response.setHeader("connection", "close");
  response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) });
  response.end(request.method === "HEAD" ? undefined : body);
}

async function replyTo(routes: Routes, request: IncomingMessage): Promise<Reply> {
  if (request.method !== "GET" && request.method !== "HEAD") return json({ error: "method not allowed" }, 405);
  const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
  const handler = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (!handler) return json({ error: "not found" }, 404);
  try {
    return await handler(request);
  } catch (error) {
    console.error(path, error);
    return json({ error: "internal error" }, 500);
  }
}
