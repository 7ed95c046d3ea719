import type { Site } from "./kit.ts";

export interface Trained {
  readonly steps: number;
  /** Multiplies the losses. @default 1 */
  readonly worse?: number;
  /** A loss on held-out rows is written after every so many steps. */
  readonly evalEvery?: number;
}

/** Numbers of a training as a trainer with sensors writes them: ten steps a second, some of them beside the curve. */
export async function addTrained(
  s: Pick<Site, "write">,
  id: string,
  { steps, worse = 1, evalEvery }: Trained,
): Promise<void> {
  const lines: object[] = [];
  let smoothed = 0;
  for (let step = 1; step <= steps; step++) {
    const t = new Date(Date.UTC(2026, 10, 22, 8) + step * 100).toISOString();
    const place = { t, attempt: 1, step, epoch: step / steps, tokens: step * 512 };
    const loss = worse * (4 / Math.sqrt(step) + 0.4 * Math.sin(step * 1.7) ** 2);
    smoothed = step === 1 ? loss : smoothed + (0.1 / (1 - 0.9 ** step)) * (loss - smoothed);
    lines.push({
      ...place,
      type: "train",
      steps,
      loss,
      smoothed,
      smoothed_over: step,
      learning_rate: 2e-4 * (1 - step / steps),
      grad_norm: 1 + Math.cos(step) ** 2 + (step % 97 === 0 ? 6 : 0),
      tokens_per_second: 5000 + 400 * Math.sin(step),
      rss: 1.2e9 + step * 1e5,
    });
    if (step % 50 === 0) {
      lines.push({
        ...place,
        type: "device",
        cpu: 60 + 30 * Math.sin(step / 60),
        gpu: 90 + 5 * Math.cos(step / 70),
        gpu_memory: 8e9,
        cpu_temperature: 50 + step / steps * 15,
        gpu_temperature: 40 + step / steps * 30,
      });
    }
    if (evalEvery && step % evalEvery === 0) {
      lines.push({ ...place, type: "eval", eval_loss: worse * 4.2 / Math.sqrt(step) });
    }
  }
  await s.write(`${id}/job/metrics.jsonl`, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
}
