// SPDX-License-Identifier: Apache-2.0
// The chat example in Chromium: two people in two browsers, a server that dies under them, a wire
// that is cut. With SQUALL_SCREENSHOTS set, pictures go to screenshots/ in the working directory.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startBrowser, startServer, startWire } from "./room.mjs";

const PATIENCE = 20_000; // milliseconds until a condition that does not come true fails

let server, wire, direct, browser, ada, bo;
let isOutage = false; // then failed connections are no news
const complaints = [];

async function openPage(url, options = {}) {
  const context = await browser.newContext({ locale: "en-GB", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    const isExpected = isOutage && /WebSocket connection to/.test(message.text());
    if (["error", "warning"].includes(message.type()) && !isExpected) {
      complaints.push(message.text());
    }
  });
  await page.goto(url);
  return page;
}

async function joinAs(page, name) {
  await page.getByLabel("Your name").fill(name);
  await page.getByRole("button", { name: "Join the room" }).click();
  await page.locator("#join").waitFor({ state: "hidden" });
  await isOnline(page);
}

async function say(page, text) {
  await page.getByLabel("Your message").fill(text);
  await page.keyboard.press("Enter");
}

/** Waits until the elements' texts are exactly these. */
async function shows(page, selector, expected) {
  const same = ([chosen, texts]) =>
    JSON.stringify([...document.querySelectorAll(chosen)].map((found) => found.textContent)) ===
    JSON.stringify(texts);
  try {
    await page.waitForFunction(same, [selector, expected]);
  } catch (error) {
    assert.deepEqual(await page.locator(selector).allTextContents(), expected, error.message);
  }
}

const showsMessages = (page, texts) => shows(page, "#messages .text", texts);
const showsPeople = async (page, names) => {
  await shows(page, "#people .who", names);
  await shows(page, "#count", [String(names.length)]);
};
const isOnline = (page) =>
  page.locator("#status[data-state=online]").waitFor({ state: "attached" });
const isAway = (page) => page.locator("#banner", { hasText: "Reconnecting" }).waitFor();

let isBroken = false;

/** One step of the story: it needs those before it, and is left out when one of them failed. */
function step(name, run) {
  test(name, async (context) => {
    if (isBroken) return context.skip("after a failure");
    isBroken = true;
    await run();
    isBroken = false;
  });
}

before(async () => {
  server = await startServer();
  wire = await startWire(server.port);
  direct = await startWire(server.port);
  browser = await startBrowser();
});

after(async () => {
  wire?.stop();
  direct?.stop();
  await browser?.close();
  await server?.stop();
  if (isBroken && server) console.log(`The server's log ends with:\n${server.log()}`);
});

step("files have an ETag, and 304 while they are the same", async () => {
  for (const path of ["/", "/style.css", "/chat.js", "/favicon.svg"]) {
    const whole = await fetch(server.url + path);
    assert.equal(whole.status, 200);
    assert.notEqual(await whole.text(), "");
    const etag = whole.headers.get("etag");
    assert.match(etag, /^"[^"]+"$/);
    const again = await fetch(server.url + path, { headers: { "If-None-Match": etag } });
    assert.equal(again.status, 304);
    assert.equal(again.headers.get("etag"), etag);
    assert.equal(await again.text(), "");
  }
  assert.equal((await fetch(`${server.url}/nothing`)).status, 404);
  assert.notEqual((await fetch(`${server.url}/..%2fchat.cpp`)).status, 200);
});

step("two people come in and see each other", async () => {
  ada = await openPage(direct.url);
  await joinAs(ada, "Ada");
  await showsPeople(ada, ["Ada"]);
  bo = await openPage(wire.url);
  await joinAs(bo, "<b>Bo</b>");
  await showsPeople(bo, ["<b>Bo</b>", "Ada"]);
  await showsPeople(ada, ["Ada", "<b>Bo</b>"]);
});

step("a name that is taken is asked for again", async () => {
  const other = await openPage(server.url);
  await other.getByLabel("Your name").fill("Ada");
  await other.keyboard.press("Enter");
  await other.locator("#name-error", { hasText: "here already" }).waitFor();
  await other.getByLabel("Your name").fill("Eve");
  await other.keyboard.press("Enter");
  await showsPeople(ada, ["Ada", "<b>Bo</b>", "Eve"]);
  await other.context().close();
  await showsPeople(ada, ["Ada", "<b>Bo</b>"]);
});

const said = [];

step("they talk both ways, each on the right of their own page", async () => {
  await bo.getByLabel("Your message").fill("Hel");
  await ada.locator("#typing", { hasText: "is typing" }).waitFor();
  await say(ada, "Hello, Bo.");
  said.push("Hello, Bo.");
  await showsMessages(bo, said);
  await say(bo, "Hello, Ada.\nHow are you?");
  said.push("Hello, Ada.\nHow are you?");
  for (const [page, own] of [[ada, "Hello, Bo."], [bo, "Hello, Ada.\nHow are you?"]]) {
    await showsMessages(page, said);
    await shows(page, "#messages .own .text", [own]);
    assert.match(await page.locator("#messages time").first().textContent(), /^\d\d:\d\d$/);
    await shows(page, "#messages .day", ["Today"]);
  }
  assert.equal(await ada.locator("#typing").textContent(), "");
});

step("markup stays text, and only web addresses become links", async () => {
  const attack = `<img src=x onerror="hacked=1"><script>hacked=1</script> javascript:hacked=1`;
  const link = "See (https://example.com/a_(b)?c=<d), or http://example.org/b.";
  for (const text of [attack, link]) {
    await say(bo, text);
    said.push(text);
    await showsMessages(ada, said);
  }
  assert.equal(await ada.evaluate(() => window.hacked), undefined);
  assert.equal(await ada.locator("#messages :is(img, script, b)").count(), 0);
  const links = ada.locator("#messages a");
  assert.deepEqual(await links.evaluateAll((all) => all.map(({ href }) => href)),
    ["https://example.com/a_(b)?c=", "http://example.org/b"]);
  assert.match(await links.first().getAttribute("rel"), /noopener/);
});

step("whoever reloads sees the history once", async () => {
  await ada.getByLabel("Your message").fill("half a thou");
  await ada.reload();
  await isOnline(ada);
  await showsMessages(ada, said);
  await showsPeople(ada, ["Ada", "<b>Bo</b>"]);
  assert.equal(await ada.getByLabel("Your message").inputValue(), "half a thou");
  await say(ada, "I am back.");
  said.push("I am back.");
  await showsMessages(ada, said);
  await showsMessages(bo, said);
});

step("what was said while the wire was cut arrives, once and in order", async () => {
  isOutage = true;
  wire.cut();
  await isAway(bo);
  await showsPeople(ada, ["Ada"]);
  for (const text of ["one", "two", "three"]) await say(ada, text);
  await showsMessages(ada, [...said, "one", "two", "three"]);
  for (const text of ["four", "five"]) await say(bo, text);
  await shows(bo, "#pending .text", ["four", "five"]);
  wire.mend();
  await isOnline(bo);
  isOutage = false;
  said.push("one", "two", "three", "four", "five");
  await showsMessages(bo, said);
  await showsMessages(ada, said);
  await shows(bo, "#pending .text", []);
  await showsPeople(ada, ["Ada", "<b>Bo</b>"]);
});

step("a message that waits to be sent survives a reload", async () => {
  isOutage = true;
  wire.cut();
  await isAway(bo);
  await say(bo, "six");
  await shows(bo, "#pending .text", ["six"]);
  wire.mend();
  await bo.reload();
  await isOnline(bo);
  isOutage = false;
  said.push("six");
  await showsMessages(ada, said);
  await showsMessages(bo, said);
});

step("a message whose acknowledgement is lost is not said twice", async () => {
  wire.deafen();
  await say(bo, "seven");
  said.push("seven");
  await showsMessages(ada, said);
  await shows(bo, "#pending .text", ["seven"]);
  isOutage = true;
  wire.cut();
  await isAway(bo);
  wire.mend();
  await isOnline(bo);
  isOutage = false;
  await shows(bo, "#pending .text", []);
  await say(bo, "eight");
  said.push("eight");
  await showsMessages(ada, said);
  await showsMessages(bo, said);
});

step("they come back by themselves after the server was killed", async () => {
  isOutage = true;
  await server.stop("SIGKILL");
  await isAway(ada);
  await isAway(bo);
  await say(ada, "Are you there?");
  await shows(ada, "#pending .text", ["Are you there?"]);
  await bo.getByLabel("Your message").fill("a draft");
  server = await startServer();
  wire.lead(server.port);
  direct.lead(server.port);
  await isOnline(ada);
  await isOnline(bo);
  isOutage = false;
  // The new server knows nothing of before, and so the pages forget it too.
  for (const page of [ada, bo]) {
    await showsMessages(page, ["Are you there?"]);
    await shows(page, "#pending .text", []);
    assert.equal(await page.locator("#banner").isVisible(), false);
  }
  await showsPeople(ada, ["Ada", "<b>Bo</b>"]);
  await showsPeople(bo, ["<b>Bo</b>", "Ada"]);
  assert.equal(await bo.getByLabel("Your message").inputValue(), "a draft");
  await say(bo, "Of course.");
  await showsMessages(ada, ["Are you there?", "Of course."]);
  await showsMessages(bo, ["Are you there?", "Of course."]);
});

step("a fast writer is slowed down, and loses nothing", async () => {
  const many = Array.from({ length: 14 }, (_, i) => `line ${i + 1}`);
  for (const text of many) await say(ada, text);
  await showsMessages(bo, ["Are you there?", "Of course.", ...many]);
  await showsMessages(ada, ["Are you there?", "Of course.", ...many]);
  await shows(ada, "#pending .text", []);
});

step("whoever reads further up is told of what is new below", async () => {
  const newer = ada.getByRole("button", { name: "1 new message" });
  await ada.locator("#scroll").evaluate((scroll) => (scroll.scrollTop = 0));
  await say(bo, "Down here!");
  await newer.waitFor();
  assert.equal(await ada.locator("#scroll").evaluate(({ scrollTop }) => scrollTop), 0);
  await newer.click();
  await newer.waitFor({ state: "hidden" });
  await ada.waitForFunction(() => {
    const { scrollHeight, scrollTop, clientHeight } = document.getElementById("scroll");
    return scrollHeight - scrollTop - clientHeight < 2;
  });
});

/** Sends these texts on a WebSocket of its own, returns the answers' codes or types. */
async function answers(texts) {
  const talk = ([sent, patience]) => new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error(`after ${patience} ms only: ${got}`)), patience);
    const socket = new WebSocket(`ws://${location.host}/ws`);
    const got = [];
    socket.onopen = () => sent.forEach((text) => socket.send(text));
    socket.onclose = ({ code }) => reject(new Error(`closed with ${code}`));
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.type !== "people" && message.type !== "message") got.push(message.code ?? message.type);
      if (got.length < sent.length) return;
      socket.onclose = null;
      socket.close();
      resolve(got);
    };
  });
  return ada.evaluate(talk, [texts, PATIENCE]);
}

step("the server refuses what is wrong, and goes on", async () => {
  const join = JSON.stringify({ type: "join", name: "Mallory" });
  const refused = async (texts, expected) => assert.deepEqual(await answers(texts), expected);
  await refused(["{", "[]", "3", `{"type":3}`, `{"type":"x"}`, "{}"], Array(6).fill("bad_request"));
  await refused([`{"type":"message","text":"a","key":"k"}`, `{"type":"typing"}`],
    ["bad_request", "bad_request"]);
  await refused([`{"type":"join"}`, `{"type":"join","name":7}`, `{"type":"join","name":" \\n "}`,
    JSON.stringify({ type: "join", name: "x".repeat(25) }), `{"type":"join","name":"a\\u0000b"}`],
  Array(5).fill("bad_name"));
  await refused([`{"type":"join","name":"Ada","token":"guessed"}`], ["name_taken"]);
  await refused([join, `{"type":"message","text":["a"],"key":"k"}`, `{"type":"message","text":"a"}`,
    JSON.stringify({ type: "message", text: "x".repeat(2001), key: "k" }), `{"type":"dance"}`],
  ["welcome", "bad_text", "bad_request", "bad_text", "bad_request"]);
  await refused([`{"type":"join","name":"Mallory","epoch":{},"last":"1"}`,
    `{"type":"join","name":"Mallory","epoch":"0","last":-9223372036854775808}`,
    `{"type":"join","name":"Mallory","last":9223372036854775807}`], Array(3).fill("welcome"));
  await refused(Array(21).fill(`{"type":"ping"}`), [...Array(20).fill("pong"), "too_fast"]);
});

step("whoever closes the page leaves the list", async () => {
  await bo.context().close();
  await showsPeople(ada, ["Ada"]);
});

step("a phone shows who is here on demand", async () => {
  const phone = await openPage(server.url, { viewport: { width: 390, height: 760 } });
  await joinAs(phone, "Cleo");
  const list = phone.locator("#people");
  assert.equal(await list.isVisible(), false);
  await phone.getByRole("button", { name: "2 here" }).click();
  await list.waitFor();
  await showsPeople(phone, ["Cleo", "Ada"]);
  await phone.getByRole("button", { name: "Change name" }).click();
  await phone.getByLabel("Your name", { exact: true }).fill("Clio");
  await phone.keyboard.press("Enter");
  await showsPeople(ada, ["Ada", "Clio"]);
  await phone.getByRole("button", { name: "2 here" }).click();
  await showsPeople(phone, ["Clio", "Ada"]);
  await phone.keyboard.press("Escape");
  await list.waitFor({ state: "hidden" });
  assert.ok(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  await phone.context().close();
});

test("the browser found nothing to complain of", () => {
  assert.deepEqual(complaints, []);
});

test("pictures", { skip: !process.env.SQUALL_SCREENSHOTS }, async () => {
  const { takePictures } = await import("./pictures.mjs");
  await server.stop();
  server = await startServer();
  isOutage = true; // they show one
  await takePictures({ url: server.url, joinAs, say, openPage, stop: () => server.stop() });
});
