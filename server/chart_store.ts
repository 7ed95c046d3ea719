import type { ReadFs } from "../src/lib/files/read_fs.ts";
import { type ChartData, type ChartName, Charts } from "../src/view/charts.ts";
import { readPoints } from "../src/log/metrics.ts";
import { type MetricSource, metricSource } from "./metric_tail.ts";
import { InTurn, Recent } from "./recent.ts";

/** Runs whose charts are kept: each takes at most a few hundred kilobytes. */
const KEPT = 64;

/** The charts of a run and how far in its file they reach. */
export interface ChartView {
  readonly charts: Readonly<Record<ChartName, ChartData>>;
  /** Points they were drawn from. */
  readonly points: number;
  /** Byte offset after the last line read. */
  readonly end: number;
  /** Lines that could not be read. */
  readonly skipped: number;
}

/** Charts of the runs that were looked at last. A file is read once, and then only where it has grown. */
export class ChartStore {
  readonly #kept = new Recent<Reading>(KEPT);

  constructor(private readonly fs: ReadFs) {}

  async view(dir: string): Promise<ChartView> {
    const source = await metricSource(this.fs, dir);
    const isSame = (reading: Reading) => reading.source.path === source.path;
    return await this.#kept.get(dir, () => new Reading(this.fs, source), isSame).view();
  }
}

class Reading {
  #charts = new Charts();
  #end = 0;
  #inode = 0;
  #skipped = 0;
  readonly #turns = new InTurn();

  constructor(private readonly fs: ReadFs, readonly source: MetricSource) {}

  async view(): Promise<ChartView> {
    await this.#turns.do(() => this.#catchUp());
    return {
      charts: this.#charts.data(),
      points: this.#charts.points,
      end: this.#end,
      skipped: this.#skipped,
    };
  }

  async #catchUp(): Promise<void> {
    const { path, parse } = this.source;
    const file = await this.fs.stat(path);
    if (!file || file.inode !== this.#inode || file.size < this.#end) this.#reset(file?.inode ?? 0);
    const { end, skipped } = await readPoints(this.fs, path, {
      from: this.#end,
      parse,
      onPoint: (point) => this.#charts.push(point),
    });
    this.#end = end;
    this.#skipped += skipped;
  }

  /** It is another file now. */
  #reset(inode: number): void {
    this.#charts = new Charts();
    this.#end = 0;
    this.#skipped = 0;
    this.#inode = inode;
  }
}
