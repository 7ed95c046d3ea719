import { Ajv2020 } from "ajv/dist/2020.js";
import assert from "../../deps/assert.ts";
import description from "../../fixtures/openai/openapi.json" with { type: "json" };
import type { Call } from "./mock_service.ts";

interface Operation {
  readonly parameters?: readonly { readonly in: string; readonly name: string }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
  >;
}

/** Checks calls against OpenAI's public description of its API. */
export class Contract {
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  requests = 0;
  replies = 0;
  errors = 0;

  constructor() {
    this.#ajv.addSchema({ $id: "api", components: modern(description.components) });
  }

  /** Throws when a request or its reply is not what the description says. */
  check(call: Call): void {
    const operation = this.#operation(call);
    const where = `${call.method} ${call.path}`;
    for (const name of new URLSearchParams(call.query).keys()) {
      const known = operation.parameters?.map((parameter) => parameter.name) ?? [];
      assert(known.includes(name.replace(/\[.*$/, "")), `${where}: unknown parameter ${name}`);
    }
    const content = operation.requestBody?.content;
    const json = content?.["application/json"];
    const form = content?.["multipart/form-data"];
    if (json) this.#validate(json.schema, call.body, `${where}, request`);
    else if (form) this.#validate(form.schema, textsOf(call.body), `${where}, request`);
    else assert.equal(call.body, undefined, `${where} has a body`);
    this.requests++;
    if (call.status >= 400) {
      // The description lists no refusals by operation; this is the form it has for all of them.
      this.#validate({ $ref: "#/components/schemas/ErrorResponse" }, call.reply, `${where}, ${call.status}`);
      this.errors++;
      return;
    }
    const schema = operation.responses[String(call.status)]?.content?.["application/json"]?.schema;
    if (call.reply === null || !schema) return;
    this.#validate(schema, call.reply, `${where}, reply`);
    this.replies++;
  }

  #operation({ method, path }: Call): Operation {
    for (const [template, operations] of Object.entries(description.paths)) {
      if (!new RegExp(`^${template.replace(/\{[^}]+\}/g, "[^/]+")}$`).test(path)) continue;
      const operation = (operations as unknown as Record<string, Operation>)[method.toLowerCase()];
      if (operation) return operation;
    }
    throw new Error(`${method} ${path} is in no description`);
  }

  #validate(schema: object, value: unknown, where: string): void {
    const absolute = JSON.parse(JSON.stringify(modern(schema)).replaceAll('"#/', '"api#/'));
    const valid = this.#ajv.compile(absolute);
    assert(valid(value), `${where}: ${this.#ajv.errorsText(valid.errors)}\n${JSON.stringify(value)}`);
  }
}

/** The description names version 3.1 and keeps two words of 3.0: exclusive bounds as flags, and nullable. */
function modern(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(modern);
  if (typeof value !== "object" || value === null) return value;
  const { exclusiveMinimum, nullable, ...rest } = value as Record<string, unknown>;
  const plain = Object.fromEntries(Object.entries(rest).map(([name, member]) => [name, modern(member)]));
  if (exclusiveMinimum === true) {
    plain["exclusiveMinimum"] = plain["minimum"];
    delete plain["minimum"];
  } else if (typeof exclusiveMinimum === "number") plain["exclusiveMinimum"] = exclusiveMinimum;
  return nullable === true ? { anyOf: [plain, { type: "null" }] } : plain;
}

/** A form's files stand as texts in a description. */
function textsOf(body: unknown): unknown {
  return Object.fromEntries(
    Object.entries(body as object).map(([name, value]) => [name, value instanceof File ? value.name : value]),
  );
}
