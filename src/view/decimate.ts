/** One place on the x axis and a value of each series there; null where it has none. */
export interface Row {
  readonly x: number;
  /** Other measures of the same place, which go wherever it goes. */
  readonly at?: readonly (number | null)[];
  readonly values: readonly (number | null)[];
}

/** What is kept of `width` neighbouring places: for each series the rows with its least and its greatest value. */
interface Bucket {
  readonly index: number;
  readonly least: (Row | undefined)[];
  readonly greatest: (Row | undefined)[];
}

/**
 * Draws any number of points with at most `most` of them and loses no peak: of each stretch of the x axis it keeps,
 * for every series, the least and the greatest value, and always the first and the newest point. Points come in
 * one by one; a point before the last one means that training went back: the points after it are replaced.
 */
export class Decimator {
  readonly #series: number;
  readonly #buckets: number;
  #kept: Bucket[] = [];
  #width = 1;
  #first: Row | undefined;
  #last: Row | undefined;

  constructor(series: number, most: number) {
    this.#series = series;
    this.#buckets = Math.max(2, Math.floor((most - 2) / (2 * series)));
  }

  push(row: Row): void {
    const last = this.#last;
    if (last && row.x <= last.x) {
      this.#rewind(row.x);
      if (row.x === last.x) return this.push(merged(last, row));
    }
    this.#add(row);
  }

  #add(row: Row): void {
    this.#first ??= row;
    this.#last = row;
    const index = Math.floor(row.x / this.#width);
    let bucket = this.#kept.at(-1);
    if (bucket?.index !== index) {
      bucket = { index, least: new Array(this.#series), greatest: new Array(this.#series) };
      this.#kept.push(bucket);
      while (this.#kept.length > this.#buckets) this.#widen();
      bucket = this.#kept.at(-1)!;
    }
    consider(bucket, row);
  }

  /** At most `most` rows, in the order of x, none twice. */
  rows(): Row[] {
    const rows = new Set<Row>();
    if (this.#first) rows.add(this.#first);
    for (const { least, greatest } of this.#kept) {
      for (const row of [...least, ...greatest]) if (row) rows.add(row);
    }
    if (this.#last) rows.add(this.#last);
    return [...rows].sort((a, b) => a.x - b.x);
  }

  /** Two neighbours become one. */
  #widen(): void {
    this.#width *= 2;
    const wide: Bucket[] = [];
    for (const bucket of this.#kept) {
      const index = Math.floor(bucket.index / 2);
      let into = wide.at(-1);
      if (into?.index !== index) {
        into = { index, least: new Array(this.#series), greatest: new Array(this.#series) };
        wide.push(into);
      }
      for (const row of [...bucket.least, ...bucket.greatest]) if (row) consider(into, row);
    }
    this.#kept = wide;
  }

  /** Drops the points at `x` and after it. */
  #rewind(x: number): void {
    const left: Row[] = this.rows().filter((row) => row.x < x);
    this.#kept = [];
    this.#first = undefined;
    this.#last = undefined;
    for (const row of left) this.#add(row);
  }
}

/** Two words about the same place: the later one counts. */
function merged({ x, at, values }: Row, later: Row): Row {
  const both = (a: readonly (number | null)[] = [], b: readonly (number | null)[] = a) =>
    b.map((value, i) => value ?? a[i] ?? null);
  return {
    x,
    ...at || later.at ? { at: both(at, later.at) } : {},
    values: both(values, later.values),
  };
}

function consider({ least, greatest }: Bucket, row: Row): void {
  for (let i = 0; i < row.values.length; i++) {
    const value = row.values[i];
    if (value === null || value === undefined) continue;
    const low = least[i];
    const high = greatest[i];
    if (!low || value < low.values[i]!) least[i] = row;
    if (!high || value > high.values[i]!) greatest[i] = row;
  }
}
