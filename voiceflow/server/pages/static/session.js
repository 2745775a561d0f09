// A session's page: reads the options, has the session decided, and opens the player.

import { Refused, send, sendInTurn } from "/static/api.js";
import { Choices } from "/static/choices.js";
import { remember } from "/static/memory.js";
import { ask } from "/static/naming.js";
import { show } from "/static/problems.js";
import * as stored from "/static/stored.js";
import { say, setIcon } from "/static/words.js";

const form = document.getElementById("wishes");
if (form) begin();
document.getElementById("remove")?.addEventListener("click", removeKept);

function begin() {
  const choices = new Choices(form);
  choices.restore();
  form.querySelectorAll('input[type="range"]').forEach((slider) => tellSlider(slider, choices));
  form.addEventListener("input", (event) => {
    if (event.target.type === "range") {
      choices.moved.add(event.target.name);
      tellSlider(event.target, choices);
    }
    choices.save();
    tellAbout();
  });
  tellAbout();
  const step = (by) => () => {
    const field = form.elements.minutes;
    const now = parseFloat(field.value || field.placeholder) || 10;
    field.value = String(Math.min(180, Math.max(1, Math.round(now) + by)));
    choices.save();
    say(`${field.value} minutes`);
  };
  document.getElementById("shorter").addEventListener("click", step(-1));
  document.getElementById("longer").addEventListener("click", step(1));
  document.getElementById("as-written").addEventListener("click", () => {
    choices.asWritten();
    form.querySelectorAll('input[type="range"]').forEach((slider) => tellSlider(slider, choices));
    tellAbout();
    say("Everything is as written again.");
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    listen(choices);
  });
  document.getElementById("keep").addEventListener("click", (event) => keep(choices, event.currentTarget));
  // The buttons are disabled until their handlers are in place.
  for (const button of form.querySelectorAll("button")) button.disabled = false;
}

function tellSlider(slider, choices) {
  const told = choices.moved.has(slider.name) ? `${slider.value} ${slider.dataset.unit}` : "as written";
  slider.previousElementSibling.textContent = told;
  slider.setAttribute("aria-valuetext", told);
  slider.style.setProperty("--part", `${(100 * (slider.value - slider.min)) / (slider.max - slider.min)}%`);
}

/** What the chosen pace is, in a sentence. */
function tellAbout() {
  for (const place of form.querySelectorAll("[data-about-of]")) {
    const chosen = form.querySelector(`[name="${place.dataset.aboutOf}"]:checked`);
    place.textContent = chosen?.dataset.about ?? "";
  }
}

/** Have the session decided. On failure shows the problems and returns null. */
async function made(choices, button) {
  const label = button.querySelector(".label");
  const usual = label.textContent;
  if (button.getAttribute("aria-busy") === "true") return null;
  document.getElementById("errors").hidden = true;
  button.setAttribute("aria-busy", "true");
  label.textContent = "Preparing…";
  // The first time takes longer: every sentence is synthesised and measured before playing starts.
  const patience = setTimeout(() => (label.textContent = "Preparing the speech…"), 4000);
  try {
    const body = { session: choices.slug, options: choices.options() };
    return await sendInTurn("POST", "/renders", body, () => (label.textContent = "Waiting for the server…"));
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    show(document.getElementById("errors"), "This session cannot be made", error.problems);
    return null;
  } finally {
    clearTimeout(patience);
    button.removeAttribute("aria-busy");
    label.textContent = usual;
  }
}

async function listen(choices) {
  const render = await made(choices, document.getElementById("listen"));
  if (!render) return;
  remember(`at.${render.id}`, null);
  location.assign(`${render.player}#listen`);
}

async function keep(choices, button) {
  const title = await ask();
  if (!title) return;
  const render = await made(choices, button);
  if (!render) return;
  try {
    await send("POST", "/kept", { render: render.id, title });
  } catch (error) {
    show(document.getElementById("errors"), "It could not be kept", error.problems ?? [{ message: String(error) }]);
    return;
  }
  setIcon(button, "kept");
  button.classList.add("done");
  button.querySelector(".label").textContent = "Kept";
  say("Kept among your sessions, and in your feed.");
  if (!stored.possible()) return;
  await stored.store(render).then(
    () => say("Kept, and stored on this phone."),
    () => say("Kept. It could not be stored on this phone."),
  );
}

async function removeKept(event) {
  const { slug } = event.currentTarget.dataset;
  if (!confirm("Remove this session from your sessions and your feed?")) return;
  try {
    await send("DELETE", `/kept/${encodeURIComponent(slug)}`);
    location.assign("/");
  } catch (error) {
    say(error.message);
  }
}
