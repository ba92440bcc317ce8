// SPDX-License-Identifier: Apache-2.0
// The example of uploads in Chromium, over a line that is slow enough to look at.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";

import { pageOpener, shows, startProgram } from "./programs.mjs";
import { startBrowser } from "./room.mjs";

let server, browser, page, folder, large, line;
const complaints = [];
const MIB = 1 << 20;
const file = (name, size) => ({ name, mimeType: "application/octet-stream", buffer: Buffer.alloc(size, name) });
/** A large one, of zeros: by its path, as the browser gets it sooner. */
function fileOnDisk(size) {
  const name = path.join(large, `${size}.bin`);
  writeFileSync(name, "");
  truncateSync(name, size);
  return name;
}

before(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "squall-upload-"));
  large = mkdtempSync(path.join(tmpdir(), "squall-upload-"));
  server = await startProgram(process.env.SQUALL_UPLOAD,
    ["--port", "0", "--directory", folder, "--max-size", "8MiB"]);
  browser = await startBrowser();
  page = await pageOpener(browser, complaints, () => true)(server.url);
  line = await page.context().newCDPSession(page);
});

after(async () => {
  await browser?.close();
  await server?.stop();
  for (const one of [folder, large]) rmSync(one, { recursive: true, force: true });
});

const slowDown = (uploadThroughput) =>
  line.send("Network.emulateNetworkConditions",
    { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput });
const choose = (...files) => page.locator("#file").setInputFiles(files);

test("a bar moves with what was sent, beside it what the server has", async () => {
  await shows(page, "#limit", ["At most 8.0 MiB each."]);
  const sent = file("<b>photo.raw", 5 * MIB);
  await slowDown(5 * MIB);
  await choose(sent);
  await page.waitForFunction(() => {
    const { value } = document.querySelector("progress") ?? {};
    return value > 0 && value < 1;
  });
  await page.waitForFunction(() =>
    /the server has [\d.]+ MiB, [\d.]+ [KM]iB of it on its disk/.test(document.body.innerText));
  await shows(page, ".file a", ["_b_photo.raw"]);
  const digest = createHash("sha256").update(sent.buffer).digest("hex");
  await shows(page, ".file code", [digest]);
  await shows(page, ".file .size", ["5.0 MiB"]);
  await shows(page, ".upload", []);
  assert.deepEqual(readFileSync(path.join(folder, "_b_photo.raw")), sent.buffer);
});

test("one that is cancelled is gone, and the next one goes on", async () => {
  await slowDown(MIB);
  await choose(file("first.bin", 5 * MIB), file("second.txt", 100));
  await page.locator(".upload", { hasText: "first.bin" }).getByText("on its disk").waitFor();
  await page.locator(".upload", { hasText: "first.bin" }).getByRole("button", { name: "Cancel" }).click();
  await slowDown(-1);
  await shows(page, ".file a", ["second.txt", "_b_photo.raw"]);
  await shows(page, ".upload", []);
  while (readdirSync(folder).length !== 2) await new Promise(setImmediate);
});

test("what is too large is refused in words, by the page and by the server", async () => {
  const problem = page.getByRole("alert").filter({ hasText: "too large" });
  await choose(fileOnDisk(8 * MIB + 1));
  await problem.waitFor();
  assert.equal(await problem.textContent(), "That is too large: at most 8.0 MiB are taken.");
  await page.getByRole("button", { name: "Dismiss" }).click();
  await shows(page, ".upload", []);
  // A page that does not know the limit is told by the server.
  await page.route("**/files", (route) => route.fulfill({ json: { max_bytes: 1e12, files: [] } }));
  await page.reload();
  await shows(page, "#limit", ["At most 931.3 GiB each."]);
  for (const size of [8 * MIB + 1, 30 * MIB]) {
    await choose(fileOnDisk(size));
    await problem.waitFor();
    assert.equal(await problem.textContent(), "That is too large: at most 8MiB are taken.");
    await page.getByRole("button", { name: "Dismiss" }).click();
  }
});

test("the list is there after a reload, and a phone has room for it", async () => {
  await page.unroute("**/files");
  await page.setViewportSize({ width: 360, height: 700 });
  await page.reload();
  await shows(page, ".file a", ["second.txt", "_b_photo.raw"]);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  assert.deepEqual(complaints, []);
});
