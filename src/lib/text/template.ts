/** How a field's value is written: as JSON text, or as nothing when empty. */
export const FILTERS = ["json", "optional"] as const;

/** A place for a field: `{{ name }}`, or `{{ name | filter }}`. */
export interface TemplateField {
  readonly field: string;
  readonly filter?: (typeof FILTERS)[number];
}

/** A text with places for fields. */
export type Template = readonly (string | TemplateField)[];

/** Throws a SyntaxError that says where braces do not pair. */
export function parseTemplate(text: string): Template {
  const parts: (string | TemplateField)[] = [];
  let at = 0;
  for (const match of text.matchAll(/\{\{([^{}]*)\}\}/g)) {
    literal(text.slice(at, match.index));
    const place = fieldOf((match[1] as string).trim());
    if (place.field === "") throw new SyntaxError(`"${match[0]}" names no field`);
    parts.push(place);
    at = match.index + match[0].length;
  }
  literal(text.slice(at));
  return parts;

  function literal(piece: string) {
    const brace = /\{\{|\}\}/.exec(piece)?.[0];
    if (brace) throw new SyntaxError(`"${brace}" has no partner; a field is written {{ name }}`);
    if (piece !== "") parts.push(piece);
  }
}

/** A "|" that no filter follows belongs to the field's name. */
function fieldOf(text: string): TemplateField {
  const [, field, name] = /^(.*?)\s*\|\s*(\w+)$/s.exec(text) ?? [];
  const filter = FILTERS.find((filter) => filter === name);
  return filter && field !== undefined ? { field, filter } : { field: text };
}

/** The template as text, with other names for some of its fields. */
export function renameFields(template: Template, names: ReadonlyMap<string, string>): string {
  return template.map((part) => {
    if (typeof part === "string") return part;
    const { field, filter } = part;
    return `{{ ${names.get(field) ?? field}${filter ? ` | ${filter}` : ""} }}`;
  }).join("");
}

/** The fields a template names, each once. */
export function templateFields(template: Template): string[] {
  return [...new Set(template.flatMap((part) => typeof part === "string" ? [] : [part.field]))];
}
