// SPDX-License-Identifier: Apache-2.0
// Sends files one after the other. What has left the browser is told by XMLHttpRequest, what has
// arrived by the server's own stream of events; fetch() cannot tell either.
const $ = (id) => document.getElementById(id);
const waiting = [];
let maxBytes = Infinity;
let isBusy = false;

function inWords(bytes) {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  for (; bytes >= 1024 && unit < units.length - 1; ++unit) bytes /= 1024;
  return `${unit === 0 ? bytes : bytes.toFixed(1)} ${units[unit]}`;
}

function fromTemplate(id) {
  const item = $(id).content.firstElementChild.cloneNode(true);
  return [item, (selector) => item.querySelector(selector)];
}

function list(file) {
  const [item, find] = fromTemplate("one");
  find("a").textContent = file.name;
  find("a").href = `/files/${encodeURIComponent(file.name)}`;
  find(".size").textContent = inWords(file.size);
  find("code").textContent = file.sha256;
  $("files").prepend(item);
  $("kept").hidden = false;
}

class Upload {
  constructor(file) {
    this.file = file;
    [this.item, this.find] = fromTemplate("upload");
    this.find(".name").textContent = file.name;
    this.find(".cancel").addEventListener("click", () => this.cancel());
    $("running").append(this.item);
  }

  cancel() {
    this.isCancelled = true;
    this.request?.abort();
    this.item.remove();
  }

  fail(text) {
    this.find(".problem").textContent = text;
    this.find(".cancel").textContent = "Dismiss";
    this.find("progress").hidden = true;
    this.find(".sent").textContent = "";
  }

  watch(id) {
    const events = new EventSource(`/progress/${id}`);
    events.addEventListener("message", ({ data }) => {
      const { received, written } = JSON.parse(data);
      this.find(".server").textContent =
        `· the server has ${inWords(received)}, ${inWords(written)} of it on its disk`;
    });
    events.addEventListener("end", () => events.close());
    return events;
  }

  /** Ends when the upload has, in whichever way. */
  async send() {
    if (this.isCancelled) return;
    if (this.file.size > maxBytes) {
      this.fail(`That is too large: at most ${inWords(maxBytes)} are taken.`);
      return;
    }
    const id = [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16)).join("-");
    const events = this.watch(id);
    const request = (this.request = new XMLHttpRequest());
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      this.find("progress").value = loaded / total;
      this.find(".sent").textContent = `${inWords(loaded)} of ${inWords(total)} sent`;
    });
    const form = new FormData();
    form.append("file", this.file);
    request.open("POST", `/save?id=${id}`);
    request.responseType = "json";
    request.send(form);
    await new Promise((resolve) => request.addEventListener("loadend", resolve));
    events.close();
    if (this.isCancelled) return;
    if (request.status !== 200) {
      this.fail(request.response?.error ?? "The connection to the server was lost.");
      return;
    }
    this.item.remove();
    request.response.files.forEach(list);
  }
}

async function sendAll() {
  if (isBusy) return;
  isBusy = true;
  while (waiting.length) await waiting.shift().send();
  isBusy = false;
}

function take(files) {
  waiting.push(...[...files].map((file) => new Upload(file)));
  sendAll();
}

$("file").addEventListener("change", () => {
  take($("file").files);
  $("file").value = ""; // so that the same file may be chosen again
});
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  take(event.dataTransfer.files);
});

const { max_bytes, files } = await (await fetch("/files")).json();
maxBytes = max_bytes;
$("limit").textContent = `At most ${inWords(maxBytes)} each.`;
files.reverse().forEach(list);
