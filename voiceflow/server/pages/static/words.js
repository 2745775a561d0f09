// Formats times and sizes, shows messages, and builds elements.

const clamp = (ms) => Math.max(0, Math.round(ms / 1000));

/** 252000 -> "4:12" */
export function clock(ms) {
  const seconds = clamp(ms);
  const two = (value) => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** 252000 -> "4 minutes 12 seconds" */
export function spoken(ms) {
  const seconds = clamp(ms);
  const many = (value, unit) => (value ? `${value} ${unit}${value === 1 ? "" : "s"}` : "");
  const parts = [many(Math.floor(seconds / 60), "minute"), many(seconds % 60, "second")];
  return parts.filter(Boolean).join(" ") || "0 seconds";
}

/** 6789399 -> "6.8 MB" */
export function size(bytes) {
  if (bytes < 1e6) return `${Math.max(1, Math.round(bytes / 1e3))} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

let fading = 0;

export function say(message) {
  const place = document.getElementById("say");
  place.textContent = message;
  place.classList.add("shown");
  clearTimeout(fading);
  fading = setTimeout(() => place.classList.remove("shown"), 2500 + 45 * message.length);
}

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `/static/icons.svg#${name}`);
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

/** An element with its text or children; no markup is ever made from data. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export function setIcon(button, name) {
  button.querySelector("use").setAttribute("href", `/static/icons.svg#${name}`);
}
