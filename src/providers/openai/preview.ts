import { count, figure } from "../../lib/text/format.ts";
import type { LoadedSpec } from "../../spec/load.ts";
import type { DataSize, Env, Estimate, Preview } from "../provider.ts";
import { scoresBefore } from "./configure.ts";
import { closingNotes } from "./dialects/dates.ts";
import { dialectOf, endpointOf, type HostedSpec, hostedSpec } from "./dialects/dialect.ts";
import { readJobFile, type TokenTotals } from "./job/job_file.ts";
import { epochsOf, hostedSettings, methodNote } from "./dialects/presets.ts";
import { type Price, priceOf } from "./dialects/prices.ts";

const CHARS_PER_TOKEN = 4;
const FRAMING_PER_ROW = 14;
const MILLION = 1e6;

/** What a training costs, between two figures. */
export interface Cost {
  readonly least: number;
  readonly most: number;
}

export async function hostedPreview(
  loaded: LoadedSpec,
  env: Env,
  data: DataSize,
  configured: string | undefined,
): Promise<Preview> {
  const spec = hostedSpec(loaded.spec);
  const endpoint = endpointOf(spec, env.env);
  const job = configured === undefined ? undefined : await readJobFile(configured, env.fs);
  const rows = job?.training.rows ?? data.trainRows;
  const epochs = job?.epochs ?? epochsOf(spec, rows);
  const tokens = job?.tokens ?? guessedTokens(data);
  const how = job
    ? `counted with o200k_base${vocabularyNote(spec)}`
    : `about ${CHARS_PER_TOKEN} characters a token`;
  const price = await priceOf(spec, env);
  const { service } = endpoint.dialect;
  return {
    base: `${spec.provider.base} at ${service} (${endpoint.baseUrl})`,
    settings: hostedSettings(loaded, rows, job?.goal ?? "supervised"),
    estimates: [
      tokensEstimate(tokens, epochs, how),
      ...price ? [priceEstimate(loaded, tokens, epochs, price, data.evalRows)] : [],
    ],
    notes: [
      ...closingNotes(spec.provider.base, endpoint, env.clock.now()),
      methodNote(spec),
      ...price
        ? []
        : [`No price is known for ${spec.provider.base}: set provider.price, or give --prices FILE`],
      ...budgetNotes(loaded, tokens, epochs, price, data.evalRows),
      `${service} checks rights and rows only after the upload: a refusal may come late`,
    ],
  };
}

/** What the training itself costs; scoring through the chat API comes on top. */
export function trainingCost(
  tokens: TokenTotals,
  epochs: number,
  price: Price,
  validationIsFree: boolean,
): Cost {
  const held = validationIsFree ? { least: 0, most: 0 } : tokens.eval;
  const usd = (n: number) => n * epochs * price.training / MILLION;
  return { least: usd(tokens.train.least), most: usd(tokens.train.most + held.most) };
}

/** What reading every held-out prompt and writing its answer costs, for one model. */
export function scoringCost(
  { evalPrompt }: TokenTotals,
  rows: number,
  price: Price,
  longest: number,
): number {
  return (evalPrompt * (price.input ?? 0) + rows * longest * (price.output ?? 0)) / MILLION;
}

/** All a run may cost at most. */
export function wholeCost(
  loaded: LoadedSpec,
  tokens: TokenTotals,
  epochs: number,
  price: Price,
  rows: number,
): Cost {
  const { validationIsFree } = dialectOf(hostedSpec(loaded.spec));
  const { least, most } = trainingCost(tokens, epochs, price, validationIsFree);
  const longest = loaded.spec.evaluate.max_new_tokens;
  const scoring = scoringPasses(loaded, rows) * scoringCost(tokens, rows, price, longest);
  return { least, most: most + scoring };
}

/** How many models answer the held-out rows. */
function scoringPasses(loaded: LoadedSpec, rows: number): number {
  if (rows === 0 || loaded.spec.evaluate.metric === "none") return 0;
  return scoresBefore(loaded) ? 2 : 1;
}

export function costText({ least, most }: Cost): string {
  const usd = (n: number) => `$${n < 0.01 ? n.toFixed(4) : n.toFixed(2)}`;
  return usd(least) === usd(most) ? usd(most) : `${usd(least)} to ${usd(most)}`;
}

function vocabularyNote({ provider }: HostedSpec): string {
  return provider.dialect === "nebius" ? "; the base's own vocabulary gives other counts" : "";
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
    : ", without scoring: no input and output price is given";
  return {
    name: "price",
    text: costText(cost),
    basis: `$${price.training} for a million training tokens${scoring}: ${price.source}`,
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
  if (!price) return ["provider.budget_usd cannot be kept without a price: nothing will be uploaded"];
  return wholeCost(loaded, tokens, epochs, price, rows).most <= budget
    ? []
    : [`The estimate is above provider.budget_usd (${budget}): nothing will be uploaded`];
}
