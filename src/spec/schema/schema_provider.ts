import { z } from "../../deps/zod.ts";
import { listed } from "../../lib/text/format.ts";
import { OLLAMA_SERVER } from "./base_name.ts";
import { DIALECT_NAMES, DIALECTS, dialectsWith } from "../dialects/registry.ts";
import { TEMPLATE_NAMES } from "../rules/chat_template.ts";

/** Never a key: those have small letters or other characters. */
/** Name of an environment variable. */
export const VARIABLE = /^[A-Z_][A-Z0-9_]*$/;

const base = z.string().min(1).meta({
  description:
    "The model to start from: builtin:smollm2-135m-instruct, a .gguf file, a Hugging Face folder, a hub id (owner/name), or ollama:NAME. Paths are relative to this file",
});
const revision = z.string().min(1).optional().meta({
  description: "For a hub id: branch, tag or commit. Only a commit is fixed for good",
});
const template = z.union([
  z.enum(TEMPLATE_NAMES),
  z.string().regex(/.\.jinja$/, "must be a .jinja file"),
], `must be one of ${TEMPLATE_NAMES.join(", ")}, or a .jinja file`).default("auto").meta({
  description:
    "Chat template for both training and serving: auto (the base's own), the name of one of temper's, or the path of a .jinja file, relative to this file",
});
const exportOptions = z.strictObject({
  gguf: z.boolean().default(true).meta({
    description: "Write a complete GGUF file, base and training merged",
  }),
  quantization: z.enum(["f32", "f16", "bf16", "q8_0", "q6_k", "q5_k_m", "q4_k_m", "q4_0"]).default("q8_0")
    .meta({
      description:
        "Type of the weights in the GGUF file. f16 gives the same answers as the trainer; q8_0 is half the size and nearly as exact; q6_k, q5_k_m and q4_k_m are llama.cpp's mixes of K-quants, about 40, 35 and 30 % of f16; q4_0 visibly harms small models",
    }),
  merged: z.boolean().default(false).meta({ description: "Also write a merged Hugging Face folder" }),
}).prefault({}).meta({ description: "What is written in addition to the trained weights" });

const local = z.strictObject({
  kind: z.literal("local").meta({ description: "Train on this machine and write files" }),
  base,
  revision,
  template,
  export: exportOptions,
});

const ollama = z.strictObject({
  kind: z.literal("ollama").meta({ description: "Train on this machine, then serve with Ollama" }),
  base,
  revision,
  template,
  export: exportOptions,
  model: z.string().min(1).meta({
    description:
      "The name to serve it under: [HOST/][NAMESPACE/]MODEL[:TAG], such as home-lora or team/home:v2",
  }),
  register: z.enum(["auto", "always", "never"]).default("auto").meta({
    description: "auto: when an Ollama server answers; always: fail without one; never: only write the files",
  }),
  server: z.url({ protocol: /^https?$/ }).optional().meta({
    description:
      `Address of the Ollama server, with its path if it has one. Default: the environment's OLLAMA_HOST, then ${OLLAMA_SERVER}`,
  }),
  auth_env: z.string().regex(VARIABLE, "must name an environment variable, such as OLLAMA_TOKEN").optional()
    .meta({
      description:
        "Name of the environment variable that contains the server's credentials: a bearer token, or USER:PASSWORD. They are never written anywhere, nor sent over http:// to another machine",
    }),
  keep_previous: z.boolean().default(false).meta({
    description: "Keep the model that has this name now, as NAME-previous",
  }),
  overwrite: z.boolean().default(false).meta({
    description: "Replace a model of this name that temper did not make",
  }),
});

const wandb = z.strictObject({
  kind: z.literal("wandb").meta({ description: "Weights & Biases" }),
  project: z.string().min(1).meta({ description: "Project that the service reports to" }),
  name: z.string().min(1).optional().meta({ description: "Name of the run there. Default: the job's id" }),
  entity: z.string().min(1).optional().meta({ description: "Team or user that owns the project" }),
  tags: z.array(z.string().min(1)).optional().meta({ description: "Labels of the run there" }),
});

const price = z.strictObject({
  training: z.number().min(0).meta({ description: "Per million tokens of training" }),
  input: z.number().min(0).optional().meta({ description: "Per million tokens that the new model reads" }),
  output: z.number().min(0).optional().meta({ description: "Per million tokens that the new model writes" }),
}).meta({ description: "Prices in USD, if temper's own table lacks the model or is outdated" });

const services = Object.values(DIALECTS);
/** "openai and azure", of the dialects that take a field. */
const takers = (field: string) => listed(dialectsWith(field), "and");
const eitherOf = (words: readonly string[]) => listed(words, "or");

const openai = z.strictObject({
  kind: z.literal("openai").meta({
    description: "A hosted service that speaks OpenAI's fine-tuning protocol",
  }),
  dialect: z.enum(DIALECT_NAMES).default("openai").meta({
    description: "The service to train at. Services differ in fields, methods and prices: `plan` shows how",
  }),
  base_url: z.url({ protocol: /^https?$/ }).optional().meta({
    description: `Address of the service. Default: the environment's ${
      eitherOf(services.map(({ address }) => address.env))
    }, by dialect, and then the service's own`,
  }),
  api_key_env: z.string().regex(
    VARIABLE,
    "must name an environment variable, such as OPENAI_API_KEY",
  ).optional().meta({
    description:
      `Name of the environment variable that holds the key; the key itself is never written anywhere. Default: ${
        eitherOf(services.map(({ keyEnv }) => keyEnv))
      }, by dialect`,
  }),
  base: z.string().min(1).meta({ description: "The service's model to start from" }),
  suffix: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, "must be letters, digits, '-' or '_', at most 64")
    .optional()
    .meta({ description: "Part of the new model's name. Default: name and method" }),
  learning_rate_multiplier: z.number().positive().max(100).optional().meta({
    description: `${
      takers("provider.learning_rate_multiplier")
    }: factor on the learning rate that the service would choose. Default by method: \`plan\` shows it`,
  }),
  beta: z.number().positive().max(2).optional().meta({
    description: `${
      takers("provider.beta")
    }, for preference pairs: how closely the model stays to the base. Default: the service's`,
  }),
  budget_usd: z.number().positive().optional().meta({
    description: "If the estimate exceeds this, nothing is uploaded",
  }),
  price: price.optional(),
  deploy_hint: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, "must be a deployment's name").optional()
    .meta({
      description: `${
        takers("provider.deploy_hint")
      }: name of the deployment that the closing example calls. Default: the suffix`,
    }),
  poll_seconds: z.number().min(0.01).max(600).default(10).meta({
    description: "Seconds between two polls of the job; up to six times as long while nothing happens",
  }),
  settle_seconds: z.number().min(0.1).max(600).default(60).meta({
    description:
      "Seconds to search for a file or job after an interrupted creation, before it counts as not created",
  }),
  integrations: z.array(wandb).max(5).optional().meta({ description: "Trackers the service reports to" }),
});

export const provider = z.discriminatedUnion("kind", [local, ollama, openai]);
export type Provider = z.infer<typeof provider>;
