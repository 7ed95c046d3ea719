import { bytes, count } from "../lib/text/format.ts";
import { type CostQuestion, type Costs, costsOf } from "./costs.ts";
import { layoutText } from "./layout.ts";
import type { Method } from "../spec/schema/schema_method.ts";

/** What is known of a training before its method is chosen. */
export interface AdviseQuestion extends Omit<CostQuestion, "method" | "microTokens" | "epochs"> {
  readonly rows: number;
  /** Tokens computed at once unless memory wants fewer. */
  readonly microTokens: number;
  /** Each method with its defaults, and how often it sees the rows. */
  readonly methods: readonly { readonly method: Method; readonly epochs: number }[];
}

/** A method on this case. */
export interface Candidate {
  readonly kind: Method["kind"];
  readonly method: Method;
  /** Tokens computed at once: fewer where memory wants it, which costs time and changes nothing else. */
  readonly microTokens: number;
  readonly costs: Costs;
  readonly fits: boolean;
  /** Bytes more than the device has; 0 where it fits. */
  readonly missing: number;
  readonly why: string;
}

/** A question of the tree, its answer here, and what follows. */
export interface Branch {
  readonly question: string;
  readonly answer: boolean;
  /** The numbers that answer it. */
  readonly because: string;
  readonly so: string;
}

export interface Advice {
  readonly branches: readonly Branch[];
  /** Best first; those that do not fit last. */
  readonly ranking: readonly Candidate[];
  /** `undefined`: none fits. */
  readonly choice: Candidate | undefined;
}

/** Below this many rows examples in the prompt often do as well: a rule of thumb. */
const FEW_ROWS = 50;
/**
 * A low-rank update stores what its parameters can: about two bits each (Allen-Zhu & Li 2024, arXiv 2404.05405), and a
 * labelled token has about one to teach. While the data has fewer tokens than the update numbers, LoRA learns like full
 * fine-tuning (Schulman et al. 2025, "LoRA Without Regret").
 */
const TOKENS_PER_NUMBER = 1;

type Kind = Method["kind"];

/** Which method suits a case, with every step that leads there. Pure. */
export function advise(question: AdviseQuestion): Advice {
  const found = question.methods.map(({ method, epochs }) => candidate(question, method, epochs));
  const of = (kind: Kind) => found.find((one) => one.kind === kind);
  const [full, lora, qlora] = [of("full"), of("lora"), of("qlora")];
  const branches: Branch[] = [];
  const ask = (question: string, answer: boolean, because: string, so: [yes: string, no: string]) => {
    branches.push({ question, answer, because, so: so[answer ? 0 : 1] });
    return answer;
  };
  const few = ask(
    `Are there fewer than ${FEW_ROWS} rows?`,
    question.rows < FEW_ROWS,
    `${count(question.rows)} rows (a rule of thumb, not a measurement)`,
    [
      "measure few-shot prompting first (evaluate.few_shot): with so few rows it may be enough",
      "enough rows to train on",
    ],
  );
  const fullFits = full?.fits ?? false;
  ask("Does training every weight fit?", fullFits, fitText(question, full), [
    "full is possible",
    "full does not fit",
  ]);
  const room = lora ? lora.costs.trainable : 0;
  const supervised = question.tokens.supervised;
  const outgrown = ask(
    "Does the data contain more than a low-rank update can learn?",
    supervised > room * TOKENS_PER_NUMBER,
    `${count(supervised)} labelled tokens for ${
      count(room)
    } trainable parameters of lora (rule of thumb: one token per parameter)`,
    ["full, where it fits, or a higher rank", "lora learns as well as full, with a fraction of the memory"],
  );
  const loraFits = ask("Does lora fit?", lora?.fits ?? false, fitText(question, lora), [
    "the base fits unquantised",
    "the base must be held in fewer bits",
  ]);
  if (!loraFits) {
    ask("Does qlora fit?", qlora?.fits ?? false, fitText(question, qlora), [
      "qlora: the linear layers in 4 bits, the update as with lora",
      "use a smaller base, shorter rows or a larger device",
    ]);
  }
  const order = orderOf({ few, outgrown });
  const ranking = found.map((one) => ({ ...one, why: reason(one, { few, outgrown }) }))
    .sort((a, b) => Number(b.fits) - Number(a.fits) || order.indexOf(a.kind) - order.indexOf(b.kind));
  return { branches, ranking, choice: ranking.find(({ fits }) => fits) };
}

interface Facts {
  readonly few: boolean;
  readonly outgrown: boolean;
}

function orderOf({ few, outgrown }: Facts): readonly Kind[] {
  if (few) return ["lora", "prefix", "adapter", "qlora", "full"];
  if (outgrown) return ["full", "lora", "adapter", "qlora", "prefix"];
  return ["lora", "adapter", "full", "qlora", "prefix"];
}

function reason({ kind, fits }: Candidate, { few, outgrown }: Facts): string {
  if (!fits) return "does not fit";
  switch (kind) {
    case "full":
      return outgrown
        ? "has room for this much data"
        : "no better than lora on so little data, and forgets more";
    case "lora":
      return few
        ? "few parameters, and the update can be removed again"
        : "close to full with a fraction of its memory and size";
    case "qlora":
      return "the least memory for the base; slightly behind lora, which trains on the unquantised base";
    case "prefix":
      return few
        ? "the smallest file; learns slowly"
        : "the smallest file; learns slowly and less well than the others";
    case "adapter":
      return "close to lora, with faster steps; a wider model to serve";
  }
}

/**
 * The method with as many tokens at once as fit, at least those of the longest row. Fewer of them cost less time than
 * computing layers again, which is what remains where that is not enough.
 */
function candidate(question: AdviseQuestion, method: Method, epochs: number): Candidate {
  const { deviceMemory: memory, checkpointing = "auto" } = question;
  const kept = fewerTokens({ ...question, checkpointing: checkpointing === true }, method, epochs);
  const missingOf = ({ costs }: Pick<Candidate, "costs">) =>
    memory === undefined ? 0 : Math.max(0, costs.memory.needed - memory);
  const found = missingOf(kept) > 0 && checkpointing === "auto"
    ? fewerTokens({ ...question, checkpointing: true }, method, epochs)
    : kept;
  const missing = missingOf(found);
  return { kind: method.kind, method, ...found, fits: missing === 0, missing, why: "" };
}

/** Halves the tokens that are computed at once until they fit. */
function fewerTokens(
  question: AdviseQuestion,
  method: Method,
  epochs: number,
): Pick<Candidate, "microTokens" | "costs"> {
  const { deviceMemory: memory, tokens } = question;
  let microTokens = Math.min(question.microTokens, question.batchSize * tokens.longest);
  let costs = costsOf({ ...question, method, epochs, microTokens });
  while (memory !== undefined && costs.memory.needed > memory && microTokens > tokens.longest) {
    microTokens = Math.max(tokens.longest, Math.floor(microTokens / 2));
    costs = costsOf({ ...question, method, epochs, microTokens });
  }
  return { microTokens, costs };
}

function fitText({ deviceMemory, deviceCount = 1 }: AdviseQuestion, found: Candidate | undefined): string {
  if (!found) return "not evaluated";
  const { layout, memory } = found.costs;
  const spread = layoutText(layout);
  const again = found.costs.checkpointing ? " with train.checkpointing" : "";
  const takes = `${bytes(memory.needed)} of memory${again}${
    spread === undefined ? "" : ` on each device (${spread})`
  }`;
  if (deviceMemory === undefined) return `needs ${takes}; the device's memory is unknown`;
  return `needs ${takes}, ${deviceCount > 1 ? "each" : "the device"} has ${bytes(deviceMemory)}`;
}
