import type { LoadedSpec } from "../../../spec/load.ts";
import { dialectOf, hostedSpec, scoresBefore } from "../hosted_spec.ts";
import type { TokenTotals } from "../job/job_file.ts";
import type { Price } from "./price.ts";

const MILLION = 1e6;

/** A cost in USD, between two figures. */
export interface Cost {
  readonly least: number;
  readonly most: number;
}

/** The cost of the training itself; scoring through the chat API comes on top. */
function trainingCost(
  tokens: TokenTotals,
  epochs: number,
  price: Price,
  chargesForValidation: boolean,
): Cost {
  const held = chargesForValidation ? tokens.eval : { least: 0, most: 0 };
  const usd = (n: number) => n * epochs * price.training / MILLION;
  return { least: usd(tokens.train.least), most: usd(tokens.train.most + held.most) };
}

/** The cost of reading every held-out prompt and writing its answer, for one model. */
function scoringCost(
  { evalPrompt }: TokenTotals,
  rows: number,
  price: Price,
  longest: number,
): number {
  return (evalPrompt * (price.input ?? 0) + rows * longest * (price.output ?? 0)) / MILLION;
}

/** What a run costs, scoring included. */
export function wholeCost(
  loaded: LoadedSpec,
  tokens: TokenTotals,
  epochs: number,
  price: Price,
  rows: number,
): Cost {
  const { chargesForValidation } = dialectOf(hostedSpec(loaded.spec));
  const { least, most } = trainingCost(tokens, epochs, price, chargesForValidation);
  const longest = loaded.spec.evaluate.max_new_tokens;
  const scoring = scoringPasses(loaded, rows) * scoringCost(tokens, rows, price, longest);
  return { least, most: most + scoring };
}

/** How many models answer the held-out rows. */
export function scoringPasses(loaded: LoadedSpec, rows: number): number {
  if (rows === 0 || loaded.spec.evaluate.metric === "none") return 0;
  return scoresBefore(loaded) ? 2 : 1;
}

export function costText({ least, most }: Cost): string {
  const usd = (n: number) => `$${n < 0.01 ? n.toFixed(4) : n.toFixed(2)}`;
  return usd(least) === usd(most) ? usd(most) : `${usd(least)} to ${usd(most)}`;
}
