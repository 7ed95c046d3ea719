// deno-lint-ignore-file camelcase -- names of the fields of Axolotl
import type { Path } from "../../spec/yaml/path.ts";
import { place } from "../datasets.ts";
import type { Task } from "../task.ts";

export const INTO = { datasets: "dataset.source", test_datasets: "dataset.eval" } as const;

/** The pipeline's field for a member of an entry. */
export function within(at: Path, member: string): string {
  return `${INTO[at[0] as keyof typeof INTO]}.${member}`;
}

/** Types of Axolotl that are nothing but the names of fields. */
export const COLUMNS: Readonly<Record<string, { system?: string; user: string; assistant: string }>> = {
  gpteacher: columnsOf("instruction", "response", "input"),
  oasst: columnsOf("INSTRUCTION", "RESPONSE"),
  jeopardy: columnsOf("question", "answer", "category"),
  summarizetldr: columnsOf("article", "summary"),
  metharme: columnsOf("prompt", "generation"),
  alpaca_chat: columnsOf("instruction", "response", "input"),
  "alpaca_chat.load_qa": columnsOf("question", "answer"),
  "alpaca_chat.load_camel_ai": columnsOf("message_1", "message_2"),
  "alpaca_w_system.load_open_orca": {
    system: place("system_prompt", true),
    ...columnsOf("question", "response"),
  },
};

function columnsOf(user: string, assistant: string, more?: string) {
  return {
    user: more === undefined ? place(user) : `${place(user)}\n${place(more, true)}`,
    assistant: place(assistant),
  };
}

/** A type that is written out: the names of fields, and how they become a prompt. */
export function userType(
  { reader, draft }: Task,
  at: Path,
  type: Record<string, unknown>,
): Record<string, unknown> {
  const text = (key: string) =>
    typeof type[key] === "string" && type[key] !== "" ? type[key] as string : undefined;
  const instruction = text("field_instruction") ?? "instruction";
  const input = text("field_input") ?? "input";
  const format = text("format");
  const user = format === undefined
    ? `${place(instruction)}\n${place(input, true)}`
    : format.replaceAll("{instruction}", place(instruction)).replaceAll("{input}", place(input, true));
  const system = text("field_system") === undefined
    ? text("system_prompt")
    : place(text("field_system")!, true);
  const columns = {
    ...system !== undefined && { system },
    user,
    assistant: place(text("field_output") ?? "output"),
  };
  for (const key of ["field_instruction", "field_input", "field_output", "format", "field_system"]) {
    if (text(key) !== undefined) draft.account(reader, [...at, key], within(at, "columns"), type[key]);
  }
  if (text("system_prompt") !== undefined) {
    if (text("field_system") === undefined) {
      draft.account(reader, [...at, "system_prompt"], within(at, "columns"), type["system_prompt"]);
    } else draft.leave(reader, [...at, "system_prompt"], { why: "field_system names the rows' own" });
  }
  if (text("no_input_format") !== undefined) {
    draft.leave(reader, [...at, "no_input_format"], {
      why: "one template applies to rows with and without input",
      instead: "{{ input | optional }} omits it with the white space before it: check columns.user",
    });
  }
  if (text("system_format") !== undefined) {
    draft.leave(reader, [...at, "system_format"], { why: "the base's chat template writes the system turn" });
  }
  return { format: "columns", columns };
}
