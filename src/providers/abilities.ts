import type { Provider } from "../spec/schema/schema_provider.ts";

/** What each kind of provider supports in a conversation. */
export interface Abilities {
  /** Reasoning is trained separately from the answer. */
  readonly reasoning: boolean;
  /** Images among the parts of a message. */
  readonly images: boolean;
  /** Pairs of an answer that is wanted and one that is not. */
  readonly preference: boolean;
  /** Rows go to a service, which refuses a row that is not in its own form. */
  readonly hosted: boolean;
}

const HERE: Abilities = { reasoning: true, images: false, preference: false, hosted: false };

/** Tools, tool calls and weights of single turns are supported everywhere. */
export const ABILITIES: { readonly [K in Provider["kind"]]: Abilities } = {
  local: HERE,
  ollama: HERE,
  openai: { reasoning: false, images: true, preference: true, hosted: true },
};

/** The abilities of a kind of provider. `own`: what providers that are not temper's own say of themselves. */
export function abilitiesOf(
  kind: string,
  own: Readonly<Record<string, { readonly abilities?: Abilities }>> = {},
): Abilities {
  if (Object.hasOwn(ABILITIES, kind)) return ABILITIES[kind as Provider["kind"]];
  return Object.hasOwn(own, kind) ? own[kind]!.abilities ?? HERE : HERE;
}
