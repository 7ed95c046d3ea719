// deno-lint-ignore-file camelcase -- names of the protocol
import { z } from "zod";
import type { Json } from "../../lib/json/json.ts";

// Requests and answers of Ollama's API (docs/api.md of ollama/ollama).

export const Version = z.object({ version: z.string() });
export const Shown = z.object({
  modelfile: z.string(),
  template: z.string().default(""),
  system: z.string().default(""),
  parameters: z.string().default(""),
  model_info: z.record(z.string(), z.unknown()).default({}),
  /** Such as completion, tools, thinking. Older servers have no such field. */
  capabilities: z.array(z.string()).default([]),
  remote_host: z.string().optional(),
});
/** An answer of /api/show. */
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
  /** Tokens of the prompt, cached ones included. */
  prompt_eval_count: z.int().optional(),
  /** Only with `_debug_render_only`, on servers that support it. */
  _debug_info: z.object({ rendered_template: z.string() }).optional(),
});
export type Answer = z.infer<typeof Answer>;

/** A message in Ollama's form. */
export interface ChatMessage {
  readonly role: string;
  readonly content: string;
  readonly thinking?: string;
  readonly tool_calls?: readonly {
    readonly id?: string;
    readonly function: { readonly name: string; readonly arguments: Json };
  }[];
  /** For the answer of a tool. */
  readonly tool_name?: string;
  readonly tool_call_id?: string;
}

export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly tools?: readonly Json[];
  /** Whether the answer begins with reasoning; only for models that support it. */
  readonly think?: boolean;
  readonly options: Readonly<Record<string, number>>;
  /** Return the text of the prompt instead of an answer. Servers that do not support it answer. */
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
