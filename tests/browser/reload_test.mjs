// SPDX-License-Identifier: Apache-2.0
// Pages in Chromium while `squall run --watch` builds and starts their program again.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";

import { freePort, PATIENCE, shows } from "./programs.mjs";
import { startBrowser } from "./room.mjs";

const BUILD = "g++ -O0 -o maker answer.cpp && ./maker > answer.new && mv answer.new answer";

let folder, squall, browser, page, port;
let terminal = "";

const write = (text) => writeFileSync(path.join(folder, "answer.cpp"), text);
const answer = (text) =>
  write(`extern "C" int puts(const char*);\nint main() { return puts("${text}") < 0; }\n`);

before(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "squall-reload-"));
  answer("one");
  port = await freePort();
  squall = spawn(
    process.env.SQUALL_COMMAND,
    ["run", "--watch", "--build", BUILD, "--", process.env.SQUALL_RELOAD_PROGRAM, String(port), "answer"],
    { cwd: folder, stdio: ["ignore", "pipe", "pipe"] },
  );
  const started = new Promise((resolve) => {
    for (const stream of [squall.stdout, squall.stderr]) {
      stream.on("data", (data) => {
        terminal += data;
        if (terminal.includes("listening on")) resolve();
      });
    }
  });
  await started;
  browser = await startBrowser();
  page = await (await browser.newContext()).newPage();
  page.setDefaultTimeout(PATIENCE);
});

after(async () => {
  await browser?.close();
  if (squall?.exitCode === null) {
    squall.kill("SIGTERM");
    await once(squall, "exit");
  }
  rmSync(folder, { recursive: true, force: true });
});

test("a page loads itself again when the source has changed", async () => {
  await page.goto(`http://127.0.0.1:${port}/`);
  await shows(page, "#answer", ["one\n"]);
  answer("two");
  await shows(page, "#answer", ["two\n"]);
});

test("a build that fails is shown over the page, and goes when it is mended", async () => {
  write('int main() { return "<b>"; }\n');
  const overlay = page.locator("#squall-build-error");
  await overlay.waitFor();
  assert.match(await overlay.locator("pre").textContent(), /answer\.cpp:1:.*\n?.*error: invalid conversion/);
  await shows(page, "#answer", ["two\n"]);
  answer("three");
  await shows(page, "#answer", ["three\n"]);
  await overlay.waitFor({ state: "detached" });
});

test("a program that ends at start is a page of its own, until it runs again", async () => {
  answer("throw");
  await page.getByRole("heading", { name: /ended with signal 6/ }).waitFor();
  assert.match(await page.locator("pre").textContent(), /no such table: <users>/);
  answer("four");
  await shows(page, "#answer", ["four\n"]);
});

test("a page with a strict Content-Security-Policy loads itself again too", async () => {
  const complaints = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  await page.goto(`http://127.0.0.1:${port}/strict`);
  const loaded = page.waitForEvent("load");
  answer("five");
  await loaded;
  write("nothing\n");
  await page.locator("#squall-build-error").waitFor();
  assert.deepEqual(complaints.filter((text) => /Content Security Policy/.test(text)), []);
});
