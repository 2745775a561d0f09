// What this phone remembers: options and playing positions. Without storage (private mode) all still works.

const LEAD = "voiceflow.";

export function recall(key, otherwise = null) {
  try {
    return JSON.parse(localStorage.getItem(LEAD + key)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

export function remember(key, value) {
  try {
    if (value === null) localStorage.removeItem(LEAD + key);
    else localStorage.setItem(LEAD + key, JSON.stringify(value));
  } catch {
    // Storage full or forbidden; nothing depends on it.
  }
}

export function forgetAll() {
  try {
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith(LEAD)) localStorage.removeItem(key);
    }
  } catch {
    // As above.
  }
}
