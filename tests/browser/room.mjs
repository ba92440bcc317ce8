// SPDX-License-Identifier: Apache-2.0
// What the chat's test stands on: the server as a process, a wire that can be cut, the browser.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import net from "node:net";

const HELP = "run ./dev test, which installs it";

/** Starts the chat on a free port, and waits until it says where it is. */
export async function startServer() {
  const program = process.env.SQUALL_CHAT;
  if (!program || !existsSync(program)) {
    throw new Error(`SQUALL_CHAT names no program (${program}); ctest sets it`);
  }
  const child = spawn(program, ["--port", "0"], { stdio: ["ignore", "pipe", "pipe"] });
  let [said, log] = ["", ""];
  child.stderr.on("data", (data) => (log = (log + data).slice(-20_000)));
  const exited = once(child, "exit");
  const found = await new Promise((resolve, reject) => {
    child.stdout.on("data", (data) => {
      said += data;
      const match = /http:\/\/localhost:(\d+)\n/.exec(said);
      if (match) resolve(Number(match[1]));
    });
    child.on("error", reject);
    child.on("exit", (code, signal) => reject(new Error(`chat ended (${code ?? signal}):\n${log}`)));
  });
  return {
    port: found,
    url: `http://localhost:${found}`,
    log: () => log,
    async stop(signal = "SIGKILL") {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return exited;
    },
  };
}

/** A TCP proxy to `port` on this machine, whose connections can be cut and kept from coming back, and
 * whose answers can be swallowed. */
export async function startWire(port) {
  const open = new Set();
  let [isCut, isDeaf, target] = [false, false, port];
  const server = net.createServer((near) => {
    if (isCut) return near.destroy();
    const far = net.connect(target, "localhost");
    for (const [from, to] of [[near, far], [far, near]]) {
      open.add(from);
      from.on("data", (data) => from === far && isDeaf ? null : to.write(data));
      from.on("end", () => to.end());
      from.on("error", () => to.destroy());
      from.on("close", () => {
        open.delete(from);
        to.destroy();
      });
    }
  });
  server.listen(0, "localhost");
  await once(server, "listening");
  const cut = () => {
    isCut = true;
    for (const socket of open) socket.destroy();
  };
  return {
    url: `http://localhost:${server.address().port}`,
    cut,
    deafen: () => (isDeaf = true),
    mend: () => ([isCut, isDeaf] = [false, false]),
    /** New connections go there: a server that comes back need not find its port free. */
    lead: (to) => (target = to),
    stop() {
      cut();
      server.close();
    },
  };
}

export async function startBrowser() {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  if (!existsSync(executablePath)) throw new Error(`there is no ${executablePath}: ${HELP}`);
  let playwright;
  try {
    playwright = await import("playwright-core");
  } catch (error) {
    throw new Error(`playwright-core is not in tests/browser/node_modules: ${HELP}`, { cause: error });
  }
  return playwright.chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-quic",
           "--no-first-run"],
  });
}
