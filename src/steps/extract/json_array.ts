import { concatBytes, utf8Fault } from "../../lib/files/bytes.ts";
import { faultText, rowFault } from "./json_row.ts";
import {
  MAX_ROW_BYTES,
  type Note,
  notUtf8,
  OTHER_ENCODING,
  type Row,
  type SourceBytes,
  TOO_LONG,
} from "./row.ts";

/**
 * One JSON list of objects. Only the commas between rows are found here, the rows are JSON.parse's: that keeps
 * the text of numbers as it is, gives every row its line, and lets reading go on behind a row that is wrong.
 */
export async function* readJsonArray(bytes: SourceBytes, note: Note): AsyncGenerator<Row[]> {
  const splitter = new ArraySplitter(bytes.start, note);
  for await (const chunk of bytes.chunks) {
    yield splitter.push(chunk);
    if (splitter.failed) return;
  }
  splitter.end();
}

const [NEWLINE, SPACE, QUOTE, COMMA, BACKSLASH] = [10, 32, 34, 44, 92];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [91, 93, 123, 125];

class ArraySplitter {
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  readonly #note: Note;
  /** Position in the file of the chunk. */
  #offset: number;
  #line = 1;
  /** Characters of the line so far. */
  #column = 0;
  /** 0 outside the list, 1 between its rows, more within a row. */
  #depth = 0;
  #closed = false;
  #inText = false;
  #escaped = false;
  /** Of the row that has begun: its bytes from earlier chunks, where it starts, and the line of its first sign. */
  #pieces: Uint8Array[] = [];
  #held = 0;
  #rowOffset = 0;
  #rowLine = 0;
  /** Characters before it in that line. */
  #rowIndent = 0;
  #rows: Row[] = [];
  #commas = 0;
  /** What follows cannot be told apart. */
  failed = false;

  constructor(start: number, note: Note) {
    this.#offset = start;
    this.#note = note;
  }

  push(chunk: Uint8Array): Row[] {
    this.#rows = [];
    let start = 0;
    for (let i = 0; i < chunk.length && !this.failed; i++) {
      const byte = chunk[i] as number;
      if (byte === NEWLINE) {
        this.#line++;
        this.#column = 0;
      } else if ((byte & 0xc0) !== 0x80) this.#column++;
      if (this.#inText) this.#text(byte);
      else if (byte <= SPACE) continue;
      else if (this.#depth === 0) {
        this.#outside(byte);
        start = i + 1;
        this.#rowOffset = this.#offset + start;
      } else if (this.#endsRow(byte)) {
        this.#finish(chunk.subarray(start, i), byte);
        start = i + 1;
        this.#rowOffset = this.#offset + start;
      } else if (this.#rowLine === 0) {
        this.#rowLine = this.#line;
        this.#rowIndent = this.#column - 1;
      }
    }
    if (this.#depth > 0) this.#hold(chunk.slice(start));
    this.#offset += chunk.length;
    return this.#rows;
  }

  end(): void {
    if (this.#closed) return;
    if (this.#depth === 0) this.#note(1, "the file is empty");
    else {
      this.#note(
        this.#rowLine || this.#line,
        `the file ends in the middle of ${this.#rowLine === 0 ? "the list" : "this row"}: is it truncated?`,
      );
    }
  }

  #text(byte: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (byte === BACKSLASH) this.#escaped = true;
    else if (byte === QUOTE) this.#inText = false;
  }

  #outside(byte: number): void {
    if (byte === OPEN_LIST && !this.#closed) {
      this.#depth = 1;
      return;
    }
    this.#note(
      this.#line,
      this.#closed
        ? "there is more after the end of the list"
        : `the file is not one list of rows: it starts with ${JSON.stringify(String.fromCharCode(byte))}; ` +
          "a file with one object per line must be named .jsonl",
    );
    this.failed = true;
  }

  /** Whether the byte is the comma or bracket behind a row. */
  #endsRow(byte: number): boolean {
    if (byte === QUOTE) this.#inText = true;
    else if (byte === OPEN_LIST || byte === OPEN_OBJECT) this.#depth++;
    else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) return --this.#depth === 0;
    return byte === COMMA && this.#depth === 1;
  }

  #finish(rest: Uint8Array, byte: number): void {
    const bytes = this.#pieces.length === 0 ? rest : concatBytes([...this.#pieces, rest]);
    const line = this.#rowLine || this.#line;
    if (this.#rowLine > 0) this.#parse(bytes, line);
    else if (byte === COMMA || this.#commas > 0) this.#note(line, "there is an extra comma");
    if (byte === COMMA) this.#commas++;
    this.#closed = this.#depth === 0;
    if (byte === CLOSE_OBJECT) this.#note(this.#line, 'there is a "}" where the list should end');
    this.#pieces = [];
    this.#held = 0;
    this.#rowLine = 0;
  }

  #parse(bytes: Uint8Array, line: number): void {
    let text: string;
    try {
      text = this.#decoder.decode(bytes);
    } catch {
      return this.#note(line, notUtf8(this.#rowOffset + utf8Fault(bytes)), OTHER_ENCODING);
    }
    const row = text.trim();
    const fault = rowFault(row);
    if (fault) return this.#note(line + fault.lines, faultText(fault, this.#rowIndent));
    // Between the tokens of a row a line break is white space; within a text it cannot stand.
    this.#rows.push({ line, json: row.replace(/[\r\n]+\s*/g, " ") });
  }

  #hold(bytes: Uint8Array): void {
    this.#held += bytes.length;
    this.#pieces.push(bytes);
    if (this.#held <= MAX_ROW_BYTES) return;
    this.#note(this.#rowLine || this.#line, TOO_LONG);
    this.failed = true;
  }
}
