import { UsageError } from "../../../lib/errors.ts";
import type { Json } from "../../../lib/json/json.ts";
import {
  parseTemplate,
  type Template,
  type TemplateField,
  templateFields,
} from "../../../lib/text/template.ts";
import type { Spec } from "../../../spec/schema/schema.ts";
import { type Complain, kindOf, type RawTurn, type Shape } from "../conversation/conversation.ts";
import { roundedNumber, TOO_MANY_DIGITS } from "../checks/rounded_numbers.ts";
import type { RowView } from "./row_view.ts";

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

function render(template: Template, row: RowView, complain: Complain): string | undefined {
  let text = "";
  for (const [i, part] of template.entries()) {
    const piece = typeof part === "string" ? part : renderField(row, part, complain);
    if (piece === undefined) return undefined;
    text += piece;
    const before = template[i - 1];
    if (
      piece === "" && typeof part === "object" && part.filter === "optional" && typeof before === "string"
    ) {
      text = text.slice(0, text.length - (before.length - before.trimEnd().length));
    }
  }
  return text;
}

function renderField(row: RowView, { field, filter }: TemplateField, complain: Complain): string | undefined {
  const value = row.takeExact(field);
  if (filter === "optional" && isEmpty(value)) return "";
  if (filter === "json" && value !== undefined) return renderJson(value, field, complain);
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return String(value);
  if (typeof value !== "number") {
    const wanted = value === undefined || value === null
      ? ""
      : `; a template takes text, numbers, true and false; lists and objects need {{ ${field} | json }}`;
    return void complain(field, `is ${kindOf(value)}${wanted}`, value);
  }
  return roundedNumber(value, field) === undefined
    ? String(value)
    : void complain(field, TOO_MANY_DIGITS, value);
}

function isEmpty(value: Json | undefined): boolean {
  return value === undefined || value === null || typeof value === "string" && value.trim() === "";
}

/** JSON without white space, its keys in the row's order: an answer may reason before it decides. */
function renderJson(value: Json, field: string, complain: Complain): string | undefined {
  const place = roundedNumber(value, field);
  return place === undefined ? JSON.stringify(value) : void complain(place, TOO_MANY_DIGITS, value);
}
