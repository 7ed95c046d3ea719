import { join, relative } from "../deps/path.ts";
import { type Document, isMap, isScalar, isSeq, type Scalar } from "../deps/yaml.ts";
import type { ReadFs } from "../lib/files/read_fs.ts";
import { commandLine, type Invocation } from "../lib/text/invocation.ts";
import { wrap } from "../lib/text/wrap.ts";
import { yamlDocument } from "../spec/yaml/yaml_document.ts";
import { type Draft, nested, type NotCarried } from "./draft.ts";
import type { Importer } from "./importer.ts";

const WIDTH = 110;
const SECTIONS = ["version", "name", "dataset", "method", "train", "evaluate", "provider"];
/** In this order within their sections; others follow. */
const FIRST: Readonly<Record<string, readonly string[]>> = {
  dataset: ["source", "format", "eval", "split", "checks"],
  method: ["kind", "rank", "alpha", "dropout", "target", "rslora"],
  train: [
    "epochs",
    "max_steps",
    "learning_rate",
    "batch_size",
    "max_length",
    "schedule",
    "warmup_ratio",
    "weight_decay",
  ],
  provider: ["kind", "base"],
};

export interface TextOptions {
  readonly importer: Importer;
  /** The file that was imported, as the user calls it. */
  readonly file: string;
  /** The file that is written, likewise. */
  readonly out: string | undefined;
  /** Absolute folder of that file. */
  readonly dir: string;
  readonly fs: ReadFs;
  readonly invocation: Invocation;
}

/** The pipeline file, with what its values come from and with what was not carried over. */
export async function pipelineText(draft: Draft, options: TextOptions): Promise<string> {
  const data = nested(draft.values);
  const ordered = Object.fromEntries(
    SECTIONS.filter((name) => name in data).map((name) => [name, inOrder(data[name], FIRST[name] ?? [])]),
  );
  const document = yamlDocument(ordered);
  comment(document, draft);
  const head = await header(options);
  const foot = footer(draft.notCarried, options.importer.title);
  return `${head}${document.toString({ lineWidth: 0, flowCollectionPadding: false })}${foot}`;
}

function inOrder(value: unknown, first: readonly string[]): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const keys = Object.keys(value);
  const order = [...first.filter((key) => keys.includes(key)), ...keys.filter((key) => !first.includes(key))];
  return Object.fromEntries(order.map((key) => [key, (value as Record<string, unknown>)[key]]));
}

function comment(document: Document, { comments }: Draft): void {
  const root = document.contents;
  if (isMap(root)) {
    for (const { key, value } of root.items) if (isMap(value)) (key as Scalar).spaceBefore = true;
  }
  for (const [path, text] of comments) {
    const node: unknown = document.getIn(path.split("."), true);
    if (isScalar(node) || isSeq(node)) node.comment = ` ${text}`;
  }
  // On one line, so that its comment is behind it.
  const target: unknown = document.getIn(["method", "target"], true);
  if (isSeq(target)) target.flow = true;
}

async function header({ importer, file, out, dir, fs, invocation }: TextOptions): Promise<string> {
  const schema = await schemaNear(dir, fs);
  const call = commandLine(invocation, "import", file, ...out === undefined ? [] : ["--out", out]);
  const lines = [
    ...schema === undefined ? [] : [`yaml-language-server: $schema=${schema}`, ""],
    `  ${commandLine(invocation, "run", out ?? "pipeline.yaml")}`,
    "",
    `Imported from ${importer.title}:  ${call}`,
    ...wrap(
      `Defaults of ${importer.title} that differ from temper's are written out, so that the training is the same. ` +
        "What could not be carried over is listed at the end.",
      WIDTH,
    ),
  ];
  return comments(lines);
}

/** The JSON Schema that editors can take, from the pipeline file's point of view. */
async function schemaNear(dir: string, fs: ReadFs): Promise<string | undefined> {
  for (const place of ["schema.json", "pipelines/schema.json", "../pipelines/schema.json"]) {
    const path = join(dir, place);
    const stat = await fs.stat(path).catch(() => undefined);
    if (!stat?.isFile || stat.size > 1024 * 1024) continue;
    if ((await fs.readText(path)).includes('"title": "temper pipeline"')) {
      const from = relative(dir, path).replaceAll("\\", "/");
      return from.startsWith(".") ? from : `./${from}`;
    }
  }
  return undefined;
}

function footer(entries: readonly NotCarried[], title: string): string {
  return `\n${comments(listLines(entries, title, WIDTH))}`;
}

function comments(lines: readonly string[]): string {
  return lines.map((line) => line === "" ? "#\n" : `# ${oneLine(line)}\n`).join("");
}

/** What was not carried over, as a person reads it: what matters in full, the rest by its reason. */
export function listLines(entries: readonly NotCarried[], title: string, width: number): string[] {
  if (entries.length === 0) return [`Every field of the ${title} file was carried over.`];
  const room = width === 0 ? Infinity : Math.max(40, width - 4);
  const [important, rest] = [
    entries.filter(({ matters }) => matters),
    entries.filter(({ matters }) => !matters),
  ];
  const byReason = Map.groupBy(rest, ({ why, instead }) => `${why}; ${instead}`);
  return [
    ...important.length === 0 ? [] : ["Not carried over, may change the trained model:"],
    ...important.flatMap((entry) => [
      `  ${placeOf(entry)} ${entry.field}: ${valueText(entry.value)}`,
      ...paragraph(`${entry.why}. Instead: ${entry.instead}`, room).map((line) => `    ${line}`),
    ]),
    ...rest.length === 0 ? [] : ["Not carried over, no effect on the trained model:"],
    ...[...byReason].flatMap(([reason, group]) => [
      ...wrap(group.map((entry) => `${entry.field} (${placeOf(entry)})`).join(", "), room + 2).map((line) =>
        `  ${line}`
      ),
      ...paragraph(reason, room).map((line) => `    ${line}`),
    ]),
  ].map(oneLine);
}

/** Names and values of a file may hold line breaks, and what moves a terminal's cursor. */
function oneLine(line: string): string {
  // deno-lint-ignore no-control-regex
  return line.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]/g, " ");
}

/** Wrapped, except for the lines after the first: those are to be copied. */
function paragraph(text: string, width: number): string[] {
  const [first = "", ...code] = text.split("\n");
  return [...wrap(first, width), ...code];
}

function placeOf({ file, line }: NotCarried): string {
  if (line === null) return "default";
  return file === undefined ? `line ${line}` : `${file}:${line}`;
}

const MOST_VALUE = 60;

function valueText(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > MOST_VALUE ? `${text.slice(0, MOST_VALUE - 1)}…` : text;
}
