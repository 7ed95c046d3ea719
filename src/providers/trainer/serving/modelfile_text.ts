import { UsageError } from "../../../lib/errors.ts";

/**
 * Writing Ollama's Modelfile grammar (parser/parser.go). It has no escapes: a value ends where a line ends with the
 * quote it began with, so some values cannot be written and are refused here.
 */
export function quoted(what: string, text: string): string {
  refuseDropped(what, text);
  for (const quote of text.includes("\n") ? ['"""', '"'] : ['"', '"""']) {
    if (holds(quote, text)) return quote + text + quote;
  }
  throw new UsageError(
    "modelfile",
    `Cannot write the Modelfile: ${what} has lines that end in " and in """, which its grammar cannot express`,
    { hint: "Change the text, or set provider.export.gguf to false" },
  );
}

/** A comment: each line of the text on a line of its own. */
export function comment(text: string): string {
  return text.split(/\r\n|\r|\n/).map((line) => `# ${line}`.trimEnd()).join("\n");
}

/** Whether the parser finds the end where it is, and not at the end of an earlier line. */
function holds(quote: string, text: string): boolean {
  // Quotes at the text's own start turn " into """.
  if (quote === '"' && (quote + text + quote).startsWith('"""')) return false;
  const lines = (quote + text).split(/[\r\n]/);
  return lines.slice(0, -1).every((_, i) => {
    const value = lines.slice(0, i + 1).join("\n").trim();
    return value.length < 2 * quote.length || !value.endsWith(quote);
  });
}

/** The parser drops these silently: all but spaces, letters, marks, numbers, punctuation and symbols. */
const DROPPED = /[^\p{L}\p{M}\p{N}\p{P}\p{S} \t\n\r]/u;

function refuseDropped(what: string, text: string): void {
  const found = text.match(DROPPED)?.[0];
  if (found === undefined) return;
  const code = found.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
  throw new UsageError(
    "modelfile",
    `Cannot write the Modelfile: ${what} contains the invisible character U+${code}, which Ollama drops`,
    { hint: "Remove the character, or set provider.export.gguf to false" },
  );
}
