import { murmur128 } from "../../../lib/files/murmur.ts";
import type { Conversation } from "../conversation/conversation.ts";
import { withoutInvisible } from "../../../lib/text/text_width.ts";

/** Of all turns before the assistant's last: the prompt that an evaluation would give. */
export function inputDigest({ turns }: Conversation): string {
  const last = turns.findLastIndex(({ role }) => role === "assistant");
  let text = "";
  for (let i = 0; i < last; i++) {
    const turn = turns[i];
    if (!turn) continue;
    // The marks keep turns from running into each other.
    text += `${turn.role}\u0001${foldText(turn.text)}\u0002`;
    if (turn.calls.length > 0) {
      text += `${JSON.stringify(turn.calls.map((call) => call["function"] ?? null))}\u0002`;
    }
  }
  return murmur128(text);
}

/** The digest as a number from 0 to 1. */
export function fractionOf(digest: string): number {
  return (digest.charCodeAt(0) * 2 ** 32 + digest.charCodeAt(1) * 2 ** 16 + digest.charCodeAt(2)) / 2 ** 48;
}

/**
 * What two inputs have in common when a person would call them the same: compatibility forms (NFKC), case, white
 * space and invisible characters make no difference.
 */
export function foldText(text: string): string {
  // For printable ASCII the long way gives the same.
  const plain = /^[\x20-\x7e]*$/.test(text) ? text : caseFolded(visible(text)).normalize("NFKC");
  return plain.toLowerCase().replace(/\s+/g, " ").trim();
}

/** Through upper case, because lower case alone keeps ß apart from ss; from lower case, because upper case alone keeps ẞ. */
function caseFolded(text: string): string {
  return text.toLowerCase().toUpperCase().toLowerCase().replaceAll("ς", "σ");
}

/** Without invisible characters, also without those that only NFKC makes of others; what they kept apart is composed. */
function visible(text: string): string {
  return withoutInvisible(withoutInvisible(text).normalize("NFKC")).normalize("NFKC");
}
