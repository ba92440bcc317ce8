// SPDX-License-Identifier: Apache-2.0
// The chat by long polling in Chromium: two pages, and a server that ends under them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { freePort, pageOpener, shows, startProgram } from "./programs.mjs";
import { startBrowser } from "./room.mjs";

let server, browser, openPage, ann, bob, port;
let isOutage = false;
const complaints = [];
const start = () => startProgram(process.env.SQUALL_LONGPOLL_CHAT, ["--port", String(port)]);
const isOnline = (page) => page.locator("#state[data-state=online]").waitFor();

before(async () => {
  port = await freePort(); // the same for the server that comes back
  server = await start();
  browser = await startBrowser();
  openPage = pageOpener(browser, complaints, () => isOutage);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

async function say(page, name, text) {
  await page.getByLabel("Your name").fill(name);
  await page.getByLabel("Your message").fill(text);
  await page.getByRole("button", { name: "Send" }).click();
}

test("two pages talk, and markup stays text", async () => {
  ann = await openPage(`${server.url}/`);
  bob = await openPage(`${server.url}/room/lobby`);
  assert.match(ann.url(), /\/room\/lobby$/);
  await isOnline(ann);
  await isOnline(bob);
  await say(ann, "Ann", "<img src=x onerror=hacked=1> Grüße");
  await shows(bob, "#messages p", ["<img src=x onerror=hacked=1> Grüße"]);
  await say(bob, "<i>Bob</i>", "Hello");
  for (const page of [ann, bob]) {
    await shows(page, "#messages b", ["Ann", "<i>Bob</i>"]);
    assert.equal(await page.locator("#empty").isVisible(), false);
    assert.equal(await page.evaluate(() => window.hacked), undefined);
  }
});

test("another room is another talk", async () => {
  await bob.getByLabel("Other room").fill("garden");
  await bob.getByRole("button", { name: "Go" }).click();
  await bob.locator("#room", { hasText: "garden" }).waitFor();
  await isOnline(bob);
  await shows(bob, "#messages p", []);
  await say(ann, "Ann", "to the lobby");
  await bob.goto(`${server.url}/room/lobby`); // with its history
  await shows(bob, "#messages b", ["Ann", "<i>Bob</i>", "Ann"]);
});

test("they come back by themselves, and know that the server is a new one", async () => {
  isOutage = true;
  await server.stop();
  for (const page of [ann, bob]) await page.locator("#state[data-state=waiting]").waitFor();
  await say(ann, "Ann", "lost?");
  await ann.getByRole("alert").filter({ hasText: "was not sent" }).waitFor();
  assert.equal(await ann.getByLabel("Your message").inputValue(), "lost?");
  server = await start();
  for (const page of [ann, bob]) await isOnline(page);
  isOutage = false;
  for (const page of [ann, bob]) await shows(page, "#messages p", []);
  await say(bob, "Bob", "again");
  await shows(ann, "#messages p", ["again"]);
});

test("a phone has room for it", async () => {
  const phone = await openPage(`${server.url}/`, { viewport: { width: 360, height: 700 } });
  await shows(phone, "#messages p", ["again"]);
  assert.ok(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  assert.deepEqual(complaints, []);
});
