// SPDX-License-Identifier: Apache-2.0
// What the browser tests of the examples share: programs that say where they are, ports that are
// free, pages whose complaints are kept.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import net from "node:net";

export const PATIENCE = 20_000; // milliseconds until a condition that does not come true fails

/** Starts a program and waits until it says where it is; `ready` finds that in its output. */
export async function startProgram(program, args, ready = /http:\/\/localhost:(\d+)\n/) {
  if (!program || !existsSync(program)) throw new Error(`there is no program ${program}; ctest names it`);
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  let [said, log] = ["", ""];
  child.stderr.on("data", (data) => (log = (log + data).slice(-20_000)));
  const exited = once(child, "exit");
  const found = await new Promise((resolve, reject) => {
    child.stdout.on("data", (data) => {
      said += data;
      const match = ready.exec(said);
      if (match) resolve(match);
    });
    child.on("error", reject);
    child.on("exit", (code, signal) =>
      reject(new Error(`${program} ended (${code ?? signal}):\n${said}${log}`)));
  });
  return {
    found,
    pid: child.pid,
    port: Number(found[1]),
    url: `http://localhost:${found[1]}`,
    log: () => said + log,
    async stop(signal = "SIGKILL") {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return exited;
    },
  };
}

export async function freePort() {
  // Below those that the kernel gives to clients: another test's connection may take such a one.
  const low = Number(readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "ascii").split("\t")[0]);
  for (;;) {
    const port = randomInt(10_000, Math.max(low, 12_000));
    const server = net.createServer();
    const isFree = await new Promise((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "::", () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}

/** Opens pages of `browser`; what a page complains of is kept, but for failed connections while
 * `isOutage()` says that they are no news. */
export function pageOpener(browser, complaints, isOutage) {
  return async (url, options = {}) => {
    const context = await browser.newContext({ locale: "en-GB", ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      const isExpected = isOutage() && /Failed to load resource|WebSocket connection to/.test(message.text());
      if (["error", "warning"].includes(message.type()) && !isExpected) complaints.push(message.text());
    });
    await page.goto(url);
    return page;
  };
}

/** Waits until the elements' texts are exactly these. */
export async function shows(page, selector, expected) {
  const same = ([chosen, texts]) =>
    JSON.stringify([...document.querySelectorAll(chosen)].map((found) => found.textContent)) ===
    JSON.stringify(texts);
  try {
    await page.waitForFunction(same, [selector, expected]);
  } catch (error) {
    assert.deepEqual(await page.locator(selector).allTextContents(), expected, error.message);
  }
}
