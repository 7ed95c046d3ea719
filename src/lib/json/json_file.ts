import type { ZodType } from "../../deps/zod.ts";
import { TemperError } from "../errors.ts";
import type { Fs } from "../files/fs.ts";
import type { ReadFs } from "../files/read_fs.ts";
import { placeIn, syntaxFault } from "./json_faults.ts";

export interface JsonFileOptions {
  /** Code of the error. @default "bad-file" */
  readonly code?: string;
  /** The hint for a file that cannot be read. */
  readonly hint?: string;
}

const HINT = "temper wrote this file: restore it, or run the step that made it again with --fresh";

/** A JSON file, checked. Throws a TemperError that names the faulty place. */
export async function readJson<T>(
  path: string,
  schema: ZodType<T>,
  fs: Pick<ReadFs, "readText">,
  options: JsonFileOptions = {},
): Promise<T> {
  return parseJson(await fs.readText(path), schema, `"${path}"`, options);
}

/** The same; `undefined` where there is no such file. */
export async function findJson<T>(
  path: string,
  schema: ZodType<T>,
  fs: Pick<ReadFs, "readText" | "stat">,
  options: JsonFileOptions = {},
): Promise<T | undefined> {
  return await fs.stat(path) ? await readJson(path, schema, fs, options) : undefined;
}

/** Writes a JSON file that people read too. Readers see the old content or the new. */
export async function writeJson(path: string, value: unknown, fs: Pick<Fs, "writeAtomic">): Promise<void> {
  await fs.writeAtomic(path, jsonText(value));
}

/** How temper writes JSON for people: indented, with a newline at the end. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** A JSON text, checked. `name`: what the error calls it. */
export function parseJson<T>(
  text: string,
  schema: ZodType<T>,
  name: string,
  { code = "bad-file", hint = HINT }: JsonFileOptions = {},
): T {
  const refuse = (found: string, cause: unknown) =>
    new TemperError(code, `Cannot read ${name}: ${found}`, { hint, cause });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const { offset, reason } = syntaxFault(text, cause);
    const { lines, column } = placeIn(text, offset);
    throw refuse(`line ${lines + 1}, column ${column} is not JSON: ${reason}`, cause);
  }
  const { data, error } = schema.safeParse(value);
  if (!error) return data;
  const { path, message } = error.issues[0]!;
  const member = path.length === 0 ? "" : `${path.join(".")}: `;
  throw refuse(member + message.replace(/^./, (letter) => letter.toLowerCase()), error);
}
