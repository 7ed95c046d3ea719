import { parseTemplate, templateFields } from "../../lib/text/template.ts";

/** Why a text is no template over a row's fields. `needsField`: whether it must name one. */
export function templateFault(text: string, needsField: boolean): string | undefined {
  try {
    const fields = templateFields(parseTemplate(text));
    return needsField && fields.length === 0 ? "it uses no field, so every row would be the same" : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return error.message;
    throw error;
  }
}
