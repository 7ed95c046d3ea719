/** The laws of the log in the long form: the same tests as everywhere, over many more logs. */
import fc from "fast-check";
import { SEED } from "./proof.ts";

fc.configureGlobal({ numRuns: 2_000, seed: SEED | 0 });
await import("../log/run_state_test.ts");
await import("../log/read_log_test.ts");
