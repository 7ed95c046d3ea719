import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import assert from "../deps/assert.ts";

interface Schema {
  readonly type: string;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
}

export interface Parameter {
  readonly name: string;
  readonly in: "query" | "path";
  readonly required: boolean;
  readonly schema: Schema;
}

interface Answer {
  readonly headers?: Readonly<Record<string, { readonly required?: boolean; readonly schema: object }>>;
  readonly content: Readonly<Record<string, { readonly schema: object }>>;
}

export interface Operation {
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly responses: Readonly<Record<string, Answer>>;
}

type Document = {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, Partial<Operation> & Pick<Operation, "responses">>>>
  >;
};

/** The operations of an OpenAPI document, and whether an answer is one that it describes. */
export class Description {
  readonly operations: readonly Operation[];
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  readonly #validators = new Map<object, ValidateFunction>();
  /** How often each status of each operation was answered. */
  readonly seen = new Map<string, number>();

  constructor(document: unknown) {
    // Its references start at its own root, which is the place this name stands for.
    this.#ajv.addSchema({ $id: "api", ...document as object });
    this.operations = Object.entries((document as Document).paths).flatMap(([path, methods]) => {
      assert.deepEqual(Object.keys(methods), ["get"], `${path}: nothing but reading is described`);
      const { parameters = [], responses } = methods["get"]!;
      return [{ path, parameters, responses }];
    });
  }

  /** Throws when the answer's status, type, headers or body is not what the document says. */
  async check(operation: Operation, response: Response, where: string): Promise<void> {
    const { status, headers } = response;
    const text = await response.text();
    const told = `${where} answered ${status} ${text.slice(0, 300)}`;
    const answer = operation.responses[String(status)];
    assert(answer, `${told}: a status that is not in the description`);
    const type = headers.get("content-type")?.split(";")[0] ?? "";
    assert(answer.content[type], `${told}: as ${type}, which is not in the description`);
    for (const [name, { required }] of Object.entries(answer.headers ?? {})) {
      assert(!required || headers.has(name), `${told}: without ${name}`);
    }
    const isValid = this.#validator(answer.content[type].schema);
    assert(isValid(JSON.parse(text)), `${told}: ${this.#ajv.errorsText(isValid.errors)}`);
    const key = `${operation.path} ${status}`;
    this.seen.set(key, (this.seen.get(key) ?? 0) + 1);
  }

  #validator(schema: object): ValidateFunction {
    let validator = this.#validators.get(schema);
    if (!validator) {
      validator = this.#ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"api#/')));
      this.#validators.set(schema, validator);
    }
    return validator;
  }
}

/** Texts that nobody means, for whatever takes a text. */
export const HOSTILE = [
  "..",
  "../../etc/passwd",
  "/etc/passwd",
  "%2e%2e%2f",
  "\0",
  "a\0b",
  "\r\nx-injected: 1",
  "<script>alert(1)</script>",
  "' OR 1=1 --",
  "__proto__",
  "constructor",
  "toString",
  "events.jsonl",
  ".",
  " ",
  "null",
  "ünïcödé 🦕",
  "\u202egnp",
  "\ud800",
  "{{7*7}}",
];

/** Values of a parameter that its schema allows, its bounds among them. */
export function allowed({ schema, required }: Parameter): string[][] {
  const { type, minimum = 0, maximum = 0, minLength = 0, maxLength = 0, maxItems = 0 } = schema;
  const absent = required ? [] : [[]];
  if (schema.enum) return [...absent, ...schema.enum.map((value) => [value])];
  if (type === "integer") return [...absent, [String(minimum)], [String(minimum + 1)], [String(maximum)]];
  const fitting = HOSTILE.filter((text) => text.length >= minLength);
  if (type === "array") {
    return [["x"], HOSTILE.slice(0, maxItems), Array<string>(maxItems).fill("x")];
  }
  return [
    ...absent,
    ["x".repeat(Math.max(1, minLength))],
    ["x".repeat(maxLength)],
    ...fitting.map((text) => [text]),
  ];
}

/** Values that its schema rules out. */
export function forbidden({ schema, required }: Parameter): string[][] {
  const { type, minimum = 0, maximum = 0, maxLength = 0, maxItems = 0 } = schema;
  const absent = required ? [[]] : [];
  if (schema.enum) return [...absent, ["nonsense"], [""], [...schema.enum], ["__proto__"]];
  if (type === "integer") {
    const values = [
      String(minimum - 1),
      String(maximum + 1),
      "1.5",
      "NaN",
      "Infinity",
      "one",
      "9".repeat(400),
      "-1",
    ];
    return [...absent, ...values.map((value) => [value]), ["1", "2"]];
  }
  if (type === "array") return [...absent, Array<string>(maxItems + 1).fill("x"), ["x".repeat(100_000)]];
  return [...absent, ["x".repeat(maxLength + 1)]];
}

/** The address of an operation. A part of a path cannot be left out. */
export function addressOf(
  { path, parameters }: Operation,
  values: ReadonlyMap<string, readonly string[]>,
): string {
  const query = new URLSearchParams();
  let filled = path;
  for (const { name, in: place } of parameters) {
    const all = values.get(name) ?? [];
    if (place === "path") filled = filled.replace(`{${name}}`, encoded(all[0] ?? ""));
    else for (const value of all) query.append(name, value);
  }
  return query.size === 0 ? filled : `${filled}?${query}`;
}

/** Half of a pair of UTF-16 has no place in an address: it is sent as bytes that are no UTF-8. */
function encoded(text: string): string {
  const whole = text.isWellFormed() ? encodeURIComponent(text) : "%ed%a0%80";
  // An address whose last part is one or two dots means another one.
  return /^\.{1,2}$/.test(whole) ? whole.replaceAll(".", "%2E") : whole;
}
