import type { Comparison, Cost, Relative } from "../../view/comparison.ts";

/** What `compare --json` prints and compare.json contains. Unmeasured figures are null. */
export function comparisonJson({ name, metric, rows, reference, cells, settings, groupBy }: Comparison) {
  return {
    version: 1,
    name,
    metric: metric ?? null,
    rows: rows ?? null,
    reference: reference ?? null,
    group_by: groupBy ?? null,
    cells: cells.map((
      { cell, name, method, values, run, state, cost, scores, baseline, relative, error },
    ) => ({
      cell,
      name,
      method,
      values,
      run: run ?? null,
      state,
      ...costJson(cost),
      before: scores.before ?? null,
      after: scores.after ?? null,
      loss: { before: scores.loss.before ?? null, after: scores.loss.after ?? null },
      perplexity: { before: scores.perplexity.before ?? null, after: scores.perplexity.after ?? null },
      baseline: baseline ?? null,
      relative: relative ? sharesJson(relative) : null,
      error: error ?? null,
    })),
    settings: settings.map(({ field, values }) => ({ field, values: values.map((value) => value ?? null) })),
  };
}

/** Shares have no unit. */
function sharesJson(relative: Relative) {
  const { trainable, memory, train, total, speed, weights, gguf, quality } = relative;
  const shares = { trainable, memory, train, total, speed, weights, gguf, quality };
  return Object.fromEntries(Object.entries(shares).map(([name, share]) => [name, share ?? null]));
}

function costJson({ trainable, memory, train, total, speed, weights, gguf }: Cost) {
  return {
    trainable: trainable ?? null,
    peak_memory: memory ?? null,
    train_seconds: train ?? null,
    total_seconds: total ?? null,
    tokens_per_second: speed ?? null,
    weights_bytes: weights ?? null,
    gguf_bytes: gguf ?? null,
  };
}
