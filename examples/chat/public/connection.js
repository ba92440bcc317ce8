// SPDX-License-Identifier: Apache-2.0
// A WebSocket that comes back by itself. It tells its state: "connecting" at first, "online" once the
// other side has said settled(), "waiting" between and during later attempts.

const FIRST_DELAY = 500;
const LONGEST_DELAY = 15_000;
const ANSWER_TIME = 8_000; // for a connection, and for a sign of life
const PROBE_TIME = 30_000;

export class Connection {
  #url;
  #handlers;
  #socket = null;
  #attempts = 0;
  #retry = 0;
  #deadline = 0;

  constructor(url, handlers) {
    this.#url = url;
    this.#handlers = handlers; // { open(), message(object), state(name) }
    addEventListener("online", () => this.nudge());
    addEventListener("offline", () => this.nudge());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.nudge();
    });
    setInterval(() => {
      if (!document.hidden) this.#probe();
    }, PROBE_TIME);
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  connect() {
    clearTimeout(this.#retry);
    this.#retry = 0;
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    this.#expectAnswer();
    socket.onopen = () => {
      this.#gotAnswer();
      this.#handlers.open();
    };
    socket.onmessage = (event) => {
      this.#gotAnswer();
      this.#handlers.message(JSON.parse(event.data));
    };
    socket.onclose = () => this.reconnect();
  }

  // The connection does what it is for: the next one that is lost is tried again at once.
  settled() {
    this.#attempts = 0;
    this.#handlers.state("online");
  }

  // Gives the present connection up, and makes another one after a while.
  reconnect() {
    if (this.#retry !== 0) return;
    this.#gotAnswer();
    const socket = this.#socket;
    this.#socket = null;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
    // Many pages that lose one server shall not all come back in the same moment.
    const delay = Math.min(FIRST_DELAY * 2 ** this.#attempts, LONGEST_DELAY);
    this.#attempts += 1;
    this.#retry = setTimeout(() => this.connect(), delay * (0.7 + 0.6 * Math.random()));
    this.#handlers.state("waiting");
  }

  // The moment is good: the user is back, or the network.
  nudge() {
    if (this.#retry !== 0) this.connect();
    else this.#probe();
  }

  // False when it cannot leave now.
  send(object) {
    if (!this.isOpen) return false;
    this.#socket.send(JSON.stringify(object));
    return true;
  }

  // A connection may be dead without anybody having been told (a phone that left the network).
  #probe() {
    if (this.#deadline === 0 && this.send({ type: "ping" })) this.#expectAnswer();
  }

  #expectAnswer() {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.reconnect(), ANSWER_TIME);
  }

  #gotAnswer() {
    clearTimeout(this.#deadline);
    this.#deadline = 0;
  }
}
