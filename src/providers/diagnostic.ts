/** What `doctor` found about one thing a provider needs. `missing`: a run cannot work without it. */
export interface Diagnostic {
  readonly name: string;
  readonly state: "ok" | "warn" | "missing";
  readonly found: string;
  /** The command or the sentence that fixes it. */
  readonly fix?: string;
}
