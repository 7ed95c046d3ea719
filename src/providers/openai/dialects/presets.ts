// deno-lint-ignore-file camelcase -- names of the protocol and of the pipeline file
import type { Json, JsonObject } from "../../../lib/json/json.ts";
import { valueAt } from "../../../spec/yaml/path.ts";
import type { LoadedSpec } from "../../../spec/load.ts";
import type { Setting } from "../../provider.ts";
import { dialectOf, type HostedSpec, hostedSpec } from "./dialect.ts";

/** What training is asked for: examples to imitate, or answers to prefer over others. */
export type Goal = "supervised" | "dpo";

interface Preset {
  readonly multiplier: number | undefined;
  readonly reason: string;
}

/** A method, where the service picks its own technique: nothing but the learning rate can stand for it. */
const PRESETS: { readonly [K in HostedSpec["method"]["kind"]]: Preset } = {
  full: { multiplier: undefined, reason: "the service's own choice, as for any of its trainings" },
  lora: { multiplier: 0.5, reason: "a low-rank update changes the base less: half the service's rate" },
  qlora: { multiplier: 0.5, reason: "as lora: the 4-bit base is about memory, which is the service's" },
  prefix: {
    multiplier: 0.1,
    reason: "a prefix leaves every weight alone: a tenth keeps closest to the base",
  },
  adapter: {
    multiplier: 0.3,
    reason: "a bottleneck beside the weights changes more than a prefix, less than lora",
  },
};

/** Epochs of the service's own rule (3, at least 100 and at most 25,000 rows seen), pinned so that the price is known. */
export function epochsFor(rows: number): number {
  if (rows * 3 < 100) return Math.min(25, Math.max(1, Math.floor(100 / Math.max(1, rows))));
  return rows * 3 > 25_000 ? Math.max(1, Math.floor(25_000 / rows)) : 3;
}

export function epochsOf({ train }: HostedSpec, rows: number): number {
  return train.epochs ?? epochsFor(rows);
}

/** name-method, in the characters every service takes. */
export function suffixOf({ provider, name, method }: HostedSpec): string {
  if (provider.suffix !== undefined) return provider.suffix;
  const tail = `-${method.kind}`;
  const head = name.replace(/[^A-Za-z0-9_-]+/g, "-").slice(0, 64 - tail.length);
  return head.endsWith(tail) ? head : head + tail;
}

/** Hyperparameters as the dialect names them. `given`: whether the file sets a field itself. */
export function hyperparameters(loaded: LoadedSpec, rows: number, goal: Goal): JsonObject {
  const spec = hostedSpec(loaded.spec);
  const { train, method, provider } = spec;
  const batch = isGiven(loaded, "train.batch_size") ? { batch_size: train.batch_size } : {};
  const common = { n_epochs: epochsOf(spec, rows), ...batch };
  if (dialectOf(spec).name !== "nebius") {
    const multiplier = provider.learning_rate_multiplier ?? PRESETS[method.kind].multiplier;
    return {
      ...common,
      ...multiplier !== undefined && { learning_rate_multiplier: multiplier },
      ...goal === "dpo" && provider.beta !== undefined && { beta: provider.beta },
    };
  }
  const lora = method.kind === "lora" || method.kind === "qlora"
    ? { lora: true, lora_r: method.rank, lora_alpha: method.alpha, lora_dropout: method.dropout }
    : { lora: method.kind !== "full" };
  return {
    ...common,
    ...train.learning_rate !== undefined && { learning_rate: train.learning_rate },
    ...isGiven(loaded, "train.max_length") && { context_length: train.max_length },
    warmup_ratio: train.warmup_ratio,
    weight_decay: train.weight_decay,
    max_grad_norm: train.max_grad_norm,
    ...lora,
  };
}

export function isGiven({ given }: LoadedSpec, field: string): boolean {
  return valueAt(given, field.split(".")) !== undefined;
}

/** Every value that is sent, with its reason. */
export function hostedSettings(loaded: LoadedSpec, rows: number, goal: Goal): Setting[] {
  const spec = hostedSpec(loaded.spec);
  const { method, provider, train } = spec;
  const values = hyperparameters(loaded, rows, goal);
  const origin: Record<string, string> = {
    n_epochs: train.epochs !== undefined
      ? "set in the file"
      : "the service's own rule, pinned so that the price is known",
    learning_rate_multiplier: provider.learning_rate_multiplier !== undefined
      ? "set in the file"
      : `preset for ${method.kind}: ${PRESETS[method.kind].reason}`,
    lora: `method.kind is ${method.kind}`,
  };
  const row = (field: string, value: Json, reason: string): Setting => ({ field, value, reason });
  return [
    ...Object.entries(values).map(([name, value]) =>
      row(name, value, origin[name] ?? "from the file or its default")
    ),
    row("suffix", suffixOf(spec), provider.suffix === undefined ? "name and method" : "set in the file"),
    ...dialectOf(spec).name === "nebius" ? [] : [row("seed", train.seed, "train.seed")],
  ];
}

/** What becomes of the method, in words. */
export function methodNote(spec: HostedSpec): string {
  const { name, service } = dialectOf(spec);
  const { kind, ...fields } = spec.method;
  const unsent = Object.keys(fields).map((field) => `method.${field}`).join(", ");
  if (name !== "nebius") {
    return `${service} picks the technique itself: method ${kind} only selects a learning rate and the suffix` +
      (unsent === "" ? "" : `; ${unsent} are not sent`);
  }
  if (kind === "lora" || kind === "full") return `${service} trains exactly this: ${kind}`;
  return kind === "qlora"
    ? `${service} has no 4-bit training: qlora becomes lora with the same rank, alpha and dropout`
    : `${service} has no ${kind}: it becomes lora with the service's own rank; ${unsent} are not sent`;
}
