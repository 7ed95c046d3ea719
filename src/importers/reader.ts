import type { ReadFs } from "../lib/files/read_fs.ts";
import { UsageError } from "../lib/errors.ts";
import { spanAt } from "../spec/yaml/locate.ts";
import { isSection, type Path, valueAt } from "../spec/yaml/path.ts";
import { type ParsedYaml, parseYaml } from "../spec/yaml/yaml.ts";

/** No configuration comes near it. */
const MOST_BYTES = 1024 * 1024;

/** A configuration file of another tool, and which of its fields are accounted for. */
export class Reader {
  readonly #yaml: ParsedYaml;
  readonly #text: string;
  readonly #seen = new Set<string>();

  /** `name`: the file as the user calls it. */
  constructor(readonly name: string, text: string) {
    this.#text = text;
    this.#yaml = parseYaml(text);
    const [fault] = this.#yaml.faults;
    if (fault) {
      const line = text.slice(0, fault.start).split("\n").length;
      throw new UsageError("import-unreadable", `Cannot read "${name}": line ${line}: ${fault.message}`, {
        hint: fault.hint ?? "It must be YAML or JSON",
      });
    }
    if (!isSection(this.#yaml.value)) {
      throw new UsageError("import-unreadable", `Cannot read "${name}": it has no fields`, {
        hint: "It must be YAML or JSON: names and their values",
      });
    }
  }

  get data(): Readonly<Record<string, unknown>> {
    return this.#yaml.value as Record<string, unknown>;
  }

  has(path: Path): boolean {
    return this.#at(path) !== undefined;
  }

  /** The value there; undefined where it is missing or null, which all these tools take for the same. */
  get(path: Path): unknown {
    return this.#at(path) ?? undefined;
  }

  /** Line of a field, counted from 1. */
  line(path: Path): number {
    return this.#text.slice(0, spanAt(this.#yaml, path, "key").start).split("\n").length;
  }

  /** Takes down that it is known what becomes of a field and of all below it. */
  mark(path: Path): void {
    this.#seen.add(keyOf(path));
  }

  isMarked(path: Path): boolean {
    return path.some((_, i) => this.#seen.has(keyOf(path.slice(0, i + 1))));
  }

  /** Whether something below it is marked. */
  isTouched(path: Path): boolean {
    const start = keyOf(path).slice(0, -1) + ",";
    return [...this.#seen].some((key) => key.startsWith(start));
  }

  /** The fields below `root` that nobody has marked: each as high up as possible. */
  unmarked(root: Path = []): Path[] {
    const value = this.#at(root);
    const names = Array.isArray(value) ? value.keys() : isSection(value) ? Object.keys(value) : [];
    return [...names].map((name): Path => [...root, name]).flatMap((path) => {
      if (this.#seen.has(keyOf(path))) return [];
      return this.isTouched(path) ? this.unmarked(path) : [path];
    });
  }

  #at(path: Path): unknown {
    return valueAt(this.#yaml.value, path);
  }
}

function keyOf(path: Path): string {
  return JSON.stringify(path.map(String));
}

/** Reads a configuration file. `name`: as the user calls it. */
export async function readConfig(path: string, name: string, fs: ReadFs): Promise<Reader> {
  const fail = (reason: string) => new UsageError("import-unreadable", `Cannot read "${name}": ${reason}`);
  if (/\.(py|ipynb)$/i.test(path)) {
    throw new UsageError(
      "import-script",
      `Cannot read "${name}": it is a Python program, not a configuration`,
      {
        hint: "Use the YAML or JSON that the tool is called with, such as that of `unsloth train --config`",
      },
    );
  }
  const stat = await fs.stat(path);
  if (!stat) throw fail("it does not exist");
  if (!stat.isFile) throw fail("it is not a file");
  if (stat.size > MOST_BYTES) throw fail(`it has ${stat.size} bytes, too many for a configuration`);
  const bytes = await fs.readBytes(path);
  try {
    return new Reader(name, new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    if (error instanceof TypeError) throw fail("it is not UTF-8");
    throw error;
  }
}
