import type { Clock } from "../clock.ts";

/** Fewer can be guessed by whoever may ask often enough. */
const LEAST_TOKEN = 16;
/** Bytes of one that is made here. */
const RANDOM_BYTES = 24;

/** Why a token cannot be used; undefined: it can. */
export function tokenProblem(token: string): string | undefined {
  if (token.length < LEAST_TOKEN) {
    const only = token.length === 1 ? "1 character" : `${token.length} characters`;
    return `it has ${only}, at least ${LEAST_TOKEN} are needed so that it cannot be guessed`;
  }
  return /^[!-~]+$/.test(token)
    ? undefined
    : "it contains spaces or characters outside ASCII, which no Authorization header can carry";
}

export function makeToken(clock: Clock): string {
  return clock.randomHex(RANDOM_BYTES);
}
