// Draws what the player shows: words, exercise, time. It decides nothing.

import { clock, element, setIcon, spoken } from "/static/words.js";

const at = (id) => document.getElementById(id);

/** A size class by length, so that short texts can be read from the floor. */
function measure(text) {
  if (/^\d{1,2}$/.test(text)) return "count";
  return text.length <= 22 ? "short" : text.length <= 60 ? "middle" : "long";
}

/** Write a text only if it changed, so that screen readers do not repeat it. */
function put(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

export class View {
  constructor(timeline, acts) {
    this.acts = acts;
    this.seeking = at("seek");
    this.renew(timeline);
  }

  renew(timeline) {
    this.timeline = timeline;
    this.said = undefined;
    this.seeking.max = timeline.length;
    at("marks").replaceChildren(...timeline.chapters.slice(1).map((one) => this.#mark(one)));
    at("chapters").replaceChildren(...timeline.chapters.map((one) => this.#row(one)));
  }

  #mark(one) {
    const tick = element("i");
    tick.style.left = `${(100 * one.start) / this.timeline.length}%`;
    return tick;
  }

  #row(one) {
    const button = element("button", { class: "what", type: "button" }, one.title);
    button.addEventListener("click", () => {
      this.acts.to(one.start);
      scrollTo({ top: 0 });
    });
    return element("li", {}, button, element("span", { class: "clock" }, clock(one.start)));
  }

  /** A new exercise: the only change that screen readers announce by themselves. */
  chapter(index) {
    const here = this.timeline.chapters[index];
    put(at("exercise"), here.title);
    const count = here.number ? `, ${here.number} of ${this.timeline.exercises}` : "";
    put(at("change"), here.title + count);
    [...at("chapters").children].forEach((row, place) => {
      if (place === index) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    });
  }

  /** What comes after chapter `index`, and what will be different then. */
  next(index, note) {
    const next = this.timeline.chapters[index + 1];
    put(at("next"), next ? [`Next: ${next.title}`, note].filter(Boolean).join(" · ") : "");
  }

  show(ms, index) {
    this.#words(ms);
    put(at("where"), this.#where(ms, index));
    put(at("elapsed"), clock(ms));
    put(at("left"), `−${clock(this.timeline.length - ms)}`);
    this.#position(ms, index);
  }

  #words(ms) {
    const place = at("words");
    const now = this.timeline.wordAt(ms);
    if (now !== this.said) {
      this.said = now;
      put(place, now?.text ?? "");
      place.dataset.size = measure(now?.text ?? "");
    }
    place.classList.toggle("said", Boolean(now) && ms > now.end + 400);
  }

  #where(ms, index) {
    const here = this.timeline.chapters[index];
    const place = this.timeline.placeAt(ms);
    const parts = [];
    if (here.number) parts.push(`${here.number} of ${this.timeline.exercises}`);
    if (place?.rep) parts.push(`repetition ${place.rep} of ${place.reps}`);
    if (place?.side) parts.push(place.side);
    return parts.join(" · ");
  }

  #position(ms, index) {
    const second = Math.floor(ms / 1000) * 1000;
    if (this.second === second && this.index === index) return;
    [this.second, this.index] = [second, index];
    this.seeking.value = String(second);
    this.seeking.style.setProperty("--part", `${(100 * ms) / this.timeline.length}%`);
    const title = this.timeline.chapters[index].title;
    this.seeking.setAttribute("aria-valuetext", `${spoken(ms)} of ${spoken(this.timeline.length)}, ${title}`);
  }

  playing(on) {
    const button = at("play");
    button.setAttribute("aria-label", on ? "Pause" : "Play");
    setIcon(button, on ? "pause" : "play");
  }

  waiting(on) {
    at("play").setAttribute("aria-busy", String(on));
  }
}
