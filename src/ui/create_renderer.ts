import type { Clock } from "../lib/clock.ts";
import type { Invocation } from "../lib/text/invocation.ts";
import type { Terminal } from "../lib/terminal.ts";
import { InteractiveRenderer } from "./interactive_renderer.ts";
import { LEAST_COLUMNS } from "./live_region.ts";
import { PlainRenderer } from "./plain_renderer.ts";
import type { Renderer } from "./renderer.ts";

/** The renderer that suits the terminal. `silent`: prints nothing. */
export function createRenderer(
  terminal: Terminal,
  clock: Clock,
  options: { readonly silent?: boolean; readonly invocation?: Invocation } = {},
): Renderer {
  if (options.silent) return { event: () => {}, end: () => {} };
  return terminal.interactive && terminal.columns() >= LEAST_COLUMNS
    ? new InteractiveRenderer(terminal, clock)
    : new PlainRenderer(terminal, clock, options.invocation);
}
