// The score, indexed by time: what is said, breathed and done at a moment. Pure; whole milliseconds.

const BREATHS = new Set(["inhale", "exhale", "hold"]);

/** Of items in order of `start`, the last that has begun; -1 if none has. */
export function begun(items, ms, start = (one) => one.start) {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (start(items[middle]) <= ms) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

export class Timeline {
  /** @param score as `voiceflow show --json` prints it */
  constructor(score) {
    this.length = score.length_ms;
    this.title = score.title;
    this.words = score.events.filter((one) => one.kind === "speech").map(word);
    this.phases = levels(score.events.filter((one) => one.kind !== "speech" && BREATHS.has(one.breath)).map(phase));
    this.chapters = score.chapters.map((one) => chapter(one, score.events));
    let count = 0;
    for (const one of this.chapters) one.number = one.exercise ? ++count : 0;
    this.exercises = count;
  }

  chapterAt(ms) {
    return Math.max(0, begun(this.chapters, ms));
  }

  /** The text that was last begun: {text, start, end}, or null before the first. */
  wordAt(ms) {
    return this.words[begun(this.words, ms)] ?? null;
  }

  /** The breath: {breath, part, level, left} with part and level from 0 to 1; null between breaths. */
  breathAt(ms) {
    const found = this.phases[begun(this.phases, ms)];
    if (!found || ms >= found.end) return null;
    const part = (ms - found.start) / (found.end - found.start);
    const eased = (1 - Math.cos(Math.PI * part)) / 2;
    const level = found.from + (found.to - found.from) * eased;
    return { breath: found.breath, part, level, left: found.end - ms };
  }

  /** Repetition and side: {rep, reps, side}; null where nothing is repeated. */
  placeAt(ms) {
    const at = begun(this.phases, ms);
    const now = this.chapters[this.chapterAt(ms)];
    const last = this.phases[at];
    if (!last || last.start < now.start) return null;
    // After the last breath of a set its count would only be stale.
    if (ms > last.end + 1500 && !(this.phases[at + 1]?.start < now.end)) return null;
    const reps = now.reps.get(last.side ?? "") ?? last.rep;
    return { rep: last.rep, reps: Math.max(reps, last.rep ?? 0), side: last.side };
  }

  /** The chapter of another score of this session that is the same as chapter `index` here. */
  same(index, other) {
    const { title } = this.chapters[index];
    const nth = this.chapters.slice(0, index).filter((one) => one.title === title).length;
    return other.chapters.filter((one) => one.title === title)[nth] ?? null;
  }
}

const word = (one) => ({ text: one.text, start: one.start_ms, end: one.start_ms + one.length_ms });

const phase = (one) => ({
  breath: one.breath,
  start: one.start_ms,
  end: one.start_ms + one.length_ms,
  side: one.side,
  rep: one.rep,
});

function chapter(one, events) {
  const inside = events.filter((event) => event.start_ms >= one.start_ms && event.start_ms < one.end_ms);
  const reps = new Map();
  for (const event of inside) {
    if (event.rep) reps.set(event.side ?? "", Math.max(reps.get(event.side ?? "") ?? 0, event.rep));
  }
  const exercise = inside.some((event) => event.exercise === one.title || event.rep);
  return { title: one.title, start: one.start_ms, end: one.end_ms, exercise, reps };
}

/** How full the body is at the start and the end of each phase; breaths in one direction share it. */
function levels(phases) {
  let full = 0;
  for (let at = 0; at < phases.length; at++) {
    const now = phases[at];
    now.from = full;
    if (now.breath !== "hold") {
      const goal = now.breath === "inhale" ? 1 : 0;
      full += (goal - full) / alike(phases, at);
    }
    now.to = full;
  }
  return phases;
}

/** How many phases from `at` on go the same way, holds aside, within one repetition. */
function alike(phases, at) {
  let count = 1;
  for (const one of phases.slice(at + 1, at + 12)) {
    if (one.breath === "hold") continue;
    if (one.breath !== phases[at].breath || one.rep !== phases[at].rep || one.side !== phases[at].side) break;
    count++;
  }
  return count;
}
