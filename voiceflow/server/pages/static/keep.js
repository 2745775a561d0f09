// The buttons below the player: keep, make offline, keep the screen on.

import { Refused, send } from "/static/api.js";
import { ask } from "/static/naming.js";
import * as stored from "/static/stored.js";
import { say, setIcon } from "/static/words.js";

/** @param current gives the render that plays now */
export function keeping(current) {
  const keepers = [...document.querySelectorAll(".keep-it")];
  for (const button of keepers) button.addEventListener("click", () => keep(current(), keepers));
  const button = document.getElementById("store");
  if (stored.possible()) {
    button.hidden = false;
    button.addEventListener("click", () => offline(current(), button));
  } else {
    const why = document.getElementById("offline-why");
    why.hidden = false;
    why.textContent = "Playing offline in the browser needs an https address. You can still save the file, or use your feed in a podcast app.";
  }
  const refresh = () => told(current(), keepers, button);
  refresh();
  return refresh;
}

async function told(render, keepers, button) {
  for (const one of keepers) mark(one, Boolean(render.kept), "Kept", "Keep", ["kept", "keep"]);
  const here = await stored.has(render.id);
  mark(button, here, "On this phone", "Make offline", ["check", "phone"]);
  button.setAttribute("aria-pressed", String(here));
}

function mark(button, done, yes, no, [yesIcon, noIcon]) {
  button.classList.toggle("done", done);
  button.querySelector(".label").textContent = done ? yes : no;
  setIcon(button, done ? yesIcon : noIcon);
}

async function keep(render, keepers) {
  if (render.kept) return say("It is already among your sessions.");
  const title = await ask();
  if (!title) return;
  try {
    const made = await send("POST", "/kept", { render: render.id, title });
    render.kept = made.slug ?? true;
  } catch (error) {
    return say(error instanceof Refused ? `It could not be kept. ${error.message}` : "It could not be kept.");
  }
  for (const one of keepers) mark(one, true, "Kept", "Keep", ["kept", "keep"]);
  say("Kept among your sessions, and in your feed.");
  const button = document.getElementById("store");
  if (!button.hidden && !(await stored.has(render.id))) await offline(render, button);
}

async function offline(render, button) {
  if (button.getAttribute("aria-busy") === "true") return;
  if (await stored.has(render.id)) {
    await stored.remove(render.id);
    say("No longer on this phone.");
    return told(render, [], button);
  }
  const label = button.querySelector(".label");
  button.setAttribute("aria-busy", "true");
  try {
    await stored.store(render, (part) => (label.textContent = `Storing, ${Math.floor(100 * part)} %`));
    say("Stored. It now plays without the server.");
  } catch (error) {
    const full = error.name === "QuotaExceededError";
    say(full ? "There is not enough space on this phone." : "It could not be stored. Is the server running?");
  } finally {
    button.removeAttribute("aria-busy");
    await told(render, [], button);
  }
}

export function wakefulness() {
  const button = document.getElementById("awake");
  if (!("wakeLock" in navigator)) return;
  button.hidden = false;
  let lock = null;
  const wanted = () => button.getAttribute("aria-pressed") === "true";
  const hold = async () => {
    if (!wanted() || document.visibilityState !== "visible") return;
    try {
      lock = await navigator.wakeLock.request("screen");
    } catch {
      // Low battery, for instance. The sound continues.
      button.setAttribute("aria-pressed", "false");
      say("This phone does not allow that right now.");
    }
  };
  button.addEventListener("click", async () => {
    button.setAttribute("aria-pressed", String(!wanted()));
    if (wanted()) return hold();
    await lock?.release();
    lock = null;
  });
  // The browser releases the lock whenever the page is hidden.
  document.addEventListener("visibilitychange", hold);
}
