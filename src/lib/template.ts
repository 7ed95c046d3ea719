/** A text with places for fields: `{{ name }}`. */
export type Template = readonly (string | { readonly field: string })[];

/** Throws a SyntaxError that says where braces do not pair. */
export function parseTemplate(text: string): Template {
  const parts: (string | { field: string })[] = [];
  let at = 0;
  for (const match of text.matchAll(/\{\{([^{}]*)\}\}/g)) {
    literal(text.slice(at, match.index));
    const field = (match[1] as string).trim();
    if (field === "") throw new SyntaxError(`"${match[0]}" names no field`);
    parts.push({ field });
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

/** The fields a template names, each once. */
export function templateFields(template: Template): string[] {
  return [...new Set(template.flatMap((part) => typeof part === "string" ? [] : [part.field]))];
}
