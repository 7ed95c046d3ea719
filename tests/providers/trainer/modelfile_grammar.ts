/** Ollama's reading of a Modelfile, rune by rune as parser/parser.go does it. */
export interface Instruction {
  readonly name: string;
  readonly args: string;
}

const COMMANDS = ["FROM", "LICENSE", "TEMPLATE", "SYSTEM", "ADAPTER", "PARAMETER", "MESSAGE"];
const PRINTABLE = /[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u;

export function parseModelfile(text: string): Instruction[] {
  const found: Instruction[] = [];
  const runes = [...text];
  for (let at = 0; at < runes.length;) {
    const rune = runes[at]!;
    if (isSpace(rune) || isNewline(rune)) at++;
    else if (rune === "#") { while (at < runes.length && !isNewline(runes[at]!)) at++; }
    else at = instruction(runes, at, found);
  }
  return found;
}

function instruction(runes: readonly string[], start: number, found: Instruction[]): number {
  let at = start;
  const word = (allowed: RegExp) => {
    let text = "";
    while (at < runes.length && allowed.test(runes[at]!)) text += runes[at++];
    if (at === runes.length || !isSpace(runes[at]!)) throw new SyntaxError(`unexpected end of "${text}"`);
    at++;
    return text;
  };
  const command = word(/[A-Za-z]/).toUpperCase();
  if (!COMMANDS.includes(command)) throw new SyntaxError(`command must be one of ${COMMANDS}`);
  const name = command === "PARAMETER" ? word(/\w/) : command;
  let buffer = "";
  for (;; at++) {
    const ended = at === runes.length;
    if (ended || isNewline(runes[at]!)) {
      const value = unquote(buffer.trim());
      if (value !== undefined) {
        found.push({ name, args: value });
        return at;
      }
      if (ended) throw new SyntaxError("unexpected EOF");
    }
    const rune = runes[at]!;
    if (isSpace(rune) || isNewline(rune) || PRINTABLE.test(rune)) buffer += rune;
  }
}

function unquote(text: string): string | undefined {
  for (const quote of ['"""', '"']) {
    if (!text.startsWith(quote)) continue;
    const closed = text.length >= 2 * quote.length && text.endsWith(quote);
    return closed ? text.slice(quote.length, -quote.length) : undefined;
  }
  return text;
}

function isSpace(rune: string): boolean {
  return rune === " " || rune === "\t";
}

function isNewline(rune: string): boolean {
  return rune === "\r" || rune === "\n";
}
