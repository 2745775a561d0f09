// The offline page: lists what plays without the server.

import { fill } from "/static/rows.js";

const found = await fill(document.getElementById("stored"));
document.getElementById("nothing").hidden = found.length > 0;

const again = () => (location.pathname === "/offline" ? location.assign("/") : location.reload());
document.getElementById("retry").addEventListener("click", again);

// Being online does not mean the server is there: do not reload the page for nothing.
window.addEventListener("online", async () => {
  const answer = await fetch("/healthz", { cache: "no-store" }).catch(() => null);
  if (answer?.ok) again();
});
