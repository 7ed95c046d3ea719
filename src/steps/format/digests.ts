import { hash } from "node:crypto";
import type { Conversation } from "./conversation.ts";
import { foldText } from "./fold_text.ts";

/**
 * 128 bits of a sha256, as 32 hex digits. Among a billion rows two different texts share one with a chance
 * below 10⁻²⁰, so equal digests are taken for equal texts.
 */
export function digest128(text: string): string {
  return hash("sha256", text, "hex").slice(0, 32);
}

/** Of all turns before the assistant's last: the prompt that an evaluation would give. */
export function inputDigest({ turns }: Conversation): string {
  const last = turns.findLastIndex(({ role }) => role === "assistant");
  let text = "";
  for (let i = 0; i < last; i++) {
    const turn = turns[i];
    // Folding leaves no control characters but those, so that turns cannot run into each other.
    if (turn) text += `${turn.role}\u0001${foldText(turn.text)}\u0002`;
  }
  return digest128(text);
}

/** Decides on which side of a split everything with this key falls. */
export function splitDigest(seed: number, key: string): string {
  return digest128(`split ${seed}\n${key}`);
}

/** The digest as a number from 0 to 1. */
export function fractionOf(digest: string): number {
  return Number.parseInt(digest.slice(0, 13), 16) / 2 ** 52;
}
