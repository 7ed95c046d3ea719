import { z } from "../../deps/zod.ts";

/** What a line for temper begins with. */
const SAYS = "temper: ";

const Event = z.discriminatedUnion("state", [
  z.object({ state: z.literal("pending"), message: z.string() }),
  z.object({ state: z.literal("running"), nodes: z.array(z.string()), workers: z.int() }),
  z.object({
    state: z.literal("ended"),
    rank: z.int(),
    node: z.string(),
    code: z.int(),
    signal: z.string().nullable(),
  }),
  z.object({ state: z.literal("lost"), rank: z.int(), node: z.string(), message: z.string() }),
]);
/** What the driver says about its workers (trainer/temper_trainer/ray_workers.py). */
export type DriverEvent = z.infer<typeof Event>;

/** The newest event in a driver's log, which holds what Ray and others print too. */
export function lastEvent(log: string): DriverEvent | undefined {
  return log.split("\n").map(eventOf).findLast((event) => event !== undefined);
}

function eventOf(line: string): DriverEvent | undefined {
  if (!line.startsWith(SAYS)) return undefined;
  try {
    return Event.safeParse(JSON.parse(line.slice(SAYS.length))).data;
  } catch {
    return undefined; // a line that is still being written
  }
}
