/**
 * What `doctor` found about one thing a provider needs. `missing`: a run cannot work without it.
 *
 * @example
 * ```ts
 * const diagnostic: Diagnostic = {
 *   name: "cluster",
 *   state: "missing",
 *   found: "no login",
 *   fix: "cluster login",
 * };
 * console.log(diagnostic.fix);
 * ```
 */
export interface Diagnostic {
  readonly name: string;
  readonly state: "ok" | "warn" | "missing";
  readonly found: string;
  /** The command or the sentence that fixes it. */
  readonly fix?: string;
}
