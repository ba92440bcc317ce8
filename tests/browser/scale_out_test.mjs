// SPDX-License-Identifier: Apache-2.0
// The chat with several processes in Chromium: two people at two processes, one of which is killed
// under them; a browser that is offline; a chat that is the same for all. With SQUALL_SCREENSHOTS
// set, pictures go to screenshots/ in the working directory.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before, test } from "node:test";

import { freePort, pageOpener, shows, startProgram } from "./programs.mjs";
import { startBrowser } from "./room.mjs";

const complaints = [];
let isOutage = false;
let all, browser, openPage, ada, bo;
let processes; // [{ name, pid, port }]

const isState = (page, text) => page.locator("#state", { hasText: text }).waitFor();
const showsMessages = (page, texts) => shows(page, "#messages .text", texts);
const processOf = async (page) =>
  /Connected to (process \d)/.exec(await page.locator("#state").textContent())?.[1];

async function joinAs(page, name) {
  await page.getByLabel("Your name").fill(name);
  await page.getByRole("button", { name: "Join the room" }).click();
  await isState(page, "Connected to process");
}

async function say(page, text) {
  await page.getByLabel("Your message").fill(text);
  await page.keyboard.press("Enter");
}

/** Joins until the page is at that process: nginx takes them in turn. */
async function joinAt(name, wanted) {
  for (let i = 0; i < 8; i++) {
    const page = await openPage(all.url);
    await joinAs(page, name);
    if (await processOf(page) === wanted) return page;
    await page.context().close();
  }
  throw new Error(`nobody comes to ${wanted}`);
}

async function picture(page, name) {
  if (!process.env.SQUALL_SCREENSHOTS) return;
  mkdirSync("screenshots", { recursive: true });
  await page.screenshot({ path: `screenshots/scale-out-${name}.png` });
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
  const port = await freePort();
  all = await startProgram(process.env.SQUALL_SCALE_OUT_RUN,
    ["--program", process.env.SQUALL_SCALE_OUT, "--port", String(port)], /The chat is open: http:\/\/localhost:(\d+)\n/);
  processes = [...all.log().matchAll(/(process \d): http:\/\/localhost:(\d+), process number (\d+)/g)]
    .map(([, name, at, pid]) => ({ name, port: Number(at), pid: Number(pid) }));
  browser = await startBrowser();
  openPage = pageOpener(browser, complaints, () => isOutage);
});

after(async () => {
  await browser?.close();
  await all?.stop("SIGTERM");
  if (isBroken && all) console.log(`The log ends with:\n${all.log()}`);
});

step("two people at two processes are in one room", async () => {
  assert.deepEqual(processes.map(({ name }) => name), ["process 1", "process 2"]);
  ada = await joinAt("Ada", "process 1");
  bo = await joinAt("Bo", "process 2");
  for (const page of [ada, bo]) await shows(page, "#people .who", ["Ada", "Bo"]);
  await shows(ada, "#people .process", ["process 1", "process 2"]);
});

step("they read the same, in the same order", async () => {
  await say(ada, "Hello from one process.");
  await showsMessages(bo, ["Hello from one process."]);
  await say(bo, "<b>Hello</b> from the other.");
  for (const page of [ada, bo]) {
    await showsMessages(page, ["Hello from one process.", "<b>Hello</b> from the other."]);
    await shows(page, "#pending .text", []);
    assert.equal(await page.locator("#messages b").count(), 0);
  }
  // At the same time, so that the order is not given by when they are sent.
  await Promise.all([ada, bo].map(async (page) => {
    for (const text of ["a", "b", "c"]) await say(page, text);
  }));
  await ada.waitForFunction(() => document.querySelectorAll("#messages .text").length === 8);
  const order = await ada.locator("#messages .text").allTextContents();
  await showsMessages(bo, order);
});

let said;
step("who was offline gets what was said meanwhile, marked as such, once and in order", async () => {
  said = await ada.locator("#messages .text").allTextContents();
  isOutage = true;
  await bo.context().setOffline(true);
  await isState(bo, "Reconnecting");
  for (const text of ["one", "two", "three"]) {
    await say(ada, text);
    said.push(text);
    await showsMessages(ada, said);
  }
  await say(bo, "four, from offline");
  await shows(bo, "#pending .text", ["four, from offline"]);
  await picture(bo, "offline");
  await bo.context().setOffline(false);
  await isState(bo, "Connected to process");
  isOutage = false;
  said.push("four, from offline");
  await showsMessages(bo, said);
  await showsMessages(ada, said);
  await bo.locator("#messages .mark", { hasText: "3 messages while you were away" }).waitFor();
  await shows(bo, "#messages .recovered .text", ["one", "two", "three"]);
  await shows(bo, "#pending .text", []);
  assert.equal(await bo.locator("#messages .mark.lost").count(), 0);
  await picture(bo, "recovered");
});

step("when a process is killed, its people go on at another and miss nothing", async () => {
  isOutage = true;
  const died = await processOf(ada);
  process.kill(processes.find(({ name }) => name === died).pid, "SIGKILL");
  await isState(ada, "Reconnecting").catch(() => {}); // it may be over before it is seen
  const rest = processes.find(({ name }) => name !== died);
  await isState(ada, `Connected to ${rest.name}`);
  await isState(bo, `Connected to ${rest.name}`);
  for (const [page, text] of [[ada, "Are you there?"], [bo, "Of course."]]) {
    await say(page, text);
    said.push(text);
    await showsMessages(ada, said);
    await showsMessages(bo, said);
  }
  isOutage = false;
  assert.equal(await ada.locator("#messages .mark.lost").count(), 0);
  assert.equal(await bo.locator("#messages .mark.lost").count(), 0);
  await picture(ada, "after-a-kill");
});

step("whoever comes later sees what was said", async () => {
  const eve = await openPage(all.url);
  await joinAs(eve, "Eve");
  await showsMessages(eve, said);
  await eve.context().close();
});

step("nothing is left when it is stopped", async () => {
  isOutage = true; // pages that are still open try to come back
  const [code] = await all.stop("SIGTERM");
  assert.equal(code, 143);
  for (const { pid } of processes) {
    assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
  }
});

test("the browser found nothing to complain of", () => {
  assert.deepEqual(complaints, []);
});
