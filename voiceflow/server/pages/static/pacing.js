// Slower, faster, less or more talk: has the session decided again, to continue at the next exercise.

import { Refused, sendInTurn } from "/static/api.js";

const STEP = 0.1;
const [SLOWEST, FASTEST] = [0.5, 2];
export const DETAILS = ["full", "brief", "tones"];

export class Pacing {
  /** @param render the one that plays; say(message) shows a message; changed() is called when a new render is ready */
  constructor(render, say, changed) {
    this.base = render;
    this.say = say;
    this.changed = changed;
    this.tempo = render.tempo;
    this.detail = render.detail;
    this.pending = null;
    this.asked = 0;
  }

  faster = (atMs) => this.#tempo(this.tempo + STEP, atMs);

  slower = (atMs) => this.#tempo(this.tempo - STEP, atMs);

  #tempo(wanted, atMs) {
    const tempo = Math.round(Math.min(FASTEST, Math.max(SLOWEST, wanted)) * 100) / 100;
    if (tempo === this.tempo) return this.say(tempo === SLOWEST ? "This is the slowest." : "This is the fastest.");
    const way = tempo < this.tempo ? "Slower" : "Faster";
    this.tempo = tempo;
    return this.#ask(atMs, `${way} from the next exercise on: tempo ${tempo.toFixed(2)}.`);
  }

  /** @param by 1 for less talk, -1 for more */
  talk(by, atMs) {
    const at = DETAILS.indexOf(this.detail) + by;
    if (at < 0) return this.say("Everything is already said.");
    if (at >= DETAILS.length) return this.say("Only the tones are left.");
    this.detail = DETAILS[at];
    const told = { full: "Full words", brief: "Fewer words", tones: "Tones only" }[this.detail];
    return this.#ask(atMs, `${told} from the next exercise on.`);
  }

  /** Cycle through the amounts of talk, for a single key. */
  turnTalk(atMs) {
    const last = this.detail === DETAILS.at(-1);
    return this.talk(last ? 1 - DETAILS.length : 1, atMs);
  }

  async #ask(atMs, told) {
    const turn = ++this.asked;
    this.say(told);
    const [tempo, detail] = [this.tempo, this.detail];
    try {
      const body = { event_ms: Math.round(atMs), tempo, detail };
      const made = await sendInTurn("POST", `/renders/${encodeURIComponent(this.base.id)}/from`, body);
      const score = await (await fetch(made.score)).json();
      // Another key may have been pressed meanwhile: the last one counts.
      if (turn !== this.asked) return;
      this.pending = { render: { ...made, tempo, detail }, score };
      this.changed();
    } catch (error) {
      if (turn !== this.asked) return;
      this.#giveUp();
      this.say(error instanceof Refused ? [error.message, error.problems[0]?.hint].filter(Boolean).join(" ") : "That change could not be made.");
    }
  }

  #giveUp() {
    const now = this.pending?.render ?? this.base;
    this.tempo = now.tempo;
    this.detail = now.detail;
  }

  /** What comes with the next exercise, in a few words. */
  get note() {
    const { render } = this.pending ?? {};
    if (!render) return "";
    const talk = { full: "full words", brief: "fewer words", tones: "tones only" }[render.detail];
    const news = [render.tempo !== this.base.tempo && `tempo ${render.tempo.toFixed(2)}`, render.detail !== this.base.detail && talk];
    return news.filter(Boolean).join(", ");
  }

  /** The pending render, once; it becomes the one that plays. */
  take() {
    const taken = this.pending;
    this.pending = null;
    if (taken) this.base = taken.render;
    return taken;
  }
}
