import type { DataPlaces } from "./data_places.ts";
import type { Draft } from "./draft.ts";
import type { Reader } from "./reader.ts";

/** One file on its way to a pipeline. */
export interface Task {
  readonly title: string;
  readonly reader: Reader;
  readonly draft: Draft;
  readonly places: DataPlaces;
}
