import type { JsonObject } from "../../src/lib/json/json.ts";
import { NO_RUN, type RunState } from "../../src/log/run_state.ts";
import type { CellInput } from "../../src/view/comparison.ts";

export interface Figures {
  readonly trainable: number;
  readonly memory: number;
  readonly train: number;
  readonly after: number;
  readonly weights: number;
}

/** A cell whose run is done, with the figures of its result. */
export function doneCell(
  cell: string,
  method: string,
  figures: Figures,
  metrics: JsonObject = {},
): CellInput {
  const { trainable, memory, train, after, weights } = figures;
  const state: RunState = {
    ...NO_RUN,
    id: `20261122-080000-${cell}-3fa2`,
    state: "done",
    metrics: {
      metric: "exact_match",
      before: 0.05,
      after,
      eval_rows: 60,
      loss: { before: 4.1, after: 0.0987 },
      parameters: { trainable, total: 134_515_008 },
      peak_rss: memory,
      seconds: { load: 1, baseline: 8, train, export: 11 },
      tokens_per_second: 12_000 / train,
      ...metrics,
    },
    artifacts: [
      { kind: "predictions", path: "job/artifacts/predictions.jsonl", bytes: 9000, sha256: "d" },
      { kind: "gguf", path: "job/artifacts/model.gguf", bytes: 145_000_000, sha256: "b" },
      {
        kind: method === "full" ? "weights" : "adapter",
        path: "job/artifacts/x",
        bytes: weights,
        sha256: "a",
      },
    ],
  };
  return { cell, name: `home-${cell}`, method, values: { "method.kind": method }, state, error: undefined };
}

export const FULL = doneCell("full", "full", {
  trainable: 134_515_008,
  memory: 3_400_000_000,
  train: 240,
  after: 0.96,
  weights: 538_000_000,
});
export const LORA = doneCell("lora", "lora", {
  trainable: 2_442_240,
  memory: 1_700_000_000,
  train: 60,
  after: 0.72,
  weights: 9_786_368,
});
export const FAILED: CellInput = {
  cell: "prefix",
  name: "home-prefix",
  method: "prefix",
  values: {},
  state: { ...NO_RUN, id: "20261122-090000-prefix-77aa", state: "failed" },
  error: { code: "bad", message: "Cannot train: <b>no</b> room\n  a long list", hint: "Make room" },
};
export const PENDING: CellInput = { ...FAILED, cell: "adapter", state: undefined, error: undefined };
