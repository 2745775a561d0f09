// The form of options: reads, remembers and restores them. Only what differs from the script is sent.

import { recall, remember } from "/static/memory.js";

// These are personal and shared by all sessions; the others are remembered per session.
const PERSONAL = new Set(["equipment", "voice", "phrases", "tones", "bed", "name", "breath_in", "breath_out"]);
const NUMBERS = new Set(["tempo", "breath_in", "breath_out", "level"]);

export class Choices {
  constructor(form) {
    this.form = form;
    this.slug = form.dataset.slug;
    // A slider has no "as written" position, so only those that were moved count.
    this.moved = new Set();
  }

  slider = (name) => this.form.querySelector(`input[type="range"][name="${name}"]`);

  /** Only what differs from how the session is written. */
  options() {
    const said = {};
    const minutes = this.form.elements.minutes.value.trim();
    if (minutes) said.minutes = minutes.replace(",", ".");
    for (const name of new Set([...this.form.elements].map((one) => one.name).filter(Boolean))) {
      if (name === "minutes") continue;
      const value = this.#value(name);
      if (value !== undefined) said[name] = NUMBERS.has(name) ? Number(value) : value;
    }
    return said;
  }

  #value(name) {
    if (this.slider(name)) return this.moved.has(name) ? this.slider(name).value : undefined;
    const fields = [...this.form.querySelectorAll(`[name="${name}"]`)];
    const [first] = fields;
    if (first.type === "checkbox") {
      const changed = fields.some((one) => one.checked !== one.hasAttribute("data-usual"));
      return changed ? fields.filter((one) => one.checked).map((one) => one.value) : undefined;
    }
    if (first.type === "radio") {
      const chosen = fields.find((one) => one.checked);
      return chosen && !chosen.hasAttribute("data-usual") ? chosen.value : undefined;
    }
    if (first.tagName === "SELECT") {
      const chosen = first.selectedOptions[0];
      return chosen && !chosen.hasAttribute("data-usual") ? chosen.value : undefined;
    }
    const value = first.value.trim();
    return value !== (first.dataset.usual ?? "") ? value : undefined;
  }

  save() {
    const said = this.options();
    const part = (personal) => Object.fromEntries(Object.entries(said).filter(([name]) => PERSONAL.has(name) === personal));
    remember("wishes", part(true));
    remember(`wishes.${this.slug}`, part(false));
  }

  restore() {
    const said = { ...recall("wishes", {}), ...recall(`wishes.${this.slug}`, {}) };
    for (const [name, value] of Object.entries(said)) this.#put(name, value);
  }

  #put(name, value) {
    const slider = this.slider(name);
    if (slider) {
      slider.value = value;
      this.moved.add(name);
      return;
    }
    for (const field of this.form.querySelectorAll(`[name="${name}"]`)) {
      if (field.type === "checkbox") field.checked = Array.isArray(value) && value.includes(field.value);
      else if (field.type === "radio") field.checked = field.value === String(value) || field.checked;
      else if (field.tagName === "SELECT") {
        // A voice or tone set that no longer exists is not requested.
        if ([...field.options].some((one) => one.value === value && !one.disabled)) field.value = value;
      } else field.value = value;
    }
  }

  asWritten() {
    this.form.reset();
    this.moved.clear();
    this.save();
  }
}
