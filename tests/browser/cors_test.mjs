// SPDX-License-Identifier: Apache-2.0
// CORS as Chromium understands it: a page of one origin asks another, which allows it some things.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { PATIENCE, startProgram } from "./programs.mjs";
import { startBrowser } from "./room.mjs";

let server, browser, page, api;

before(async () => {
  server = await startProgram(process.env.SQUALL_WIRE_ROUTING, [], /listening on (\d+)\n/);
  browser = await startBrowser();
  page = await (await browser.newContext()).newPage();
  page.setDefaultTimeout(PATIENCE);
  await page.goto(`http://127.0.0.1:${server.port}/`);
  api = `http://localhost:${server.port}/api`; // another host: another origin
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** What the page's fetch() gets: status, text and a header, or "refused" when the browser keeps it. */
const ask = (url, options = {}) =>
  page.evaluate(
    async ([where, how]) => {
      try {
        const response = await fetch(where, how);
        return [response.status, await response.text(), response.headers.get("X-Request-Id") !== null];
      } catch {
        return "refused";
      }
    },
    [url, options],
  );

test("simple requests may be read, errors too", async () => {
  assert.deepEqual(await ask(`${api}/item/x`), [200, "x", true]);
  assert.deepEqual(await ask(`${api}/item/x`, { credentials: "include" }), [200, "x", true]);
  assert.equal((await ask(`${api}/small`))[0], 405);
});

test("preflights allow what the options say", async () => {
  const headers = { "X-Token": "t", "Content-Type": "application/json" };
  assert.deepEqual(await ask(`${api}/item/y`, { method: "PUT", headers, body: "{}" }), [200, "/api/item/y", true]);
  assert.equal(await ask(`${api}/item/y`, { method: "PUT", headers: { "X-Other": "1" } }), "refused");
  assert.equal(await ask(`${api}/item/y`, { method: "PROPFIND" }), "refused");
});

test("what has no CORS stays closed", async () => {
  assert.equal(await ask(`http://localhost:${server.port}/`), "refused");
  await page.goto(`http://localhost:${server.port}/`); // an origin that is not allowed
  assert.equal(await ask(`http://127.0.0.1:${server.port}/api/item/x`), "refused");
});
