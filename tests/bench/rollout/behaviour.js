// Loaded into the suite's services before their own code (NODE_OPTIONS=--require). Says in each answer which release
// made it, adds a slow answer and a WebSocket to the website, and misbehaves as BEHAVIOUR says. The images stay as they are.
"use strict";
const http = require("node:http");
const { createHash } = require("node:crypto");
const { syncBuiltinESMExports } = require("node:module");
const { AsyncLocalStorage } = require("node:async_hooks");

const { SERVICE, VERSION, BEHAVIOUR = "good" } = process.env;
const born = Date.now();
const age = () => Date.now() - born;
const calls = new AsyncLocalStorage();

if (BEHAVIOUR === "exits") {
  console.error("cannot open the widget store");
  process.exit(3);
}
if (BEHAVIOUR === "grows") {
  const kept = [];
  setInterval(() => kept.push(Buffer.alloc(16 << 20, 1)), 50);
}
if (BEHAVIOUR === "hangs") {
  const once = process.once.bind(process);
  process.once = (name, act) => (name === "SIGTERM" ? process : once(name, act));
  process.on("SIGTERM", () => console.error("not now"));
}

function ill() {
  if (BEHAVIOUR === "falls ill") return age() > 3000;
  if (BEHAVIOUR === "flaps") return Math.floor(age() / 700) % 2 === 1;
  return false;
}

function wrapped(listener) {
  return (request, response) => calls.run({}, () => {
    const store = calls.getStore();
    const head = response.writeHead.bind(response);
    response.writeHead = (status, headers) =>
      head(status, { ...headers, "x-served-by": [`${SERVICE}=${VERSION}`, store.others].filter(Boolean).join(" ") });
    if (request.url === "/health" && ill()) {
      response.writeHead(500, {});
      return response.end("ill");
    }
    if (request.method === "POST") request.method = "GET"; // the suite has nothing to post to; a POST is never repeated
    if (request.url !== "/slow") return listener(request, response);
    request.url = "/";
    return setTimeout(() => listener(request, response), 2000);
  });
}

function chat(request, socket) {
  const key = createHash("sha1").update(request.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
  const lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
  socket.write([...lines, `Sec-WebSocket-Accept: ${key.digest("base64")}`, "", ""].join("\r\n"));
  const text = Buffer.from(String(VERSION));
  const beat = setInterval(() => socket.write(Buffer.concat([Buffer.from([0x81, text.length]), text])), 100);
  socket.on("error", () => {}).on("close", () => clearInterval(beat));
}

const createServer = http.createServer;
http.createServer = (listener) => createServer(wrapped(listener)).on("upgrade", chat);
syncBuiltinESMExports();

const fetched = globalThis.fetch;
globalThis.fetch = async (...words) => {
  const answer = await fetched(...words);
  const store = calls.getStore();
  if (store) store.others = answer.headers.get("x-served-by");
  return answer;
};
