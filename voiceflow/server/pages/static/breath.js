// Draws the breath as a slow shape: it grows on the inhale, shrinks on the exhale, rests on a hold.

const LEAST = 0.5;
const NAMES = {
  en: { inhale: "Breathe in", exhale: "Breathe out", hold: "Hold" },
  es: { inhale: "Inhala", exhale: "Exhala", hold: "Mantén" },
};
const still = matchMedia("(prefers-reduced-motion: reduce)");

export class Breath {
  constructor(svg, label, language) {
    this.names = NAMES[(language ?? "en").split("-")[0]] ?? NAMES.en;
    this.svg = svg;
    this.label = label;
    this.body = svg.querySelector(".body");
    this.ripples = [...svg.querySelectorAll(".ripple")];
    this.arc = svg.querySelector(".arc");
    this.told = "";
    this.size = LEAST;
  }

  /** @param now {breath, part, level, left}, or null between breaths */
  draw(now) {
    this.#tell(now);
    // Between breaths the shape comes to rest; with less motion asked for, it never moves.
    const goal = now && !still.matches ? LEAST + (1 - LEAST) * now.level : still.matches ? 0.86 : LEAST;
    this.size = now ? goal : this.size + (goal - this.size) * 0.06;
    this.body.style.transform = `scale(${this.size.toFixed(4)})`;
    this.ripples.forEach((ripple, at) => {
      const wide = Math.min(1.02, this.size + 0.07 * (at + 1) * (0.4 + this.size));
      ripple.style.transform = `scale(${wide.toFixed(4)})`;
      ripple.style.opacity = String(0.34 - 0.14 * at);
    });
    const part = now ? (still.matches ? Math.floor(now.part * 4) / 4 : now.part) : 0;
    this.arc.style.strokeDasharray = `${part.toFixed(4)} 1`;
    this.arc.style.visibility = part > 0 ? "visible" : "hidden";
  }

  #tell(now) {
    const seconds = now && still.matches ? ` · ${Math.ceil(now.left / 1000)}` : "";
    const breath = now?.breath ?? "";
    if (breath !== this.svg.dataset.breath) this.svg.dataset.breath = breath;
    const told = now ? this.names[now.breath] + seconds : "";
    if (told !== this.told) this.label.textContent = this.told = told;
  }
}
