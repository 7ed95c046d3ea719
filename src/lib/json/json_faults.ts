import type { Json } from "./json.ts";
import { scanJson } from "./json_scan.ts";

/** What is wrong with a JSON text, and where. */
export interface JsonFault {
  /** In UTF-16 code units; the length of the text where it ends too early. */
  readonly offset: number;
  /** A noun phrase or a short sentence. */
  readonly reason: string;
}

/** Why JSON.parse refused a text. V8 does not always say where. */
export function syntaxFault(text: string, error: unknown): JsonFault {
  const message = error instanceof Error ? error.message : String(error);
  const position = /at position (\d+)/.exec(message)?.[1];
  const cut = /Unterminated string|Unexpected end/.test(message);
  const offset = cut ? text.length : position === undefined ? scanJson(text) : Number(position);
  const reason = message.replace(/( in JSON)? at position.*$/s, "").replace(/, ".*" is not valid JSON$/s, "")
    .replace(/^./, (letter) => letter.toLowerCase());
  return cut ? { offset, reason } : explained(text, offset) ?? { offset, reason };
}

/** How other languages write what JSON writes differently. */
const FOREIGN: ReadonlyMap<string, string> = new Map([
  ["NaN", "NaN is Python's, JSON has null"],
  ["nan", "nan is Python's, JSON has null"],
  ["Infinity", "Infinity is Python's, JSON has no such number"],
  ["None", "None is Python's, JSON has null"],
  ["True", "True is Python's, JSON has true"],
  ["False", "False is Python's, JSON has false"],
  ["undefined", "undefined is JavaScript's, JSON has null"],
]);

/** Describes the place where a text stops being JSON. */
function explained(text: string, offset: number): JsonFault | undefined {
  const found = text[offset] ?? "";
  const before = text.slice(0, offset).trimEnd();
  const last = before.at(-1) ?? "";
  const at = (reason: string, place = offset): JsonFault => ({ offset: place, reason });
  const word = /^[\p{L}_$][\p{L}\p{N}_$]*/u.exec(text.slice(offset, offset + 40))?.[0];
  if (found === "\uFEFF") return at("a byte order mark (U+FEFF): were two files joined here?");
  if (text[offset - 1] === "\\" && /["'\w]/.test(found)) {
    return at(`the escape \\${found}, which JSON does not have; a backslash is written \\\\`, offset - 1);
  }
  if (found !== "" && found < " ") {
    return at(`${controlName(found)} inside a string, which JSON writes ${escaped(found)}`);
  }
  if (/[“”„‘’«»]/.test(found)) return at(`a curly quote (${found}), JSON has straight ones (")`);
  if (found === "'") {
    return at(
      "a single quote, JSON has double ones; what Python's repr writes is not JSON, json.dumps writes it",
    );
  }
  if (/[}\]]/.test(found) && last === ",") return at("an extra comma", before.length - 1);
  if (found === "," && /[[{,]/.test(last)) return at("an extra comma");
  if (/[,}\]]/.test(found) && last === ":") return at("a value is missing");
  if (found === "/" || found === "#") return at("a comment, which JSON does not have");
  if (word !== undefined && FOREIGN.has(word) && /[[:,-]/.test(last)) {
    return at(FOREIGN.get(word) as string, last === "-" ? before.length - 1 : offset);
  }
  if (word !== undefined && last === '"') {
    return at('text after a closing quote; a quote inside a string is written \\"');
  }
  if (word !== undefined && /[{,]/.test(last)) return at(`the name ${word} has no quotes`);
  if (/["{[]/.test(found) && /["}\]\w]/.test(last)) return at("a comma or a colon is missing before it");
  return undefined;
}

function controlName(sign: string): string {
  return sign === "\t"
    ? "a raw tab"
    : sign === "\n" || sign === "\r"
    ? "a line break"
    : "a control character";
}

function escaped(sign: string): string {
  return JSON.stringify(sign).slice(1, -1);
}

/**
 * What JSON.parse takes in silence though something is lost: a key that is given twice in one object, and a number
 * too large for a double. `value` is what it made of `text`. Nearly every text is cleared by counting alone.
 */
export function lossFault(text: string, value: Json): JsonFault | undefined {
  return keysIn(value) === separatorsIn(text) ? undefined : firstLoss(text);
}

/** The number of keys at all depths; NaN where a number is infinite. */
function keysIn(value: Json): number {
  if (typeof value === "number") return Number.isFinite(value) ? 0 : NaN;
  if (typeof value !== "object" || value === null) return 0;
  let keys = 0;
  if (Array.isArray(value)) { for (let i = 0; i < value.length; i++) keys += keysIn(value[i]); }
  else for (const key in value) keys += 1 + keysIn((value as { readonly [key: string]: Json })[key] as Json);
  return keys;
}

/**
 * How often a quote and a colon follow each other. Every key has them; a text that begins with a colon has them too,
 * so there may be more of them than keys, but never fewer.
 */
function separatorsIn(text: string): number {
  let found = 0;
  for (let at = text.indexOf(":"); at >= 0; at = text.indexOf(":", at + 1)) {
    let quote = at - 1;
    while (isSpace(text.charCodeAt(quote))) quote--;
    if (text.charCodeAt(quote) !== 34) continue;
    let slashes = 0;
    while (text.charCodeAt(quote - 1 - slashes) === 92) slashes++;
    // An odd number escapes the quote, which then is part of a text.
    if (slashes % 2 === 0) found++;
  }
  return found;
}

function isSpace(code: number): boolean {
  return code === 32 || code === 10 || code === 13 || code === 9;
}

function firstLoss(text: string): JsonFault | undefined {
  const open: Set<string>[] = [];
  let fault: JsonFault | undefined;
  scanJson(text, {
    onObject: () => void open.push(new Set()),
    onObjectEnd: () => void open.pop(),
    onKey(key, offset) {
      if (open.at(-1)?.has(key)) {
        fault ??= { offset, reason: `the key ${JSON.stringify(key)} is given twice` };
      }
      open.at(-1)?.add(key);
    },
    onNumber(source, offset) {
      if (Number.isFinite(Number(source))) return;
      fault ??= { offset, reason: `the number ${source} is too large` };
    },
  });
  return fault;
}

/** Where an offset stands: lines after the first one, and the column in characters, counted from 1. */
export function placeIn(text: string, offset: number): { readonly lines: number; readonly column: number } {
  const before = text.slice(0, offset);
  const lines = before.split("\n");
  return { lines: lines.length - 1, column: [...lines.at(-1) as string].length + 1 };
}

/** The text around an offset. */
export function nearText(text: string, offset: number): string {
  return JSON.stringify(text.slice(Math.max(0, offset - 20), offset + 20).toWellFormed().trim());
}
