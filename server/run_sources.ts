import type { Clock } from "../src/lib/clock.ts";
import type { ReadFs } from "../src/lib/files/read_fs.ts";
import { ChartStore } from "./chart_store.ts";
import { containedFs } from "./contained_fs.ts";
import { Feeds } from "./feeds.ts";
import { LogStore } from "./log_store.ts";
import { hereAs, type Where } from "./run_details.ts";
import { RunIndex } from "./run_index.ts";

/** Everything the pages and the API take their answers from. */
export interface Sources {
  readonly fs: ReadFs;
  readonly clock: Clock;
  readonly where: Where;
  readonly index: RunIndex;
  readonly logs: LogStore;
  readonly charts: ChartStore;
  readonly feeds: Feeds;
}

/** `runsDir`: absolute folder of the runs. Nothing outside it is ever read, whatever links it contains. */
export function createSources(outer: ReadFs, clock: Clock, runsDir: string, where: Where): Sources {
  const fs = containedFs(outer, runsDir);
  const logs = new LogStore(fs, hereAs(where));
  return {
    fs,
    clock,
    where,
    index: new RunIndex(fs, clock, runsDir),
    logs,
    charts: new ChartStore(fs),
    feeds: new Feeds(fs, clock, logs),
  };
}
