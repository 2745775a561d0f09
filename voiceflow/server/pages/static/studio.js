// The start page: continue the last session, and the sessions stored here.

import { recall } from "/static/memory.js";
import { fill } from "/static/rows.js";
import { clock } from "/static/words.js";

const last = recall("last");
if (last?.id && last.at_ms > 10000) {
  const place = document.getElementById("continue");
  place.querySelector("a").href = `/player/${encodeURIComponent(last.id)}#listen`;
  place.querySelector(".what").textContent = `Continue: ${last.title}`;
  place.querySelector(".left").textContent = `${clock(last.length_ms - last.at_ms)} left`;
  place.hidden = false;
}

const stored = document.getElementById("stored");
fill(stored.querySelector("ul"), { changed: (found) => (stored.hidden = found.length === 0) });
