// The settings page: stored sessions, the feed's address, paired phones.

import { send } from "/static/api.js";
import { forgetAll } from "/static/memory.js";
import { fill } from "/static/rows.js";
import { clear, possible } from "/static/stored.js";
import { say, size } from "/static/words.js";

const at = (id) => document.getElementById(id);

const refresh = () => fill(at("stored"), { removable: true, changed: tellUsage });

function tellUsage(found) {
  const bytes = found.reduce((sum, one) => sum + one.bytes, 0);
  const sessions = `${found.length} session${found.length === 1 ? "" : "s"}`;
  at("usage").textContent = found.length ? `${sessions}, ${size(bytes)}.` : "Nothing is stored.";
}

if (!possible()) {
  at("storage-why").hidden = false;
  at("storage-why").textContent =
    "This browser stores sessions only from an https address. You can still use “Save the file” in the player, or the feed in a podcast app.";
}
refresh();

at("clear").addEventListener("click", async () => {
  if (!confirm("Clear everything that voiceflow has stored on this phone?")) return;
  await clear();
  forgetAll();
  await refresh();
  say("Storage cleared.");
});

at("copy")?.addEventListener("click", async () => {
  const field = at("feed");
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
  } catch {
    document.execCommand("copy"); // over plain http there is no clipboard
  }
  say("Copied.");
});

/** Run `act`; show the message if it fails. */
async function attempt(act) {
  try {
    await act();
  } catch (error) {
    say(error.message);
  }
}

function tellFeed(address) {
  at("feed").value = address ?? "";
  at("feed-on").hidden = !address;
  at("feed-off").hidden = Boolean(address);
  at("feed-none").hidden = !address;
}

at("feed-new").addEventListener("click", () =>
  attempt(async () => {
    if (at("feed").value && !confirm("Make a new address? The old one will no longer work.")) return;
    tellFeed((await send("POST", "/feed", {})).feed);
    say("The feed has a new address.");
  }),
);

at("feed-none").addEventListener("click", () =>
  attempt(async () => {
    if (!confirm("Turn the feed off? Podcast apps that use its address will find nothing.")) return;
    await send("DELETE", "/feed");
    tellFeed(null);
    say("The feed is off.");
  }),
);

at("phones").addEventListener("click", (event) =>
  attempt(async () => {
    const button = event.target.closest("button[data-phone]");
    if (!button || !confirm("Forget this phone? It will have to scan a new code.")) return;
    await send("DELETE", `/phones/${encodeURIComponent(button.dataset.phone)}`);
    button.closest("li").remove();
    say("Forgotten.");
  }),
);

at("pair").addEventListener("click", () =>
  attempt(async () => {
    const { svg } = await send("POST", "/pairings", {});
    at("code").querySelector("img").src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
    at("code").hidden = false;
  }),
);

let invitation = null;
window.addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault();
  invitation = event;
  at("install").hidden = false;
});
at("install").addEventListener("click", () => invitation?.prompt());
