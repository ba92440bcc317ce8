// SPDX-License-Identifier: Apache-2.0
// The chat's page. Whatever process it is connected to, and whichever dies, it shows every message
// once and in the one order, marks those that came late, and says so when some may be missing.
import { Realtime } from "./squall-realtime.js";

const CHANNEL = "chat";
const SHOWN = 300;
const RETRY = 1_000;

const $ = (id) => document.getElementById(id);
const [scroll, list, pending] = [$("scroll"), $("messages"), $("pending")];
const offsetOf = (position) => Number(position.slice(position.lastIndexOf(":") + 1));

let myName = "";
let realtime, chat;
const shownKeys = new Set(); // of messages in the list: one said twice is shown once
const outbox = []; // { key, text }, oldest first; said one after the other, so that order holds
const members = new Map(); // client: { user, process }
let expected = 0; // recovered messages that are still to come

// --- what is seen --------------------------------------------------------------------------------

function element(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function said({ name, text, time, process }) {
  const item = element("li", name === myName ? "said own" : "said");
  const head = element("p", "head");
  head.append(element("span", "who", name));
  if (time) {
    const clock = new Date(time).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    head.append(` ${clock}, through `, element("span", "process", process));
  }
  item.append(head, element("p", "text", text));
  return item;
}

function append(node) {
  const isAtEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 60;
  list.append(node);
  while (list.childElementCount > SHOWN) list.firstElementChild.remove();
  $("empty").hidden = true;
  if (isAtEnd) scroll.scrollTop = scroll.scrollHeight;
}

const mark = (text, kind = "") => append(element("li", `mark ${kind}`, text));

function show(message, isRecovered) {
  const data = message.json();
  const waiting = outbox.findIndex(({ key }) => key === data.key);
  if (waiting >= 0) {
    outbox.splice(waiting, 1);
    showOutbox();
  }
  if (shownKeys.has(data.key)) return;
  shownKeys.add(data.key);
  const item = said(data);
  item.classList.toggle("recovered", isRecovered);
  append(item);
}

function showOutbox() {
  pending.replaceChildren(...outbox.map(({ text }) => said({ name: myName, text })));
  if (outbox.length > 0) scroll.scrollTop = scroll.scrollHeight;
}

function showState() {
  const { state } = realtime;
  $("state").dataset.state = state;
  const process = members.get(realtime.client)?.process;
  $("state").textContent = {
    open: process ? `Connected to ${process}` : "Connected",
    polling: "Connected by long polls",
    waiting: "Reconnecting…",
  }[state] ?? "Connecting…";
}

function showPeople() {
  const people = [...members.values()].sort((a, b) => a.user.localeCompare(b.user));
  $("people").replaceChildren(...people.map(({ user, process }) => {
    const item = element("li", "");
    item.append(element("span", "who", user), " ", element("span", "process", process));
    return item;
  }));
  showState();
}

// --- what is said --------------------------------------------------------------------------------

let isSaying = false;
async function sayAll() {
  if (isSaying) return;
  isSaying = true;
  while (outbox.length > 0) {
    const { key, text } = outbox[0];
    try {
      const response = await fetch("say", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ name: myName, text, key }),
        signal: AbortSignal.timeout(5_000),
      });
      if (response.status === 400) {
        outbox.shift();
        mark("A message was refused.", "lost");
        showOutbox();
        continue;
      }
      if (!response.ok) throw new Error(response.statusText);
      // It is taken from the outbox when it comes back in the channel, for all to see.
      if (outbox[0]?.key === key && shownKeys.has(key)) outbox.shift();
      if (outbox[0]?.key === key) await new Promise((resolve) => setTimeout(resolve, RETRY));
    } catch {
      await new Promise((resolve) => setTimeout(resolve, RETRY));
    }
  }
  isSaying = false;
}

function say(text) {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  outbox.push({ key: btoa(String.fromCharCode(...bytes)), text });
  showOutbox();
  sayAll();
}

// --- the channel ---------------------------------------------------------------------------------

function memberOf({ client, user, info }) {
  let process = "";
  try {
    ({ process = "" } = JSON.parse(info));
  } catch {
    // a member of another program
  }
  members.set(client, { user, process });
}

async function loadPeople() {
  try {
    const page = await chat.presence();
    members.clear();
    page.members.forEach(memberOf);
    showPeople();
  } catch {
    // the next connection asks again
  }
}

/** The newest messages, before those that come; shown are only those that are not yet. */
async function loadHistory() {
  const { position } = chat;
  try {
    const page = await chat.history({ limit: 100, reverse: true });
    const older = page.messages.reverse().filter((m) => offsetOf(m.position) <= offsetOf(position));
    const newer = [...list.children];
    list.replaceChildren();
    for (const message of older) show(message, false);
    list.append(...newer);
    scroll.scrollTop = scroll.scrollHeight;
  } catch {
    // without a connection; what comes next is shown all the same
  }
}

function open() {
  const url = `realtime?name=${encodeURIComponent(myName)}`;
  realtime = new Realtime(url, { poll: "poll", min_delay: 250, max_delay: 5_000 });
  realtime.on("state", showState);
  chat = realtime.subscribe(CHANNEL);
  let isFirst = true;
  chat.on("subscribed", () => {
    if (isFirst) loadHistory();
    isFirst = false;
    loadPeople();
  });
  chat.on("recovered", ({ missed }) => {
    expected = missed;
    if (missed > 0) mark(missed === 1 ? "1 message while you were away" : `${missed} messages while you were away`);
  });
  chat.on("lost", () => {
    expected = 0;
    mark("Messages may be missing here", "lost");
  });
  chat.on("message", (message) => {
    show(message, expected > 0);
    expected = Math.max(0, expected - 1);
  });
  chat.on("join", (member) => {
    memberOf(member);
    showPeople();
  });
  chat.on("leave", ({ client }) => {
    members.delete(client);
    showPeople();
  });
}

$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  $("text").value = "";
  if (text !== "") say(text);
});
$("join-form").addEventListener("submit", () => {
  myName = $("name").value.trim();
  if (myName === "") return;
  try {
    sessionStorage.setItem("name", myName);
  } catch {
    // then it is asked for again after a reload
  }
  open();
  $("text").focus();
});
$("join").addEventListener("cancel", (event) => event.preventDefault());

try {
  myName = sessionStorage.getItem("name") ?? "";
} catch {
  // as above
}
if (myName) {
  open();
} else {
  $("join").showModal();
}
