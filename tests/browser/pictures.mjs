// SPDX-License-Identifier: Apache-2.0
// Pictures of the chat for people to look at: nothing is checked here.
import { mkdirSync } from "node:fs";
import path from "node:path";

const FOLDER = path.resolve("screenshots");
const TALK = [
  ["Grace", "Morning! Did anybody see the sky over the harbour?"],
  ["Tomás", "Like slate. The gulls have all gone inland."],
  ["Tomás", "They know something."],
  ["Ada", "Barometer fell nine points since breakfast, so I believe them."],
  ["Grace", "Radar agrees: https://example.org/radar?area=north-sea"],
  ["Grace", "It should be over us by three, and gone by five."],
  ["Ada", "Then the boat stays in today."],
  ["Ada", "Soup at mine instead? There is enough for six, and the window looks west, so we can watch it come."],
  ["Noor", "Count me in. I'll bring bread."],
];

export async function takePictures({ url, joinAs, say, openPage, stop }) {
  mkdirSync(FOLDER, { recursive: true });
  const take = (page, name) => page.screenshot({ path: path.join(FOLDER, `${name}.png`) });
  const settled = (page) => page.evaluate(() => // what moves has arrived
    Promise.all(document.getAnimations().filter(({ effect }) => effect.getTiming().iterations === 1)
      .map(({ finished }) => finished)));
  const look = { colorScheme: "light", viewport: { width: 1280, height: 800 } };

  const pages = {};
  for (const name of ["Ada", "Grace", "Tomás", "Noor"]) {
    pages[name] = await openPage(url, look);
    if (name === "Ada") await settled(pages[name]);
    if (name === "Ada") await take(pages[name], "join");
    await joinAs(pages[name], name);
  }
  for (const [name, text] of TALK) {
    await say(pages[name], text);
    await pages.Ada.locator("#messages .text", { hasText: text }).waitFor();
  }
  await pages["Tomás"].getByLabel("Your message").pressSequentially("Sa");
  await pages.Ada.locator("#typing", { hasText: "typing" }).waitFor();
  await settled(pages.Ada);
  await take(pages.Ada, "desktop-light");
  await pages.Ada.emulateMedia({ colorScheme: "dark" });
  await take(pages.Ada, "desktop-dark");
  await pages.Ada.emulateMedia({ colorScheme: "light" });
  await pages.Ada.setViewportSize({ width: 390, height: 760 });
  await settled(pages.Ada);
  await take(pages.Ada, "phone-light");
  await pages.Ada.getByRole("button", { name: "here" }).click();
  await settled(pages.Ada);
  await take(pages.Ada, "phone-people");
  await pages.Ada.keyboard.press("Escape");
  await pages.Grace.emulateMedia({ colorScheme: "dark" });
  await pages.Grace.setViewportSize({ width: 390, height: 760 });
  await settled(pages.Grace);
  await take(pages.Grace, "phone-dark");
  await pages.Ada.setViewportSize(look.viewport);
  await stop();
  await pages.Ada.locator("#banner").waitFor();
  await say(pages.Ada, "Bring the good spoons.");
  await pages.Ada.locator("#pending .text").waitFor();
  await settled(pages.Ada);
  await take(pages.Ada, "reconnecting");
  await Promise.all(Object.values(pages).map((page) => page.context().close()));
}
