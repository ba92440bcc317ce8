// SPDX-License-Identifier: Apache-2.0
// squall-realtime.js in Node, over node-ws, with a wire that is cut and a server that dies; and a
// stream of events read by Node's own fetch.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { startWire } from "../browser/room.mjs";

const { WebSocket } = createRequire(import.meta.url)("ws"); // found by NODE_PATH
const PATIENCE = 20_000;

let server, wire, folder, Realtime;

async function startServer() {
  const child = spawn(process.env.SQUALL_WIRE_REALTIME, ["--port=0", "--spread-ms=100"],
                      { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  const found = await new Promise((resolve, reject) => {
    child.stdout.on("data", (data) => {
      said += data;
      const match = /listening on (\d+)\n/.exec(said);
      if (match) resolve(Number(match[1]));
    });
    child.on("exit", (code) => reject(new Error(`the server ended: ${code}`)));
  });
  return {
    port: found,
    url: `http://localhost:${found}`,
    async stop(signal) {
      if (child.exitCode !== null || child.signalCode !== null) return null;
      const exited = once(child, "exit");
      child.kill(signal);
      return exited;
    },
  };
}

/** Waits until `condition` gives something that is true. */
async function until(condition, what) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) assert.fail(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const publish = async (channel, text) =>
  (await fetch(`${server.url}/publish/${channel}/${text}`)).text();

function connect(url, options = {}) {
  return new Realtime(url, { WebSocket, min_delay: 20, max_delay: 200, timeout: 5000, ...options });
}

function listen(subscription) {
  const heard = [];
  subscription.on("subscribed", ({ recovered }) => heard.push(`subscribed ${recovered}`));
  subscription.on("message", (message) => heard.push(message.text));
  subscription.on("recovered", ({ missed }) => heard.push(`recovered ${missed}`));
  subscription.on("lost", ({ reason }) => heard.push(`lost ${reason}`));
  subscription.on("error", (error) => heard.push(`error ${error.code}`));
  return heard;
}

before(async () => {
  server = await startServer();
  wire = await startWire(server.port);
  folder = mkdtempSync(join(tmpdir(), "squall-realtime-"));
  const script = await (await fetch(`${server.url}/squall-realtime.js`)).text();
  writeFileSync(join(folder, "realtime.mjs"), script);
  ({ Realtime } = await import(join(folder, "realtime.mjs")));
});

after(async () => {
  wire.stop();
  rmSync(folder, { recursive: true });
  await server.stop("SIGTERM");
});

test("subscribes, publishes, and hears what others publish", async () => {
  const realtime = connect(`${wire.url}/realtime`);
  const room = realtime.subscribe("room");
  const heard = listen(room);
  await until(() => heard.length === 1, "the subscription");
  const { position } = await room.publish({ a: [1, "é"] });
  await publish("room", "two");
  await until(() => heard.length === 3, "both messages");
  assert.deepEqual(heard, ["subscribed false", '{"a":[1,"é"]}', "two"]);
  assert.match(position, /:1$/);
  await assert.rejects(realtime.publish("secret", "x"), { code: "forbidden" });
  const secret = listen(realtime.subscribe("secret"));
  await until(() => secret.length === 1, "the refusal");
  assert.deepEqual(secret, ["error forbidden"]);
  room.unsubscribe();
  await until(async () => (await (await fetch(`${server.url}/counters`)).json()).subscriptions === 0,
              "the subscription to go");
  realtime.close();
  assert.equal(realtime.state, "closed");
});

test("gets what it missed while the wire was cut", async () => {
  const realtime = connect(`${wire.url}/realtime`);
  const heard = listen(realtime.subscribe("news"));
  await until(() => heard.length === 1, "the subscription");
  await publish("news", "a");
  await until(() => heard.length === 2, "the first message");
  const closed = [];
  realtime.on("close", () => closed.push(1));
  wire.cut();
  await until(() => closed.length === 1, "the client to notice");
  await publish("news", "b");
  await publish("news", "c");
  wire.mend();
  await until(() => heard.length === 6, "what it missed");
  assert.deepEqual(heard.slice(2), ["subscribed true", "recovered 2", "b", "c"]);
  await publish("news", "d");
  await until(() => heard.length === 7, "what comes next");
  realtime.close();
});

test("notices a connection that has gone silent", async () => {
  const realtime = connect(`${wire.url}/realtime`, { idle: 50, timeout: 300 });
  const heard = listen(realtime.subscribe("news"));
  await until(() => heard.length === 1, "the subscription");
  const closed = [];
  realtime.on("close", ({ reason }) => closed.push(reason));
  wire.deafen();
  await until(() => closed.length === 1, "the client to notice");
  wire.mend();
  wire.cut();
  wire.mend();
  await until(() => heard.length === 3, "the recovery");
  assert.deepEqual(heard.slice(1), ["subscribed true", "recovered 0"]);
  realtime.close();
});

test("is told that it may have missed something when the server died with its history", async () => {
  const realtime = connect(`${wire.url}/realtime`);
  const heard = listen(realtime.subscribe("news"));
  await until(() => heard.length === 1, "the subscription");
  await server.stop("SIGKILL");
  server = await startServer();
  wire.lead(server.port);
  await until(() => heard.length === 3, "the server to be back");
  assert.deepEqual(heard.slice(1), ["subscribed false", "lost not_recovered"]);
  realtime.close();
});

test("comes back at its own time when the server was stopped in order", async () => {
  const delays = [];
  const clients = Array.from({ length: 10 }, () => connect(`${wire.url}/realtime`));
  const heard = clients.map((client) => listen(client.subscribe("news")));
  await until(() => heard.every((one) => one.length === 1), "all subscriptions");
  for (const client of clients) client.on("close", ({ code }) => delays.push(code));
  for (const client of clients) client.on("reconnecting", ({ delay }) => delays.push(delay));
  await server.stop("SIGTERM");
  server = await startServer();
  wire.lead(server.port);
  await until(() => heard.every((one) => one.length === 3), "all to be back");
  assert.equal(delays.filter((one) => one === 1001).length, 10);
  for (const client of clients) client.close();
});

test("falls back to long polls, and misses nothing on the way there and back", async () => {
  let is_blocked = true;
  class Blocked extends WebSocket {
    constructor(url) {
      super(is_blocked ? "ws://localhost:1/" : url);
    }
  }
  const realtime = connect(`${server.url}/realtime`,
                           { WebSocket: Blocked, poll: `${server.url}/poll` });
  const states = [];
  realtime.on("state", (state) => states.push(state));
  const heard = listen(realtime.subscribe("news"));
  await until(() => heard.length === 1, "the first poll");
  assert.equal(realtime.state, "polling");
  for (const text of ["1", "2", "3"]) await publish("news", text);
  await until(() => heard.length >= 4, "the messages");
  is_blocked = false;
  await until(() => realtime.state === "open", "the WebSocket");
  await publish("news", "4");
  await until(() => heard.at(-1) === "4", "the last message");
  assert.deepEqual(heard.filter((text) => /^\d$/.test(text)), ["1", "2", "3", "4"]);
  assert.ok(!heard.some((text) => text.startsWith("lost")), heard.join());
  realtime.close();
});

test("a stream of events can be read with fetch", async () => {
  const response = await fetch(`${server.url}/some/20`);
  assert.equal(response.headers.get("content-type"), "text/event-stream; charset=utf-8");
  let text = "";
  for await (const piece of response.body) text += Buffer.from(piece).toString();
  const events = text.split("\n\n").filter((one) => one.startsWith("id: "));
  assert.equal(events.length, 20);
  assert.equal(events[19], "id: 19\ndata: line 19\ndata: more");
});
