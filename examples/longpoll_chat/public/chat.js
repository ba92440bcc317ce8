// SPDX-License-Identifier: Apache-2.0
// The page of a room: its last messages first, then what comes after them, poll by poll.
const room = location.pathname.split("/").pop();
const $ = (id) => document.getElementById(id);
const SHOWN_MESSAGES = 500;
const LONGEST_PAUSE = 20_000; // milliseconds, between attempts

let cursor = "";
let pause = 500;

const url = (action, fields = {}) =>
  `/a/message/${action}?${new URLSearchParams({ room, ...fields })}`;

async function ask(address, options) {
  const answer = await fetch(address, options);
  if (!answer.ok) throw new Error(`the server said ${answer.status}`);
  return answer.json();
}

function show({ data }) {
  const { name, body, time } = JSON.parse(data);
  const item = document.createElement("li");
  const [who, when, text] = ["b", "time", "p"].map((tag) => document.createElement(tag));
  who.textContent = name;
  when.textContent = new Date(time).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  when.dateTime = new Date(time).toISOString();
  text.textContent = body; // never as HTML
  item.append(who, when, text);
  $("messages").append(item);
  if ($("messages").children.length > SHOWN_MESSAGES) $("messages").firstChild.remove();
  $("empty").hidden = true;
}

function showAll(messages) {
  const end = document.documentElement;
  const wasAtEnd = end.scrollHeight - end.scrollTop - end.clientHeight < 40;
  messages.forEach(show);
  if (wasAtEnd) scrollTo(0, end.scrollHeight);
}

function setState(state) {
  $("state").dataset.state = state;
  $("state").textContent = state;
}

async function load() {
  const { position, messages } = await ask(url("history"));
  $("messages").replaceChildren();
  $("empty").hidden = false;
  showAll(messages);
  cursor = position;
}

async function follow() {
  for (;;) {
    try {
      if (!cursor) await load();
      setState("online");
      const answer = await ask(url("updates", { cursor }));
      pause = 500;
      cursor = answer.position;
      if (answer.recovered) showAll(answer.messages);
      else await load(); // something between is gone, or the server is a new one
    } catch {
      setState("waiting");
      await new Promise((resolve) => setTimeout(resolve, Math.random() * pause));
      pause = Math.min(pause * 2, LONGEST_PAUSE);
    }
  }
}

$("say").addEventListener("submit", async (event) => {
  event.preventDefault();
  const [name, body] = [$("name").value.trim(), $("body").value.trim()];
  if (!name || !body) return;
  $("say").querySelector("button").disabled = true;
  try {
    await ask("/a/message/new", { method: "POST", body: new URLSearchParams({ room, name, body }) });
    $("body").value = "";
    $("problem").textContent = "";
  } catch (error) {
    $("problem").textContent = `That was not sent: ${error.message}.`; // it stays in the field
  }
  $("say").querySelector("button").disabled = false;
  $("body").focus();
});

$("go").addEventListener("submit", (event) => {
  event.preventDefault();
  location.href = `/room/${$("other").value}`;
});

$("room").textContent = room;
document.title = `${room} · long-poll chat`;
follow();
