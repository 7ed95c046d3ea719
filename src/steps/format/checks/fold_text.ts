import { withoutInvisible } from "../../../lib/text/invisible.ts";

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
