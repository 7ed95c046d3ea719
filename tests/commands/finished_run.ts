import { DONE, RUN_ID } from "../ui/recorded.ts";
import type { Project } from "./run_kit.ts";

export const PREDICTIONS = `runs/${RUN_ID}/job/artifacts/predictions.jsonl`;

export function prediction(prompt: string, before: boolean, after: boolean): string {
  return JSON.stringify({
    row: 0,
    origin: "home.eval.jsonl:1",
    prompt,
    expected: "do: on",
    before: "I am\nsorry \x1b[2J",
    few_shot: null,
    after: after ? "do: on" : "",
    before_ok: before,
    few_shot_ok: null,
    after_ok: after,
  }) + "\n";
}

/** A run that is done, with the answers to six of its rows. */
export async function finished(home: Project): Promise<void> {
  await home.addRun(RUN_ID, DONE);
  const fixed = ["a", "b", "c", "d"].map((prompt) => prediction(prompt, false, true)).join("");
  await home.write(PREDICTIONS, fixed + prediction("e", false, false) + prediction("f", true, true));
}
