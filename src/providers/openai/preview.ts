import { join } from "../../deps/path.ts";
import { count, figure } from "../../lib/text/format.ts";
import type { Json } from "../../lib/json/json.ts";
import type { LoadedSpec } from "../../spec/load.ts";
import { givenBy } from "../../spec/origin.ts";
import type { DataSize, Env, Estimate, Examples, Preview, Setting } from "../provider.ts";
import type { Goal } from "../../spec/dialects/dialect.ts";
import { endpointOf } from "./endpoint.ts";
import { closingNotes } from "./estimate/closing.ts";
import { type Cost, costText, scoringPasses, wholeCost } from "./estimate/cost.ts";
import { type Price, priceOf } from "./estimate/price.ts";
import { dialectOf, epochsOf, type HostedSpec, hostedSpec, jobRequest, rowLimit } from "./hosted_spec.ts";
import { readJobFile, type TokenTotals, tokenTotals } from "./job/job_file.ts";
import { readExamples } from "./upload/example_file.ts";
import { loadTokenizer, TokenSum } from "./upload/tokens.ts";

const CHARS_PER_TOKEN = 4;
const FRAMING_PER_ROW = 14;
/** What is sent under the name of its field. */
const SENT_FIELDS = ["suffix", "learning_rate_multiplier"];

export async function hostedPreview(
  loaded: LoadedSpec,
  env: Env,
  data: DataSize,
  configured: string | undefined,
  examples?: Examples,
): Promise<Preview> {
  const spec = hostedSpec(loaded.spec);
  const endpoint = endpointOf(spec, env.env);
  const job = configured === undefined ? undefined : await readJobFile(configured, env.fs);
  const rows = job?.training.rows ?? data.trainRows;
  const epochs = job?.epochs ?? epochsOf(spec, rows);
  const counted = job?.tokens ?? await countedTokens(loaded, data, examples);
  const tokens = counted ?? guessedTokens(data);
  const how = counted
    ? `counted with o200k_base${tokenNoteOf(spec)}`
    : `about ${CHARS_PER_TOKEN} characters per token; counted once configure has run`;
  const price = await priceOf(spec, env);
  const { service } = endpoint.dialect;
  return {
    base: `${spec.provider.base} at ${service} (${endpoint.baseUrl})`,
    settings: settingsOf(loaded, rows, job?.goal ?? "supervised"),
    estimates: [
      tokensEstimate(tokens, epochs, how),
      ...price ? [priceEstimate(loaded, tokens, epochs, price, data.evalRows)] : [],
    ],
    notes: [
      ...closingNotes(spec.provider.base, endpoint, env.clock.now()),
      endpoint.dialect.methodNote(spec.method),
      ...price
        ? []
        : [`No price is known for ${spec.provider.base}: set provider.price, or pass --prices FILE`],
      ...budgetNotes(loaded, tokens, epochs, price, data.evalRows),
      `${service} checks permissions and rows only after the upload: it may still refuse the job then`,
    ],
  };
}

/** Every value that is sent, with its reason. */
function settingsOf(loaded: LoadedSpec, rows: number, goal: Goal): Setting[] {
  const spec = hostedSpec(loaded.spec);
  const dialect = dialectOf(spec);
  const job = jobRequest(loaded, rows, goal);
  const row = (field: string, value: Json, reason: string): Setting => ({ field, value, reason });
  const suffix = row(
    "suffix",
    job.suffix,
    spec.provider.suffix === undefined ? "name and method" : "set in the file",
  );
  return [
    ...dialect.hyperparameters(job).map(({ name, value, reason }) => row(name, value, reason)),
    suffix,
    ..."train.seed" in dialect.lacks ? [] : [row("seed", spec.train.seed, "train.seed")],
  ];
}

/** Fields of the file that it leaves open and that the rows have no part in, as they are sent. */
export function hostedSettings(loaded: LoadedSpec): Setting[] {
  return settingsOf(loaded, 0, "supervised").flatMap(({ field: name, value, reason }): Setting[] => {
    const field = `provider.${name}`;
    const isOpen = SENT_FIELDS.includes(name) && givenBy(loaded, ["provider", name]) === undefined;
    return isOpen ? [{ field, value, reason, from: "default" }] : [];
  });
}

function tokenNoteOf(spec: HostedSpec): string {
  const { tokenNote } = dialectOf(spec);
  return tokenNote === undefined ? "" : `; ${tokenNote}`;
}

/** Of so much text the tokens are counted at once, in about a second. */
const MOST_COUNTED_CHARS = 4_000_000;

/** As configure will count them; `undefined` where the rows were not read, or are too many to be counted on the way. */
async function countedTokens(
  loaded: LoadedSpec,
  { trainChars, evalChars }: DataSize,
  examples: Examples | undefined,
): Promise<TokenTotals | undefined> {
  if (!examples || trainChars + evalChars > MOST_COUNTED_CHARS) return undefined;
  const limit = rowLimit(loaded);
  const drops = loaded.spec.dataset.checks.too_long === "drop";
  const countText = await loadTokenizer();
  const sumOf = async (name: string) => {
    const path = join(examples.dir, name);
    if (!await examples.fs.stat(path)) return undefined;
    const sum = new TokenSum(limit, countText);
    for await (const example of readExamples(path, examples.fs)) sum.add(example, drops);
    return sum.total;
  };
  return tokenTotals(
    await sumOf("train.jsonl") ?? new TokenSum(limit, countText).total,
    await sumOf("eval.jsonl"),
  );
}

function guessedTokens({ trainRows, evalRows, trainChars, evalChars }: DataSize): TokenTotals {
  const guess = (chars: number, rows: number) => Math.round(chars / CHARS_PER_TOKEN + rows * FRAMING_PER_ROW);
  const around = (n: number) => ({ least: Math.round(n * 0.7), most: Math.round(n * 1.3) });
  const held = guess(evalChars, evalRows);
  return { train: around(guess(trainChars, trainRows)), eval: around(held), evalPrompt: held, evalAnswer: 0 };
}

function tokensEstimate(tokens: TokenTotals, epochs: number, how: string): Estimate {
  const { train, eval: held } = tokens;
  const range = ({ least, most }: Cost) => least === most ? count(most) : `${count(least)} to ${count(most)}`;
  const all = { least: train.least * epochs, most: train.most * epochs };
  return {
    name: "tokens",
    text: `${range(train)} train, ${range(all)} in ${figure(epochs).replace(/\.00$/, "")} epochs, ${
      range(held)
    } eval`,
    basis: how,
    figures: { train: train.most, train_least: train.least, eval: held.most, epochs },
  };
}

function priceEstimate(
  loaded: LoadedSpec,
  tokens: TokenTotals,
  epochs: number,
  price: Price,
  rows: number,
): Estimate {
  const cost = wholeCost(loaded, tokens, epochs, price, rows);
  const known = price.input !== undefined && price.output !== undefined;
  const scoring = scoringPasses(loaded, rows) === 0
    ? ""
    : known
    ? ", scoring included"
    : ", without scoring, as no input and output price is known";
  return {
    name: "price",
    text: costText(cost),
    basis: `$${price.training} per million training tokens${scoring}: ${price.source}`,
    figures: { usd_least: cost.least, usd_most: cost.most, usd_per_million: price.training },
  };
}

function budgetNotes(
  loaded: LoadedSpec,
  tokens: TokenTotals,
  epochs: number,
  price: Price | undefined,
  rows: number,
): string[] {
  const { budget_usd: budget } = hostedSpec(loaded.spec).provider;
  if (budget === undefined) return [];
  if (!price) return ["provider.budget_usd cannot be checked without a price: nothing will be uploaded"];
  return wholeCost(loaded, tokens, epochs, price, rows).most <= budget
    ? []
    : [`The estimate is above provider.budget_usd (${budget}): nothing will be uploaded`];
}
