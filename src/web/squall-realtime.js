// SPDX-License-Identifier: Apache-2.0
// The browser's side of squall's HubSocketHandler: many channels over one WebSocket, with
// reconnecting, and with recovery of what was missed. docs/realtime_web.md describes it.
//
//   import { Realtime } from "/squall-realtime.js";
//   const realtime = new Realtime("/realtime", { poll: "/poll" });
//   const news = realtime.subscribe("news");
//   news.on("message", (message) => show(message.text));
//   news.on("recovered", ({ missed }) => { /* nothing is missing: `missed` messages follow */ });
//   news.on("lost", ({ reason }) => { /* something may be missing: load the state anew */ });

class Emitter {
  #listeners = new Map();

  on(name, listener) {
    if (!this.#listeners.has(name)) this.#listeners.set(name, new Set());
    this.#listeners.get(name).add(listener);
    return this;
  }

  off(name, listener) {
    this.#listeners.get(name)?.delete(listener);
    return this;
  }

  // One listener that throws does not keep the others from hearing.
  emit(name, detail) {
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        listener(detail);
      } catch (error) {
        setTimeout(() => { throw error; });
      }
    }
  }
}

export class RealtimeError extends Error {
  constructor({ code, message }) {
    super(message);
    this.name = "RealtimeError";
    this.code = code;
  }
}

const parsePosition = (text) => {
  const at = text.lastIndexOf(":");
  return at < 0 ? null : { epoch: text.slice(0, at), offset: Number(text.slice(at + 1)) };
};

class Message {
  constructor({ channel, position, data, base64 }) {
    this.channel = channel;
    this.position = position;
    this.base64 = base64;  // of what is not text
    this.text = data ?? (base64 === undefined ? "" : atob(base64));
  }

  json() { return JSON.parse(this.text); }
  bytes() {
    if (this.base64 === undefined) return new TextEncoder().encode(this.text);
    return Uint8Array.from(this.text, (c) => c.charCodeAt(0));
  }
}

// One channel. Events: message, subscribed {recovered, missed}, recovered {missed}, lost {reason},
// join, leave {client, user, info}, error (a RealtimeError; the subscription is over).
export class Subscription extends Emitter {
  #realtime;

  constructor(realtime, channel, { since = "", recover = false } = {}) {
    super();
    this.#realtime = realtime;
    this.channel = channel;
    this.position = since;  // of the last message that was handed over
    this.recover = recover;
    this.active = false;    // whether messages come now
  }

  unsubscribe() { this.#realtime.forget(this); }
  publish(data, options) { return this.#realtime.publish(this.channel, data, options); }
  presence() { return this.#realtime.command({ command: "presence", channel: this.channel }); }
  async history(query = {}) {
    const page = await this.#realtime.command(
      { command: "history", channel: this.channel, ...query });
    return { ...page, messages: page.messages.map((message) => new Message(message)) };
  }

  subscribed({ position, recovered, missed = 0 }) {
    const before = this.position;
    this.active = true;
    // What was missed comes next, and moves the position one by one.
    if (!recovered || before === "") this.position = position;
    this.emit("subscribed", { recovered, missed, position });
    if (before === "") return;
    if (recovered) {
      this.emit("recovered", { missed });
    } else {
      this.emit("lost", { reason: "not_recovered", position });
    }
  }

  deliver(raw) {
    const last = parsePosition(this.position);
    const next = parsePosition(raw.position);
    if (last && next && last.epoch === next.epoch) {
      if (next.offset <= last.offset) return;  // it has come before
      // Dropped on the way to a slow client: that is no silent gap either.
      const missed = next.offset - last.offset - 1;
      if (missed > 0 && !this.recover) {
        this.emit("lost", { reason: "dropped", missed, position: raw.position });
      }
    }
    this.position = raw.position;
    this.emit("message", new Message(raw));
  }

  lost({ position, reason }) {
    this.position = position;
    this.emit("lost", { reason, position });
  }

  fail(error) {
    this.active = false;
    this.emit("error", error);
  }
}

// Events: state ("connecting", "open", "polling", "waiting", "closed"), open, close {code, reason},
// reconnecting {delay}.
export class Realtime extends Emitter {
  #url;
  #options;
  #socket = null;
  #subscriptions = new Map();
  #commands = new Map();
  #next_id = 1;
  #attempt = 0;       // since something worked
  #failures = 0;      // connections in a row that said nothing
  #timer = 0;         // until the next attempt
  #probe = 0;         // until something must be heard
  #spread = 5000;     // what the server says
  #polls = new Map(); // channel -> AbortController
  #state = "connecting";

  // options: poll, the URL of a LongPollHandler to fall back to; min_delay, max_delay of
  // reconnecting, in ms; idle, ms without a word before the server is asked whether it is there;
  // timeout, ms for its answer; WebSocket, for where there is no global one.
  constructor(url = "/realtime", options = {}) {
    super();
    const base = globalThis.location?.href;
    this.#url = new URL(url, base);
    this.#url.protocol = this.#url.protocol.replace("http", "ws");
    this.#options = { min_delay: 500, max_delay: 20000, idle: 25000, timeout: 10000,
                      WebSocket: globalThis.WebSocket, ...options };
    if (this.#options.poll) this.#options.poll = new URL(this.#options.poll, base);
    globalThis.addEventListener?.("online", this.#online);
    globalThis.addEventListener?.("offline", this.#offline);
    queueMicrotask(() => this.#connect());
  }

  get state() { return this.#state; }

  subscribe(channel, options) {
    const known = this.#subscriptions.get(channel);
    if (known) return known;
    const subscription = new Subscription(this, channel, options);
    this.#subscriptions.set(channel, subscription);
    if (this.#state === "open") this.#ask(subscription);
    if (this.#state === "polling") this.#poll(subscription);
    return subscription;
  }

  publish(channel, data, options = {}) {
    return this.command({ command: "publish", channel, data, ...options });
  }

  // Sends a command and gives its answer; rejects with a RealtimeError. Nothing is sent twice:
  // what was under way when the connection broke is rejected with the code "disconnected".
  command(fields) {
    return new Promise((resolve, reject) => {
      if (this.#state !== "open") {
        reject(new RealtimeError({ code: "disconnected", message: "there is no connection" }));
        return;
      }
      const id = this.#next_id++;
      this.#commands.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ id, ...fields }));
    });
  }

  close() {
    if (this.#state === "closed") return;
    globalThis.removeEventListener?.("online", this.#online);
    globalThis.removeEventListener?.("offline", this.#offline);
    clearTimeout(this.#timer);
    this.#stop_polling();
    this.#drop(1000);
    this.#enter("closed");
  }

  // For Subscription.
  forget(subscription) {
    if (this.#subscriptions.get(subscription.channel) !== subscription) return;
    this.#subscriptions.delete(subscription.channel);
    subscription.active = false;
    this.#polls.get(subscription.channel)?.abort();
    this.#polls.delete(subscription.channel);
    if (this.#state !== "open") return;
    this.command({ command: "unsubscribe", channel: subscription.channel }).catch(() => {});
  }

  #enter(state) {
    if (this.#state === state) return;
    this.#state = state;
    this.emit("state", state);
  }

  #connect() {
    clearTimeout(this.#timer);
    if (this.#state === "closed" || this.#socket) return;
    if (this.#state !== "polling") this.#enter("connecting");
    let socket;
    try {
      socket = new this.#options.WebSocket(this.#url.href);
    } catch {
      this.#failures++;
      this.#later();
      return;
    }
    this.#socket = socket;
    socket.onmessage = (event) => {
      if (this.#socket === socket) this.#heard(event.data);
    };
    socket.onclose = (event) => {
      if (this.#socket === socket) this.#closed(event.code, event.reason);
    };
    socket.onerror = () => {};  // a close follows
    this.#watch(this.#options.timeout);
  }

  // Nothing heard for so long is the end of the connection, whatever the browser thinks.
  #watch(delay, probe = false) {
    clearTimeout(this.#probe);
    this.#probe = setTimeout(() => {
      if (probe && this.#state === "open") {
        this.command({ command: "ping" }).catch(() => {});
        this.#watch(this.#options.timeout);
      } else if (this.#socket) {
        this.#drop(4000);
        this.#closed(1006, "nothing was heard");
      }
    }, delay);
  }

  #drop(code) {
    clearTimeout(this.#probe);
    const socket = this.#socket;
    this.#socket = null;
    if (socket) {
      try { socket.close(code); } catch { /* it never opened */ }
    }
    for (const { reject } of this.#commands.values()) {
      reject(new RealtimeError({ code: "disconnected", message: "the connection has ended" }));
    }
    this.#commands.clear();
    for (const subscription of this.#subscriptions.values()) {
      if (!this.#polls.has(subscription.channel)) subscription.active = false;
    }
  }

  #closed(code, reason) {
    const was_open = this.#state === "open";
    this.#drop(1000);
    if (this.#state === "closed") return;
    if (was_open) {
      this.emit("close", { code, reason });
    } else {
      this.#failures++;
    }
    if (this.#options.poll && this.#failures >= 2) this.#start_polling();
    // A server that goes away lets go of everybody at once: they do not all come back at once.
    this.#later(was_open && (code === 1001 || code === 1012) ? this.#spread : 0);
  }

  // Full jitter: anything up to a bound that doubles.
  #later(spread = 0) {
    const bound = spread || Math.min(this.#options.max_delay,
                                     this.#options.min_delay * 2 ** this.#attempt);
    this.#attempt = Math.min(this.#attempt + 1, 16);
    const delay = Math.random() * bound;
    if (this.#state !== "polling") this.#enter("waiting");
    this.emit("reconnecting", { delay });
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), delay);
  }

  #online = () => {
    if (this.#socket) {
      if (this.#state === "open") {
        this.command({ command: "ping" }).catch(() => {});
        this.#watch(Math.min(this.#options.timeout, 3000));
      }
    } else {
      this.#attempt = 0;
      this.#connect();
    }
  };

  #offline = () => {
    if (!this.#socket) return;
    this.#drop(4000);
    this.#closed(1006, "offline");
  };

  #heard(text) {
    this.#watch(this.#options.idle, true);
    const message = JSON.parse(text);
    if (message.push === undefined) {
      const command = this.#commands.get(message.id);
      this.#commands.delete(message.id);
      if (message.error) {
        command?.reject(new RealtimeError(message.error));
      } else {
        command?.resolve(message.ok);
      }
      return;
    }
    if (message.push === "hello") {
      this.#hello(message);
      return;
    }
    const subscription = this.#subscriptions.get(message.channel);
    if (!subscription) return;
    switch (message.push) {
      case "message": subscription.deliver(message); break;
      case "join":
      case "leave": subscription.emit(message.push, message); break;
      case "lost": subscription.lost(message); break;
      case "unsubscribed":
        subscription.active = false;
        setTimeout(() => this.#ask(subscription), Math.random() * this.#options.min_delay);
        break;
    }
  }

  #hello({ client, reconnect_within }) {
    this.client = client;
    this.#spread = reconnect_within || this.#options.min_delay;
    this.#attempt = 0;
    this.#failures = 0;
    this.#stop_polling();
    this.#enter("open");
    this.emit("open", { client });
    for (const subscription of this.#subscriptions.values()) this.#ask(subscription);
  }

  #ask(subscription) {
    if (this.#state !== "open" || this.#subscriptions.get(subscription.channel) !== subscription) {
      return;
    }
    const fields = { command: "subscribe", channel: subscription.channel };
    if (subscription.position) fields.since = subscription.position;
    if (subscription.recover) fields.recover = true;
    // Not through a promise: what was missed may be in the very next message.
    const id = this.#next_id++;
    this.#commands.set(id, {
      resolve: (answer) => subscription.subscribed(answer),
      reject: (error) => this.#refused(subscription, error),
    });
    this.#socket.send(JSON.stringify({ id, ...fields }));
  }

  #refused(subscription, error) {
    if (error.code === "disconnected" || this.#state === "closed") return;
    const passing = ["busy", "unavailable", "refused", "outcome_unknown", "closed", "hub_full",
      "too_many_commands", "internal"];
    if (passing.includes(error.code)) {
      const delay = this.#options.min_delay * (1 + Math.random() * 3);
      setTimeout(() => { if (!subscription.active) this.#ask(subscription); }, delay);
      return;
    }
    this.#subscriptions.delete(subscription.channel);
    subscription.fail(error);
  }

  // Without WebSockets: a long poll for each channel, while the attempts go on.
  #start_polling() {
    if (this.#state === "polling") return;
    this.#enter("polling");
    for (const subscription of this.#subscriptions.values()) this.#poll(subscription);
  }

  #stop_polling() {
    for (const controller of this.#polls.values()) controller.abort();
    this.#polls.clear();
  }

  async #poll(subscription) {
    const { channel } = subscription;
    if (this.#polls.has(channel)) return;
    const controller = new AbortController();
    this.#polls.set(channel, controller);
    let failures = 0;
    while (this.#polls.get(channel) === controller) {
      const url = new URL(this.#options.poll);
      url.searchParams.set("channel", channel);
      if (subscription.position) url.searchParams.set("cursor", subscription.position);
      let answer;
      try {
        const response = await fetch(url, { signal: controller.signal, cache: "no-store" });
        answer = await response.json();
        if (response.status === 400 || response.status === 403) {
          this.#polls.delete(channel);
          this.#refused(subscription, new RealtimeError(answer.error));
          return;
        }
        if (!response.ok) throw new Error(response.statusText);
        failures = 0;
      } catch {
        if (controller.signal.aborted) return;
        subscription.active = false;
        const bound = Math.min(this.#options.max_delay, this.#options.min_delay * 2 ** failures++);
        await new Promise((resolve) => setTimeout(resolve, Math.random() * bound));
        continue;
      }
      if (controller.signal.aborted) return;
      const { position, recovered, messages } = answer;
      if (!subscription.active) {
        subscription.subscribed({ position, recovered, missed: messages.length });
      } else if (!recovered) {
        subscription.lost({ position, reason: "not_recovered" });
      }
      for (const message of messages) subscription.deliver(message);
      subscription.position = position;
    }
  }
}
