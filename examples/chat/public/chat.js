// SPDX-License-Identifier: Apache-2.0
// The chat room's page: what the user sees and does. The messages to and from the server are
// described at the top of ../chat.cpp.
import { Connection } from "./connection.js";
import { dayName, fullTime, hue, initials, listNames, timeOfDay, withLinks } from "./format.js";

const TITLE = document.title;
const TYPING_TIME = 3_000; // between two notes that we are typing
const GROUP_TIME = 5 * 60_000; // messages of one person that belong together
const SHOWN_MESSAGES = 500;
const SLOW_DOWN_TIME = 1_000;
const ACKNOWLEDGE_TIME = 8_000;

const $ = (id) => document.getElementById(id);
const app = document.querySelector(".app");
const [scroll, messages, pending] = [$("scroll"), $("messages"), $("pending")];
const [text, people, dialog, nameInput] = [$("text"), $("people"), $("join"), $("name")];

// --- what is remembered --------------------------------------------------------------------------

// The name for good, what is not sent yet for as long as the tab lives. A browser that forbids
// storage remembers nothing, and works.
function remember(storage, key, value) {
  try {
    window[storage].setItem(`squall-chat.${key}`, JSON.stringify(value));
  } catch {
    // nothing to do about it
  }
}
function recall(storage, key, otherwise) {
  try {
    return JSON.parse(window[storage].getItem(`squall-chat.${key}`)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const token = recall("localStorage", "token", null) ?? randomId();
remember("localStorage", "token", token);

let myName = recall("localStorage", "name", "");
let wantedName = ""; // chosen, and not yet granted
let isJoined = false;
let epoch = "";
let lastId = 0;
let lastShown = null; // the message at the end of the list
let outbox = recall("sessionStorage", "outbox", []); // [{ key, text }], oldest first
let acknowledge = 0; // timer of the one that is under way
let unread = 0;
let unseen = 0;

// --- the connection ------------------------------------------------------------------------------

const scheme = location.protocol === "https:" ? "wss" : "ws";
const connection = new Connection(`${scheme}://${location.host}/ws`, {
  open: join,
  message: (message) => handlers[message.type]?.(message),
  state: showState,
});

const handlers = {
  welcome(welcome) {
    const isRestart = epoch !== "" && epoch !== welcome.epoch;
    if (welcome.replace) {
      messages.replaceChildren();
      [lastId, lastShown] = [0, null];
    }
    if (isRestart) $("empty-text").textContent = "The room is new; what was said before is gone.";
    epoch = welcome.epoch;
    isJoined = true;
    if (wantedName) myName = wantedName;
    wantedName = "";
    remember("localStorage", "name", myName);
    showMe();
    if (dialog.open) dialog.close();
    const stay = isAtBottom() || welcome.replace;
    for (const message of welcome.messages) show(message);
    connection.settled();
    showPending();
    if (stay) scrollToBottom();
    sendNext();
  },

  people({ names }) {
    const there = new Map([...people.children].map((item) => [item.dataset.name, item]));
    const others = names.filter((name) => name !== myName);
    const all = names.includes(myName) ? [myName, ...others] : others;
    people.replaceChildren(...all.map((name) => there.get(name) ?? makePerson(name)));
    for (const item of people.children) {
      item.querySelector(".you").textContent = item.dataset.name === myName ? "you" : "";
    }
    $("count").textContent = $("bar-count").textContent = names.length;
    for (const name of typists.keys()) if (!names.includes(name)) stopsTyping(name);
  },

  message(message) {
    const stay = isAtBottom();
    const isOurs = outbox.some(({ key }) => key === message.key);
    if (!show(message)) return;
    showPending();
    stopsTyping(message.name);
    if (!isOurs) messages.lastElementChild.classList.add("new");
    if (stay || isOurs) scrollToBottom();
    else if (message.name !== myName) showNewer(unread + 1);
    if (document.hidden) showUnseen(unseen + 1);
    if (isOurs) sendNext();
  },

  typing({ name }) {
    if (name === myName) return;
    clearTimeout(typists.get(name));
    typists.set(name, setTimeout(() => stopsTyping(name), TYPING_TIME + 1_500));
    showTyping();
  },

  error({ code, text: reason, key }) {
    if (code === "name_taken" || code === "bad_name") {
      wantedName = "";
      askName(reason);
    } else if (code === "too_fast") {
      if (key && key === outbox[0]?.key) wait(SLOW_DOWN_TIME, sendNext);
    } else {
      if (key || acknowledge !== 0) takeBack(key || outbox[0]?.key);
      notice(reason);
    }
  },
};

function join() {
  const name = wantedName || myName;
  if (!name) return;
  const known = name === myName ? { epoch, last: lastId } : {}; // with a new name all looks different
  connection.send({ type: "join", name, token, ...known });
}

function showState(state) {
  if (state !== "online") {
    isJoined = false;
    stopWaiting();
    for (const name of typists.keys()) stopsTyping(name);
  }
  const isOnline = state === "online";
  $("status").dataset.state = state;
  $("status").textContent = isOnline ? "Connected" : "Reconnecting…";
  app.classList.toggle("online", isOnline);
  $("banner").hidden = isOnline;
  if (!isOnline) {
    $("banner-text").textContent =
      "Reconnecting… You can go on writing; it is sent as soon as the room is back.";
  }
  people.classList.toggle("stale", !isOnline);
  showPending();
}

// --- sending -------------------------------------------------------------------------------------

// One message is under way at a time, so that they arrive in order. It stays in the outbox until the
// server has shown it to all; its key tells the server if it comes twice.
function sendNext() {
  stopWaiting();
  if (!isJoined || outbox.length === 0) return;
  if (connection.send({ type: "message", ...outbox[0] })) {
    wait(ACKNOWLEDGE_TIME, () => connection.reconnect());
  }
}

function wait(time, then) {
  clearTimeout(acknowledge);
  acknowledge = setTimeout(then, time);
}

function stopWaiting() {
  clearTimeout(acknowledge);
  acknowledge = 0;
}

function saveOutbox() {
  remember("sessionStorage", "outbox", outbox);
  showPending();
}

function submit() {
  const typed = text.value.trim();
  const value = typed.toWellFormed?.() ?? typed; // half a character is not UTF-8
  if (!value) return;
  outbox.push({ key: randomId(), text: value });
  setDraft("");
  lastTyping = 0;
  notice("");
  saveOutbox();
  scrollToBottom();
  if (acknowledge === 0) sendNext();
}

// The server refuses it: back to where it can be changed.
function takeBack(key) {
  const refused = outbox.find((message) => message.key === key);
  outbox = outbox.filter((message) => message !== refused);
  if (refused && !text.value) setDraft(refused.text);
  saveOutbox();
  sendNext();
}

// --- messages on the page ------------------------------------------------------------------------

function element(name, className, content = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(content);
  return made;
}

function makeAvatar(name, made = element("span", "avatar")) {
  made.setAttribute("aria-hidden", "true");
  made.style.setProperty("--hue", hue(name));
  made.textContent = initials(name);
  return made;
}

function makeMessage(name, content, time) {
  const item = element("li", "message first last");
  item.classList.toggle("own", name === myName);
  item.style.setProperty("--hue", hue(name));
  const body = element("span", "text", withLinks(content));
  body.dir = "auto";
  const bubble = element("div", "bubble");
  bubble.append(body, " ", time);
  item.append(makeAvatar(name), element("bdi", "name", name), bubble);
  return item;
}

// Adds a message at the end; false for one that is there already.
function show(message) {
  if (message.id <= lastId) return false;
  lastId = message.id;
  outbox = outbox.filter(({ key }) => key !== message.key);
  remember("sessionStorage", "outbox", outbox);

  const date = new Date(message.time);
  const before = lastShown && new Date(lastShown.time);
  const isNewDay = before?.toDateString() !== date.toDateString();
  if (isNewDay) {
    const day = element("li", "day", dayName(date));
    day.dataset.time = message.time;
    messages.append(day);
    refreshDays();
  }
  const time = element("time", "time", timeOfDay(date));
  time.dateTime = date.toISOString();
  time.title = fullTime(date);
  const item = makeMessage(message.name, message.text, time);
  if (!isNewDay && follows(message.name, message.time)) {
    item.classList.remove("first");
    messages.lastElementChild.classList.remove("last");
  }
  messages.append(item);
  lastShown = message;
  if (messages.children.length > SHOWN_MESSAGES) {
    messages.firstElementChild.remove();
    messages.firstElementChild.classList.add("first");
  }
  $("empty").hidden = true;
  return true;
}

const follows = (name, time) => lastShown?.name === name && time - lastShown.time < GROUP_TIME;

function refreshDays() {
  for (const day of messages.querySelectorAll(".day")) {
    day.textContent = dayName(new Date(Number(day.dataset.time)));
  }
}

function showPending() {
  const label = isJoined ? "sending…" : "waiting…";
  pending.replaceChildren(...outbox.map((message, index) => {
    const item = makeMessage(myName, message.text, element("span", "time", label));
    item.classList.toggle("first", index === 0 && !follows(myName, Date.now()));
    item.classList.toggle("last", index === outbox.length - 1);
    return item;
  }));
  $("empty").hidden = !isJoined || messages.childElementCount > 0 || outbox.length > 0;
}

// --- scrolling -----------------------------------------------------------------------------------

let wasAtBottom = true;
const isAtBottom = () => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 60;

function scrollToBottom() {
  scroll.scrollTop = scroll.scrollHeight;
  wasAtBottom = true;
  showNewer(0);
}

function showNewer(count) {
  unread = count;
  $("newer").hidden = count === 0;
  $("newer").textContent = count === 1 ? "1 new message ↓" : `${count} new messages ↓`;
}

function showUnseen(count) {
  unseen = count;
  document.title = count > 0 ? `(${count}) ${TITLE}` : TITLE;
}

scroll.addEventListener("scroll", () => {
  wasAtBottom = isAtBottom();
  if (wasAtBottom && unread > 0) showNewer(0);
}, { passive: true });
new ResizeObserver(() => wasAtBottom && scrollToBottom()).observe(scroll); // a phone's keyboard
$("newer").addEventListener("click", () => {
  scrollToBottom();
  text.focus();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  showUnseen(0);
  refreshDays();
});

// --- people --------------------------------------------------------------------------------------

function makePerson(name) {
  const item = element("li");
  item.dataset.name = name;
  item.append(makeAvatar(name), element("bdi", "who", name), element("span", "you"));
  return item;
}

function showMe() {
  $("my-name").textContent = myName;
  makeAvatar(myName, $("my-avatar"));
  $("rename").hidden = false;
}

const typists = new Map(); // name to timer

function stopsTyping(name) {
  clearTimeout(typists.get(name));
  if (typists.delete(name)) showTyping();
}

function showTyping() {
  const names = [...typists.keys()];
  $("typing").textContent =
    names.length === 0 ? ""
    : names.length > 3 ? "Several people are typing…"
    : `${listNames(names)} ${names.length === 1 ? "is" : "are"} typing…`;
}

// --- writing -------------------------------------------------------------------------------------

let lastTyping = 0;

function setDraft(value) {
  text.value = value;
  fitDraft();
}

function fitDraft() {
  remember("sessionStorage", "draft", text.value);
  text.style.height = "auto";
  text.style.height = `${text.scrollHeight}px`;
  const left = text.maxLength - text.value.length;
  $("left").textContent = left < 200 ? left : "";
}

function notice(words) {
  $("notice").textContent = words;
  $("notice").hidden = !words;
}

text.addEventListener("input", () => {
  fitDraft();
  if (text.value.trim() && isJoined && Date.now() - lastTyping > TYPING_TIME) {
    lastTyping = Date.now();
    connection.send({ type: "typing" });
  }
});
text.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  submit();
});
$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
  text.focus();
});
// Whoever begins to write wants to write a message.
document.addEventListener("keydown", (event) => {
  const isCommand = event.ctrlKey || event.metaKey || event.altKey;
  const isText = event.key.length === 1 && event.key !== " " && !isCommand;
  if (isText && !dialog.open && !event.target.closest("input, textarea")) text.focus();
});
$("retry").addEventListener("click", () => connection.nudge());

// --- the name ------------------------------------------------------------------------------------

function askName(reason = "") {
  $("name-error").textContent = reason;
  $("join-title").textContent = isJoined ? "Change your name" : "Come on in";
  $("join-cancel").hidden = !isJoined;
  const button = dialog.querySelector(".primary");
  button.disabled = false;
  button.textContent = isJoined ? "Change name" : "Join the room";
  if (!dialog.open) {
    showSide(false);
    nameInput.value = myName;
    dialog.showModal();
  }
  nameInput.select();
  nameInput.focus();
}

$("rename").addEventListener("click", () => askName());
$("join-cancel").addEventListener("click", () => dialog.close());
dialog.addEventListener("cancel", (event) => {
  if (!isJoined) event.preventDefault();
});
dialog.addEventListener("close", () => text.focus());
$("join-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = nameInput.value.trim().replace(/\s+/g, " ");
  if (!name) return askName("Please choose a name.");
  if (isJoined && name === myName) return dialog.close();
  wantedName = name;
  const button = dialog.querySelector(".primary");
  button.disabled = true;
  button.textContent = "One moment…";
  if (connection.isOpen) join(); // else it follows when it is
});

// --- the side panel of a small window ------------------------------------------------------------

function showSide(isShown) {
  app.classList.toggle("show-side", isShown);
  $("show-people").setAttribute("aria-expanded", isShown);
}

$("show-people").addEventListener("click", () => {
  showSide(true);
  $("rename").focus();
});
$("shade").addEventListener("click", () => showSide(false));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !app.classList.contains("show-side")) return;
  showSide(false);
  $("show-people").focus();
});

// --- begin ---------------------------------------------------------------------------------------

$("rename").hidden = true;
setDraft(recall("sessionStorage", "draft", ""));
if (myName) showMe();
else askName();
showPending();
connection.connect();
