import type { RowView } from "../shapes/row_view.ts";

/** A field of the rows that the examples do not contain. */
export type Unused = {
  /** Its place in a row, such as `messages[].name`. */
  readonly field: string;
  /** How often it occurs, and in how many rows. */
  readonly count: number;
  readonly rows: number;
  /** Why it is not used, where there is more to say than that nothing uses it. */
  readonly why?: string;
};

export type AccountingSummary = {
  readonly unused: readonly Unused[];
  /** Further fields, and how often they occur: files whose keys are data have any number. */
  readonly more: { readonly fields: number; readonly count: number };
};

/** How many fields are listed one by one. */
const TOLD = 50;
/** How many are counted by name, so that memory stays small. */
const KEPT = 1000;
const LONGEST_NAME = 120;

/** Counts what the converters left over of the rows that became examples. */
export class Accounting {
  readonly #fields = new Map<
    string,
    { field: string; why: string; count: number; rows: number; row: number }
  >();
  #row = 0;
  #uncounted = 0;

  /** Takes down what is left over of a row. */
  addRow(row: RowView): void {
    this.#row++;
    row.leftovers((field, why) => this.#add(shorten(field), why, 1));
  }

  /** Counts messages of the present row that are left out as a whole. */
  addCut(field: string, why: string, count: number): void {
    this.#add(field, why, count);
  }

  summary(): AccountingSummary {
    const all = [...this.#fields.values()].sort((a, b) => b.rows - a.rows || (a.field < b.field ? -1 : 1));
    const rest = all.slice(TOLD);
    return {
      unused: all.slice(0, TOLD).map(({ field, why, count, rows }) => ({
        field,
        count,
        rows,
        ...why !== "" && { why },
      })),
      more: {
        fields: rest.length,
        count: rest.reduce((sum, { count }) => sum + count, this.#uncounted),
      },
    };
  }

  #add(field: string, why: string, count: number): void {
    const key = why === "" ? field : `${field}\n${why}`;
    const known = this.#fields.get(key);
    if (known) {
      known.count += count;
      if (known.row !== this.#row) known.rows++;
      known.row = this.#row;
    } else if (this.#fields.size < KEPT) {
      this.#fields.set(key, { field, why, count, rows: 1, row: this.#row });
    } else {
      this.#uncounted += count;
    }
  }
}

function shorten(name: string): string {
  return name.length <= LONGEST_NAME ? name : `${name.slice(0, LONGEST_NAME).toWellFormed()}…`;
}
