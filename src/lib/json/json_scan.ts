/** What a scan passes on the way. Offsets are in UTF-16 code units. */
export interface JsonHandlers {
  onObject?(): void;
  onObjectEnd?(): void;
  onKey?(key: string, offset: number): void;
  onNumber?(source: string, offset: number): void;
}

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
/** U+0000 to U+001F: those above are signs like others to JSON. */
const CONTROL = /[^\P{Cc}\u007f-\u009f]/u;

/**
 * Goes through a JSON text (RFC 8259) of any depth. Returns where it stops being one, or -1. JSON.parse tells that
 * for some faults only, and of repeated keys and the text of numbers nothing. npm:jsonc-parser would do, at 70 ms
 * more for every start of the command line.
 */
export function scanJson(text: string, handlers: JsonHandlers = {}): number {
  return new Scan(text, handlers).run();
}

/** What may come next: a value, a value or the end of an empty list or object, or what follows a value. */
type Next = "value" | "first-item" | "first-key" | "key" | "after";

class Scan {
  readonly #text: string;
  readonly #handlers: JsonHandlers;
  readonly #open: ("{" | "[")[] = [];
  #at = 0;
  #next: Next = "value";

  constructor(text: string, handlers: JsonHandlers) {
    this.#text = text;
    this.#handlers = handlers;
  }

  run(): number {
    for (;;) {
      this.#take(SPACE);
      if (this.#next === "after" && this.#open.length === 0) {
        return this.#at === this.#text.length ? -1 : this.#at;
      }
      if (!this.#step(this.#text[this.#at])) return this.#at;
    }
  }

  /** False when the character is not allowed here. */
  #step(sign: string | undefined): boolean {
    switch (this.#next) {
      case "first-item":
        return sign === "]" ? this.#close("]") : this.#value(sign);
      case "first-key":
        return sign === "}" ? this.#close("}") : this.#key();
      case "key":
        return this.#key();
      case "value":
        return this.#value(sign);
      case "after":
        if (sign !== ",") return this.#close(sign);
        this.#at++;
        this.#next = this.#open.at(-1) === "{" ? "key" : "value";
        return true;
    }
  }

  #value(sign: string | undefined): boolean {
    if (sign === "{" || sign === "[") {
      this.#open.push(sign);
      this.#at++;
      this.#next = sign === "{" ? "first-key" : "first-item";
      if (sign === "{") this.#handlers.onObject?.();
      return true;
    }
    this.#next = "after";
    if (sign === '"') return this.#string();
    if (this.#take(WORD) !== "") return true;
    const start = this.#at;
    const number = this.#take(NUMBER);
    if (number !== "") this.#handlers.onNumber?.(number, start);
    return number !== "";
  }

  #close(sign: string | undefined): boolean {
    const open = this.#open.at(-1);
    if (sign !== (open === "{" ? "}" : "]")) return false;
    this.#open.pop();
    this.#at++;
    this.#next = "after";
    if (open === "{") this.#handlers.onObjectEnd?.();
    return true;
  }

  #key(): boolean {
    const start = this.#at;
    if (this.#text[start] !== '"' || !this.#string()) return false;
    this.#handlers.onKey?.(JSON.parse(this.#text.slice(start, this.#at)) as string, start);
    this.#take(SPACE);
    if (this.#text[this.#at] !== ":") return false;
    this.#at++;
    this.#next = "value";
    return true;
  }

  #string(): boolean {
    for (let from = this.#at + 1;;) {
      const quote = this.#text.indexOf('"', from);
      const slash = this.#text.indexOf("\\", from);
      const end = quote < 0 ? this.#text.length : quote;
      const stop = slash >= 0 && slash < end ? slash : end;
      const control = CONTROL.exec(this.#text.slice(from, stop));
      if (control) return this.#fail(from + control.index);
      if (stop === slash) {
        this.#at = slash;
        if (this.#take(ESCAPE) === "") return false;
        from = this.#at;
      } else if (quote < 0) return this.#fail(this.#text.length);
      else {
        this.#at = quote + 1;
        return true;
      }
    }
  }

  #fail(at: number): false {
    this.#at = at;
    return false;
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? "";
    this.#at += found.length;
    return found;
  }
}
