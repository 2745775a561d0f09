// What this phone remembers: choices and places. A phone that forgets (private mode) still works.

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
    // Full or forbidden: nothing depends on it.
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
