// SPDX-License-Identifier: Apache-2.0
// Goes into pages while `squall run --watch` runs their program: reloads them when there is something
// new, and shows what the compiler says. Nothing here needs a style or a script that stands in the
// page, which its Content-Security-Policy may forbid.
(() => {
  "use strict";
  const script = document.currentScript;
  const own = new URL(script.src).searchParams.get("g");
  let source = null;
  let overlay = null;

  function show(error) {
    overlay?.remove();
    overlay = null;
    if (!error) return;
    overlay = document.createElement("div");
    overlay.id = "squall-build-error";
    overlay.style.cssText =
      "all: initial; position: fixed; inset: 0; z-index: 2147483647; overflow: auto;" +
      "background: rgba(20, 20, 24, 0.94); color: #f2f2f2; padding: 24px; box-sizing: border-box";
    const head = document.createElement("div");
    head.textContent = "The build failed; this is the page of the last one that did not";
    head.style.cssText = "font: bold 16px sans-serif; color: #ff8a80; margin: 0 0 16px";
    const hide = document.createElement("button");
    hide.textContent = "Hide";
    hide.style.cssText = "float: right; font: 14px sans-serif; cursor: pointer";
    hide.onclick = () => show("");
    const text = document.createElement("pre");
    text.textContent = error;
    text.style.cssText = "font: 13px/1.45 monospace; white-space: pre-wrap; margin: 0";
    overlay.append(hide, head, text);
    (document.body ?? document.documentElement).append(overlay);
  }

  function listen() {
    source = new EventSource("/_squall/reload");
    source.onmessage = (event) => {
      const end = event.data.indexOf("\n");
      if (event.data.slice(0, end) !== own) {
        close();
        location.reload();
      } else {
        show(event.data.slice(end + 1));
      }
    };
    // A program that was started without `squall run` knows nothing of this.
    source.onerror = () => source?.readyState === EventSource.CLOSED && setTimeout(renew, 1000);
  }

  function close() {
    source?.close();
    source = null;
  }

  // A browser has six connections to a server: pages that nobody sees take none.
  function renew() {
    close();
    if (document.visibilityState === "visible") listen();
  }

  document.addEventListener("visibilitychange", renew);
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", (event) => event.persisted && renew());
  renew();
})();
