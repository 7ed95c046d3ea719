const [NEWLINE, RETURN] = [10, 13];

interface LineBreak {
  readonly start: number;
  /** Where the next line begins. */
  end: number;
}

/**
 * Tells the line of a byte, for records that come in order: only the line breaks ahead of the last question
 * are kept. A line ends with LF, CR LF or CR. Positions count from where the text begins.
 */
export class LineBreaks {
  #breaks: LineBreak[] = [];
  /** How many of `#breaks` lie behind the last question. */
  #passed = 0;
  #line = 1;
  #length = 0;
  #afterReturn = false;

  push(chunk: Uint8Array): void {
    this.#breaks.splice(0, this.#passed);
    this.#passed = 0;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i];
      const last = this.#breaks.at(-1);
      if (byte === NEWLINE && this.#afterReturn && last) last.end++;
      else if (byte === NEWLINE || byte === RETURN) {
        this.#breaks.push({ start: this.#length + i, end: this.#length + i + 1 });
      }
      this.#afterReturn = byte === RETURN;
    }
    this.#length += chunk.length;
  }

  /** The line that holds the byte at `position`, which is not before that of an earlier question. */
  lineAt(position: number): number {
    while ((this.#breaks[this.#passed]?.end ?? Infinity) <= position) {
      this.#passed++;
      this.#line++;
    }
    return this.#line;
  }

  /** The first line from `position` on that is not blank. */
  lineOfRecord(position: number): number {
    let line = this.lineAt(position);
    let start = position;
    for (const next of this.#breaks.slice(this.#passed)) {
      if (next.start !== start) break;
      start = next.end;
      line++;
    }
    return line;
  }
}
