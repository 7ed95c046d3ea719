import type { JsonObject } from "../../lib/json/json.ts";
import type { Method } from "../schema/schema_method.ts";
import type {
  Hyperparameter,
  JobRequest,
  Limits,
  ModelPrice,
  Preset,
  Presets,
  RowRules,
  UploadRules,
} from "./dialect.ts";

// What services have in common: OpenAI's own rules, which the others repeat. A dialect takes what fits.

export const LIMITS: Limits = {
  leastRows: 10,
  // Documented for gpt-4o; for gpt-4.1 and others an assumption.
  rowTokens: 65_536,
  epochs: 50,
  batchSize: 256,
};

export const ROW_RULES: RowRules = {
  messageFields: ["name", "tool_call_id", "refusal"],
  specialTokens: /<\|[a-z_]+\|>/,
  images: 10,
};

export const UPLOAD: UploadRules = {
  // Larger requests are reported to fail without an error.
  oneRequestBytes: 100_000_000,
  partBytes: 64_000_000,
};

const BY_SERVICE = "the service decides it";

/** Fields about one's own machine, and those that no service has. */
export const LACKED_BY_ALL: Readonly<Record<string, string>> = {
  "train.schedule": BY_SERVICE,
  "train.max_steps": "set train.epochs",
  "train.micro_tokens": "it only applies to your own machine",
  "train.checkpoint_seconds": "the service keeps a checkpoint for each epoch",
  "train.device": "it only applies to your own machine",
  "train.dtype": "it only applies to your own machine",
  "train.parallel": "it only applies to your own machine",
  "train.checkpointing": "it only applies to your own machine",
  "train.optimizer": BY_SERVICE,
  "train.deterministic": "it only applies to your own machine",
  "evaluate.few_shot": "remove it; before and after are scored",
};

/** Fields that have no place where the service picks its own technique and learning rate. */
export const LACKED_BY_MULTIPLIER: Readonly<Record<string, string>> = {
  "train.learning_rate": "this service accepts only a multiplier: set provider.learning_rate_multiplier",
  "train.warmup_ratio": BY_SERVICE,
  "train.weight_decay": BY_SERVICE,
  "train.max_grad_norm": BY_SERVICE,
};

export const LACKS_SEED: Readonly<Record<string, string>> = { "train.seed": BY_SERVICE };

export const LACKS_DEPLOYMENT: Readonly<Record<string, string>> = {
  "provider.deploy_hint": "this service needs no deployment",
};

/** Where the service picks its own technique, only the learning rate can stand for a method. */
export const MULTIPLIERS: Presets = {
  full: preset(undefined, "the service's default"),
  lora: preset(0.5, "a low-rank update changes the base less: half the service's rate"),
  qlora: preset(0.5, "same as lora: 4 bits only save memory, which is the service's concern"),
  prefix: preset(0.1, "a prefix changes no weight: a tenth stays closest to the base"),
  adapter: preset(0.3, "a bottleneck beside the weights changes more than a prefix, less than lora"),
};

function preset(multiplier: number | undefined, reason: string): Preset {
  return { sends: () => multiplier === undefined ? {} : { learning_rate_multiplier: multiplier }, reason };
}

/** OpenAI's default: 3 passes, at least 100 and at most 25,000 rows seen. */
export function protocolEpochs(rows: number): number {
  if (rows * 3 < 100) return Math.min(25, Math.max(1, Math.floor(100 / Math.max(1, rows))));
  return rows * 3 > 25_000 ? Math.max(1, Math.floor(25_000 / rows)) : 3;
}

/** Hyperparameters that every service has. */
export function commonHyperparameters({ fields, epochs, isSet }: JobRequest): Hyperparameter[] {
  const { train } = fields;
  const reason = train.epochs !== undefined
    ? "set in the file"
    : "the service's rule, fixed here so that the price is known";
  return [
    { name: "n_epochs", value: epochs, reason },
    ...isSet("train.batch_size") ? [fromFile("batch_size", train.batch_size)] : [],
  ];
}

export function fromFile(name: string, value: Hyperparameter["value"]): Hyperparameter {
  return { name, value, reason: "from the file or its default" };
}

/** Hyperparameters of a service that picks its own technique. */
export function multiplierHyperparameters(job: JobRequest, presets: Presets): Hyperparameter[] {
  const { method, provider } = job.fields;
  const given = provider.learning_rate_multiplier;
  const { reason, values } = presetFor(presets, method);
  const multiplier = given !== undefined
    ? [{ name: "learning_rate_multiplier", value: given, reason: "set in the file" }]
    : Object.entries(values).map(([name, value]) => ({
      name,
      value,
      reason: `preset for ${method.kind}: ${reason}`,
    }));
  const beta = job.goal === "dpo" && provider.beta !== undefined ? [fromFile("beta", provider.beta)] : [];
  return [...commonHyperparameters(job), ...multiplier, ...beta];
}

export function presetFor(presets: Presets, method: Method): { reason: string; values: JsonObject } {
  // Each preset belongs to the method of its key.
  const { sends, reason } = presets[method.kind] as Preset;
  return { reason, values: sends(method) };
}

/** The body as OpenAI documents it: hyperparameters below the kind of training. */
export function methodBody(job: JobRequest, hyperparameters: JsonObject): JsonObject {
  const { goal, fields: { train } } = job;
  return { ...commonBody(job), seed: train.seed, method: { type: goal, [goal]: { hyperparameters } } };
}

/** What every service takes. */
export function commonBody({ fields: { provider }, suffix }: JobRequest): JsonObject {
  const integrations = provider.integrations?.map(({ kind, ...settings }) => {
    const given = Object.entries(settings).filter(([, value]) => value !== undefined);
    return { type: kind, [kind]: Object.fromEntries(given) as JsonObject };
  });
  return { model: provider.base, suffix, ...integrations && { integrations } };
}

/** The note of a service that picks its own technique. */
export function pickedByService(service: string, method: Method): string {
  const unsent = unsentFields(method);
  return `${service} picks the technique itself: method ${method.kind} only selects a learning rate and the suffix` +
    (unsent === "" ? "" : `; ${unsent} are not sent`);
}

export function unsentFields({ kind: _, ...fields }: Method): string {
  return Object.keys(fields).map((field) => `method.${field}`).join(", ");
}

/** `[training, input, output]` by base, as price pages list them. */
export function priced(
  table: Readonly<Record<string, readonly [training: number, input: number, output: number]>>,
): Readonly<Record<string, ModelPrice>> {
  return Object.fromEntries(
    Object.entries(table).map(([base, [training, input, output]]) => [base, { training, input, output }]),
  );
}
