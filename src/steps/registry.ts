import { configure } from "./configure.ts";
import { extract } from "./extract.ts";
import { format } from "./format.ts";
import { monitor } from "./monitor.ts";
import type { Step } from "./step.ts";
import { submit } from "./submit.ts";

/** The steps of every pipeline, in their order. */
export const STEPS: readonly Step[] = [extract, format, configure, submit, monitor];
