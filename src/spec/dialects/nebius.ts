import type { Dialect, Hyperparameter, JobRequest, Presets } from "./dialect.ts";
import {
  commonBody,
  commonHyperparameters,
  fromFile,
  LACKED_BY_ALL,
  LACKS_DEPLOYMENT,
  LACKS_SEED,
  LIMITS,
  presetFor,
  protocolEpochs,
  ROW_RULES,
  unsentFields,
  UPLOAD,
} from "./protocol.ts";

const SERVICE = "Nebius Token Factory";
const ALL_LAYERS = "remove it; the service adapts all linear layers";

interface LowRank {
  readonly rank: number;
  readonly alpha: number;
  readonly dropout: number;
}

const lowRank = ({ rank, alpha, dropout }: LowRank) => ({
  lora: true,
  lora_r: rank,
  lora_alpha: alpha,
  lora_dropout: dropout,
});

const PRESETS: Presets = {
  full: { sends: () => ({ lora: false }), reason: "trains every weight" },
  lora: { sends: lowRank, reason: "with rank, alpha and dropout" },
  qlora: { sends: lowRank, reason: "as lora: the service has no 4-bit training" },
  prefix: { sends: () => ({ lora: true }), reason: "the service has no prefix: lora with its own rank" },
  adapter: { sends: () => ({ lora: true }), reason: "the service has no adapter: lora with its own rank" },
};

export const nebius: Dialect = {
  name: "nebius",
  service: SERVICE,
  address: {
    standard: "https://api.tokenfactory.nebius.com/v1",
    example: "https://api.tokenfactory.nebius.com/v1",
    env: "NEBIUS_BASE_URL",
    hosts: /(^|\.)nebius\.com$/,
  },
  keyEnv: "NEBIUS_API_KEY",
  findsJobsBy: "suffix",
  trainsPreferencePairs: false,
  chargesForValidation: true,
  lacks: {
    ...LACKED_BY_ALL,
    ...LACKS_SEED,
    ...LACKS_DEPLOYMENT,
    // These fields are part of the method here, so that leaving one out would train another method.
    "method.target": ALL_LAYERS,
    "method.rslora": ALL_LAYERS,
    "provider.learning_rate_multiplier": "this service accepts train.learning_rate directly",
    "provider.beta": "this service does not document training on preference pairs",
  },
  limits: LIMITS,
  rows: ROW_RULES,
  upload: UPLOAD,
  presets: PRESETS,
  epochs: protocolEpochs,
  hyperparameters,
  createBody: (job, values) => ({ ...commonBody(job), hyperparameters: values }),
  methodNote(method) {
    const { kind } = method;
    if (kind === "lora" || kind === "full") return `${SERVICE} trains ${kind} as configured`;
    return kind === "qlora"
      ? `${SERVICE} has no 4-bit training: qlora becomes lora with the same rank, alpha and dropout`
      : `${SERVICE} has no ${kind}: it becomes lora with the service's own rank; ${
        unsentFields(method)
      } are not sent`;
  },
  tokenNote: "the base's own tokenizer gives different counts",
  prices: { date: "2026-11-22", models: {} },
  closing: { date: "2026-11-22", bases: {} },
};

function hyperparameters(job: JobRequest): Hyperparameter[] {
  const { fields: { train, method }, isSet } = job;
  const lora = Object.entries(presetFor(PRESETS, method).values).map(([name, value]) =>
    name === "lora" ? { name, value, reason: `method.kind is ${method.kind}` } : fromFile(name, value)
  );
  return [
    ...commonHyperparameters(job),
    ...train.learning_rate !== undefined ? [fromFile("learning_rate", train.learning_rate)] : [],
    ...isSet("train.max_length") ? [fromFile("context_length", train.max_length)] : [],
    fromFile("warmup_ratio", train.warmup_ratio),
    fromFile("weight_decay", train.weight_decay),
    fromFile("max_grad_norm", train.max_grad_norm),
    ...lora,
  ];
}
