import type { Provider } from "../spec/schema_provider.ts";

/** What a conversation may hold for a kind of provider. */
export interface Abilities {
  /** Tools, tool calls and their results, content in parts, and weights of single turns. */
  readonly tools: boolean;
}

const TEXT_ONLY: Abilities = { tools: false };

/** The trainer's chat templates are linear texts, without a place for tools. Hosted services take them. */
export const ABILITIES: { readonly [K in Provider["kind"]]: Abilities } = {
  local: TEXT_ONLY,
  ollama: TEXT_ONLY,
  openai: { tools: true },
};
