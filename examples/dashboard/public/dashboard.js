// SPDX-License-Identifier: Apache-2.0
// The dashboard's page: the state first, then the stream from where the state stood. The viewer is
// shown when readings stop coming, and, once they come again, whether anything is missing.
import { Chart } from "./chart.js";

const KEPT = 400; // readings
const NOTE_TIME = 12_000;
const MIN_DELAY = 300, MAX_DELAY = 8_000; // between two attempts

const $ = (id) => document.getElementById(id);
const percent = (value) => `${value.toFixed(value < 10 ? 1 : 0)} %`;
const bytes = (value) => {
  const units = ["B/s", "kB/s", "MB/s", "GB/s"];
  let unit = 0;
  for (; value >= 1000 && unit + 1 < units.length; unit++) value /= 1000;
  return `${value.toFixed(value < 10 && unit ? 1 : 0)} ${units[unit]}`;
};
const whole = (value) => value.toFixed(0);

const CARDS = [
  { title: "Processor", top: 100, format: percent, lines: [{ of: (r) => r.cpu, colour: "--chart" }] },
  { title: "Memory", top: 100, format: percent, lines: [{ of: (r) => r.memory, colour: "--chart" }] },
  { title: "Network, in and out", format: bytes, least: 1000,
    lines: [{ of: (r) => r.received, colour: "--chart" }, { of: (r) => r.sent, colour: "--chart-second" }] },
  { title: "Watching", format: whole, least: 4, lines: [{ of: (r) => r.viewers, colour: "--chart" }] },
];

const cards = CARDS.map((card) => {
  const section = $("card").content.cloneNode(true).firstElementChild;
  section.querySelector("h2").textContent = card.title;
  const canvas = section.querySelector("canvas");
  canvas.setAttribute("aria-label", `${card.title}, the last two minutes`);
  $("cards").append(section);
  return { ...card, output: section.querySelector("output"), chart: new Chart(canvas, card) };
});

let entries = []; // readings, and { gap: true } where some are lost
let position = ""; // of the last one
let interval = 1000;
let expected = 0; // recovered readings that are still to come
let [recovered, gaps] = [0, 0];
let source = null;
let attempt = 0;
let heardAt = performance.now();
let clockOffset = 0; // the server's clock to ours
let timer, noteTimer;

const last = () => entries.findLast((entry) => !entry.gap);

function note(kind, text) {
  clearTimeout(noteTimer);
  $("note").dataset.kind = kind;
  $("note").textContent = text;
  $("note").hidden = false;
  noteTimer = setTimeout(() => ($("note").hidden = true), NOTE_TIME);
}

function show() {
  const reading = last();
  if (!reading) return;
  for (const { output, lines, format } of cards) {
    output.textContent = lines.map(({ of }) => format(of(reading))).join(" · ");
  }
  $("viewers").textContent = reading.viewers;
  $("recovered").textContent = recovered;
  $("lost").textContent = gaps === 1 ? "1 gap" : `${gaps} gaps`;
  const first = entries[entries.findLastIndex((entry) => entry.gap) + 1] ?? reading;
  $("range").textContent = `Readings ${first.number} to ${reading.number}`;
}

function setState(state) {
  $("state").dataset.state = state;
  document.body.classList.toggle("stale", state !== "live");
  tick();
}

/** The words beside the dot, which tell the age of what is shown. */
function tick() {
  const { state } = $("state").dataset;
  const age = Math.round((performance.now() - heardAt) / 1000);
  $("state-text").textContent = state === "live" ? "Live"
    : state === "away" ? `Reconnecting… the last reading is ${age} s old` : "Connecting…";
}

function take(reading) {
  if (expected > 0) {
    expected -= 1;
    recovered += 1;
    reading.isRecovered = true;
  }
  entries.push(reading);
  if (entries.length > KEPT) entries = entries.slice(-KEPT);
  clockOffset = reading.time - Date.now();
}

function markGap() {
  if (entries.length === 0 || entries.at(-1).gap) return;
  entries.push({ gap: true });
  gaps += 1;
}

/** The state: what the server still knows, and where its stream stands. */
async function load() {
  const response = await fetch("history", { cache: "no-store" });
  if (!response.ok) throw new Error(`history: ${response.status}`);
  const state = await response.json();
  const seen = last()?.time ?? -Infinity;
  interval = state.interval;
  position = state.position;
  state.readings.filter(({ time }) => time > seen).forEach(take);
  show();
}

function listen() {
  source?.close();
  source = new EventSource(`events?last_event_id=${encodeURIComponent(position)}`);
  const on = (name, act) => source.addEventListener(name, (event) => {
    heardAt = performance.now();
    act(event);
  });
  on("message", (event) => {
    position = event.lastEventId;
    take(JSON.parse(event.data));
    attempt = 0;
    show();
    setState("live");
  });
  on("recovered", (event) => {
    const { missed } = JSON.parse(event.data);
    const isBack = $("state").dataset.state === "away";
    setState("live");
    if (!isBack) return; // what came between the state and the stream
    expected = missed;
    note("recovered", missed === 1 ? "Back. One reading was missed, and has come."
      : `Back. ${missed} readings were missed, and have come.`);
  });
  on("reset", (event) => {
    expected = 0;
    position = JSON.parse(event.data).position;
    markGap();
    note("lost", "Back, but readings in between are lost. The charts show where.");
    setState("live");
    load().catch(() => later());
  });
  source.onerror = () => {
    setState("away");
    if (source.readyState === EventSource.CLOSED) later();
  };
}

/** The browser comes back by itself after most failures; here after the others, and faster. */
function later(delay = Math.random() * Math.min(MAX_DELAY, MIN_DELAY * 2 ** attempt++)) {
  clearTimeout(timer);
  timer = setTimeout(begin, delay);
}

async function begin() {
  try {
    if (position === "") await load();
    listen();
  } catch {
    setState($("state").dataset.state === "connecting" ? "connecting" : "away");
    later();
  }
}

// A stream that says nothing for so long is dead, whatever the browser thinks.
setInterval(() => {
  tick();
  const silence = performance.now() - heardAt;
  if (position === "" || silence < Math.max(5 * interval, 3_000)) return;
  if ($("state").dataset.state === "live") setState("away");
  if (silence % 6_000 < 1_000) later();
}, 1_000);
addEventListener("online", () => later(0));

const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
let drawnAt = 0;
function draw(moment) {
  if (moment - drawnAt > (isCalm ? 1_000 : 50)) {
    drawnAt = moment;
    for (const { chart } of cards) chart.draw(entries, Date.now() + clockOffset);
  }
  requestAnimationFrame(draw);
}
requestAnimationFrame(draw);
begin();
