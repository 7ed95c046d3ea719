// deno-lint-ignore-file camelcase -- names of the protocol
import { z } from "../../deps/zod.ts";
import type { Json } from "../../lib/json/json.ts";

// What goes over the wire to and from Ollama's API (docs/api.md of ollama/ollama).

export const Version = z.object({ version: z.string() });
export const Shown = z.object({
  modelfile: z.string(),
  template: z.string().default(""),
  system: z.string().default(""),
  parameters: z.string().default(""),
  model_info: z.record(z.string(), z.unknown()).default({}),
  /** What requests to it may ask for: completion, tools, thinking. Older servers do not say. */
  capabilities: z.array(z.string()).default([]),
  remote_host: z.string().optional(),
});
/** What /api/show says of a model. */
export type Shown = z.infer<typeof Shown>;

export const Status = z.object({ status: z.string().default(""), error: z.string().optional() });
export const Failure = z.object({ error: z.string() });

const ToolCall = z.object({ function: z.object({ name: z.string(), arguments: z.json().default({}) }) });
export const Answer = z.object({
  message: z.object({
    content: z.string().default(""),
    thinking: z.string().default(""),
    tool_calls: z.array(ToolCall).default([]),
  }).prefault({}),
  /** Tokens of the prompt; those the server still had from an earlier one included. */
  prompt_eval_count: z.int().optional(),
  /** Only where `_debug_render_only` was asked for and is known. */
  _debug_info: z.object({ rendered_template: z.string() }).optional(),
});
export type Answer = z.infer<typeof Answer>;

/** A turn as Ollama takes it. */
export interface ChatMessage {
  readonly role: string;
  readonly content: string;
  readonly thinking?: string;
  readonly tool_calls?: readonly {
    readonly id?: string;
    readonly function: { readonly name: string; readonly arguments: Json };
  }[];
  /** Of a tool's answer. */
  readonly tool_name?: string;
  readonly tool_call_id?: string;
}

export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly tools?: readonly Json[];
  /** Whether the answer begins with reasoning; only for models that can. */
  readonly think?: boolean;
  readonly options: Readonly<Record<string, number>>;
  /** Give the text of the prompt instead of an answer. Servers that do not know it answer. */
  readonly renderOnly?: boolean;
}

export interface CreateRequest {
  readonly model: string;
  /** Digests (`sha256:<hex>`) by file name. */
  readonly files: Readonly<Record<string, string>>;
  readonly template?: string;
  readonly system?: string;
  readonly parameters: Readonly<Record<string, number | readonly string[]>>;
}
