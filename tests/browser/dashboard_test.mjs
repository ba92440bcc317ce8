// SPDX-License-Identifier: Apache-2.0
// The dashboard in Chromium: readings come, are missed, and come after all, or the page says that they
// are lost. With SQUALL_SCREENSHOTS set, pictures go to screenshots/ in the working directory.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before, test } from "node:test";

import { PATIENCE, pageOpener, startProgram } from "./programs.mjs";
import { startBrowser, startWire } from "./room.mjs";

const INTERVAL = 50; // milliseconds between two readings
const complaints = [];
let isOutage = false;
let server, wire, browser, openPage, page;

const start = () =>
  startProgram(process.env.SQUALL_DASHBOARD, ["--port", "0", "--interval", String(INTERVAL)]);

const isState = (state) => page.locator(`#state[data-state=${state}]`).waitFor();
const number = async (id) => parseInt(await page.locator(`#${id}`).textContent(), 10);

/** The numbers of the first and the last reading that the page has. */
async function range() {
  const text = await page.locator("#range").textContent();
  return /Readings (\d+) to (\d+)/.exec(text).slice(1).map(Number);
}

async function until(condition, what) {
  const end = Date.now() + PATIENCE;
  while (!(await condition())) {
    assert.ok(Date.now() < end, `waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Waits until `count` more readings were taken, whether the page sees them or not. */
async function passReadings(count) {
  const taken = async () => (await (await fetch(`${server.url}/history`)).json()).readings.at(-1).number;
  const first = await taken();
  await until(async () => (await taken()) >= first + count, `${count} readings were taken`);
}

/** Whether each chart has something drawn in its colour. */
const charts = () => page.evaluate(() => [...document.querySelectorAll("canvas")].map((canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const colours = new Set();
  for (let i = 0; i < data.length; i += 4) if (data[i + 3] === 255) colours.add(data.slice(i, i + 3).join());
  return colours.size;
}));

async function picture(name) {
  if (!process.env.SQUALL_SCREENSHOTS) return;
  mkdirSync("screenshots", { recursive: true });
  await page.waitForFunction(() => new Promise((resolve) => setTimeout(() => resolve(true), 200)));
  await page.screenshot({ path: `screenshots/dashboard-${name}.png` });
}

let isBroken = false;
function step(name, run) {
  test(name, async (context) => {
    if (isBroken) return context.skip("after a failure");
    isBroken = true;
    await run();
    isBroken = false;
  });
}

before(async () => {
  server = await start();
  wire = await startWire(server.port);
  browser = await startBrowser();
  openPage = pageOpener(browser, complaints, () => isOutage);
});

after(async () => {
  wire?.stop();
  await browser?.close();
  await server?.stop();
  if (isBroken && server) console.log(`The server's log ends with:\n${server.log()}`);
});

step("a page has the last readings at once, and gets those that come", async () => {
  await passReadings(5);
  page = await openPage(wire.url);
  await isState("live");
  const [first, last] = await range();
  assert.ok(first <= last - 4, `it begins with ${first} at ${last}`);
  await until(async () => (await range())[1] >= last + 5, "five more have come");
  await until(async () => (await number("viewers")) === 1, "it sees itself watching");
  assert.deepEqual(await page.locator(".card h2").allTextContents(),
    ["Processor", "Memory", "Network, in and out", "Watching"]);
  for (const text of await page.locator(".card output").allTextContents()) assert.match(text, /^\d/);
  await until(async () => (await charts()).every((colours) => colours > 3), "all charts are drawn");
  assert.equal(await number("lost"), 0);
  assert.equal(await number("recovered"), 0);
  await picture("live");
});

step("what was missed while the browser was offline comes, and is shown as recovered", async () => {
  isOutage = true;
  await page.context().setOffline(true);
  wire.cut(); // a connection that is open stays open when a browser goes offline
  await isState("away");
  await page.locator("#state-text", { hasText: "Reconnecting" }).waitFor();
  await passReadings(20);
  await picture("away");
  wire.mend();
  await page.context().setOffline(false);
  await isState("live");
  isOutage = false;
  await page.locator("#note", { hasText: "were missed, and have come" }).waitFor();
  await until(async () => (await number("recovered")) >= 15, "they are counted");
  assert.equal(await number("lost"), 0);
  const numbers = await page.evaluate(() => document.querySelector("#range").textContent);
  assert.match(numbers, /Readings \d+ to \d+/);
  await picture("recovered");
});

step("a cut wire alone is noticed and mended in the same way", async () => {
  const before = await number("recovered");
  isOutage = true;
  wire.cut();
  await isState("away");
  await passReadings(10);
  wire.mend();
  await isState("live");
  isOutage = false;
  await until(async () => (await number("recovered")) > before, "more were recovered");
  assert.equal(await number("lost"), 0);
});

step("when a new server knows nothing of before, the page says that readings are lost", async () => {
  isOutage = true;
  await server.stop("SIGKILL");
  await isState("away");
  server = await start();
  wire.lead(server.port);
  await isState("live");
  isOutage = false;
  await page.locator("#note[data-kind=lost]", { hasText: "lost" }).waitFor();
  assert.equal(await number("lost"), 1);
  await until(async () => (await range())[1] >= 3, "readings of the new server come");
  await picture("lost");
});

step("a server that is shut down in order tells the page to come back", async () => {
  isOutage = true;
  assert.equal((await server.stop("SIGTERM"))[0], 0);
  await isState("away");
  server = await start();
  wire.lead(server.port);
  await isState("live");
  isOutage = false;
  await until(async () => (await number("lost")) === 2, "the gap is counted");
});

test("the browser found nothing to complain of", () => {
  assert.deepEqual(complaints, []);
});
