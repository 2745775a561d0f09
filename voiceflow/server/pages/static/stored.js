// Sessions stored on this phone: sound, score, pictures and page, in the browser's cache storage.
// The service worker (sw.js) plays from the same cache when the server cannot be reached.

export const CACHE = "voiceflow-stored-1";
const INDEX = "/stored/";

/** Whether this browser lets this page store anything; it does so only over https or on localhost. */
export const possible = () => window.isSecureContext && "caches" in window && "serviceWorker" in navigator;

/** What is stored, newest first: {id, title, length_ms, bytes, player, when}. */
export async function list() {
  if (!possible()) return [];
  const cache = await caches.open(CACHE);
  const keys = (await cache.keys()).filter((one) => new URL(one.url).pathname.startsWith(INDEX));
  const found = await Promise.all(keys.map(async (key) => (await cache.match(key)).json()));
  return found.sort((one, other) => other.when - one.when);
}

export async function has(id) {
  return possible() && Boolean(await (await caches.open(CACHE)).match(INDEX + id));
}

/** Store a render completely or not at all. `progress` gets the part that is done, 0 to 1. */
export async function store(render, progress = () => {}) {
  const player = `/player/${encodeURIComponent(render.id)}`;
  const small = [player, render.score, render.cover].filter(Boolean);
  const cache = await caches.open(CACHE);
  try {
    await Promise.all(small.map((address) => fetchInto(cache, address)));
    const bytes = await fetchInto(cache, render.mp3, progress);
    const entry = { id: render.id, title: render.title, length_ms: render.length_ms, session: render.session ?? null };
    const files = [...small, render.mp3];
    const note = new Response(JSON.stringify({ ...entry, bytes, player, files, when: Date.now() }));
    await cache.put(INDEX + render.id, note);
  } catch (error) {
    await Promise.all([...small, render.mp3].map((address) => cache.delete(address)));
    throw error;
  }
  // The user asked for it, so the browser should not evict it when space runs low.
  navigator.storage?.persist?.().catch(() => false);
}

async function fetchInto(cache, address, progress) {
  const answer = await fetch(address, { credentials: "same-origin", cache: "reload" });
  if (answer.status !== 200) throw new Error(`${address}: ${answer.status}`);
  const expected = Number(answer.headers.get("Content-Length")) || 0;
  let read = 0;
  const counted = answer.body.pipeThrough(
    new TransformStream({
      transform(chunk, sink) {
        read += chunk.byteLength;
        if (expected) progress?.(Math.min(1, read / expected));
        sink.enqueue(chunk);
      },
      flush(sink) {
        // A file that broke off must not be kept. (Compressed answers name another length.)
        const plain = !answer.headers.get("Content-Encoding");
        if (plain && expected && read !== expected) sink.error(new Error(`${address} broke off`));
      },
    }),
  );
  await cache.put(address, new Response(counted, { headers: answer.headers }));
  return read;
}

export async function remove(id) {
  const cache = await caches.open(CACHE);
  const note = await cache.match(INDEX + id);
  if (!note) return;
  const { files } = await note.json();
  await Promise.all([...files, INDEX + id].map((address) => cache.delete(address)));
}

export async function clear() {
  if (possible()) await caches.delete(CACHE);
}
