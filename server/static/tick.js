/**
 * Times that pass, each second, without asking the server: `data-tick` says how a time is written, `data-at` which one
 * it is. Without this script they stand as the server wrote them.
 */
import { ago, left, wholeSeconds } from "./time_text.js";

const TEXTS = {
  since: (at, now) => wholeSeconds(now - at),
  ago: (at, now) => ago(now - at),
  left: (at, now) => left(at - now),
};
/** How far the server's clock is ahead of this one: its times are written by its own. */
const served = Date.parse(document.querySelector("[data-now]")?.dataset.now ?? "");
const ahead = Number.isNaN(served) ? 0 : served - Date.now();

/** Writes the times below an element as they are now. */
export function tick(root = document) {
  const now = Date.now() + ahead;
  for (const element of root.querySelectorAll("[data-tick]")) {
    const text = TEXTS[element.dataset.tick]?.(Date.parse(element.dataset.at), now);
    if (text !== undefined && element.textContent !== text) element.textContent = text;
  }
}

setInterval(() => document.hidden || tick(), 1000);
document.addEventListener("visibilitychange", () => tick());
