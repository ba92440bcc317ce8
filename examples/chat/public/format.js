// SPDX-License-Identifier: Apache-2.0
// Times, names and texts for people to read.

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const dayOfYear = new Intl.DateTimeFormat(undefined, {
  weekday: "long", day: "numeric", month: "long",
});
const dayOfPast = new Intl.DateTimeFormat(undefined, {
  day: "numeric", month: "long", year: "numeric",
});

export const timeOfDay = (date) => clock.format(date);
export const fullTime = (date) => full.format(date);

export function dayName(date) {
  const today = new Date();
  const yesterday = new Date(today.getFullYear(), today.getMonth(), today.getDate() - 1);
  if (date.toDateString() === today.toDateString()) return "Today";
  if (date.toDateString() === yesterday.toDateString()) return "Yesterday";
  return (date.getFullYear() === today.getFullYear() ? dayOfYear : dayOfPast).format(date);
}

export function listNames(names) {
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

const letters = "Segmenter" in Intl ? new Intl.Segmenter() : null;
const firstLetter = (word) =>
  letters ? [...letters.segment(word)][0].segment : [...word][0];

export function initials(name) {
  const words = name.split(/\s+/).filter(Boolean);
  const chosen = words.length > 1 ? [words[0], words.at(-1)] : words;
  return chosen.map(firstLetter).join("").toUpperCase();
}

// A colour (its angle) that belongs to the name, out of some that are easy to tell apart.
const HUES = [8, 30, 48, 90, 150, 186, 210, 245, 280, 325];
export function hue(name) {
  let hash = 5;
  for (const character of name) hash = (hash * 167 + character.codePointAt(0)) % 100_003;
  return HUES[hash % HUES.length];
}

// The text as nodes, with its web addresses as links. Nothing in it can become markup.
export function withLinks(text) {
  const made = document.createDocumentFragment();
  let end = 0;
  for (const match of text.matchAll(/\bhttps?:\/\/[^\s<>"]+/gi)) {
    const address = withoutPunctuation(match[0]);
    made.append(text.slice(end, match.index));
    const link = document.createElement("a");
    link.href = address;
    link.textContent = address;
    link.target = "_blank";
    link.rel = "noopener noreferrer nofollow";
    made.append(link);
    end = match.index + address.length;
  }
  made.append(text.slice(end));
  return made;
}

// What ends a sentence, or closes a bracket that the address did not open, is not a part of it.
function withoutPunctuation(address) {
  for (;;) {
    const last = address.at(-1);
    const opening = { ")": "(", "]": "[", "}": "{" }[last];
    const isOpened = opening && address.split(opening).length >= address.split(last).length;
    if (isOpened || !/[.,:;!?'"…)\]}*_]/.test(last)) return address;
    address = address.slice(0, -1);
  }
}
