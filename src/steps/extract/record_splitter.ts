import { MAX_ROW_BYTES, type Note, TOO_LONG } from "./row.ts";

/** How a table is written. */
export interface Dialect {
  readonly delimiter: string;
  /** The character around cells that hold more than text; undefined: there is none, and quotes are text. */
  readonly quote: string | undefined;
  /** Whether the pipeline file says so. What is only supposed is doubted where the file looks different. */
  readonly named: { readonly delimiter: boolean; readonly quote: boolean };
}

/** Hears of a record: the lines it begins and ends in, which differ where a quoted cell holds line breaks. */
type Take = (line: number, cells: readonly string[], last: number) => void;

/**
 * Finds the records and cells of a table in its lines, which end with LF, CR LF or CR. A record that is wrong is
 * told and left, and reading goes on with the line after the one it began in: nothing is swallowed, and all that is
 * wrong is found at once.
 */
export class RecordSplitter {
  readonly #delimiter: string;
  readonly #quote: string | undefined;
  readonly #take: Take;
  readonly #note: Note;
  /** Of the record that has begun: its cells, and of a quoted cell that is open what is known of it. */
  #cells: string[] = [];
  #open: string | undefined;
  #start = 0;
  /** The lines of the record that has begun; more than one where a quoted cell holds line breaks. */
  #lines: { readonly text: string; readonly end: string }[] = [];
  #held = 0;
  #rereading = false;
  /** The line that was pushed last. */
  line = 0;

  constructor(dialect: Dialect, take: Take, note: Note) {
    this.#delimiter = dialect.delimiter;
    this.#quote = dialect.quote;
    this.#take = take;
    this.#note = note;
  }

  /** Takes the text between two LF. */
  push(text: string): void {
    if (!text.includes("\r")) return this.#push(text, "\n");
    const parts = text.split("\r");
    const last = parts.pop() as string;
    parts.forEach((part, i) => this.#push(part, i === parts.length - 1 && last === "" ? "\r\n" : "\r"));
    if (last !== "") this.#push(last, "\n");
  }

  end(): void {
    if (this.#open !== undefined) this.#fail("a quote that opens in this row is never closed");
  }

  #push(text: string, end: string): void {
    this.line++;
    if (this.#open === undefined) {
      if (text === "") return;
      this.#start = this.line;
      if (this.#quote === undefined || !text.includes(this.#quote)) {
        return this.#take(this.line, text.split(this.#delimiter), this.line);
      }
      this.#cells = [];
      this.#lines = [];
      this.#held = 0;
    }
    this.#lines.push({ text, end });
    this.#held += text.length;
    const problem = this.#held > MAX_ROW_BYTES ? TOO_LONG : this.#scan(text, end, this.#quote as string);
    if (problem !== undefined) return this.#fail(problem);
    if (this.#open === undefined) this.#take(this.#start, this.#cells, this.line);
    else if (this.#rereading) this.#fail("a quote that opens in this row is never closed");
  }

  /** Reads on in a line, up to its end or to what is wrong with it. */
  #scan(text: string, end: string, quote: string): string | undefined {
    for (let at = 0;;) {
      if (this.#open === undefined && text[at] !== quote) {
        const next = text.indexOf(this.#delimiter, at);
        const cell = next < 0 ? text.slice(at) : text.slice(at, next);
        if (cell.includes(quote)) return this.#innerQuote();
        this.#cells.push(cell);
        if (next < 0) return undefined;
        at = next + 1;
        continue;
      }
      if (this.#open === undefined) at++;
      const close = text.indexOf(quote, at);
      this.#open = (this.#open ?? "") + (close < 0 ? text.slice(at) + end : text.slice(at, close));
      if (close < 0) return undefined;
      if (text[close + 1] === quote) {
        this.#open += quote;
        at = close + 2;
        continue;
      }
      this.#cells.push(this.#open);
      this.#open = undefined;
      if (close + 1 === text.length) return undefined;
      if (text[close + 1] !== this.#delimiter) return this.#behindQuote();
      at = close + 2;
    }
  }

  #innerQuote(): string {
    return `there is a quote inside a cell; quote the whole cell and write its quotes as ${this.#doubled}`;
  }

  #behindQuote(): string {
    const where = this.#lines.length > 1 ? ` in line ${this.line}` : "";
    return `there is text after a closing quote${where}; write a quote inside a quoted cell as ${this.#doubled}`;
  }

  get #doubled(): string {
    return `${this.#quote}${this.#quote}`;
  }

  /** Takes down what is wrong, and reads the lines behind the record's first one again, each for itself. */
  #fail(problem: string): void {
    const lines = this.#lines.slice(1);
    this.#open = undefined;
    this.#lines = [];
    this.#note(this.#start, problem);
    const line = this.line;
    this.line = this.#start;
    const before = this.#rereading;
    this.#rereading = true;
    for (const { text, end } of lines) this.#push(text, end);
    this.#rereading = before;
    this.line = line;
  }
}
