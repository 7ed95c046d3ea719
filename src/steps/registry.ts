import type { JsonObject } from "../lib/json/json.ts";
import { configure } from "./configure.ts";
import { extract } from "./extract.ts";
import { format } from "./format.ts";
import { monitor } from "./monitor.ts";
import type { Step, StepExtension, StepExtensions, StepKind } from "./step.ts";
import { submit } from "./submit.ts";

/** The steps of every pipeline, in their order. */
export const STEPS: readonly Step[] = [extract, format, configure, submit, monitor];

/** The same with some of them replaced. What a replacement is called is part of its key: temper's output is not its. */
export function stepsWith(own: StepExtensions = {}): readonly Step[] {
  return STEPS.map((step) => {
    const given = own[step.kind];
    return given ? ownStep(step.kind, given) : step;
  });
}

/** The inputs with the step's name, so that neither can stand for the other: an input may be called `own` too. */
function named(name: string, { own, ...inputs }: JsonObject): JsonObject {
  return { own: own === undefined ? name : [name, own], ...inputs };
}

/** What the step that made a plan's part is called; undefined for temper's own. */
export function ownNameIn({ inputs }: JsonObject): string | undefined {
  const own = typeof inputs === "object" && inputs !== null && "own" in inputs ? inputs.own : undefined;
  return typeof own === "string" ? own : Array.isArray(own) ? String(own[0]) : undefined;
}

function ownStep(kind: StepKind, own: StepExtension): Step {
  const { version, cached } = own;
  return {
    kind,
    version,
    cached,
    inputs: async (loaded, env) => named(own.name, await own.inputs(loaded, env)),
    run: (context) => own.run(context),
  };
}
