// The list of stored sessions, on every page that shows it.

import { list, remove } from "/static/stored.js";
import { clock, element, icon, say, size } from "/static/words.js";

/** Fill `place` with what is stored; each row plays, and `removable` rows can be taken away. */
export async function fill(place, { removable = false, changed = () => {} } = {}) {
  const found = await list().catch(() => []);
  place.replaceChildren(...found.map((one) => row(one, removable, () => fill(place, { removable, changed }))));
  changed(found);
  return found;
}

function row(one, removable, again) {
  const facts = element("span", { class: "hint" }, `${clock(one.length_ms)} · ${size(one.bytes)}`);
  const link = element("a", { class: "what", href: one.player }, one.title, facts);
  const made = element("li", {}, link);
  if (removable) {
    const button = element("button", { class: "button small danger", type: "button", "aria-label": `Remove ${one.title} from this phone` }, icon("trash"));
    button.addEventListener("click", async () => {
      await remove(one.id);
      say(`${one.title} is no longer on this phone.`);
      await again();
    });
    made.append(button);
  }
  return made;
}
