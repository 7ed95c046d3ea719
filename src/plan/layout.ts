import type { MemoryEstimate, Spread } from "./memory.ts";

/** How a training is spread over the devices there are, and the memory it takes on each. */
export interface Layout {
  /** `undefined`: one device. */
  readonly spread: Spread | undefined;
  readonly memory: MemoryEstimate;
  /** Whether each device has that much. Unknown memory is not held against it. */
  readonly fits: boolean;
  /** The fewest devices that are enough; undefined where none of these numbers is. */
  readonly least: number | undefined;
}

export interface Devices {
  readonly count: number;
  /** Bytes of each; undefined where they are not known. */
  readonly each: number | undefined;
}

/**
 * One device alone, several with the whole model on each (ddp) where one is enough, or with a part of it on each
 * (fsdp) where it is not.
 */
export function layoutOf(estimate: (spread?: Spread) => MemoryEstimate, { count, each }: Devices): Layout {
  const fits = ({ needed }: MemoryEstimate) => each === undefined || needed <= each;
  const alone = estimate();
  if (count === 1) {
    return { spread: undefined, memory: alone, fits: fits(alone), least: fits(alone) ? 1 : undefined };
  }
  const ddp: Spread = { parallel: "ddp", workers: count };
  const copied = estimate(ddp);
  if (fits(copied)) return { spread: ddp, memory: copied, fits: true, least: 1 };
  const fsdp = (workers: number): Spread => ({ parallel: "fsdp", workers });
  const numbers = Array.from({ length: count - 1 }, (_, i) => i + 2);
  const least = numbers.find((workers) => fits(estimate(fsdp(workers))));
  const memory = estimate(fsdp(count));
  return { spread: fsdp(count), memory, fits: fits(memory), least };
}

/** `ddp over 8 devices`; nothing to say of one. */
export function layoutText({ spread, least }: Layout): string | undefined {
  if (!spread) return undefined;
  const { parallel, workers } = spread;
  const enough = parallel === "fsdp" && least !== undefined && least < workers ? `, ${least} are enough` : "";
  return `${parallel} over ${workers} devices${enough}`;
}
