import { UsageError } from "../../lib/errors.ts";
import { parseTemplate, type Template, templateFields } from "../../lib/template.ts";
import type { Spec } from "../../spec/schema.ts";
import { type Complain, kindOf, type RawTurn, type Shape } from "./conversation.ts";
import type { Taken } from "./taken.ts";

type Columns = NonNullable<Spec["dataset"]["columns"]>;

interface Column {
  readonly role: "system" | "user" | "assistant";
  readonly template: Template;
}

/** Turns from templates over a row's fields. */
export function columns(spec: Columns): Shape {
  const list: Column[] = [];
  for (const role of ["system", "user", "assistant"] as const) {
    const text = spec[role];
    if (text !== undefined) list.push({ role, template: compile(role, text) });
  }
  const fields = [...new Set(list.flatMap(({ template }) => templateFields(template)))];
  return {
    name: "columns",
    needs: `the fields that dataset.columns names: ${fields.map((field) => `"${field}"`).join(", ")}`,
    fields,
    explicit: true,
    fits: (row) => fields.every((field) => Object.hasOwn(row, field)),
    read(row, complain) {
      const turns: RawTurn[] = [];
      for (const { role, template } of list) {
        const content = render(template, row, complain);
        if (content === undefined) return undefined;
        turns.push({ field: place(role, template), role, content });
      }
      return { turns };
    },
  };
}

/** A turn that is one field is named after it; any other after its template. */
function place(role: string, template: Template): string {
  const [only] = template;
  return template.length === 1 && typeof only === "object" ? only.field : `columns.${role}`;
}

function compile(role: string, text: string): Template {
  try {
    return parseTemplate(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UsageError("template-wrong", `Cannot use dataset.columns.${role}: ${error.message}`, {
      cause: error,
    });
  }
}

function render(template: Template, row: Taken, complain: Complain): string | undefined {
  let text = "";
  for (const part of template) {
    const piece = typeof part === "string" ? part : renderField(row, part.field, complain);
    if (piece === undefined) return undefined;
    text += piece;
  }
  return text;
}

function renderField(row: Taken, field: string, complain: Complain): string | undefined {
  const value = row.takeExact(field);
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return String(value);
  if (typeof value !== "number") {
    const wanted = value === undefined || value === null
      ? ""
      : "; a template takes texts, numbers, true and false";
    return void complain(field, `is ${kindOf(value)}${wanted}`, value);
  }
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    return void complain(field, "is a number with more digits than numbers keep; put it in quotes", value);
  }
  return String(value);
}
