// SPDX-License-Identifier: Apache-2.0
// EventSource and squall-realtime.js in Chromium: a wire that is cut, a browser that is offline, a
// server that dies; what was missed is shown, or the page is told that it may have missed something.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, test } from "node:test";

import { startBrowser, startWire } from "./room.mjs";

const PATIENCE = 20_000; // milliseconds until a condition that does not come true fails

let server, wire, browser;

async function startServer() {
  const program = process.env.SQUALL_WIRE_REALTIME;
  const child = spawn(program, ["--port=0", "--spread-ms=200"],
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
      const exited = once(child, "exit");
      child.kill(signal);
      return exited;
    },
  };
}

const publish = async (text) => (await fetch(`${server.url}/publish/news/${text}`)).text();

async function open(url) {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  page.errors = [];
  page.on("pageerror", (error) => page.errors.push(String(error)));
  await page.goto(url);
  return page;
}

const lines = (page) => page.locator("#log li").allTextContents();

/** Waits until the last lines of the page are these. */
async function ends(page, expected) {
  const same = (texts) => {
    const shown = [...document.querySelectorAll("#log li")].map((line) => line.textContent);
    return JSON.stringify(shown.slice(-texts.length)) === JSON.stringify(texts);
  };
  try {
    await page.waitForFunction(same, expected);
  } catch (error) {
    assert.deepEqual((await lines(page)).slice(-expected.length), expected, error.message);
  }
}

const shows = (page, text) =>
  page.waitForFunction((wanted) => [...document.querySelectorAll("#log li")].some(
    (line) => line.textContent === wanted), text);

const state = (page, name) =>
  page.waitForFunction((wanted) => document.querySelector("#state").textContent === wanted, name);

before(async () => {
  server = await startServer();
  wire = await startWire(server.port);
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  wire?.stop();
  await server?.stop("SIGTERM");
});

test("squall-realtime.js shows what it missed while the wire was cut", async () => {
  const page = await open(wire.url);
  await ends(page, ["subscribed false"]);
  await publish("a");
  await ends(page, ["message a"]);
  wire.cut();
  await page.waitForFunction(() => document.querySelector("#state").textContent !== "open");
  await publish("b");
  await publish("c");
  wire.mend();
  await ends(page, ["subscribed true", "recovered 2", "message b", "message c"]);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test("squall-realtime.js comes back when the browser is online again", async () => {
  const page = await open(server.url);
  await ends(page, ["subscribed false"]);
  await page.context().setOffline(true);
  await page.waitForFunction(() => document.querySelector("#state").textContent !== "open");
  await publish("d");
  await page.context().setOffline(false);
  await ends(page, ["subscribed true", "recovered 1", "message d"]);
  await page.context().close();
});

test("squall-realtime.js says that something may be missing after the server has died", async () => {
  const page = await open(wire.url);
  await ends(page, ["subscribed false"]);
  await server.stop("SIGKILL");
  await page.waitForFunction(() => document.querySelector("#state").textContent !== "open");
  server = await startServer();
  wire.lead(server.port);
  await ends(page, ["subscribed false", "lost not_recovered"]);
  await publish("e");
  await ends(page, ["message e"]);
  await page.context().close();
});

test("squall-realtime.js polls where there is no WebSocket", async () => {
  const page = await open(`${server.url}/?poll=1&ws=/nothing-here`);
  await state(page, "polling");
  await shows(page, "subscribed true");
  await publish("f");
  await ends(page, ["message f"]);
  await publish("g");
  await ends(page, ["message f", "message g"]);
  await page.context().close();
});

test("EventSource resumes after the wire was cut", async () => {
  const page = await open(`${wire.url}/?sse=1`);
  await ends(page, ["open"]);
  await publish("h");
  await ends(page, ["message h"]);
  wire.cut();
  await shows(page, "error");
  await publish("i");
  await publish("j");
  wire.mend();
  await ends(page, ["recovered 2", "message i", "message j"]);
  await page.context().close();
});

test("EventSource is told to load anew after the server has died", async () => {
  const page = await open(`${wire.url}/?sse=1`);
  await ends(page, ["open"]);
  await publish("k");
  await ends(page, ["message k"]);
  await server.stop("SIGKILL");
  await shows(page, "error");
  server = await startServer();
  wire.lead(server.port);
  await ends(page, ["reset not_recovered"]);
  await publish("l");
  await ends(page, ["message l"]);
  await page.context().close();
});

test("EventSource comes back by itself after the server was stopped in order", async () => {
  const page = await open(`${wire.url}/?sse=1`);
  await ends(page, ["open"]);
  await server.stop("SIGTERM");
  await shows(page, "error");
  server = await startServer();
  wire.lead(server.port);
  await shows(page, "reset not_recovered");
  await page.context().close();
});
