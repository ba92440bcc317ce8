// SPDX-License-Identifier: Apache-2.0
// One chart on a canvas: lines over the last two minutes. What was recovered has its own colour, and
// where readings are lost the line ends and a band shows it.
const WINDOW = 120_000; // milliseconds
const SPARE = { top: 8, right: 44, bottom: 20, left: 2 };

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);

/** A round number at or above `value`, for the top of the scale. */
function ceiling(value, least) {
  const wanted = Math.max(value, least);
  const power = 10 ** Math.floor(Math.log10(wanted));
  return [1, 2, 4, 6, 8, 10].map((step) => step * power).find((top) => top >= wanted);
}

export class Chart {
  constructor(canvas, { lines, format, top = 0, least = 1 }) {
    this.canvas = canvas;
    this.lines = lines; // [{ of: reading => number, colour }]
    this.format = format;
    this.top = top; // fixed, or 0 for what the data need
    this.least = least;
  }

  /** `entries` are readings, or { gap: true } between two of them, oldest first. */
  draw(entries, now) {
    const { canvas } = this;
    const scale = window.devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
    }
    const shown = this.#visible(entries, now);
    const values = shown.flatMap((entry) => entry.gap ? [] : this.lines.map(({ of }) => of(entry)));
    const top = this.top || ceiling(Math.max(...values, 0) * 1.05, this.least);
    const [right, bottom] = [width - SPARE.right, height - SPARE.bottom];
    const x = (time) => right - (now - time) / WINDOW * (right - SPARE.left);
    const y = (value) => bottom - Math.min(value / top, 1) * (bottom - SPARE.top);

    const pen = canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    this.#grid(pen, { right, bottom, top, width, x, y, now });
    pen.save();
    pen.beginPath();
    pen.rect(0, 0, right + 1, height);
    pen.clip();
    this.#gaps(pen, shown, { bottom, x, now });
    for (const line of this.lines) this.#line(pen, line, shown, { bottom, x, y });
    pen.restore();
  }

  /** Those in the window, and one before it, so that lines come in from the left. */
  #visible(entries, now) {
    const first = entries.findIndex((entry) => !entry.gap && entry.time >= now - WINDOW);
    return first < 0 ? [] : entries.slice(Math.max(0, first - 1));
  }

  #grid(pen, { right, bottom, top, width, x, y, now }) {
    pen.strokeStyle = colour("--line");
    pen.fillStyle = colour("--soft");
    pen.lineWidth = 1;
    pen.font = "11px sans-serif";
    pen.textBaseline = "middle";
    pen.textAlign = "left";
    for (const part of [0, 0.5, 1]) {
      const at = Math.round(y(top * part)) + 0.5;
      pen.beginPath();
      pen.moveTo(SPARE.left, at);
      pen.lineTo(right, at);
      pen.stroke();
      if (part > 0) pen.fillText(this.format(top * part), right + 6, at, width - right - 6);
    }
    pen.textBaseline = "top";
    for (const [ago, text] of [[WINDOW, "2 min ago"], [WINDOW / 2, "1 min"], [0, "now"]]) {
      pen.textAlign = ago === WINDOW ? "left" : ago === 0 ? "right" : "center";
      pen.fillText(text, x(now - ago), bottom + 6);
    }
  }

  #gaps(pen, entries, { bottom, x, now }) {
    pen.fillStyle = colour("--lost");
    pen.globalAlpha = 0.16;
    entries.forEach((entry, i) => {
      if (!entry.gap) return;
      const from = entries[i - 1]?.time ?? now - WINDOW;
      const to = entries[i + 1]?.time ?? now;
      pen.fillRect(x(from), SPARE.top, Math.max(2, x(to) - x(from)), bottom - SPARE.top);
    });
    pen.globalAlpha = 1;
  }

  #line(pen, { of, colour: name }, entries, { bottom, x, y }) {
    const strokes = [];
    let last = null;
    for (const entry of entries) {
      if (entry.gap) {
        last = null;
        continue;
      }
      const point = [x(entry.time), y(of(entry))];
      if (last) strokes.push({ from: last, to: point, isRecovered: entry.isRecovered });
      last = point;
    }
    pen.lineJoin = pen.lineCap = "round";
    for (const { from, to, isRecovered } of strokes) {
      pen.fillStyle = pen.strokeStyle = colour(isRecovered ? "--recovered" : name);
      pen.globalAlpha = 0.1;
      pen.beginPath();
      pen.moveTo(from[0], bottom);
      pen.lineTo(...from);
      pen.lineTo(...to);
      pen.lineTo(to[0], bottom);
      pen.fill();
      pen.globalAlpha = 1;
      pen.lineWidth = isRecovered ? 2.6 : 1.8;
      pen.beginPath();
      pen.moveTo(...from);
      pen.lineTo(...to);
      pen.stroke();
    }
  }
}
