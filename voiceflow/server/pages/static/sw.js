// The service worker: keeps the pages' files, and plays stored sessions without the server.
// Everything but stored sound is fetched from the network first, so nothing outdated is shown while
// the server can be reached. Only `stored.js` puts sessions into the cache, on request.

const SHELL = "voiceflow-shell-1";
const STORED = "voiceflow-stored-1";
const FILES = [
  "/offline",
  ...["app", "api", "away", "breath", "choices", "keep", "keys", "media", "memory", "naming", "pacing", "player"].map((name) => `/static/${name}.js`),
  ...["problems", "rows", "score", "session", "settings", "stored", "studio", "view", "words"].map((name) => `/static/${name}.js`),
  ...["style.css", "icon.svg", "icons.svg", "positions.svg", "icon-192.png"].map((name) => `/static/${name}`),
];
const PATIENCE_MS = 3000;
const AWAY_MS = 20000;
const SAME = { ignoreVary: true };
let awayUntil = 0;

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(SHELL)
      .then((cache) => cache.addAll(FILES.map((file) => new Request(file, { cache: "reload" }))))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => {
  const old = (name) => name.startsWith("voiceflow-") && name !== SHELL && name !== STORED;
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter(old).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (pathname.startsWith("/renders/")) event.respondWith(sound(request));
  else if (pathname.startsWith("/static/")) event.respondWith(shell(request));
  else if (request.mode === "navigate") event.respondWith(page(request));
});

/** Stored sound and scores come from the cache: they never change under one URL. */
async function sound(request) {
  const found = await (await caches.open(STORED)).match(request.url, SAME);
  if (!found) return fetch(request);
  const range = request.headers.get("Range");
  return range ? slice(found, range) : found;
}

async function slice(whole, range) {
  const blob = await whole.blob();
  const asked = /^bytes=(\d*)-(\d*)$/.exec(range.trim());
  if (!asked || (!asked[1] && !asked[2])) return new Response(blob, { headers: whole.headers });
  const last = blob.size - 1;
  const from = asked[1] ? Number(asked[1]) : Math.max(0, blob.size - Number(asked[2]));
  const to = asked[1] && asked[2] ? Math.min(Number(asked[2]), last) : last;
  if (from > to) {
    return new Response(null, { status: 416, headers: { "Content-Range": `bytes */${blob.size}` } });
  }
  const headers = new Headers(whole.headers);
  headers.set("Accept-Ranges", "bytes");
  headers.set("Content-Range", `bytes ${from}-${to}/${blob.size}`);
  headers.set("Content-Length", String(to - from + 1));
  return new Response(blob.slice(from, to + 1), { status: 206, statusText: "Partial Content", headers });
}

async function shell(request) {
  const cache = await caches.open(SHELL);
  const kept = await cache.match(request.url, SAME);
  if (kept && Date.now() < awayUntil) return kept;
  try {
    const answer = await network(request, kept ? PATIENCE_MS : 0);
    if (answer.status === 200) await cache.put(request.url, answer.clone());
    return answer;
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
}

async function page(request) {
  const { origin, pathname } = new URL(request.url);
  const stored = await (await caches.open(STORED)).match(origin + pathname, SAME);
  try {
    return await network(request, PATIENCE_MS, () => !stored && there());
  } catch {
    return stored ?? (await caches.open(SHELL)).match("/offline");
  }
}

/** Whether the server is only slow. */
async function there() {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  return fetch("/healthz", { signal, cache: "no-store" }).then((answer) => answer.ok, () => false);
}

/** The server's response. Throws if it cannot be reached, or takes longer than `patience` ms (0: no
 * limit) and `worth` does not say to keep waiting. */
async function network(request, patience, worth = async () => false) {
  let timer = 0;
  const late = new Promise((_, refuse) => {
    const ask = async () => (await worth()) || refuse(new Error("no answer"));
    if (patience) timer = setTimeout(ask, patience);
  });
  try {
    const answer = await Promise.race([fetch(request), late]);
    awayUntil = 0;
    return answer;
  } catch (error) {
    awayUntil = Date.now() + AWAY_MS;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
