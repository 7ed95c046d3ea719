// deno-lint-ignore-file no-console -- a program of its own
/**
 * The tables of docs/hosted.md: what each service supports and what becomes of the methods, from the dialects themselves.
 *
 *     deno run -A tools/hosted_table.ts --write
 */
import { retryDelay, TRIES } from "../src/lib/retry.ts";
import type { Dialect } from "../src/spec/dialects/dialect.ts";
import { presetFor } from "../src/spec/dialects/protocol.ts";
import { DIALECTS } from "../src/spec/dialects/registry.ts";
import { method } from "../src/spec/schema/schema_method.ts";
import { markdownTable, renewTables } from "./doc_tables.ts";

const ALL: readonly Dialect[] = Object.values(DIALECTS);
const METHODS = ["full", "lora", "qlora", "adapter", "prefix"] as const;

/** The page with its tables as the code has them. */
export function withTables(page: string): string {
  return renewTables(page, {
    services: byDialect(SERVICES),
    methods: methods(),
    fields: fields(),
    limits: byDialect(LIMITS),
    prices: prices(),
    closing: closing(),
    retries: retries(),
  });
}

type Facts = readonly (readonly [name: string, of: (dialect: Dialect) => string])[];

const SERVICES: Facts = [
  ["service", ({ service }) => service],
  ["address", ({ address }) => address.standard ?? `your own: \`${address.example}\``],
  ["variable for another address", ({ address }) => `\`${address.env}\``],
  ["variable with the key", ({ keyEnv }) => `\`${keyEnv}\``],
  [
    "a job is recognised by",
    ({ findsJobsBy }) =>
      findsJobsBy === "metadata" ? "metadata" : "suffix and training file; asks when in doubt",
  ],
  ["preference pairs (dpo)", ({ trainsPreferencePairs }) => yesNo(trainsPreferencePairs)],
  ["held-out rows are charged for", ({ chargesForValidation }) => yesNo(chargesForValidation)],
  [
    "the new model is scored",
    ({ deployment }) => deployment ? "no: it needs a deployment, which costs by the hour" : "yes",
  ],
];

const LIMITS: Facts = [
  ["training rows, at least", ({ limits }) => String(limits.leastRows)],
  ["tokens of a row; longer ones are cut", ({ limits }) => limits.rowTokens.toLocaleString("en-US")],
  ["`train.epochs`, at most", ({ limits }) => String(limits.epochs)],
  ["`train.batch_size`, at most", ({ limits }) => String(limits.batchSize)],
  ["images of a row", ({ rows }) => String(rows.images)],
  ["a larger file is sent in parts", ({ upload }) => `${upload.oneRequestBytes / 1e6} MB`],
];

function byDialect(facts: Facts): string {
  const rows = facts.map(([name, of]) => [name, ...ALL.map(of)]);
  return markdownTable(["", ...ALL.map(({ name }) => `\`${name}\``)], rows);
}

function methods(): string {
  const rows = METHODS.flatMap((kind) =>
    grouped((dialect) => {
      const fields = method.parse({ kind });
      const { values, reason } = presetFor(dialect.presets, fields);
      const sent = Object.entries(values).map(([name, value]) => `${name}: ${value}`).join(", ");
      const refused = Object.keys(fields).filter((name) => dialect.lacks[`method.${name}`] !== undefined);
      const why = refused.length === 0 ? reason : `${reason}; ${refused.map(code).join(" and ")} are refused`;
      return [sent === "" ? "nothing" : code(sent), why];
    }).map(([names, sent, why]) => [code(kind), names, sent, why])
  );
  return markdownTable(["`method`", "`dialect`", "sent, with the method's defaults", "why"], rows);
}

function fields(): string {
  const lacked = [...new Set(ALL.flatMap(({ lacks }) => Object.keys(lacks)))].sort();
  const rows = lacked.filter((field) => !field.startsWith("method.")).flatMap((field) =>
    grouped(({ lacks }) => lacks[field] === undefined ? undefined : [lacks[field]])
      .map(([names, hint]) => [code(field), names, hint])
  );
  return markdownTable(["field", "refused by", "instead, or why"], rows);
}

/** Cells that several dialects share, once, behind the names of those dialects. */
function grouped<T extends string[]>(cellsOf: (dialect: Dialect) => [...T] | undefined): [string, ...T][] {
  const groups = new Map<string, { names: string[]; cells: [...T] }>();
  for (const dialect of ALL) {
    const cells = cellsOf(dialect);
    if (!cells) continue;
    const group = groups.get(cells.join("\n")) ?? { names: [], cells };
    group.names.push(code(dialect.name));
    groups.set(cells.join("\n"), group);
  }
  return [...groups.values()].map(({ names, cells }) => [
    names.length === ALL.length ? "all" : names.join(", "),
    ...cells,
  ]);
}

function code(text: string): string {
  return `\`${text}\``;
}

function prices(): string {
  const usd = (value: number | undefined) => value === undefined ? "" : `$${value}`;
  const rows = ALL.flatMap(({ name, prices: { date, models } }) =>
    Object.entries(models).map(([base, { training, input, output }]) => [
      `\`${name}\``,
      `\`${base}\``,
      usd(training),
      usd(input),
      usd(output),
      date,
    ])
  );
  return markdownTable(["`dialect`", "base", "training", "input", "output", "as of"], rows);
}

function closing(): string {
  const rows = ALL.flatMap(({ name, service, closing: { date, service: day, bases } }) => [
    ...day === undefined ? [] : [[`\`${name}\``, `${service} takes no new jobs`, day, date]],
    ...Object.entries(bases).map(([base, from]) => [`\`${name}\``, `\`${base}\``, from, date]),
  ]);
  return markdownTable(["`dialect`", "what ends", "from", "as of"], rows);
}

function retries(): string {
  const waits = Array.from(
    { length: TRIES - 1 },
    (_, retries) => retryDelay({ transient: true, retryAfterMs: undefined, retries, random: 1 })! / 1000,
  );
  const most = retryDelay({ transient: true, retryAfterMs: Infinity, retries: 0, random: 1 })! / 1000;
  return markdownTable(["what failed", "what happens"], [
    [
      "network, 408, 409, 429, 500 and above, `x-should-retry: true`",
      `another try after a random time up to ${waits.join(", ")} s; ${TRIES} tries in all`,
    ],
    ["the same, and the service says when (`retry-after`, above 0)", `after that long, at most ${most} s`],
    ["the same, while a job is followed", "the next try waits at least as long as the next look would"],
    [
      `all ${TRIES} tries, or a refusal other than 404, while a job is followed`,
      "the command ends with 1, the run stays open: the same command follows the job again, `temper cancel` stops it",
    ],
    ["authorization, validation, quota, a daily limit, `x-should-retry: false`", "fails at once"],
    [
      "the creation of a job or file, and its answer is lost",
      "never repeated blindly: it is looked for during `provider.settle_seconds`, then adopted or reported",
    ],
    [
      "the same, and the service cannot be asked either",
      "looked for until then all the same; without an answer nothing is created, the run stays open, and the same " +
      "command looks first",
    ],
    [
      "the creation of a job or file, and the service refused it for now",
      `another try of the step, under the same rule: ${TRIES} in all`,
    ],
  ]);
}

function yesNo(value: boolean): string {
  return value ? "yes" : "no";
}

export const PAGE = new URL("../docs/hosted.md", import.meta.url);

if (import.meta.main) {
  const renewed = withTables(await Deno.readTextFile(PAGE));
  if (Deno.args[0] === "--write") await Deno.writeTextFile(PAGE, renewed);
  else console.log(renewed);
}
