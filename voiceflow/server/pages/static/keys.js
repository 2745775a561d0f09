// Keyboard shortcuts, the same as in `voiceflow play`.

const ACTS = {
  " ": "toggle",
  k: "toggle",
  ArrowLeft: "previous",
  ArrowRight: "next",
  ArrowDown: "back",
  ArrowUp: "forward",
  j: "back",
  l: "forward",
  a: "again",
  "+": "faster",
  "=": "faster",
  "-": "slower",
  d: "talk",
};

/** @param acts functions by the names above */
export function listen(acts) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const name = ACTS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!name || taken(event)) return;
    event.preventDefault();
    // Holding a key down toggles once, but keeps seeking.
    if (!event.repeat || name === "back" || name === "forward") acts[name]();
  });
}

/** Whether the element with the focus needs this key itself. */
function taken({ target, key }) {
  if (target.closest("input:not([type=range]), select, textarea")) return true;
  if (target.closest("input[type=range]")) return key.startsWith("Arrow");
  return key === " " && Boolean(target.closest("button, a, summary"));
}
