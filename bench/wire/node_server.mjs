// SPDX-License-Identifier: Apache-2.0
//
// The peer: the same routes with Node's own HTTP server and Debian's `ws`, on their defaults.
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";

const { WebSocketServer } = createRequire(import.meta.url)("ws");
const option = (name) => process.argv[process.argv.indexOf(name) + 1];
const file = join(option("--static"), "100k.bin");
const fileSize = statSync(file).size;
const streams = new Set();

function answer(response, type, body) {
  response.writeHead(200, { "Content-Type": type, "Content-Length": Buffer.byteLength(body) });
  response.end(body);
}

function withBody(request, act) {
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => act(Buffer.concat(pieces)));
}

function openStream(response) {
  response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  response.flushHeaders();
  streams.add(response);
  response.on("close", () => streams.delete(response));
}

function publish(response, body) {
  const event = `data: ${body}\n\n`;
  for (const stream of streams) stream.write(event);
  response.writeHead(204);
  response.end();
}

const routes = {
  "GET /plaintext": (_, response) => answer(response, "text/plain", "Hello, World!"),
  "GET /json": (_, response) =>
    answer(response, "application/json", JSON.stringify({ message: "Hello, World!" })),
  "POST /echo": (request, response) =>
    withBody(request, (body) => answer(response, "application/octet-stream", body)),
  "GET /static/100k.bin": (_, response) => {
    response.writeHead(200, {
      "Content-Type": "application/octet-stream",
      "Content-Length": fileSize,
    });
    createReadStream(file).pipe(response);
  },
  "GET /feed": (_, response) => openStream(response),
  "POST /feed/publish": (request, response) => withBody(request, (body) => publish(response, body)),
};

const server = createServer((request, response) => {
  const route = routes[`${request.method} ${request.url}`];
  if (route) return route(request, response);
  response.writeHead(404);
  response.end();
});

const echo = (socket) =>
  socket.on("message", (message, isBinary) => socket.send(message, { binary: isBinary }));
const sockets = {
  "/ws": new WebSocketServer({ noServer: true }),
  "/ws/deflate": new WebSocketServer({ noServer: true, perMessageDeflate: true }),
  "/ws/room": new WebSocketServer({ noServer: true }),
};
sockets["/ws"].on("connection", echo);
sockets["/ws/deflate"].on("connection", echo);
sockets["/ws/room"].on("connection", (socket) =>
  socket.on("message", (message, isBinary) => {
    for (const member of sockets["/ws/room"].clients) member.send(message, { binary: isBinary });
  }),
);
server.on("upgrade", (request, socket, head) => {
  const at = sockets[request.url];
  if (!at) return socket.destroy();
  at.handleUpgrade(request, socket, head, (opened) => at.emit("connection", opened, request));
});
server.listen(Number(option("--port")), "127.0.0.1", 4096);
