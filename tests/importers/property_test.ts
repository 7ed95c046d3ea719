import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { parse, stringify } from "yaml";
import { IMPORTERS } from "../../src/importers/registry.ts";
import { UNKNOWN } from "../../src/importers/apply_rules.ts";
import { UsageError } from "../../src/lib/errors.ts";
import { faultsOf, FILES, FIXTURES, imported, keysOf, lost } from "./kit.ts";

/** A copy of the fixtures' folder, in which files are made up. */
async function withCopies(use: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "import-" });
  const copy = async (from: string, to: string) => {
    await Deno.mkdir(to, { recursive: true });
    for await (const { name, isDirectory } of Deno.readDir(from)) {
      if (isDirectory) await copy(join(from, name), join(to, name));
      else await Deno.copyFile(join(from, name), join(to, name));
    }
  };
  try {
    await copy(FIXTURES, dir);
    await use(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

type Section = Record<string, unknown>;

/** Every section of a file. */
function sectionsOf(value: unknown): Section[] {
  if (typeof value !== "object" || value === null) return [];
  return [...Array.isArray(value) ? [] : [value as Section], ...Object.values(value).flatMap(sectionsOf)];
}

const json = fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<unknown>;
const files = fc.constantFrom(...Object.keys(FILES));

/** Imports the data as YAML or JSON in place of `file`, and looks whether a key is lost. */
async function importData(dir: string, file: string, data: unknown, asJson: boolean): Promise<void> {
  const name = join(dirname(file), asJson ? "made_up.json" : "made_up.yaml");
  const text = asJson ? JSON.stringify(data, null, 2) : stringify(data, { lineWidth: 0 });
  await Deno.writeTextFile(join(dir, name), text);
  const result = await imported(name, dir, FILES[file]);
  assert.deepEqual(lost(keysOf(parse(text)), result), [], text);
  assert.deepEqual(await faultsOf(result, dir), [], result.pipeline);
}

Deno.test("importConfig() names every key that it does not know, wherever it is", () =>
  withCopies(async (dir) => {
    const extra = fc.record({
      at: fc.nat(),
      name: fc.stringMatching(/^[a-z][a-z_]{0,12}$/).map((name) => `zz_${name}`),
      value: json,
    });
    await fc.assert(
      fc.asyncProperty(
        files,
        fc.array(extra, { minLength: 1, maxLength: 6 }),
        fc.boolean(),
        async (file, extras, asJson) => {
          const data = parse(await Deno.readTextFile(join(FIXTURES, file)));
          const sections = sectionsOf(data);
          for (const { at, name, value } of extras) sections[at % sections.length]![name] = value;
          await importData(dir, file, data, asJson);
        },
      ),
      { numRuns: 100, seed: 13 },
    );
  }));

Deno.test("importConfig() writes what check takes, or refuses, whatever the values are", () =>
  withCopies(async (dir) => {
    const change = fc.record({
      at: fc.nat(),
      value: fc.oneof(json, fc.constantFrom(-1, 0, 0.5, 1e9, "x", "", true)),
    });
    await fc.assert(
      fc.asyncProperty(files, fc.array(change, { minLength: 1, maxLength: 4 }), async (file, changes) => {
        const data = parse(await Deno.readTextFile(join(FIXTURES, file)));
        const { rules, lowRank } = IMPORTERS.find(({ name }) => name === FILES[file])!;
        const names = [...rules, ...lowRank].flatMap(({ from }) => from).filter((name) => !/[*:]/.test(name));
        for (const { at, value } of changes) put(data, names[at % names.length]!.split("."), value);
        try {
          await importData(dir, file, data, true);
        } catch (error) {
          if (!(error instanceof UsageError)) throw error;
        }
      }),
      { numRuns: 250, seed: 13 },
    );
  }));

Deno.test("importConfig() has a word for every field that its tables name", () =>
  withCopies(async (dir) => {
    for (const { name: tool, rules, lowRank } of IMPORTERS) {
      const file = Object.keys(FILES).find((file) => FILES[file] === tool)!;
      for (
        const field of [...rules, ...lowRank].flatMap(({ from }) => from).filter((name) =>
          !/[*: ]/.test(name)
        )
      ) {
        const data = parse(await Deno.readTextFile(join(FIXTURES, file)));
        put(data, field.split("."), "1");
        const name = join(dirname(file), "made_up.json");
        await Deno.writeTextFile(join(dir, name), JSON.stringify(data));
        const result = await imported(name, dir, tool).catch((error) => {
          if (!(error instanceof UsageError)) throw error;
        });
        const unknown = result?.notCarried.filter(({ why }) => why === UNKNOWN).map(({ field }) => field) ??
          [];
        assert.deepEqual(unknown.filter((name) => name.replace(/\.\d+/g, "") === field), [], tool);
      }
    }
  }));

/** Writes a value at a path, through the first entry of lists. */
function put(data: unknown, [name, ...rest]: readonly string[], value: unknown): void {
  const section = (Array.isArray(data) ? data[0] : data) as Section;
  if (typeof section !== "object" || section === null) return;
  if (rest.length === 0) section[name!] = value;
  else put(section[name!] ??= {}, rest, value);
}
