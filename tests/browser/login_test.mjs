// SPDX-License-Identifier: Apache-2.0
// The example of accounts in Chromium.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";

import { PATIENCE, startProgram } from "./programs.mjs";
import { startBrowser } from "./room.mjs";

let server, browser, page, url, folder;

before(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "squall-login-"));
  server = await startProgram(
    process.env.SQUALL_LOGIN,
    ["0", path.join(folder, "sessions")],
    /listening on (\d+)\n/,
  );
  url = `http://127.0.0.1:${server.port}`;
  browser = await startBrowser();
  page = await (await browser.newContext()).newPage();
  page.setDefaultTimeout(PATIENCE);
});

after(async () => {
  await browser?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function send(name, password, button) {
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: button }).click();
}

test("who is new registers, comes in, logs out and in again", async () => {
  await page.goto(`${url}/`);
  assert.match(page.url(), /\/login\?next=%2F$/);
  await page.getByRole("link", { name: "I am new here" }).click();
  await send("ann", "correct horse", "Register");
  await page.getByRole("heading", { name: "Hello, ann" }).waitFor();
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  await send("ann", "wrong horse", "Log in");
  assert.equal(await page.getByRole("alert").textContent(), "Name or password is wrong.");
  await send("ann", "correct horse", "Log in");
  await page.getByRole("heading", { name: "Hello, ann" }).waitFor();
});

test("scripts see no session, and a page of another origin cannot log out", async () => {
  const visible = await page.evaluate(() => document.cookie);
  assert.match(visible, /^_xsrf=[^;]*$/);
  const other = await page.context().newPage();
  await other.setContent(`<form method=post action="${url}/logout"><button>Win</button></form>`);
  const answered = other.waitForResponse(`${url}/logout`);
  await other.getByRole("button").click();
  assert.equal((await answered).status(), 403);
  await page.goto(`${url}/`);
  await page.getByRole("heading", { name: "Hello, ann" }).waitFor();
});
