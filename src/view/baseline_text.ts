import type { JsonObject } from "../lib/json/json.ts";
import { duration } from "../lib/text/format.ts";
import { numberOf, objectOf } from "./scores.ts";

/** Scores of the base that other runs had computed already. */
export interface TakenBaseline {
  /** Ids of those runs, mostly one. */
  readonly runs: readonly string[];
  /** Seconds that computing them took there. */
  readonly seconds: number;
}

/** Where a run's scores of its base come from; `undefined` where it computed them itself. */
export function takenBaseline(metrics: JsonObject): TakenBaseline | undefined {
  const taken = Object.values(objectOf(metrics["baseline"])).map(objectOf);
  const runs = [...new Set(taken.flatMap(({ run }) => typeof run === "string" ? [run] : []))];
  if (runs.length === 0) return undefined;
  return { runs, seconds: taken.reduce((sum, { seconds }) => sum + (numberOf(seconds) ?? 0), 0) };
}

/** `20261122-080000-home-lora-3fa2, which took 8.0s` */
export function baselineText({ runs, seconds }: TakenBaseline): string {
  return `${runs.join(" and ")}, which took ${duration(seconds * 1000)}`;
}
