import process from "node:process";

const IN_CI = "1";

/** What every random choice of the tests follows from: `given`, in CI always the same, by hand another each time. */
export function testSeed(given: string | undefined): number {
  const seed = Number(given ?? (process.env["CI"] ? IN_CI : crypto.getRandomValues(new Uint32Array(1))[0]));
  if (Number.isInteger(seed) && seed >= 0) return seed;
  throw new Error(`Cannot use --seed ${given}: it takes a whole number, 0 or more`);
}
