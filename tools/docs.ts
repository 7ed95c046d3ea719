// deno-lint-ignore-file no-console -- a program of its own
/**
 * The derived parts of docs/: the tables of commands and fields, and the output below each `$ deno task …`.
 *
 *     deno run -A tools/docs.ts --write
 */
import { dirname, join } from "../src/deps/path.ts";
import { fileURLToPath } from "node:url";
import type { Command, Option } from "../src/cli/command.ts";
import { COMMANDS, loadCommand } from "../src/cli/registry.ts";
import { expected } from "../src/spec/schema/value_text.ts";
import { type JsonSchema, jsonSchema } from "../src/spec/schema/json_schema.ts";
import { markdownTable, renewTables } from "./doc_tables.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Pages with derived parts, and the tables of each. */
const TABLES: Readonly<Record<string, () => Promise<Readonly<Record<string, string>>>>> = {
  "docs/commands.md": async () => ({ commands: await commandTables() }),
  "docs/methods.md": () => Promise.resolve({}),
  "docs/pipeline.md": () => Promise.resolve({ fields: fieldTables(jsonSchema()) }),
};
export const PAGES: readonly string[] = Object.keys(TABLES);

/** The page with its derived parts as the code has them now. */
export async function renewed(path: string, page: string): Promise<string> {
  return await withOutputs(renewTables(page, await TABLES[path]!()));
}

async function commandTables(): Promise<string> {
  const commands = await Promise.all(Object.keys(COMMANDS).map(loadCommand));
  return commands.map((command) => commandTable(command!)).join("\n\n");
}

function commandTable({ name, usage, summary, options, details = "" }: Command): string {
  const rows = Object.entries(options).map(([long, option]) => [flag(long, option), cell(option)]);
  // Examples follow after an empty line.
  const prose = details.split("\n\n")[0]!.replaceAll("\n", " ").replace(/:$/, ".");
  return [
    `### ${name}`,
    `\`deno task ${name}${usage && ` ${usage}`}\`: ${summary}.`,
    ...prose === "" ? [] : ["", prose],
    ...rows.length === 0 ? [] : ["", markdownTable(["option", ""], rows)],
  ].join("\n");
}

function flag(long: string, { short, value }: Option): string {
  return `\`${short ? `-${short}, ` : ""}--${long}${value ? ` ${value}` : ""}\``;
}

function cell({ help, default: value }: Option): string {
  return escaped(typeof value === "string" ? `${help}. Default: ${value}` : help);
}

interface Section {
  readonly title: string;
  readonly about: string;
  readonly table: string;
}

/** A table for each section. Sections with the same fields share one. */
function fieldTables(root: JsonSchema): string {
  const byTable = Map.groupBy(sections(root, "The file", ""), ({ table }) => table);
  return [...byTable].map(([table, same]) => {
    const titles = [...new Set(same.map(({ title }) => title))].join(", ");
    const { about } = same[0]!;
    return [`### ${titles}`, ...about ? [about, ""] : [], table].join("\n");
  }).join("\n\n");
}

/** A section, then those in it. */
function sections(node: JsonSchema, title: string, path: string): Section[] {
  const fields = Object.entries(node.properties ?? {});
  const rows = fields.map(([name, field]) => [`\`${name}\``, takes(field), escaped(about(field))]);
  const table = markdownTable(["field", "value", ""], rows);
  return [
    { title, about: node.description ? `${node.description}.` : "", table },
    ...fields.flatMap(([name, field]) => sectionsOf(field, path === "" ? name : `${path}.${name}`)),
  ];
}

/** What a field contains: a section, one of several, or a list of them. */
function sectionsOf(field: JsonSchema, path: string): Section[] {
  if (field.properties) return sections(field, titleOf(field, path), path);
  const inner = [...field.oneOf ?? [], ...field.anyOf ?? [], ...field.items ? [field.items] : []];
  return inner.flatMap((option) => sectionsOf(option, path));
}

function titleOf({ properties }: JsonSchema, path: string): string {
  const kind = properties?.["kind"]?.const;
  if (kind !== undefined) return `\`${path}\` with \`kind: ${kind}\``;
  if (properties?.["sql"]) return `\`${path}\` with \`sql\``;
  return `\`${path}\``;
}

function takes(field: JsonSchema): string {
  const sections = (field.oneOf ?? field.anyOf ?? []).every(({ properties }) => properties !== undefined);
  const kinds = (field.oneOf ?? []).map((option) => option.properties?.["kind"]?.const);
  if (kinds.length > 0 && sections) return `a section, by \`kind\`: ${kinds.join(", ")}`;
  return escaped(expected(field));
}

function about({ description = "", default: value }: JsonSchema): string {
  return value === undefined ? description : `${description}. Default: ${JSON.stringify(value)}`;
}

function escaped(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
}

/** Every ```text block that begins with `$ deno task …`, with what the command prints. The page's ```yaml NAME
 * blocks are files of those names. */
async function withOutputs(page: string): Promise<string> {
  const block = /^```text\n\$ deno task (.*)\n[^]*?^```$/gm;
  const calls = [...page.matchAll(block)];
  if (calls.length === 0) return page;
  const dir = await Deno.makeTempDir({ prefix: "temper-docs-" });
  try {
    for (const [, name, text] of page.matchAll(/^```yaml (\S+)\n([^]*?)^```$/gm)) {
      await Deno.mkdir(dirname(join(dir, name!)), { recursive: true });
      await Deno.writeTextFile(join(dir, name!), text!);
    }
    const shown = await Promise.all(calls.map(([, words]) => output(words!, dir)));
    return page.replace(block, (_, words) => `\`\`\`text\n$ deno task ${words}\n${shown.shift()}\`\`\``);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function output(words: string, cwd: string): Promise<string> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-prompt",
      "--config",
      join(ROOT, "deno.json"),
      join(ROOT, "cli.ts"),
      ...words.split(" "),
    ],
    cwd,
    env: { NO_COLOR: "1" },
  }).output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

if (import.meta.main) {
  let stale = 0;
  for (const path of PAGES) {
    const page = await Deno.readTextFile(join(ROOT, path));
    const now = await renewed(path, page);
    if (now === page) continue;
    stale++;
    if (Deno.args[0] === "--write") await Deno.writeTextFile(join(ROOT, path), now);
    console.log(`${path} ${Deno.args[0] === "--write" ? "renewed" : "is stale; renew it with --write"}`);
  }
  if (stale > 0 && Deno.args[0] !== "--write") Deno.exit(1);
}
