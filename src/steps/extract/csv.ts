import { readLines } from "../../lib/files/lines.ts";
import { counted } from "../../lib/text/format.ts";
import { type Dialect, RecordSplitter } from "./record_splitter.ts";
import {
  type Advice,
  MAX_ROW_BYTES,
  type Note,
  notUtf8,
  OTHER_ENCODING,
  type Row,
  type RowReader,
  type SourceBytes,
  TOO_LONG,
} from "./row.ts";

/** A header, then a row a record. Cells are texts. With quotes as RFC 4180 has them, or as IANA's TSV without any. */
export function csvReader(dialect: Dialect): RowReader {
  return async function* readCsv({ chunks, start }: SourceBytes, note: Note): AsyncGenerator<Row[]> {
    const table = new Table(dialect, note);
    const splitter = new RecordSplitter(dialect, (line, cells, last) => table.add(line, cells, last), note);
    const faults = new Map<number, { readonly problem: string; readonly advice?: readonly Advice[] }>();
    const batches = readLines(chunks, {
      start,
      maxBytes: MAX_ROW_BYTES,
      onFault: ({ line, byte, kind }) =>
        faults.set(
          line,
          kind === "length" ? { problem: TOO_LONG } : { problem: notUtf8(byte), advice: OTHER_ENCODING },
        ),
    });
    for await (const { first, lines } of batches) {
      for (let i = 0; i < lines.length; i++) {
        splitter.push(lines[i] as string);
        const fault = faults.size > 0 ? faults.get(first + i) : undefined;
        if (fault) note(splitter.line, fault.problem, fault.advice);
      }
      yield table.take();
    }
    splitter.end();
    table.end();
    yield table.take();
  };
}

/** Makes rows of records: the first one names the columns. */
class Table {
  readonly #dialect: Dialect;
  readonly #note: Note;
  #names: readonly string[] | undefined;
  #members: readonly string[] = [];
  #rows: Row[] = [];
  /** The first cell that looks as if quotes were more than text here. */
  #quoted: { readonly line: number; readonly cell: string } | undefined;

  constructor(dialect: Dialect, note: Note) {
    this.#dialect = dialect;
    this.#note = note;
  }

  add(line: number, cells: readonly string[], last: number): void {
    if (!this.#dialect.named.quote && this.#dialect.quote === undefined) this.#doubt(line, cells);
    if (!this.#names) return this.#header(line, cells);
    if (cells[0]?.startsWith("\uFEFF")) this.#note(line, BOM_IN_ROW);
    if (cells.length === this.#names.length) {
      if (this.#repeatsHeader(cells)) return this.#note(line, HEADER_AGAIN);
      return void this.#rows.push({ line, json: this.#json(cells) });
    }
    const than = cells.length > this.#names.length ? "more" : "fewer";
    const columns = `${counted(this.#names.length, "column")} of the header`;
    const quoted = last === line ? "" : `; a quoted cell extends it to line ${last}`;
    this.#note(line, `the row has ${counted(cells.length, "cell")}, ${than} than the ${columns}${quoted}`);
  }

  take(): Row[] {
    const rows = this.#rows;
    this.#rows = [];
    return rows;
  }

  end(): void {
    if (!this.#names) this.#note(1, "the file is empty");
    if (!this.#quoted) return;
    const { line, cell } = this.#quoted;
    const near = JSON.stringify(cell.length > 40 ? `${cell.slice(0, 39)}…` : cell);
    this.#note(line, `the cell ${near} looks quoted as in CSV, but in .tsv quotes are text`, [
      { when: "if quotes enclose cells", options: { quote: '"' } },
      { when: "if quotes are text", options: { quote: "none" } },
    ]);
  }

  #header(line: number, names: readonly string[]): void {
    this.#names = names;
    this.#members = names.map((name, i) => `${i === 0 ? "{" : ","}${JSON.stringify(name)}:`);
    names.forEach((name, i) => {
      if (name.trim() === "") this.#note(line, `column ${i + 1} has no name in the header`);
      else if (names.indexOf(name) < i) this.#note(line, `two columns of the header are called "${name}"`);
    });
    const { delimiter, named } = this.#dialect;
    const other = [";", "\t", ",", "|"].find((sign) => sign !== delimiter && names[0]?.includes(sign));
    if (names.length > 1 || named.delimiter || other === undefined) return;
    const between = delimiter === "\t" ? "tabs" : "commas";
    this.#note(line, `the header is a single column: does the file use a delimiter other than ${between}?`, [
      { when: `if ${JSON.stringify(other)} separates cells`, options: { delimiter: other } },
    ]);
  }

  /** For a file that was joined from several. A single column is too little evidence. */
  #repeatsHeader(cells: readonly string[]): boolean {
    const names = this.#names as readonly string[];
    return names.length > 1 && cells[1] === names[1] &&
      bare(cells[0] as string) === bare(names[0] as string) &&
      cells.every((cell, i) => i === 0 || cell === names[i]);
  }

  /**
   * In a text that is only text, doubled quotes between two others are as good as impossible; a header in quotes
   * too. A cell that only begins with a quote is a text, unless the cells of its row cannot be counted.
   */
  #doubt(line: number, cells: readonly string[]): void {
    if (this.#quoted) return;
    if (!this.#names) {
      if (cells.every((cell) => /^".+"$/s.test(cell))) this.#quoted = { line, cell: cells[0] as string };
      return;
    }
    const odd = cells.length !== this.#names.length;
    const cell = cells.find((cell) => cell.startsWith('"') && (odd ? !isPaired(cell) : isQuoted(cell)));
    if (cell !== undefined) this.#quoted = { line, cell };
  }

  #json(cells: readonly string[]): string {
    let json = "";
    for (let i = 0; i < cells.length; i++) json += (this.#members[i] as string) + JSON.stringify(cells[i]);
    return json + "}";
  }
}

const BOM_IN_ROW =
  "the row begins with a byte order mark (U+FEFF): were two files joined here? Remove it, and any second header";
const HEADER_AGAIN = "the row repeats the header: were two files joined here? Remove it";

function bare(name: string): string {
  return name.replace(/^\uFEFF/, "");
}

/** In quotes, with quotes that are doubled within. */
function isQuoted(cell: string): boolean {
  const inner = cell.slice(1, -1);
  return cell.length > 2 && cell.endsWith('"') && inner.includes('""') &&
    !inner.replaceAll('""', "").includes('"');
}

function isPaired(cell: string): boolean {
  return (cell.split('"').length - 1) % 2 === 0;
}
