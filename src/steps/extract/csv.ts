import type { CsvError, InfoRecord, Parser } from "csv-parse";
import { MAX_ROW_BYTES, type Note, type Row, type RowReader, type SourceBytes, TOO_LONG } from "./row.ts";
import { LineBreaks } from "./line_breaks.ts";
import { Utf8Check } from "./utf8_check.ts";

/** RFC 4180 with the given delimiter: a header, then a row a record. Cells are texts. */
export function csvReader(delimiter: "," | "\t"): RowReader {
  return async function* readCsv({ chunks, start }: SourceBytes, note: Note): AsyncGenerator<Row[]> {
    const { parse } = await import("csv-parse");
    const records = new Records(delimiter, note);
    const parser = parse({
      delimiter,
      record_delimiter: ["\r\n", "\n", "\r"],
      relax_column_count: true,
      skip_empty_lines: true,
      max_record_size: MAX_ROW_BYTES,
      on_record: (cells: string[], info: InfoRecord) => records.add(cells, info.bytes),
    });
    // Errors come back through `feed`. Nothing is ever read, and without a reader the parser would not end.
    parser.on("error", () => {}).resume();
    const utf8 = new Utf8Check(start);
    for await (const chunk of chunks) {
      records.breaks.push(chunk);
      const fault = utf8.push(chunk);
      if (fault >= 0) {
        return note(records.breaks.lineAt(fault - start), `not UTF-8 at byte ${fault} of the file`);
      }
      // The parser keeps views of what it has not parsed yet.
      const problem = await feed(parser, chunk.slice());
      yield records.take();
      if (problem) return records.fail(problem);
    }
    const cut = utf8.end();
    if (cut >= 0) return note(records.breaks.lineAt(cut - start), `not UTF-8 at byte ${cut} of the file`);
    const problem = await feed(parser);
    yield records.take();
    if (problem) records.fail(problem);
    else if (!records.named) note(1, "the file is empty");
  };
}

/** Hands over a chunk, or the end. The parser calls `on_record` before it calls back. */
function feed(parser: Parser, chunk?: Uint8Array): Promise<CsvError | undefined> {
  return new Promise((resolve) => {
    const done = (error?: Error | null) => resolve(error ? error as CsvError : undefined);
    if (chunk) parser.write(chunk, done);
    else parser.end(done);
  });
}

class Records {
  readonly breaks = new LineBreaks();
  readonly #delimiter: string;
  readonly #note: Note;
  #names: readonly string[] = [];
  #members: readonly string[] = [];
  #rows: Row[] = [];
  /** Where the record after the last one begins. */
  #end = 0;
  named = false;

  constructor(delimiter: string, note: Note) {
    this.#delimiter = delimiter;
    this.#note = note;
  }

  get #line(): number {
    return this.breaks.lineOfRecord(this.#end);
  }

  /** Returns nothing, so that the parser keeps nothing. */
  add(cells: readonly string[], end: number): undefined {
    const line = this.#line;
    this.#end = end;
    if (!this.named) return this.#header(cells, line);
    if (cells.length === this.#names.length) return void this.#rows.push({ line, json: this.#json(cells) });
    const than = cells.length > this.#names.length ? "more" : "fewer";
    this.#note(
      line,
      `the row has ${cells.length} cells, ${than} than the ${this.#names.length} columns of the header`,
    );
  }

  take(): Row[] {
    const rows = this.#rows;
    this.#rows = [];
    return rows;
  }

  fail({ code, message }: CsvError): void {
    const reasons: Partial<Record<string, string>> = {
      CSV_QUOTE_NOT_CLOSED: "a quote that opens in this row is never closed",
      CSV_INVALID_CLOSING_QUOTE:
        'there is text behind a closing quote; a quote within a quoted cell is written ""',
      INVALID_OPENING_QUOTE:
        'there is a quote within a cell; such a cell is quoted whole and its quotes are written ""',
      CSV_MAX_RECORD_SIZE: TOO_LONG,
    };
    this.#note(this.#line, `${reasons[code] ?? message}; reading stops here`);
  }

  #header(names: readonly string[], line: number): undefined {
    this.named = true;
    this.#names = names;
    this.#members = names.map((name, i) => `${i === 0 ? "{" : ","}${JSON.stringify(name)}:`);
    names.forEach((name, i) => {
      if (name.trim() === "") this.#note(line, `column ${i + 1} has no name in the header`);
      else if (names.indexOf(name) < i) this.#note(line, `two columns of the header have the name "${name}"`);
    });
    if (names.length === 1 && this.#delimiter === "," && /[;\t]/.test(names[0] as string)) {
      this.#note(line, "the header is one column: are its names separated by something else than commas?");
    }
  }

  #json(cells: readonly string[]): string {
    let json = "";
    for (let i = 0; i < cells.length; i++) json += (this.#members[i] as string) + JSON.stringify(cells[i]);
    return json + "}";
  }
}
