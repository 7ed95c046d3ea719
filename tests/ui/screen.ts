import { textWidth } from "../../src/lib/text/text_width.ts";

// deno-lint-ignore no-control-regex
const TOKEN = /\x1b\[(\??[0-9;]*)([A-Za-z])|\r|\n|[^\x1b\r\n]/gu;

/** As much of a terminal as the live display uses, of endless height. Throws on anything else. */
export class Screen {
  readonly rows: string[][] = [[]];
  cursorHidden = false;
  /** Whether text ever ran over the right edge. */
  wrapped = false;
  #row = 0;
  #column = 0;

  constructor(public columns: number) {}

  write(text: string): void {
    for (const [token, parameter, final] of text.matchAll(TOKEN)) {
      if (final !== undefined) this.#control(parameter!, final);
      else if (token === "\r") this.#column = 0;
      else if (token === "\n") this.#newline();
      else this.#put(token);
    }
  }

  /** Becomes narrower or wider and breaks long rows anew, as most terminals do. The cursor stands below the text. */
  reflow(columns: number): void {
    this.columns = columns;
    const rows = this.rows.flatMap((row) => {
      const parts: string[][] = [];
      for (let i = 0; i < row.length; i += columns) parts.push(row.slice(i, i + columns));
      return parts.length === 0 ? [[]] : parts;
    });
    this.rows.splice(0, this.rows.length, ...rows);
    this.#row = rows.length - 1;
  }

  /** The rows as text, without what is empty at the end. */
  text(): string {
    return this.rows.map((row) => row.join("").trimEnd()).join("\n").trimEnd();
  }

  #put(character: string): void {
    // Vowels and finals of conjoining Hangul take no column of their own: they complete the letter before them.
    const width = /[\u1160-\u11ff\ud7b0-\ud7ff]/.test(character) ? 0 : textWidth(character);
    if (this.#column + width > this.columns) {
      this.wrapped = true;
      this.#newline();
    }
    const row = this.rows[this.#row]!;
    while (row.length < this.#column) row.push(" ");
    row[this.#column] = character;
    for (let i = 1; i < width; i++) row[this.#column + i] = "";
    this.#column += width;
  }

  #newline(): void {
    this.#row++;
    this.#column = 0;
    while (this.rows.length <= this.#row) this.rows.push([]);
  }

  #control(parameter: string, final: string): void {
    const sequence = parameter + final;
    if (final === "m") return;
    if (sequence === "?25l") this.cursorHidden = true;
    else if (sequence === "?25h") this.cursorHidden = false;
    else if (final === "A") this.#row = Math.max(0, this.#row - Number(parameter));
    else if (sequence === "K") this.rows[this.#row]!.length = this.#column;
    else if (sequence === "J") {
      this.rows[this.#row]!.length = this.#column;
      this.rows.length = this.#row + 1;
    } else throw new Error(`Screen does not know the sequence "${sequence}"`);
  }
}
