// Shows problems: file and line, message, hint.

import { element } from "/static/words.js";

export function show(panel, title, problems) {
  const list = element("ul", { class: "problems" }, ...problems.map(problem));
  panel.replaceChildren(element("h2", {}, title), list);
  panel.hidden = false;
  panel.focus();
  panel.scrollIntoView({ block: "center" });
}

function problem(one) {
  const row = element("li");
  if (one.file) {
    const place = [one.file, one.line, one.column].filter(Boolean).join(":");
    row.append(element("code", { class: "place" }, place));
  }
  row.append(element("span", { class: "message" }, one.message));
  if (one.hint) row.append(element("span", { class: "hint" }, one.hint));
  return row;
}
