import { systemClock } from "../../src/lib/clock.ts";
import { fold, NO_RUN } from "../../src/log/run_state.ts";
import { createRenderer } from "../../src/ui/create_renderer.ts";
import { DONE, recorded } from "./recorded.ts";

/** Plays a recorded run on the real terminal of this process, as fast as the display draws. */
const encoder = new TextEncoder();
const write = (text: string) => void Deno.stderr.writeSync(encoder.encode(text));
const interactive = Deno.stderr.isTerminal();
const columns = () => interactive ? Deno.consoleSize().columns : 0;
const renderer = createRenderer(
  { out: write, err: write, interactive, color: interactive, columns },
  systemClock,
);
let state = NO_RUN;
for (const event of recorded(DONE)) {
  state = fold(state, event);
  renderer.event(event, state);
  await systemClock.sleep(20);
}
renderer.end(state);
