/** A log on the page as it grows: its end stays in sight, unless its reader is at something else. */

/** Lines that are kept; all of them are in the file. */
const MOST_LINES = 1000;
/** While one reads, nothing is taken away before there are this many. */
const MOST_PAUSED = 5000;
/** This near to the end counts as there: scrolling stops at fractions of pixels. */
const NEAR = 4;

export class LogTail {
  #element;
  #button;
  #missed = 0;
  /** Lines of the next frame. */
  #waiting = [];
  #frame;
  /** Whether its reader left the end by scrolling; moving the pointer over it only halts it. */
  #left = false;
  #halted = false;

  constructor(element) {
    this.#element = element;
    this.#button = document.createElement("button");
    this.#button.type = "button";
    this.#button.className = "resume";
    this.#button.hidden = true;
    element.after(this.#button);
    this.#button.addEventListener("click", () => this.#resume());
    element.addEventListener("scroll", () => this.#onScroll());
    // A pointer that rests where the button was has not come to read.
    element.addEventListener("pointermove", () => this.#halted = true);
    element.addEventListener("pointerleave", () => {
      this.#halted = false;
      if (!this.#left) this.#resume();
    });
    this.#toEnd();
  }

  /** Behind what it shows: the number of an event, or a position in the file. */
  get end() {
    return Number(this.#element.dataset.end);
  }

  set end(end) {
    this.#element.dataset.end = String(end);
  }

  /** Adds elements, each a line. They are shown with the next frame: laying out the page for each one would take long. */
  append(lines) {
    this.#waiting.push(...lines);
    // A page that nobody looks at has no frames.
    if (this.#waiting.length > MOST_LINES) this.#waiting.splice(0, this.#waiting.length - MOST_LINES);
    this.#frame ??= requestAnimationFrame(() => this.#flush());
  }

  /** Takes the last lines there are: adds those that it does not have, or all in place of its own where they do not meet. */
  fill(lines) {
    if (lines.length === 0) return;
    this.#flush();
    this.#element.querySelector("[data-unfinished]")?.remove();
    const here = this.#element.textContent;
    const texts = lines.map((line) => line.textContent);
    let known = texts.length;
    while (known > 0 && !here.endsWith(texts.slice(0, known).join(""))) known--;
    if (known === 0) this.#element.replaceChildren();
    this.#waiting.push(...lines.slice(known));
    this.#flush();
  }

  get #isPaused() {
    return this.#left || this.#halted;
  }

  #flush() {
    cancelAnimationFrame(this.#frame);
    this.#frame = undefined;
    const lines = this.#waiting.splice(0);
    if (lines.length === 0) return;
    // It is among them, finished.
    this.#element.querySelector("[data-unfinished]")?.remove();
    this.#element.append(...lines);
    this.#trim(this.#isPaused ? MOST_PAUSED : MOST_LINES);
    if (!this.#isPaused) return this.#toEnd();
    this.#missed += lines.filter((line) => line.dataset.unfinished === undefined).length;
    this.#show();
  }

  #trim(most) {
    while (this.#element.childElementCount > most) this.#element.firstElementChild.remove();
  }

  #onScroll() {
    const { scrollTop, scrollHeight, clientHeight } = this.#element;
    if (scrollHeight - scrollTop - clientHeight > NEAR) this.#left = true;
    // Whoever goes back to the end wants to follow it, wherever the pointer is.
    else if (this.#left) this.#resume();
  }

  #resume() {
    this.#left = this.#halted = false;
    this.#missed = 0;
    this.#trim(MOST_LINES);
    this.#toEnd();
    this.#show();
  }

  #toEnd() {
    this.#element.scrollTop = this.#element.scrollHeight;
  }

  #show() {
    this.#button.hidden = this.#missed === 0;
    const lines = `${this.#missed.toLocaleString("en")} new ${this.#missed === 1 ? "line" : "lines"}`;
    this.#button.textContent = `Paused, ${lines}: follow`;
  }
}

/** An event in the words that the server has for it, as the server writes it. */
export function eventLine({ t, type, text }) {
  const line = document.createElement("span");
  line.className = `e ${type.replace(".", "-")}`;
  const time = document.createElement("time");
  time.dateTime = t;
  time.textContent = t.slice(11, 19);
  line.append(time, `  ${text}\n`);
  return line;
}

export function trainerLine(text) {
  const line = document.createElement("span");
  line.textContent = `${text}\n`;
  return line;
}
