// SPDX-License-Identifier: Apache-2.0
// The example of a blog in Chromium: its author from the first visit to log out.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";

import { pageOpener, shows, startProgram } from "./programs.mjs";
import { startBrowser } from "./room.mjs";

let server, browser, openPage, page, reader, folder;
const complaints = [];
const MARKUP = "<img src=x onerror=hacked=1> & <b>bold</b>";

before(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "squall-blog-"));
  server = await startProgram(process.env.SQUALL_BLOG,
    ["--port", "0", "--database", path.join(folder, "blog.sqlite3"), "--title", "Ann's notes"]);
  browser = await startBrowser();
  openPage = pageOpener(browser, complaints, () => false);
  page = await openPage(server.url);
  reader = await openPage(server.url);
});

after(async () => {
  await browser?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("the first to come creates the author", async () => {
  await page.getByRole("link", { name: "Create the author" }).click();
  await page.getByLabel("Name").fill("Ann");
  await page.getByLabel("Email").fill("ann@example.com");
  await page.getByLabel("Password").fill("correct horse");
  await page.getByRole("button", { name: "Create the author" }).click();
  await page.getByRole("heading", { name: "Nothing here yet" }).waitFor();
  assert.equal(await page.title(), "Ann's notes");
});

test("an entry is written, read, and changed", async () => {
  await page.getByRole("link", { name: "New entry" }).click();
  await page.getByLabel("Title").fill(MARKUP);
  await page.getByLabel("Text").fill(`First line\nsecond line\n\n${MARKUP}`);
  await page.getByRole("button", { name: "Publish" }).click();
  await page.getByRole("heading", { name: MARKUP }).waitFor();
  const { pathname } = new URL(page.url());
  assert.match(pathname, /^\/entry\/img-src-x-/);
  await reader.goto(server.url + pathname);
  await shows(reader, "article h1", [MARKUP]);
  await shows(reader, "article p:not(.when)", ["First line\nsecond line", MARKUP]);
  assert.equal(await reader.evaluate(() => window.hacked), undefined);
  assert.equal(await reader.getByRole("link", { name: "Edit" }).count(), 0);
  await page.getByRole("link", { name: "Edit" }).click();
  assert.equal(await page.getByLabel("Text").inputValue(), `First line\nsecond line\n\n${MARKUP}`);
  await page.getByLabel("Title").fill("Changed");
  await page.getByRole("button", { name: "Publish" }).click();
  await page.getByRole("heading", { name: "Changed" }).waitFor();
  assert.equal(new URL(page.url()).pathname, pathname);
  await reader.getByRole("link", { name: "Archive" }).click();
  await reader.getByRole("link", { name: "Changed" }).click();
  await shows(reader, "article h1", ["Changed"]);
});

test("who logs out is a reader, and logs in to come back to the same page", async () => {
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByRole("link", { name: "Log in" }).waitFor();
  await page.goto(`${server.url}/compose`);
  await page.getByLabel("Email").fill("ann@example.com");
  await page.getByLabel("Password").fill("correct horse");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("heading", { name: "New entry" }).waitFor();
});

test("the pages do without scripts and have room on a phone", async () => {
  const phone = await openPage(server.url,
    { viewport: { width: 360, height: 700 }, javaScriptEnabled: false });
  await phone.getByRole("heading", { name: "Changed" }).waitFor();
  for (const where of ["/", "/compose", "/archive"]) {
    await page.setViewportSize({ width: 360, height: 700 });
    await page.goto(server.url + where);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), where);
  }
  assert.deepEqual(complaints, []);
});
