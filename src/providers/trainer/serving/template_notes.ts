import { counted } from "../../../lib/text/format.ts";
import type { Tokens } from "../job/trainer_files.ts";

/** What the user should know about how the examples were rendered. */
export function templateNotes(tokens: Tokens): string[] {
  const { template, template_difference: difference, train, date, left_out: leftOut } = tokens;
  const notes: string[] = [];
  if (difference) {
    const { row, base, trained } = difference;
    notes.push(
      `The base's own chat template differs from ${
        name(template)
      }, so the base must also learn the new template. ` +
        `First in ${row}: ${JSON.stringify(trained)} instead of ${JSON.stringify(base)}`,
    );
  }
  if (train.split > 0) {
    notes.push(
      `${train.split} of ${
        counted(train.conversations ?? train.rows, "conversation")
      } became several rows, ` +
        `${train.rows} in all: the chat template rewrites earlier turns, so each answer is trained with the prompt that will precede it when served`,
    );
  }
  for (const [role, { rows, first }] of Object.entries(leftOut)) {
    const what = role === "tools" ? "tools" : `turns of role ${role}`;
    notes.push(`The chat template leaves ${what} out of ${counted(rows, "row")}, first in ${first}`);
  }
  if (date !== null) {
    notes.push(
      `The chat template writes the date. It is fixed at ${date} in training and in the exported model`,
    );
  }
  return notes;
}

/** The linear template that gives the texts that are trained, otherwise where the one in Jinja comes from. */
export function templateText(template: Tokens["template"]): string {
  if (template.kind === "linear") return template.name;
  return template.linear ?? { base: "the base's own", file: "your own" }[template.name];
}

function name(template: Tokens["template"]): string {
  return template.kind === "linear" ? `"${template.name}"` : "provider.template";
}
