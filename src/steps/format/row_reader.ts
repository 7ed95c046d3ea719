import { rowRulesOf } from "../../spec/dialects/registry.ts";
import { abilitiesOf } from "../../providers/abilities.ts";
import type { SetName } from "../extract/sources.ts";
import type { DataContext } from "../step.ts";
import type { Accounting } from "./report/accounting.ts";
import type { FileShape, SetShapes } from "./shapes/file_shapes.ts";
import type { Conversation } from "./conversation/conversation.ts";
import { Converter } from "./shapes/converter.ts";
import { type Example, sourceOf } from "./example.ts";
import type { Findings } from "./checks/findings.ts";
import { longDecimal, mayBeRounded, roundedNumber, TOO_MANY_DIGITS } from "./checks/rounded_numbers.ts";
import { parseRow, type SourceRow } from "./source_rows.ts";

export interface ReadRow extends SourceRow {
  readonly conversation: Conversation;
}

/** Reads the rows of a set, each as its file's rows are read. */
export class RowReader {
  readonly #shapes: SetShapes;
  readonly #findings: Findings;
  readonly #by: string | undefined;
  readonly #newConverter: (file: FileShape) => Converter;
  /** Of the file that the last row came from: rows of a file follow each other. */
  #file: FileShape | undefined;
  #converter: Converter | undefined;

  constructor(
    { loaded: { spec }, providers }: DataContext,
    set: SetName,
    shapes: SetShapes,
    { findings, accounting }: { readonly findings: Findings; readonly accounting: Accounting },
  ) {
    this.#shapes = shapes;
    this.#findings = findings;
    this.#by = set === "train" ? spec.dataset.split?.by : undefined;
    const abilities = abilitiesOf(spec.provider.kind, providers);
    const rules = rowRulesOf(spec.provider);
    this.#newConverter = ({ shape }) =>
      new Converter(shape, abilities, findings, this.#by, accounting, rules);
  }

  /** `undefined` after a complaint. */
  read(line: string): ReadRow | undefined {
    const { origin, row } = parseRow(line);
    const file = this.#fileOf(origin);
    const rounded = mayBeRounded(line) ? this.#roundedNumber(line, row, file) : undefined;
    if (rounded !== undefined) {
      const problem = TOO_MANY_DIGITS;
      return void this.#findings.add("rows", () => ({ origin, field: rounded, problem, excerpt: "" }));
    }
    const spoken = file.roles ? file.roles.apply(row, file.shape.fields) : row;
    const conversation = this.#converter?.convert(origin, spoken);
    return conversation && { origin, row, conversation };
  }

  /** What a row's side is decided by; `undefined` after a complaint. */
  groupOf({ origin, row }: ReadRow, { input }: Example): string | undefined {
    return this.#by === undefined ? input : this.#converter?.groupOf(origin, row, this.#by);
  }

  #fileOf(origin: string): FileShape {
    const label = sourceOf(origin);
    if (this.#file?.label === label) return this.#file;
    this.#file = this.#shapes.of(label);
    this.#converter = this.#newConverter(this.#file);
    this.#findings.beginFile();
    return this.#file;
  }

  /** Where a field that is used holds a number that is not what the file says. */
  #roundedNumber(line: string, row: SourceRow["row"], { shape }: FileShape): string | undefined {
    const by = this.#by === undefined ? [] : [this.#by];
    // Templates look at whole numbers themselves, and say where they stand.
    for (const field of shape.explicit ? by : [...shape.fields, ...by]) {
      const found = Object.hasOwn(row, field) ? roundedNumber(row[field], field) : undefined;
      if (found !== undefined) return found;
    }
    return longDecimal(line, [...shape.fields, ...by]);
  }
}
