import type { SetName } from "./sources.ts";

/** A source in sources.json. `path` is its label: no folders but those that tell it from others. */
export type SourceFile = {
  readonly path: string;
  readonly set: SetName;
  readonly bytes: number;
  readonly sha256: string;
  readonly rows: number;
};
