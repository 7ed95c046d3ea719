// The words for figures are needed below the user interface too.
export * from "../lib/format.ts";
