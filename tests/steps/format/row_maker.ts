// deno-lint-ignore-file camelcase -- names of the protocol
import fc from "fast-check";
import { ROW_FORMATS } from "../../../src/spec/rules/row_formats.ts";
import type { Json } from "../../../src/lib/json/json.ts";
import { FLAG_NAMES, PARTIAL_FLAG_NAMES } from "../../../src/steps/format/conversation/learn_flags.ts";
import { TELLING_FIELDS } from "../../../src/steps/format/shapes/row_fields.ts";

export type ShapeName = Exclude<typeof ROW_FORMATS[number], "auto">;
export const SHAPE_NAMES = ROW_FORMATS.filter((name): name is ShapeName => name !== "auto");

type Members = { [key: string]: Json };
type Gen = fc.GeneratorValue;

const EXTRA_NAMES = [
  ...TELLING_FIELDS,
  ...FLAG_NAMES,
  ...PARTIAL_FLAG_NAMES,
  "name",
  "id",
  "source",
  "refusal",
  "reasoning_content",
  "reasoning",
  "thinking",
  "tools",
  "functions",
  "tool_calls",
  "function_call",
  "tool_call_id",
  "parallel_tool_calls",
  "chat_template_kwargs",
  "system",
  "history",
  "input",
  "type",
  "__proto__",
  "constructor",
  "a.b",
  "x[0]",
];
const DECORATIONS = ["", "", "", "", " ", "<|im_end|>", "[INST]", "</s>", "<image>", "\n", "Assistant:"];

/** Makes rows of a shape whose texts and numbers are all different, with fields that nobody expects. */
export class RowMaker {
  #n = 0;

  constructor(readonly g: Gen) {}

  row(shape: ShapeName): Members {
    const row = this.#body(shape);
    if (this.#odds(3)) this.#put(row, "system", this.#odds(5) ? this.#any(1) : this.#text());
    if (this.#odds(4)) this.#put(row, "tools", this.#maybeText(this.#tools()));
    this.#extras(row);
    return row;
  }

  #body(shape: ShapeName): Members {
    switch (shape) {
      case "messages":
        return { messages: this.#maybeText(this.#messages()) };
      case "sharegpt":
        return { conversations: this.#maybeText(this.#odds(4) ? this.#messages() : this.#speeches()) };
      case "prompt-completion":
        return this.#odds(2)
          ? { prompt: this.#text(), completion: this.#text() }
          : { prompt: [this.#message("user")], completion: [this.#message("assistant")] };
      case "alpaca":
        return {
          instruction: this.#text(),
          output: this.#text(),
          ...this.#odds(2) && { input: this.#text() },
          ...this.#odds(3) && { history: [[this.#text(), this.#text()]] },
        };
      case "preference":
        return this.#odds(2) ? { prompt: this.#text(), chosen: this.#text(), rejected: this.#text() } : {
          input: { messages: [this.#message("user")], ...this.#odds(3) && { tools: this.#tools() } },
          preferred_output: [this.#message("assistant")],
          non_preferred_output: [this.#message("assistant")],
        };
      case "columns":
        return { q: this.#text(), a: this.#text() };
    }
  }

  #messages(): Members[] {
    const list = [this.#message("user"), this.#message("assistant")];
    if (this.#odds(3)) list.unshift(this.#message("system"));
    if (this.#odds(3)) list.push(this.#message("user"), this.#message("assistant"));
    if (this.#odds(3)) {
      const call = { ...this.#message("assistant"), content: null, tool_calls: [this.#call()] };
      list.push(this.#message("user"), call, this.#message("tool"), this.#message("assistant"));
    }
    if (this.#odds(6)) list.push(this.#message("user"));
    return list;
  }

  #message(role: string): Members {
    const message: Members = { role, content: this.#odds(4) ? this.#parts() : this.#text(role) };
    this.#extras(message);
    return message;
  }

  #parts(): Members[] {
    const part: Members = { type: "text", text: this.#text() };
    this.#extras(part);
    const thinking = { type: "thinking", thinking: this.#text() };
    return this.#odds(4) ? [thinking, part] : [part];
  }

  #call(): Members {
    const inside = { [`k${this.#n++}`]: this.#text() };
    const fn: Members = { name: this.#text(), arguments: this.#odds(2) ? inside : JSON.stringify(inside) };
    const call: Members = { ...this.#odds(2) && { id: this.#text() }, type: "function", function: fn };
    this.#extras(call);
    this.#extras(fn);
    return call;
  }

  #tools(): Members[] {
    const fn = { name: this.#text(), parameters: { type: "object", properties: { [this.#text()]: null } } };
    return [this.#odds(2) ? { type: "function", function: fn } : fn];
  }

  #speeches(): Members[] {
    const speech = (from: string, value: Json) => {
      const item: Members = { from, value };
      this.#extras(item);
      return item;
    };
    const list = [speech("human", this.#text()), speech("gpt", this.#text("assistant"))];
    if (this.#odds(2)) {
      const call: Members = { name: this.#text(), arguments: { a: this.#text() } };
      this.#extras(call);
      list.push(speech("human", this.#text()));
      if (this.#odds(2)) list.push(speech("gpt", this.#text()));
      list.push(speech("function_call", JSON.stringify(call)));
      list.push(speech("observation", this.#text()), speech("gpt", this.#text()));
    }
    return list;
  }

  #extras(members: Members): void {
    for (let i = this.g(fc.integer, { min: -3, max: 2 }); i > 0; i--) {
      const name = this.g(fc.constantFrom, ...EXTRA_NAMES);
      if (!Object.hasOwn(members, name)) this.#put(members, name, this.#any(2));
    }
  }

  /** Also for `__proto__`, which an assignment would not keep. */
  #put(members: Members, name: string, value: Json): void {
    Object.defineProperty(members, name, { value, enumerable: true, configurable: true, writable: true });
  }

  #any(depth: number): Json {
    const kind = this.g(fc.integer, { min: 0, max: depth > 0 ? 8 : 5 });
    if (kind <= 1) return null;
    if (kind === 2) return this.g(fc.boolean);
    if (kind === 3) return this.#n++ + 70_000;
    if (kind <= 5) return this.#text();
    if (kind === 6) return [this.#any(depth - 1)];
    return { [`m${this.#n++}`]: this.#any(depth - 1), n: null };
  }

  #text(role?: string): string {
    const word = () => `w${this.#n++}q`;
    const text = word() + this.g(fc.constantFrom, ...DECORATIONS);
    return role === "assistant" && this.#odds(5) ? `<think>${word()}</think>\n${text}` : text;
  }

  #maybeText(value: Json): Json {
    return this.#odds(5) ? JSON.stringify(value) : value;
  }

  #odds(n: number): boolean {
    return this.g(fc.integer, { min: 1, max: n }) === n;
  }
}
