import { EXIT, UsageError } from "../lib/errors.ts";
import { jsonText } from "../lib/json/json_file.ts";
import { tag as tagRun } from "../library/tag.ts";
import { createPalette } from "../ui/palette.ts";
import { tagLines } from "../ui/tags_text.ts";
import { type Command, type CommandContext, RUNS_OPTION } from "../cli/command.ts";
import { libraryOptions } from "../cli/library_options.ts";

export const tag: Command = {
  name: "tag",
  summary: "Tag a run, or write a note about it; without tags, print them",
  usage: "RUN [TAG…]",
  positionals: [1, Infinity],
  options: {
    runs: RUNS_OPTION,
    remove: { type: "string", multiple: true, value: "TAG", help: "Remove this tag; can be repeated" },
    note: { type: "string", value: "TEXT", help: "Write this note, instead of the one there is" },
    "no-note": { type: "boolean", help: "Remove the note" },
  },
  details:
    "RUN is an id, the start of one, or last. A tag has letters, digits and . _ : / -, at most 40 of them; a run has " +
    "at most 20 tags, and a note at most 2,000 characters. Tags and note lie in tags.json in the run's folder: `temper runs --tag " +
    "TAG` lists the runs with a tag, and the status page filters by it. `temper prune` never removes a run with the tag keep.\n\n" +
    '`temper tag last baseline keep --note "before the new prompts"`\n`temper tag last --remove baseline`',
  async run(context) {
    const { values, positionals: [run, ...add], terminal } = context;
    const { remove } = values;
    const result = await tagRun(run!, {
      ...libraryOptions(context),
      add,
      ...Array.isArray(remove) && { remove },
      ...noteOf(values),
    });
    if (values["json"]) {
      const { id, tags, note } = result;
      terminal.out(jsonText({ id, tags, note: note ?? null }));
      return EXIT.ok;
    }
    const palette = createPalette(terminal.color);
    const lines = tagLines(result, palette, terminal.columns("out"));
    const nothing = palette.dim("No tags and no note yet");
    terminal.out(`${[palette.bold(result.id), ...lines.length === 0 ? [nothing] : lines].join("\n")}\n`);
    return EXIT.ok;
  },
};

function noteOf({ note, "no-note": none }: CommandContext["values"]): { note?: string } {
  if (none !== true) return typeof note === "string" ? { note } : {};
  if (note === undefined) return { note: "" };
  throw new UsageError("bad-option", "Cannot use --note together with --no-note: write a note or remove it");
}
