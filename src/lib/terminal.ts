/** Where words go, exactly as given: no line end is added. cli.ts owns the real one, the only place that prints. */
export interface Terminal {
  /** Results: what a script would read. */
  out(text: string): void;
  /** Everything else. */
  err(text: string): void;
  /** Whether `err` (where live lines go) is a terminal that can redraw. */
  readonly interactive: boolean;
  /** Whether to colour. False with NO_COLOR, with --json and when output is not a terminal. */
  readonly color: boolean;
  /** Width in columns now of `err`, or of `out`; 0 means unknown, or not a terminal: text is not cut. */
  columns(stream?: "out" | "err"): number;
}
