import { UsageError } from "../lib/errors.ts";
import { didYouMean } from "../lib/text/nearest.ts";
import { axolotl } from "./tools/axolotl.ts";
import type { Importer } from "./importer.ts";
import { llamaFactory } from "./tools/llama_factory.ts";
import { openai } from "./tools/openai.ts";
import type { Reader } from "./reader.ts";
import { soup } from "./tools/soup.ts";
import { trl } from "./tools/trl.ts";
import { unsloth } from "./tools/unsloth.ts";

/** Every tool whose configurations can be imported. */
export const IMPORTERS: readonly Importer[] = [axolotl, llamaFactory, unsloth, trl, soup, openai];

export interface Chosen {
  readonly importer: Importer;
  /** How it was recognised, as a sentence. */
  readonly why: string;
}

const SHOWN = 12;

/** The tool that a file is for: the one that was asked for, or the one whose own fields it has. */
export function chooseImporter(reader: Reader, asked: string | undefined): Chosen {
  if (asked !== undefined) return { importer: importerOf(asked), why: "set with --from" };
  const found = IMPORTERS.map((importer) => ({
    importer,
    marks: importer.marks.filter((mark) => reader.has(mark.split("."))),
  })).filter(({ marks }) => marks.length > 0).sort((a, b) => b.marks.length - a.marks.length);
  const [first, second] = found;
  // A field or two may have got in from elsewhere; half of them have not.
  if (first && first.marks.length > 2 * (second?.marks.length ?? 0)) {
    const names = first.marks.slice(0, 4).join(", ");
    return { importer: first.importer, why: `it has ${names}` };
  }
  const keys = Object.keys(reader.data);
  const list = `${keys.slice(0, SHOWN).join(", ")}${keys.length > SHOWN ? ", …" : ""}`;
  const reason = first
    ? found.map(({ importer, marks }) => `${marks.slice(0, 4).join(", ")} of ${importer.title}`).join("; ")
    : `none of its fields is known: ${list || "it has none"}`;
  throw new UsageError("import-unknown", `Cannot tell which tool "${reader.name}" is for: ${reason}`, {
    hint: `Set it with --from ${IMPORTERS.map(({ name }) => name).join("|")}${
      first ? `. Its fields: ${list}` : ""
    }`,
  });
}

function importerOf(name: string): Importer {
  const importer = IMPORTERS.find((known) => known.name === name);
  if (importer) return importer;
  const names = IMPORTERS.map(({ name }) => name);
  throw new UsageError("bad-option", `Cannot read --from: found "${name}"`, {
    hint: didYouMean(name, names) ?? `One of ${names.join(", ")}`,
  });
}
